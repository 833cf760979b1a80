"""One memory of many imports: what was read twice, in pieces or in copies, is there once.

In: sessions in any order, also those merged before. Out: each session once, each exchange in one
session. The result does not depend on the order or on how often a file was imported.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from ..model import Exchange, Session, exchange_to_json

# What tells a session at second hand gives way to the agent's own transcript of it.
SECOND_HAND = frozenset({"specstory", "git-ai"})


def merge(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Return the sessions without repetitions, the earliest first.

    An exchange that several sessions hold, since one was forked off the other, stays with the
    session that began first. Sessions that are left without any are not returned.
    """
    by_id: dict[str, Session] = {}
    for session in sessions:
        known = by_id.get(session.session_id)
        by_id[session.session_id] = _united(known, session) if known else session
    ordered = sorted(by_id.values(), key=lambda session: (session.started, session.session_id))
    fullest: dict[str, Exchange] = {}
    for session in ordered:
        for exchange in session.exchanges:
            known_exchange = fullest.get(exchange.exchange_id)
            fullest[exchange.exchange_id] = (
                _fuller(known_exchange, exchange) if known_exchange else exchange
            )
    merged = []
    for session in ordered:
        ids = dict.fromkeys(exchange.exchange_id for exchange in session.exchanges)
        kept = tuple(fullest.pop(key) for key in ids if key in fullest)
        if kept:
            merged.append(replace(session, exchanges=kept))
    return tuple(merged)


def _united(one: Session, other: Session) -> Session:
    """Return all that two readings of one session hold."""
    if (one.agent in SECOND_HAND) != (other.agent in SECOND_HAND):
        return other if one.agent in SECOND_HAND else one
    # The longer reading gives the order; a tie is decided by content, not by who came first.
    longer, shorter = sorted((one, other), key=_size, reverse=True)
    exchanges = {exchange.exchange_id: exchange for exchange in longer.exchanges}
    for exchange in shorter.exchanges:
        known = exchanges.get(exchange.exchange_id)
        exchanges[exchange.exchange_id] = _fuller(known, exchange) if known else exchange
    ordered = list(exchanges.values())
    if all(exchange.started for exchange in ordered):
        ordered.sort(key=lambda exchange: (exchange.started, exchange.exchange_id))
    return Session(
        longer.session_id, longer.agent, tuple(ordered), longer.title or shorter.title,
        longer.directory or shorter.directory, longer.branch or shorter.branch,
        longer.parent or shorter.parent, longer.source or shorter.source,
        min(filter(None, (one.started, other.started)), default=""),
    )  # fmt: skip


def _size(session: Session) -> tuple[object, ...]:
    return (
        len(session.exchanges), sum(len(exchange.tools) for exchange in session.exchanges),
        session.title, session.directory, session.branch, session.parent, session.source,
        tuple(exchange.exchange_id for exchange in session.exchanges),
    )  # fmt: skip


def _fuller(one: Exchange, other: Exchange) -> Exchange:
    """Return the reading of an exchange that went on for longer."""
    if one == other:
        return one
    return max(one, other, key=_fullness)


def _fullness(exchange: Exchange) -> tuple[object, ...]:
    answered = sum(bool(call.output or call.edits) for call in exchange.tools)
    said = sum(len(call.output) for call in exchange.tools)
    text = json.dumps(exchange_to_json(exchange), sort_keys=True)
    return len(exchange.tools), answered, len(exchange.response), said, exchange.ended, text
