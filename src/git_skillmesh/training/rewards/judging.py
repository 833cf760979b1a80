"""What became of the work of every exchange, as of a commit.

In: the memory, the notes, a revision, how old is old enough. Out: a `Reward` for each exchange with
edits, and why. Two clones with the same memory, notes and commit judge the same: days are counted
between commits, never from today.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...git.database import ObjectDatabase
from ...git.repository import Repository
from ...learnings.analysis_changes import is_code
from ...sessions.reading import MemoryReader
from ..model import Pair, Reward
from .cache import Cache
from .facts import Facts, Progress, read_facts
from .history import Commit, History, read_history
from .lines import Linked, Links, Place, read_links_of, standing
from .replaced import Taken, Takers, redone
from .score import FORMULA, Evidence, parts_of, score_of, verdict_of
from .substance import in_substance

_DAY = 86_400
# From this share on, most of the work was replaced.
_MOST, _SOME = 0.5, 0.2
_LEAST_WRITTEN = 3  # telling lines that should have come into a commit
_PRESENT = 0.5
_MOST_HEIRS = 12


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


@dataclass(slots=True)
class _Work:
    """Lines of one exchange in the history that is judged."""

    linked: Linked
    gone: dict[Place, str]
    substance: set[Place]
    alive: int
    standing: frozenset[str]


def judge(
    reader: MemoryReader, cache: Cache, at: str, age: Age, progress: Progress = None
) -> tuple[dict[Pair, Judged], tuple[str, ...]]:
    """Return every exchange with edits, judged, and the sessions that cannot be read.

    Raises `Damaged`, `ReadOnly`, `Busy`.
    """
    repository = reader.repository
    facts, unreadable = read_facts(reader, cache, progress)
    since = _since(facts)
    history = read_history(repository, cache, at, since, progress)
    links = read_links_of(repository, cache, history.commits)
    there = standing(repository, cache, history, links, since, progress)
    works = {pair: _work(linked, there) for pair, linked in links.of.items() if pair in facts}
    _look_for_substance(repository, cache, history, works, progress)
    gone = {
        name
        for work in works.values()
        for place, name in work.gone.items()
        if name and place not in work.substance
    }
    takers = Takers(history, links, gone, age.commits, age.days)
    again = redone(facts, {pair: work.standing for pair, work in works.items()})
    missing = _missing(repository, history, links, facts, age)
    judged = {
        pair: _judged(
            pair, one, works.get(pair), takers, again.get(pair, Counter()), missing.get(pair),
            history, age,
        )
        for pair, one in sorted(facts.items())
    }  # fmt: skip
    return judged, unreadable


def _since(facts: Mapping[Pair, Facts]) -> int:
    """Return the time from which commits matter: a day before the first exchange."""
    times = [_seconds(one.started) for one in facts.values()]
    if not times or not all(times):
        return 0
    return max(int(min(times)) - _DAY, 0)


def _work(linked: Linked, there: set[Place]) -> _Work:
    alive = {place for place in linked.made if place in there}
    carried = Counter(name for place, name in linked.carried.items() if place in there)
    names = {linked.made[place] for place in alive} | carried.keys()
    gone = {}
    found = 0
    for place, name in sorted(linked.made.items()):
        if place in alive:
            continue
        if carried[name]:  # moved, and alive there
            carried[name] -= 1
            found += 1
        else:
            gone[place] = name
    return _Work(linked, gone, set(), len(alive) + found, frozenset(names - {""}))


def _look_for_substance(
    repository: Repository, cache: Cache, history: History, works: Mapping[Pair, _Work],
    progress: Progress,
) -> None:  # fmt: skip
    """Fill in the lines that are there in substance: each file of a commit is compared once."""
    asked: defaultdict[tuple[str, str], list[_Work]] = defaultdict(list)
    for work in works.values():
        for commit, path in {(place.commit, place.path) for place in work.gone}:
            asked[commit, path].append(work)
    if not asked:
        return
    tasks = [
        (commit, path, sorted({p.line for w in listed for p in w.gone if p[:2] == (commit, path)}))
        for (commit, path), listed in sorted(asked.items())
    ]
    made_by = _made_by(history)
    known = dict(cache.all("units"))
    used, fresh = {}, {}
    with ObjectDatabase(repository) as db:
        tip = db.tip(history.at)
        for done, (commit, path, lines) in enumerate(tasks, 1):
            heirs = history.lineage.heirs(path) | made_by.get(path, frozenset())
            entries = {
                heir: entry.oid
                for heir in sorted(heirs)[:_MOST_HEIRS]
                if tip and (entry := db.trees.at(tip.commit.tree, heir)) and not entry.is_folder
            }
            name = f"{commit} {path}"
            key = [[list(pair) for pair in sorted(entries.items())], lines]
            if name not in known or known[name][0] != key:
                found = _compared(db, commit, path, lines, entries)
                known[name] = fresh[name] = [key, sorted(found)]
                if len(fresh) >= 50:
                    cache.put("units", fresh)
                    fresh = {}
            used[name] = known[name][1]
            if progress:
                progress("comparing", done, len(tasks))
    cache.put("units", fresh)
    cache.drop("units", known.keys() - used.keys())
    for (commit, path), listed in asked.items():
        lines_there = set(used[f"{commit} {path}"])
        for work in listed:
            work.substance |= {
                place for place in work.gone
                if place[:2] == (commit, path) and place.line in lines_there
            }  # fmt: skip


def _compared(
    db: ObjectDatabase, commit: str, path: str, lines: list[int], entries: Mapping[str, str]
) -> set[int]:
    tip = db.tip(commit)
    entry = db.trees.at(tip.commit.tree, path) if tip else None
    old = (db.reader.read(entry.oid) or b"") if entry else b""
    new = [(heir, db.reader.read(oid) or b"") for heir, oid in entries.items()]
    if not old or not new or b"\0" in old[:8000]:
        return set()
    return in_substance(path, old, set(lines), new)


def _made_by(history: History) -> dict[str, frozenset[str]]:
    """Return path → files that came with a commit which took lines of that path away."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for files in history.changes.values():
        came = {one.new_path for one in files if one.new_path and not one.old_path}
        if not came or len(came) > _MOST_HEIRS:
            continue
        for one in files:
            if one.old_path and one.removed:
                end = one.old_path.rpartition(".")[2]
                found[one.old_path] |= {path for path in came if path.rpartition(".")[2] == end}
    return {path: frozenset(heirs) for path, heirs in found.items()}


def _missing(
    repository: Repository, history: History, links: Links, facts: Mapping[Pair, Facts], age: Age
) -> dict[Pair, bool]:
    """Return exchange → whether nothing of it was committed, for those of which it is known.

    Only code counts: plans and notes often are not meant to be committed, and neither are files
    that git is told to leave alone. Where most lines came into a file of the same name (another
    worktree, another path), a link is missing and not the work.
    """
    linked = sorted(
        history.commits[oid].time for oid in links.at if oid in history.commits and links.at[oid]
    )
    suspects: dict[Pair, dict[str, list[str]]] = {}
    for pair, one in facts.items():
        when = _seconds(one.ended)
        code = {path: names for path, names in one.written.items() if _is_known_code(path)}
        if pair in links.of or sum(map(len, code.values())) < _LEAST_WRITTEN or not when:
            continue
        if _has_few_after(history, when, age):
            continue
        if not any(when - 3 * _DAY <= time <= when + 14 * _DAY for time in linked):
            continue  # nobody's work was linked then
        suspects[pair] = code
    ignored = _ignored(repository, {path for code in suspects.values() for path in code})
    came = _came(history, {_base(path) for code in suspects.values() for path in code})
    return {
        pair: True
        for pair, code in suspects.items()
        if not code.keys() <= ignored and not _is_there(code, came)
    }


def _is_known_code(path: str) -> bool:
    """Whether a file is a program, and its name was not redacted."""
    return is_code(path) and "REDACTED" not in path


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _came(history: History, names: set[str]) -> dict[str, set[str]]:
    """Return name of a file → digests of all lines that commits ever added to such files."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for files in history.changes.values():
        for file in files:
            if (base := _base(file.new_path)) in names:
                found[base] |= file.added
    return found


def _is_there(code: Mapping[str, list[str]], came: Mapping[str, set[str]]) -> bool:
    """Whether most of the lines that were written came into files of the same names."""
    lines = [(path, name) for path, names in code.items() for name in names]
    there = sum(name in came.get(_base(path), ()) for path, name in lines)
    return there >= _PRESENT * len(lines)


def _has_few_after(history: History, when: float, age: Age) -> bool:
    later = history.commits_after(when)
    return later < age.commits or history.tip.time - when < age.days * _DAY


def _ignored(repository: Repository, paths: set[str]) -> set[str]:
    """Return the paths that git is told to leave alone: nobody meant to commit them."""
    asked = sorted(path for path in paths if path and "\0" not in path)
    if repository.is_bare or not asked:
        return set()
    data = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in asked)
    done = repository.git.run_unchecked("check-ignore", "--no-index", "-z", "--stdin", stdin=data)
    return {each.decode("utf-8", "surrogateescape") for each in done.stdout.split(b"\0") if each}


def _judged(
    pair: Pair, facts: Facts, work: _Work | None, takers: Takers, again: Counter[Pair],
    missing: bool | None, history: History, age: Age,
) -> Judged:  # fmt: skip
    gone = {
        place: name for place, name in work.gone.items() if place not in work.substance
    } if work else {}  # fmt: skip
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
        time=_iso(history.tip.time),
    )
    return Judged(reward, evidence, facts.number, taken.commits)


def _is_young(facts: Facts, reached: list[Commit], history: History, age: Age) -> bool:
    """Whether too few commits or days have passed since the last commit, or the exchange."""
    tip = history.tip
    if reached:
        last = max(reached, key=lambda one: (one.place, one.oid))
        few = min(one.first for one in reached) < age.commits
        return few or tip.time - last.time < age.days * _DAY
    when = _seconds(facts.ended)
    return bool(when) and _has_few_after(history, when, age)


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


def _seconds(iso: str) -> float:
    try:
        return datetime.fromisoformat(iso).timestamp()
    except ValueError:
        return 0.0


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
