"""From conversations and commits to candidates for learnings; docs/analysis.md explains it.

In: the memory, the notes and the commits of a repository. Out: an `Analysis`. Each exchange is
looked at once: what was found lies in a cache, and its status becomes `analyzed` by an event, which
is the same in every clone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from ..errors import Damaged
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from ..sessions.events import Event, Status, statuses
from ..sessions.layout import Head
from ..sessions.reading import Summary, events_in
from ..sessions.store import MemoryStore
from . import analysis_cache as cache
from .analysis_cache import Known, Seen, SeenSession
from .analysis_changes import Thread
from .analysis_commits import Clean, commits_say
from .analysis_decisions import decisions, with_decision
from .analysis_drafting import NoDraft, with_draft
from .analysis_evidence import evidence_of
from .analysis_fates import commits_of_exchanges, fates_of
from .analysis_grouping import candidates_of
from .analysis_matchers import Fits, first_fitting, holds, proposals
from .candidates import Candidate, Evidence, Fate

Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at: sessions that went on after `since`, or just one. "" is everything."""

    since: str = ""
    session: str = ""

    def fits(self, head: Head) -> bool:
        """Return whether a session is asked for."""
        if self.session and head.session_id != self.session:
            return False
        return not self.since or (head.ended or head.started) >= self.since


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found. `new` exchanges were looked at in this run, `marked` got their status.

    `fates` counts what became of the code of exchanges; `unreadable` are ids of sessions.
    """

    candidates: tuple[Candidate, ...]
    exchanges: int = 0
    new: int = 0
    marked: int = 0
    fates: tuple[tuple[Fate, int], ...] = ()
    unreadable: tuple[str, ...] = ()


def analyze(
    store: MemoryStore,
    clean: Clean,
    wanted: Wanted = EVERYTHING,
    *,
    again: bool = False,
    fits: Fits = holds,
    progress: Progress = None,
) -> Analysis:
    """Look at what is new, and return all candidates, the best first.

    `clean` redacts what comes from commits; `fits` says whether the examples of a proposed matcher
    hold. Raises as `MemoryStore.append_events`.
    """
    repository = store.repository
    known = cache.read(repository)
    if again:
        known = Known(drafts=known.drafts)
    summaries = store.sessions()
    here = {one.head.session_id for one in summaries}
    known.sessions = {name: one for name, one in known.sessions.items() if name in here}
    asked = [one for one in summaries if wanted.fits(one.head)]
    new, unreadable = _look(store, known, asked, progress)
    marked = _mark(store, known, asked)
    head = repository.head_commit()
    if head and head != known.head:
        said = commits_say(repository, head, clean)
        known.head, known.commits, known.reverted = head, said.evidence, tuple(said.reverted)
    cache.write(repository, known)
    commits = commits_of_exchanges(repository)
    fates = fates_of(repository, head, known.sessions, commits, known.reverted)
    evidence = [
        replace(one, fate=fates[pair], commits=commits.get(pair, ()))
        for name, session in known.sessions.items()
        for exchange, seen in session.exchanges.items()
        for pair in [(name, exchange)]
        for one in seen.evidence
    ]
    candidates = candidates_of([*evidence, *known.commits])
    decided = decisions(store)
    chosen = [one for one in candidates if _asked(one, wanted)]
    names = {one.head.session_id for one in asked}
    counted = Counter(fate for (session, _), fate in fates.items() if session in names)
    finished = (_finished(one, known, fits) for one in chosen)
    return Analysis(
        tuple(with_decision(one, decided) for one in finished),
        sum(len(known.sessions[name].exchanges) for name in names if name in known.sessions),
        new,
        marked,
        tuple((fate, counted[fate]) for fate in Fate if counted[fate]),
        tuple(unreadable),
    )


def with_proposal(candidate: Candidate, fits: Fits = holds) -> Candidate:
    """Return a candidate with the first matcher that its own changes prove, if there is one."""
    for one in candidate.evidence:
        found = first_fitting(proposals(one.changes, one.excerpt), fits)
        if found:
            return replace(candidate, proposal=found)
    return candidate


def keep_draft(repository: Repository, candidate: Candidate, answer: str) -> None:
    """Keep what a command answered, so that every later analysis shows it."""
    known = cache.read(repository)
    known.drafts[candidate.id] = answer
    cache.write(repository, known)


def _finished(candidate: Candidate, known: Known, fits: Fits) -> Candidate:
    found = with_proposal(candidate, fits)
    answer = known.drafts.get(candidate.id)
    if answer:
        with suppress(NoDraft):
            return with_draft(found, answer, fits)
    return found


def find(candidates: Iterable[Candidate], name: str) -> list[Candidate]:
    """Return the candidates that a name, or the beginning of one, may mean."""
    listed = list(candidates)
    exact = [one for one in listed if name in one.aliases]
    return exact or [one for one in listed if any(each.startswith(name) for each in one.aliases)]


def _look(
    store: MemoryStore, known: Known, asked: list[Summary], progress: Progress
) -> tuple[int, list[str]]:
    """Look at the exchanges that are new; return how many, and the sessions that cannot be read."""
    new, unreadable = 0, []
    changed = [one for one in asked if not _is_seen(known, one)]
    for done, one in enumerate(changed):
        if progress:
            progress(done, len(changed))
        try:
            new += _look_into(store, known, one)
        except Damaged:
            unreadable.append(one.head.session_id)
    return new, unreadable


def _is_seen(known: Known, summary: Summary) -> bool:
    seen = known.sessions.get(summary.head.session_id)
    return seen is not None and seen.listed == summary.listed


def _look_into(store: MemoryStore, known: Known, summary: Summary) -> int:
    """Look at one session: exchanges as they were, up to the first other one, need no second look.

    Their lines are still followed, because later exchanges may take them back.
    """
    head = summary.head
    before = known.sessions.get(head.session_id, SeenSession(""))
    now = SeenSession(summary.listed, head.ended)
    thread, new, same = Thread(), 0, True
    for number, exchange in enumerate(store.exchanges(head.session_id), 1):
        digest = cache.digest_of(exchange)
        seen = before.exchanges.get(exchange.exchange_id)
        same = same and seen is not None and seen.digest == digest
        follows = thread.follows_edit
        work = thread.take(exchange)
        if seen is None or not same:
            new += 1
            found = evidence_of(
                exchange, work, session=head.session_id, number=number, agent=head.agent,
                follows_edit=follows, by_person=not head.parent,
            )  # fmt: skip
            seen = Seen(digest, exchange.started, tuple(found), work.written, work.removed)
        now.exchanges[exchange.exchange_id] = seen
    known.sessions[head.session_id] = now
    return new


def _mark(store: MemoryStore, known: Known, asked: Iterable[Summary]) -> int:
    """Say of what was looked at that it was; the same events in every clone."""
    marking: dict[str, list[Event]] = {}
    with ObjectDatabase(store.repository) as db:
        there = {
            one.head.session_id: statuses(events_in(db, one.events)) if one.events else {}
            for one in asked
        }
    for name, done in there.items():
        session = known.sessions.get(name)
        exchanges = session.exchanges if session else {}
        marking[name] = [
            Event("status", str(Status.ANALYZED), exchange, seen.started)
            for exchange, seen in exchanges.items()
            if exchange not in done
        ]
    store.append_to_many(marking)
    return sum(map(len, marking.values()))


def _asked(candidate: Candidate, wanted: Wanted) -> bool:
    return any(_speaks(one, wanted) for one in candidate.evidence)


def _speaks(one: Evidence, wanted: Wanted) -> bool:
    if wanted.session and one.session != wanted.session:
        return False
    return not wanted.since or not one.time or one.time >= wanted.since
