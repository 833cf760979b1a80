"""Take conversations into the memory: each exchange once, redacted, whatever it was read from.

In: what importers read, part by part. Out: the memory, and a `Report` of what became of it.

An exchange belongs to the session that it was first stored with: a resumed or forked session
repeats what another one holds, and adds to that what it tells more. What was taken in before is
neither redacted nor stored again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..config import Config
from ..errors import UsageError
from ..git.repository import Repository
from . import layout
from .importers.merging import SECOND_HAND, merge
from .importers.source import Part, Reading
from .known import Known
from .model import Exchange, Problem, Session, exchange_to_json
from .redaction_policy import policy_of
from .store import MemoryStore, Written

if TYPE_CHECKING:
    from .redaction import Redactor

Progress = Callable[[int, int], None]
Accept = Callable[[Part, Session], bool]


@dataclass
class Report:
    """What became of one source. Sessions are counted once, however many files tell of them."""

    source: str
    parts: int = 0
    new: set[str] = field(default_factory=set)
    grown: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    exchanges: int = 0
    redactions: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    interrupted: bool = False

    def count(self, written: Written) -> None:
        """Add what the store says; the first word counts: what is new stays new."""
        self.forgotten |= set(written.forgotten)
        self.new |= set(written.new) - self.grown
        self.grown |= set(written.grown) - self.new
        self.unchanged |= set(written.unchanged)
        self.unchanged -= self.new | self.grown | self.forgotten


@dataclass(frozen=True, slots=True)
class _Kept:
    """An exchange of this run: the key of its session, and how much it tells."""

    session: str
    size: tuple[int, int]


class Intake:
    """Takes conversations in, for as long as it is open (`known.alone` keeps others waiting).

    With `dry_run` everything is done but the writing. Raises `ConfigurationError`.
    """

    def __init__(self, repository: Repository, config: Config, *, dry_run: bool = False) -> None:
        self._policy = policy_of(config)
        if self._policy.rules or self._policy.allow:
            _ = self._redactor  # says now what is wrong with them
        self._way = hashlib.sha256(repr(self._policy).encode("utf-8", "replace")).digest()
        self._dry_run = dry_run
        self.store = MemoryStore(repository, self._redact)
        self.known = Known(repository, keep=not dry_run)
        self.known.refresh()
        self._kept: dict[str, _Kept] = {}  # by exchange, of this run
        self._sessions: set[str] = set()  # their keys
        self._ids: dict[str, str] = {}  # key → id of sessions
        self._agents: dict[str, str] | None = None  # by session, of what was stored before
        self._repeated: dict[str, list[Exchange]] = {}  # by the session that keeps them
        self._taken: set[str] = set()
        self._fresh: set[str] = set()
        self._report = Report("")

    @cached_property
    def _redactor(self) -> "Redactor":
        from .redaction import Redactor  # most runs of the worker find nothing to store

        return Redactor(self._policy)

    def close(self) -> None:
        """Let go of the cache."""
        self.known.close()

    def take(
        self,
        source: str,
        reading: Reading,
        *,
        accept: Accept | None = None,
        since: str = "",
        progress: Progress | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Report:
        """Take a source in, part by part; what is whole is stored even when it is stopped.

        `accept` says which sessions of a part are wanted; `since` leaves out those that have
        ended before. Raises as `MemoryStore.add`.
        """
        self._report = report = Report(source)
        self._taken.clear()
        self._agents = None
        stamps = []

        def sessions() -> Iterator[Session]:
            for number, part in enumerate(reading.parts):
                if progress:
                    progress(number, reading.total)
                report.parts += 1
                report.problems += part.done.problems
                wanted = (s for s in part.done.sessions if accept is None or accept(part, s))
                yield from self._routed(merge(s for s in wanted if _ended(s) >= since))
                if part.stamp and not since:
                    stamps.append((part.name.encode("utf-8", "surrogateescape"), part.stamp))
                if stopped():
                    report.interrupted = True
                    return

        add = self.store.preview if self._dry_run else self.store.add
        report.count(add(sessions()))
        if not self._dry_run:
            report.count(add(self._repeated_elsewhere()))
            self.known.refresh()
        self.known.take(self._taken)
        self.known.has_read(stamps)
        return report

    def _routed(self, sessions: Iterable[Session]) -> Iterator[Session]:
        """Yield what is new of sessions, each exchange for the session that keeps it."""
        for session in sessions:
            if session.agent in SECOND_HAND and self._told_first_hand(session):
                self._report.unchanged.add(session.session_id)
                continue
            own = layout.key_of(session.session_id)
            self._ids[own] = session.session_id
            pending: list[Exchange] = []
            before: Exchange | None = None
            told: dict[str, Exchange] | None = None
            gone = False
            changed = self._is_new(_head_digest(session))
            for exchange in session.exchanges:
                keeper, is_stored = self._keeper(exchange, own)
                is_news = self._is_new(self._digest(exchange))
                if not is_news and not is_stored:
                    gone = True  # forgotten, with the session that kept it
                    continue
                if keeper != own:
                    if is_news:
                        self._repeats(keeper, exchange)
                    continue
                if is_news:
                    # Its place is after the one before it, which the store has to see for that.
                    if not is_stored and before is not None:
                        pending.append(before)
                    if is_stored and not exchange.started:
                        told = self._stored(session.session_id) if told is None else told
                        exchange = _timed(exchange, told.get(exchange.exchange_id))
                    pending.append(exchange)
                    self._fresh.add(exchange.exchange_id)
                    before = None
                    self._report.exchanges += not is_stored
                else:
                    before = exchange
            if changed and not pending and before is not None:
                pending.append(before)
            if pending:
                yield replace(session, exchanges=tuple(pending))
            elif gone and self.store.is_forgotten(session.session_id):
                self._report.forgotten.add(session.session_id)
            elif self._known_session(own):
                self._report.unchanged.add(session.session_id)

    def _keeper(self, exchange: Exchange, own: str) -> tuple[str, bool]:
        """Return (the session that keeps an exchange, whether it is stored already)."""
        name = layout.exchange_key(exchange.exchange_id)
        keepers = self.known.keepers(name)
        if keepers:
            return (own if own in keepers else keepers[0]), True
        kept = self._kept.get(name)
        if kept is None or kept.session == own:
            size = _size(exchange)
            self._kept[name] = _Kept(own, max(kept.size, size) if kept else size)
            self._sessions.add(own)
        return (kept.session, True) if kept else (own, False)

    def _stored(self, session_id: str) -> dict[str, Exchange]:
        """Return what is stored of a session, nothing if it was forgotten or is on its way."""
        try:
            return {e.exchange_id: e for e in self.store.exchanges(session_id)}
        except UsageError:
            return {}

    def _known_session(self, key: str) -> bool:
        return key in self._sessions or self.known.has_session(key)

    def _repeats(self, keeper: str, exchange: Exchange) -> None:
        """Look later at a copy of what another session keeps: it may have gone on in the copy."""
        kept = self._kept.get(layout.exchange_key(exchange.exchange_id))
        if kept is None or _size(exchange) > kept.size:
            self._repeated.setdefault(keeper, []).append(exchange)

    def _repeated_elsewhere(self) -> Iterator[Session]:
        """Yield what copies tell more than the sessions that keep the exchanges."""
        repeated, self._repeated = self._repeated, {}
        for key, copies in repeated.items():
            name = self._ids.get(key) or self.store.head_at(key).session_id
            stored = self._stored(name)
            grown: dict[str, Exchange] = {}
            for copy in copies:  # several may tell of one exchange
                known = grown.get(copy.exchange_id) or stored.get(copy.exchange_id)
                more = _continued(known, copy) if known else None
                if more is not None:
                    grown[copy.exchange_id] = more
            if grown:
                yield Session(name, self.store.head(name).agent, tuple(grown.values()))

    def _told_first_hand(self, session: Session) -> bool:
        """Whether the agent's own transcript of a session is stored."""
        key = layout.key_of(session.session_id)
        if not self.known.has_session(key):
            return False
        if self._agents is None:  # all at once: one git process, not one for each
            self._agents = {s.head.key: s.head.agent for s in self.store.sessions()}
        return self._agents.get(key, "") not in ("", *SECOND_HAND)

    def _is_new(self, digest: str) -> bool:
        if digest in self._taken or self.known.was_taken(digest):
            return False
        self._taken.add(digest)
        return True

    def _digest(self, exchange: Exchange) -> str:
        """Return what stands for this reading of an exchange, redacted in this way."""
        text = json.dumps(exchange_to_json(exchange), sort_keys=True)
        return hashlib.sha256(self._way + text.encode()).hexdigest()[:32]

    def redacted(self, exchange: Exchange) -> Exchange:
        """Return an exchange as it would be stored."""
        return self._redactor.redact_exchange(exchange)[0]

    def _redact(self, exchange: Exchange) -> Exchange:
        redacted, found = self._redactor.redact_exchange(exchange)
        if exchange.exchange_id in self._fresh:
            self._fresh.discard(exchange.exchange_id)
            self._report.redactions.update(finding.rule for finding in found)
        return redacted


def _timed(exchange: Exchange, stored: Exchange | None) -> Exchange:
    """Return what a transcript without times tells, with the times that hooks have told."""
    if stored is None or not stored.started:
        return exchange
    return replace(
        exchange, started=stored.started, ended=stored.ended, model=exchange.model or stored.model
    )


def _size(exchange: Exchange) -> tuple[int, int]:
    return len(exchange.tools), len(exchange.response)


def _continued(stored: Exchange, copy: Exchange) -> Exchange | None:
    """Return what is stored with what a copy in another session adds, None for nothing.

    What both tell stays as the first session told it: the copy has other names for subagents.
    """
    known = {call.call_id for call in stored.tools}
    calls = tuple(call for call in copy.tools if call.call_id not in known)
    if not calls and len(copy.response) <= len(stored.response):
        return None
    return replace(
        stored,
        response=max(stored.response, copy.response, key=len),
        ended=max(stored.ended, copy.ended),
        tools=stored.tools + calls,
    )


def _head_digest(session: Session) -> str:
    told = (
        session.session_id, session.agent, session.title, session.directory, session.branch,
        session.parent, session.source if session.source.startswith("refs/") else "",
    )  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _ended(session: Session) -> str:
    return max((exchange.ended or exchange.started for exchange in session.exchanges), default="")
