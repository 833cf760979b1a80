"""What became of the work of every exchange, as of a commit.

In: the memory, the notes, a revision, how old is old enough. Out: a `Reward` for each exchange with
edits, and why. Two clones with the same memory, notes and commit judge the same: days are counted
between commits, never from today. Where it is known what was judged before, only what has changed
since then concerns is read and judged again; the answer is the same.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...git.notes import notes_of
from ...git.trees import list_tree
from ...sessions.reading import MemoryReader
from ..model import Pair, Reward
from .cache import Cache
from .concerned import Before, concerned, keys_of
from .facts import Facts, Progress, began, facts_of, read_facts, seconds_of
from .history import Commit, History, at_base, load, load_paths, read_history
from .lines import Linked, Links, links_in, named, read_notes, standing
from .missing import code_of, has_few_after, missing
from .replaced import Taken, Takers, redone
from .score import FORMULA, Evidence, parts_of, score_of, verdict_of
from .works import Work, look_for_substance, paths_of, work_of

_DAY = 86_400
# From this share on, most of the work was replaced.
_MOST, _SOME = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class Age:
    """When work is old enough: so many commits of the first-parent line, and so many days."""

    commits: int = 20
    days: float = 7.0


USUAL = Age()


@dataclass(frozen=True, slots=True)
class Judged:
    """A reward, the evidence it rests on, and commit → what it did to lines of the exchange."""

    reward: Reward
    evidence: Evidence
    number: int = 0
    commits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judging:
    """What was judged: all exchanges, or of those that are `wanted` what there is.

    `keys` say what concerns each of them, `after` is what the next judging can go on from.
    """

    judged: Mapping[Pair, Judged]
    wanted: frozenset[Pair] | None
    keys: Mapping[Pair, frozenset[str]]
    after: Before
    unreadable: tuple[str, ...] = ()


def judge(
    reader: MemoryReader, cache: Cache, at: str, notes: str | None, trees: Mapping[str, str],
    age: Age, before: Before | None = None, progress: Progress = None,
) -> Judging:  # fmt: skip
    """Judge exchanges with edits: all of them, or those that what is new since `before` concerns.

    `notes` is the tip of the notes, `trees` are session → tree of its exchanges. Raises `Damaged`,
    `ReadOnly`, `Busy`.
    """
    repository = reader.repository
    unreadable = read_facts(reader, cache, trees, progress)
    since = max(int(began(cache)) - _DAY, 0)
    noted = notes_of(repository, notes) if notes else {}
    history = read_history(repository, cache, at, since, progress, noted)
    read_notes(repository, cache, notes)
    after = Before.of(history, notes, trees, age)
    wanted = concerned(repository, cache, history, before, after) if before else None
    facts, links, works = _read(cache, history, wanted)
    files = list_tree(repository, at)
    mine = {path for one in works.values() for path in paths_of(one)}
    heirs = {heir for path in mine for heir in history.lineage.heirs(path)}
    here = {path: files[path] for path in heirs & files.keys()}
    there = standing(repository, cache, history, here, progress, whole=wanted is None)
    done = {pair: work_of(linked, there) for pair, linked in works.items()}
    look_for_substance(repository, cache, history, done, files, wanted, progress)
    lost = {name for work in done.values() for name in work.lost.values() if name}
    takers = Takers(history, links, lost, age.commits, age.days)
    again = redone(facts, {pair: work.standing for pair, work in done.items()}, wanted)
    asked = facts if wanted is None else {pair: facts[pair] for pair in wanted if pair in facts}
    never = missing(repository, history, links, asked, age)
    judged = {
        pair: _judged(
            pair, one, done.get(pair), takers, again.get(pair, Counter()), never.get(pair),
            history, age,
        )
        for pair, one in sorted(asked.items())
    }  # fmt: skip
    keys = {
        pair: keys_of(facts[pair], links.of.get(pair), one.evidence, one.commits, history)
        for pair, one in judged.items()
    }
    return Judging(judged, wanted, keys, after, unreadable)


def _read(
    cache: Cache, history: History, wanted: frozenset[Pair] | None
) -> tuple[dict[Pair, Facts], Links, dict[Pair, Linked]]:
    """Return the facts, the links and whose lines to follow; the history is filled in.

    For some exchanges: those that share a commit with them too, as what is there in substance is
    told for all lines of a file of a commit together; whoever took lines out of the same files; and
    what commits did to these files.
    """
    if wanted is None:
        load(cache, history)
        facts = facts_of(cache)
        links = links_in(cache, history.commits)
        return facts, links, {pair: one for pair, one in links.of.items() if pair in facts}
    beside = links_in(cache, history.commits, cache.named("links", map(named, wanted))).of.keys()
    noted = cache.named("links", map(named, wanted | beside))
    some = links_in(cache, history.commits, noted)
    followed = {pair: one for pair, one in some.of.items() if pair in wanted | beside}
    facts = facts_of(cache, {session for session, _ in wanted | followed.keys()})
    load(cache, history, noted)
    load_paths(cache, history, {path for one in followed.values() for path in paths_of(one)})
    unlinked = [facts[pair] for pair in wanted if pair in facts and pair not in some.of]
    bases = {at_base(path) for one in unlinked for path in code_of(one)}
    load(cache, history, cache.named("commits", bases))
    written = {path for pair in wanted if pair in facts for path in facts[pair].written}
    removers = cache.named("pairs", (f"r:{path}" for path in written))
    facts |= facts_of(cache, {json.loads(name)[0] for name in removers} - {s for s, _ in facts})
    links = links_in(cache, history.commits, noted | (history.changes.keys() & some.noted))
    return facts, links, {pair: one for pair, one in followed.items() if pair in facts}


def _judged(
    pair: Pair, facts: Facts, work: Work | None, takers: Takers, again: Counter[Pair],
    missing: bool | None, history: History, age: Age,
) -> Judged:  # fmt: skip
    gone = work.lost if work else {}
    taken = takers.judge(pair, gone) if gone else Taken()
    linked = len(work.linked.made) - taken.own if work else 0
    commits = (
        tuple(sorted(work.linked.commits, key=lambda one: _order(history, one))) if work else ()
    )
    reached = [history.commits[one] for one in commits if one in history.commits]
    evidence = Evidence(
        written=facts.lines,
        linked=linked,
        alive=work.alive if work else 0,
        in_substance=len(work.substance) if work else 0,
        lasted=taken.lasted,
        reverted=taken.reverted,
        replaced=taken.by.total(),
        corrected=taken.corrected,
        redone=again.total(),
        missing=missing,
        tests=facts.tests,
        committed=bool(reached),
        young=_is_young(facts, reached, history, age),
        amended=_amended(facts, work),
    )
    parts = parts_of(evidence)
    reward = Reward(
        *pair,
        verdict_of(evidence, parts),
        score_of(parts),
        parts,
        linked=evidence.linked,
        alive=evidence.alive,
        in_substance=evidence.in_substance,
        commits=commits,
        replaced_by=_replaced_by(evidence, taken, again),
        formula=FORMULA,
        commit=history.at,
        time=iso(history.tip.time),
    )
    return Judged(reward, evidence, facts.number, taken.commits)


def _amended(facts: Facts, work: Work | None) -> int:
    """Return how many lines a person changed before they were saved: no commit has them."""
    linked = {name for name in work.linked.made.values() if name} if work else set()
    return sum(name not in linked for name in facts.amended)


def _is_young(facts: Facts, reached: list[Commit], history: History, age: Age) -> bool:
    """Whether too few commits or days have passed since the last commit, or the exchange."""
    tip = history.tip
    if reached:
        last = max(reached, key=lambda one: (one.place, one.oid))
        few = min(one.first for one in reached) < age.commits
        return few or tip.time - last.time < age.days * _DAY
    when = seconds_of(facts.ended)
    return bool(when) and has_few_after(history, when, age)


def _replaced_by(evidence: Evidence, taken: Taken, again: Counter[Pair]) -> tuple[Pair, ...]:
    """Return the exchanges that took most of the work, those that took more first."""
    shares = [(taken.by, evidence.linked), (again, evidence.written)]
    found: dict[Pair, float] = {}
    for by, whole in shares:
        if whole and by.total() >= _MOST * whole:
            for other, count in by.items():
                if count >= _SOME * whole:
                    found[other] = max(found.get(other, 0.0), count / whole)
    return tuple(sorted(found, key=lambda other: (-found[other], other)))


def _order(history: History, oid: str) -> tuple[int, str]:
    commit = history.commits.get(oid)
    return (commit.place if commit else -1, oid)


def iso(seconds: int) -> str:
    """Return a time in seconds of the epoch as the memory has it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
