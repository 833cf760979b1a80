"""Registries from disk: a tree of SKILL.md files, an experts.yaml, a tools.enriched.json.

In: a path. Out: a `Registry`, the same from each of the three, and what could not be used. Nothing
in a file makes this fail: a card that cannot be read is left out, and a `Problem` says so.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..yamlnodes import Unreadable, read_yaml
from . import texts, trees
from .cards import card_of, plain, role_of
from .model import Card, Problem, Registry, Role
from .place import BUILT as BUILT
from .place import FOLDER as FOLDER
from .place import shipped as shipped

BUILT_YAML = "experts.yaml"
ROLES = "roles.yaml"
_JSON_LONGEST = 256 * 1024 * 1024
_YAML_LONGEST = 16 * 1024 * 1024
# Under which names files list cards: ours, older ones and those of others.
_LISTS = ("tools", "experts", "skills", "cards")


@dataclass(frozen=True, slots=True)
class ReadRegistry:
    """A registry as it was read, and what is wrong with its files."""

    registry: Registry
    problems: tuple[Problem, ...] = ()


def load_registry(path: Path) -> Registry:
    """Return the cards and roles of a folder or file. Raises `UsageError` if it is neither."""
    return read_registry(path).registry


def read_registry(path: Path) -> ReadRegistry:
    """Return what can be read and what cannot. Raises `UsageError` if there is no registry."""
    if path.is_dir():
        return _read_tree(path)
    if not path.exists():
        raise UsageError(f"no registry at {path}", "name a folder of skills, or a registry file")
    try:
        document = _document(path)
    except Unreadable as error:
        raise UsageError(f"{path}:{error.line}: {error.what}", "") from None
    fields = document if isinstance(document, Mapping) else {}
    listed: Any = next((fields[name] for name in _LISTS if fields.get(name)), document)
    problems: list[Problem] = []
    root = path.parent
    cards = (card_of(one, root) for one in _each(listed, path.name, problems))
    roles = (role_of(one) for one in _each(fields.get("roles") or [], path.name, problems))
    return _registry(
        str(fields.get("registry_name") or path.parent.resolve().name),
        root, (card for card in cards if card), (role for role in roles if role), problems,
    )  # fmt: skip


def skills_of(top: "Path | None") -> Registry:
    """Return the shipped cards and those of a repository; of the same id the repository's."""
    ours = load_registry(shipped())
    own = None if top is None or not (top / FOLDER).is_dir() else load_registry(top / FOLDER)
    if own is None:
        return ours
    cards = {**ours.by_id, **own.by_id}
    roles = {role.id: role for role in (*ours.roles, *own.roles)}
    return Registry(
        ours.name, own.root,
        tuple(cards[key] for key in sorted(cards)), tuple(roles[key] for key in sorted(roles)),
    )  # fmt: skip


def count_skills(top: "Path | None") -> int:
    """Return how many cards `skills_of` has, for who needs no more: those shipped are not read.

    What is shipped was written by this program from cards that a test has read.
    """
    ours = shipped()
    if ours.is_dir():  # a checkout in which it was not built
        return len(skills_of(top).cards)
    listed = _document(ours)[_LISTS[0]]
    if top is None or not (top / FOLDER).is_dir():
        return len(listed)
    return len({one["id"] for one in listed} | load_registry(top / FOLDER).by_id.keys())


def _read_tree(root: Path) -> ReadRegistry:
    problems: list[Problem] = []
    cards = []
    for place in trees.places(root):
        fields = trees.fields_of(root, place, problems)
        card = None if fields is None else card_of(fields, root)
        if card:
            cards.append(card)
    if not cards:  # perhaps a folder of instruction files that are no skills, and a file of cards
        for built in (BUILT, BUILT_YAML):
            if (root / built).is_file():
                return read_registry(root / built)
    about = _roles_file(root, problems)
    roles = (role_of(one) for one in _each(about.get("roles") or [], ROLES, problems))
    name = str(about.get("registry_name") or root.resolve().name)
    return _registry(name, root, cards, (role for role in roles if role), problems)


def _roles_file(root: Path, problems: "list[Problem]") -> Mapping[str, Any]:
    if not (root / ROLES).is_file():
        return {}
    try:
        document = _document(root / ROLES)
    except Unreadable as error:
        problems.append(Problem(ROLES, error.line, error.what))
        return {}
    return document if isinstance(document, Mapping) else {"roles": document}


def _document(path: Path) -> Any:
    """Return what a JSON or YAML file says. Raises `Unreadable`."""
    if path.suffix.lower() != ".json":
        text = texts.decode(texts.read_bytes(path, _YAML_LONGEST))
        return plain(read_yaml(text.encode(), _YAML_LONGEST))
    text = texts.decode(texts.read_bytes(path, _JSON_LONGEST))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(error.lineno, error.msg) from None
    except RecursionError:
        raise Unreadable(1, "nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise Unreadable(1, str(error)) from None


def _each(listed: Any, path: str, problems: "list[Problem]") -> "Iterable[Mapping[str, Any]]":
    """Yield the entries of a list, or of a mapping from ids."""
    if isinstance(listed, Mapping):
        listed = [
            {"id": key, **one} if isinstance(one, Mapping) else one for key, one in listed.items()
        ]
    if not isinstance(listed, list):
        problems.append(Problem(path, 1, "no list of cards"))
        return
    for number, one in enumerate(listed, 1):
        if isinstance(one, Mapping):
            yield one
        else:
            problems.append(Problem(path, 1, f"entry {number} is not a mapping of fields"))


def _registry(
    name: str, root: Path, cards: Iterable[Card], roles: Iterable[Role], problems: "list[Problem]"
) -> ReadRegistry:
    """Put cards in order; of those with the same id the first counts."""
    found: dict[str, Card] = {}
    for card in cards:
        if card.id in found:
            first = found[card.id].instruction_file
            what = f"{card.id} is the id of {first} too" if first else f"{card.id} twice"
            problems.append(Problem(card.instruction_file or root.name, 1, what))
            continue
        if card.instruction_file and not texts.stays_inside(card.instruction_file):
            what = f"{card.id}: {card.instruction_file!r} is not a path inside the registry"
            problems.append(Problem(root.name, 1, what))
            continue
        found[card.id] = card
    by_role = {role.id: role for role in reversed(list(roles))}
    registry = Registry(
        name, root,
        tuple(found[key] for key in sorted(found)), tuple(by_role[key] for key in sorted(by_role)),
    )  # fmt: skip
    return ReadRegistry(registry, tuple(sorted(problems)))
