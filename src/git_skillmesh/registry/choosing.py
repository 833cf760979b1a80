"""The skills of a registry, chosen by name or by a question, and those that come before them.

In: a registry. Out: cards, entries to render, and what routes questions to them.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..config import Config
from ..errors import UsageError
from ..git.repository import Repository
from ..yamlnodes import Unreadable
from .loading import shipped
from .model import Card, Registry
from .rendering import DOUBTFUL, Entry

if TYPE_CHECKING:
    from .retriever import SkillRetriever
    from .router import Routing

NAME = "experts"  # of the registry that is used when none is named
_NEAR = 3


def open_retriever(
    registry: Registry, key: str, backend: str, repository: Repository | None,
    config: Config | None,
) -> "SkillRetriever":  # fmt: skip
    """Return what answers questions about a registry; what it reads is kept for the next time.

    With `config` the Chroma store that is configured is asked.
    """
    from .retriever import SkillRetriever
    from .storage import cache_folder

    target, owner = None, ""
    if config is not None and repository is not None:
        from ..chroma.directory import owner_of
        from ..chroma.target import target_of

        target = target_of(config, repository)
        owner = owner_of(repository, config, target)
    return SkillRetriever(
        [_readable(card) for card in registry.cards],
        "chroma" if backend == "chroma" else "memory" if backend == "memory" else "auto",
        folder=cache_folder(repository, os.environ),
        registry=key,
        target=target,
        owner=owner,
    )


def _readable(card: Card) -> Card:
    """Return a card whose instructions can be read: without any, where its file is not there."""
    try:
        _ = card.instructions
    except Unreadable:
        return replace(card, body="")
    return card


def entries_of(routing: "Routing") -> list[Entry]:
    """Return what was found, as it is rendered."""
    others = third_party([hit.card for hit in routing.hits])
    return [
        Entry(hit.card, hit.card.id in others, (hit.score, hit.sparse_score, hit.dense_score))
        for hit in routing.hits
    ]


def likely(entries: Sequence[Entry]) -> list[Entry]:
    """Return the first entry, and the others that a model should read for the task."""
    return [one for n, one in enumerate(entries) if not n or _is_likely(one)]


def _is_likely(entry: Entry) -> bool:
    return entry.scores is not None and entry.scores[0] >= DOUBTFUL


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
    import difflib  # slow to load, and seldom needed

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
