"""`git skillmesh skills list|show|validate`: the cards themselves."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ExitCode, UsageError
from ..registry.building import fields_of, role_fields_of
from ..registry.choosing import chosen_card, no_such, third_party
from ..registry.loading import FOLDER, shipped
from ..registry.model import Card, Registry, Role
from ..registry.parts import parts_of
from ..yamlnodes import Unreadable
from .columns import clip, fit, plural, width_of, wrapped
from .context import Context
from .skills_registry import place_of, registry_of, top_of
from .terminal import safe, safe_line

_WIDEST_ID = 32
_PROSE = 96


def list_skills(args: argparse.Namespace, context: Context) -> int:
    """Print the skills that fit the filters, and the roles where there are none."""
    if args.words:
        raise UsageError("list takes no words", "--domain NAME, --tag TAG, --role ROLE")
    registry = registry_of(args, context)
    roles = {role.id: role for role in registry.roles}
    for name in args.role or ():
        if name not in roles:
            raise UsageError(f"no role {name}", ", ".join(roles) or "this registry has no roles")
    of_roles = {one for name in args.role or () for one in roles[name].experts}
    cards = [
        card
        for card in registry.cards
        if (not args.domain or card.domain in args.domain)
        and (not args.tag or not set(args.tag).isdisjoint(card.tags))
        and (not args.role or card.id in of_roles)
    ]
    narrowed = any((args.domain, args.tag, args.role))
    if context.json:
        _print_json(registry, cards, context)
    else:
        for line in _table(cards, () if narrowed else registry.roles, context):
            context.out(line)
        if not cards:
            context.note(f"no skills{' that fit' if narrowed else ''}")
    return ExitCode.OK if cards else ExitCode.NOTHING_FOUND


def _print_json(registry: Registry, cards: "list[Card]", context: Context) -> None:
    others = third_party(cards)
    rows = [
        {
            "id": card.id,
            "title": card.title,
            "domain": card.domain,
            "description": card.description,
            "tags": list(card.tags),
            "risk_level": str(card.risk_level),
            "maturity": str(card.maturity),
            "third_party": card.id in others,
        }
        for card in cards
    ]
    roles = [role_fields_of(role) for role in registry.roles]
    context.out_json({"registry": registry.name, "skills": rows, "roles": roles})


def _table(cards: "list[Card]", roles: "tuple[Role, ...]", context: Context) -> Iterator[str]:
    others = third_party(cards)
    names = [*(card.id for card in cards), *(role.id for role in roles)]
    width = min(max((width_of(safe_line(name)) for name in names), default=0), _WIDEST_ID)
    room = max(context.width - width - 16, 20)
    style = context.style
    for card in cards:
        mark = f"  {style.dim('third party')}" if card.id in others else ""
        yield f"{style.bold(fit(card.id, width))}  {clip(card.title, room)}{mark}"
    if roles:
        yield ""
    for role in roles:
        count = style.dim(plural(len(role.experts), "skill"))
        yield f"{style.bold(fit(role.id, width))}  {clip(role.title, room)}  {count}"


def show(args: argparse.Namespace, context: Context) -> int:
    """Print all of a card, or of a role."""
    if len(args.words) != 1:
        raise UsageError("show takes one ID")
    registry = registry_of(args, context)
    name = args.words[0]
    role = next((role for role in registry.roles if role.id == name), None)
    if role is not None and name not in registry.by_id:
        return _show_role(role, registry, context)
    card = chosen_card(name, registry)
    if args.section:
        return _show_sections(card, args.section, context)
    if context.json:
        context.out_json({**fields_of(card), "instructions": _instructions(card)})
        return ExitCode.OK
    for line in _shown(card, context):
        context.out(line)
    context.out("")
    context.out(safe(_instructions(card)).rstrip("\n"))
    return ExitCode.OK


def _instructions(card: Card) -> str:
    try:
        return card.instructions
    except Unreadable as error:
        raise UsageError(f"the instructions of {card.id} cannot be read", error.what) from None


def _show_sections(card: Card, names: "list[str]", context: Context) -> int:
    _instructions(card)
    parts = {part.title.casefold(): part for part in parts_of(card)}
    wanted = [parts.get(name.casefold()) for name in names]
    for name, part in zip(names, wanted, strict=True):
        if part is None:
            there = ", ".join(one.title for one in parts.values() if one.title)
            raise UsageError(f"{card.id} has no section {name}", there)
    found = [part for part in wanted if part is not None]
    if context.json:
        rows = [{"title": part.title, "text": part.body} for part in found]
        context.out_json({"id": card.id, "sections": rows})
    else:
        context.out("\n\n".join(f"## {part.title}\n{part.body}" for part in found))
    return ExitCode.OK


def _shown(card: Card, context: Context) -> Iterator[str]:
    style, width = context.style, min(context.width, _PROSE)
    yield f"{style.bold(safe_line(card.id))}  {safe_line(card.title)}"
    for name, value in _facts(card, context):
        for number, line in enumerate(wrapped(value, width - 16) if value else ()):
            yield f"{style.dim(fit(name if not number else '', 14))}  {line}"


def _facts(card: Card, context: Context) -> Iterator[tuple[str, str]]:
    order = card.composability
    place = card.root / card.instruction_file if card.root else Path(card.instruction_file)
    yield "description", safe_line(card.description)
    for name, values in (
        ("aliases", card.aliases),
        ("tags", card.tags),
        ("tools", card.tool_hints),
        ("dependencies", card.dependencies),
        ("needs", card.input_contract.required),
        ("may be told", card.input_contract.optional),
        ("hands over", card.output_artifacts),
        ("checks", card.quality_checks),
        ("limits", card.constraints),
        ("before", order.before),
        ("after", order.after),
        ("related", order.related),
    ):
        separator = "; " if any("," in value for value in values) else ", "
        yield name, safe_line(separator.join(values))
    yield "risk", f"{card.risk_level}, {card.maturity}"
    yield "licence", safe_line(card.metadata.get("license", ""))
    third = " (third party)" if third_party([card]) else ""
    yield "file", f"{safe_line(str(place))}{third}"


def _show_role(role: Role, registry: Registry, context: Context) -> int:
    if context.json:
        context.out_json(role_fields_of(role))
        return ExitCode.OK
    style = context.style
    context.out(f"{style.bold(safe_line(role.id))}  {safe_line(role.title)}")
    for line in wrapped(role.description, min(context.width, _PROSE)):
        context.out(line)
    context.out("")
    cards = [registry.by_id[one] for one in role.experts if one in registry.by_id]
    for line in _table(cards, (), context):
        context.out(line)
    for one in role.experts:
        if one not in registry.by_id:
            context.note(str(no_such(one, registry)))
    return ExitCode.OK


def check(args: argparse.Namespace, context: Context) -> int:
    """Say what is wrong with a registry, in which file and line."""
    from ..registry.validation import validate

    if len(args.words) + bool(args.registry) > 1:
        raise UsageError("validate takes one PATH")
    root, known = _checked(args, context)
    problems = set(validate(root, known))
    if args.strict and root.is_dir():
        from ..registry.lint import lint

        problems |= set(lint(root))
    if args.frozen:
        from .skills_adding import refuse_unless_frozen

        refuse_unless_frozen(context)
    found = sorted(problems)
    if context.json:
        rows: list[dict[str, Any]] = [
            {"path": one.path, "line": one.line, "what": one.what} for one in found
        ]
        context.out_json({"problems": rows})
    else:
        folder = root if root.is_dir() else root.parent
        for one in found:
            place = context.style.path(safe_line(_shown_place(folder / one.path)))
            context.out(f"{place}:{one.line}: {safe_line(one.what)}")
        context.note(plural(len(found), "problem") if found else "all in order")
    return ExitCode.FINDINGS if found else ExitCode.OK


def _checked(args: argparse.Namespace, context: Context) -> "tuple[Path, list[str]]":
    """Return what is validated, and ids elsewhere that it may refer to."""
    if args.words or args.registry:
        return place_of((args.words or [args.registry])[0], context), []
    top = top_of(context)
    if top is not None and (top / FOLDER).is_dir():
        return top / FOLDER, list(registry_of(args, context).by_id)
    place = shipped()
    return (place if place.is_dir() else place.parent), []


def _shown_place(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(path)
