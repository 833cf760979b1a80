"""All that a report tells, gathered from the branch, the memory and the record of this clone.

In: a repository, a period. Out: `Told`. Exchanges are judged as `rewards --dry-run` judges them:
nothing is written but caches.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ...git.notes import REF as NOTES
from ...git.refs import read_ref
from ...git.repository import Repository
from ...sessions.finding import short_ids
from ...sessions.openings import titles
from ...sessions.reading import Summary
from ...sessions.store import MemoryStore
from ...training.model import Pair
from ...training.rewards.cache import Cache
from ...training.rewards.facts import facts_of, seconds_of
from ...training.rewards.history import read_history
from ...training.rewards.judging import Judged
from ...training.rewards.lines import read_notes
from ...training.rewards.running import reward
from ..journal import day_of, read_journal
from ..memory import Memory, memory_of
from ..summary import Summary as Recorded
from ..summary import summary_of
from .learned import Change, changes_of_learnings
from .prevented import Estimate, Excuse, enforced_at, estimates_of, excuses_in
from .survival import Survival, shallow_ends, survival_of

# Conversations that are told of.
MOST_TALKS = 10
# Title of a piece of work → a context that gives what to tell of it: done, of how many.
Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with lines in the period: exchanges by verdict, lines linked and standing."""

    session: str
    agent: str
    title: str
    exchanges: int
    lines: int
    standing: int


@dataclass(frozen=True, slots=True)
class Told:
    """The contents of a report. Times are seconds of the epoch, verdicts are counted by name.

    `verdicts` are of exchanges that ended in the period, `all_verdicts` of all, as `rewards` has
    them. `conversations` are all that are stored, `memory` is of the period. `excuse_count` may be
    more than there are `excuses`. `lacking` says what the clone lacks, "" for nothing.
    """

    repository: str
    branch: str
    commit: str
    commit_time: int
    since: int
    until: int
    learned: tuple[Change, ...]
    states: Mapping[str, int]
    recorded: Recorded
    excuses: tuple[Excuse, ...]
    excuse_count: int
    estimates: tuple[Estimate, ...]
    survival: Survival
    verdicts: Mapping[str, int]
    all_verdicts: Mapping[str, int]
    conversations: int
    unreadable: int
    talks: tuple[Talk, ...]
    lacking: str
    memory: Memory


def gather(
    repository: Repository, store: MemoryStore, at: str, since: int, until: int, *,
    replay: bool, bar: Bar,
) -> Told:  # fmt: skip
    """Gather. `at` is a commit. Raises what judging raises: `Damaged`, `ReadOnly`, `Busy`."""
    learned = changes_of_learnings(repository, at, since, until)
    enforced = enforced_at(repository, at)
    excuses, count = excuses_in(repository, at) if enforced or learned else ((), 0)
    with bar("holding learnings against the past") as progress:
        estimates = estimates_of(repository, enforced, at, replay=replay, progress=progress)
    summaries = {one.head.session_id: one for one in store.sessions()}
    judged: Mapping[Pair, Judged] = {}
    unreadable = 0
    if summaries:
        with bar("judging") as progress:
            outcome = reward(
                store, at, write=False,
                progress=(lambda _, done, total: progress(done, total)) if progress else None,
            )  # fmt: skip
        judged, unreadable = outcome.judged, len(outcome.unreadable)
    with Cache(repository) as cache:
        read_notes(repository, cache, read_ref(repository, NOTES))
        history = read_history(repository, cache, at, 1 << 60)
        facts = facts_of(cache)
        with bar("following lines") as progress:
            survival = survival_of(repository, history, cache, since, until, progress)
    inside = {
        pair: one for pair, one in judged.items()
        if pair in facts and since <= seconds_of(facts[pair].ended) <= until
    }  # fmt: skip
    recorded = summary_of(read_journal(repository.state_dir), day_of(since), day_of(until))
    return Told(
        repository=_name(repository),
        branch=repository.branch() or "",
        commit=at,
        commit_time=history.tip.time,
        since=since,
        until=until,
        learned=learned,
        states=_states(repository, at),
        recorded=recorded,
        excuses=excuses,
        excuse_count=count,
        estimates=estimates,
        survival=survival,
        verdicts=_verdicts(inside),
        all_verdicts=_verdicts(judged),
        conversations=len(summaries),
        unreadable=unreadable,
        talks=_talks(repository, summaries, inside),
        lacking=_lacking(repository),
        memory=memory_of(repository, _iso(since)),
    )


def _verdicts(judged: Mapping[Pair, Judged]) -> dict[str, int]:
    counted = Counter(one.reward.verdict.value for one in judged.values())
    return dict(sorted(counted.items()))


def _talks(
    repository: Repository, summaries: Mapping[str, Summary], judged: Mapping[Pair, Judged]
) -> tuple[Talk, ...]:
    """Return conversations with linked lines, those with the most first."""
    lines: Counter[str] = Counter()
    standing: Counter[str] = Counter()
    exchanges: Counter[str] = Counter()
    for (session, _), one in judged.items():
        exchanges[session] += 1
        lines[session] += one.reward.linked
        standing[session] += one.reward.alive + one.reward.in_substance
    shown = [name for name, count in lines.most_common() if count and name in summaries]
    called = titles(repository, [summaries[name] for name in shown[:MOST_TALKS]])
    short = short_ids({name: one.head.parent for name, one in summaries.items()})
    return tuple(
        Talk(short[name], summaries[name].head.agent, called[name], exchanges[name], lines[name],
             standing[name])
        for name in shown[:MOST_TALKS]
    )  # fmt: skip


def _lacking(repository: Repository) -> str:
    if shallow_ends(repository):
        return "This clone is shallow: what came before its first commits is not counted as new."
    if repository.is_partial():
        return "This clone is partial: commits of which files are missing were left out."
    return ""


def _states(repository: Repository, at: str) -> dict[str, int]:
    from ...learnings.files import learnings_at

    found = Counter(
        read.learning.state.value if read.learning else "broken"
        for read in learnings_at(repository, at).values()
    )
    return dict(sorted(found.items()))


def _name(repository: Repository) -> str:
    """Return what the repository is called: the last part of where it lies."""
    place = repository.top or repository.git_dir
    return place.name.removesuffix(".git") or "repository"


def _iso(seconds: int) -> str:
    from ...git.dates import utc

    return utc(seconds)
