"""The skills that a command works on, inside of a repository or not.

In: options. Out: a `Registry`, the repository if there is one, chosen cards.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import NotARepository, UsageError
from ..git.repository import Repository
from ..registry.loading import load_registry, shipped, skills_of
from ..registry.model import Card, Registry
from ..registry.rendering import Entry
from .context import Context

NAME = "experts"  # of the registry that is used when none is named
_NEAR = 3


def repository_of(context: Context) -> Repository | None:
    """Return the repository around the folder, None outside of one."""
    try:
        return context.repository
    except NotARepository:
        if context.folder is not None and not context.folder.is_dir():
            raise UsageError(f"no such folder: {context.folder}") from None
        return None


def top_of(context: Context) -> Path | None:
    """Return the folder of the working tree, None where there is none."""
    repository = repository_of(context)
    return repository.top if repository else None


def place_of(name: str, context: Context) -> Path:
    """Return a path that the user typed."""
    if "\0" in name:
        raise UsageError("not a path: it has a NUL character")
    return (context.folder or Path()) / Path(name).expanduser()


def registry_of(args: argparse.Namespace, context: Context) -> Registry:
    """Return the registry that is named, else the shipped one with the repository's own skills."""
    named = getattr(args, "registry", None)
    if named is None:
        return skills_of(top_of(context))
    return load_registry(place_of(named, context))


def key_of(args: argparse.Namespace, context: Context) -> str:
    """Return the name under which an index of the registry is kept."""
    named = getattr(args, "registry", None)
    return NAME if named is None else str(place_of(named, context).resolve())


def third_party(cards: Iterable[Card]) -> frozenset[str]:
    """Return the ids of the cards that did not come with this program."""
    place = shipped()
    ours = (place if place.is_dir() else place.parent).resolve()
    roots = {card.root: bool(card.root and card.root.resolve() == ours) for card in cards}
    return frozenset(card.id for card in cards if not roots[card.root])


def prerequisites(cards: Sequence[Card], registry: Registry) -> list[tuple[Card, tuple[str, ...]]]:
    """Return the cards that come before these, each with those that need it."""
    given = {card.id for card in cards}
    needed: dict[str, list[str]] = {}
    for card in cards:
        for one in card.composability.before:
            if one in registry.by_id and one not in given:
                needed.setdefault(one, []).append(card.id)
    return [(registry.by_id[one], tuple(by)) for one, by in needed.items()]


def with_prerequisites(entries: Sequence[Entry], registry: Registry) -> list[Entry]:
    """Return entries, and behind them what comes before their cards."""
    found = prerequisites([entry.card for entry in entries], registry)
    others = third_party(card for card, _ in found)
    more = [Entry(card, card.id in others, before=by) for card, by in found]
    return [*entries, *more]


def chosen_card(name: str, registry: Registry) -> Card:
    """Return a card by its id, or by its name where that is clear. Raises `UsageError`."""
    if name in registry.by_id:
        return registry.by_id[name]
    named = [card for card in registry.cards if card.name == name]
    if len(named) == 1:
        return named[0]
    raise no_such(name, registry, [card.id for card in named])


def no_such(name: str, registry: Registry, near: Sequence[str] = ()) -> UsageError:
    """Return the error for what is neither a card nor a role."""
    import difflib

    ids = [*registry.by_id, *(role.id for role in registry.roles)]
    near = near or difflib.get_close_matches(name, ids, _NEAR)
    return UsageError(f"no skill {name}", ", ".join(near) or "git skillmesh skills list")


def chosen_cards(names: Sequence[str], registry: Registry) -> list[Card]:
    """Return the cards of roles and ids, each once. Raises `UsageError`."""
    roles = {role.id: role for role in registry.roles}
    found: dict[str, Card] = {}
    for name in names:
        if name in registry.by_id or name not in roles:
            cards = [chosen_card(name, registry)]
        else:
            cards = [registry.by_id[one] for one in roles[name].experts if one in registry.by_id]
        found |= {card.id: card for card in cards}
    return list(found.values())
