"""What share of new lines still stood 7, 30 and 90 days later: agents' lines and others.

In: a repository, the conversations that its lines are linked to, a period. Out: `Survival`. A line
counts for N days in the period in which it became N days old, and only if the branch was seen so
long: nothing is known of a line after the last commit. Intervals are drawn over conversations, and
over commits for lines of nobody who is known: lines that came together live and die together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ...chunking.exclusion import skip_path
from ...gate.estimate import Share
from ...git.diffs import CommitChange, FileChange, commit_changes
from ...git.repository import Repository
from ...learnings.analysis_changes import is_code
from ...training.model import Interval
from ...training.rewards.cache import Cache
from ...training.rewards.facts import digest
from ...training.rewards.history import Commit, History
from .lives import Lives

DAY = 86_400
HORIZONS = (7, 30, 90)
# Of fewer lines, or of lines of fewer conversations or commits, nothing is said.
LEAST_LINES, LEAST_GROUPS = 100, 10
# A file that gets more at once was not written by hand.
MOST_LINES = 5_000
_OURS = ".skillmesh/"  # learnings and settings are no program
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Lines that became `days` days old in the period, and how many of these stood then.

    `groups` are conversations or commits. `share` is None where there is too little to say.
    """

    days: int
    lines: int
    alive: int
    groups: int
    share: Interval | None


@dataclass(frozen=True, slots=True)
class Area:
    """A folder at the root ("" for files there): lines born in the period that stand at its end."""

    folder: str
    lines: int
    known: int


@dataclass(frozen=True, slots=True)
class Survival:
    """Cohorts of lines linked to agents' conversations, and of the others, for each horizon.

    `agents_new` and `others_new` are lines born in the period; `young` of the agents' are those
    that the period ends before they are `HORIZONS[0]` days old. `seen_until` is the time of the
    last commit that was followed, in seconds of the epoch; `commits` are those of the branch in the
    period. `areas` say where reasons are known.
    """

    agents: tuple[Kept, ...]
    others: tuple[Kept, ...]
    agents_new: int
    others_new: int
    young: int
    commits: int
    seen_until: int
    areas: tuple[Area, ...]


def survival_of(
    repository: Repository, history: History, cache: Cache, since: int, until: int,
    progress: Progress = None,
) -> Survival:  # fmt: skip
    """Follow the branch of a history. `since` and `until` are seconds of the epoch.

    The links of the notes have to be in the cache (`read_notes`). Raises `Damaged`, `ReadOnly`.
    """
    line = _until(history, until)
    first = since - max(HORIZONS) * DAY
    begin = next((place for place, one in enumerate(line) if one.time >= first), len(line))
    lives = followed_through(repository, history, cache, line[begin:], progress)
    end = min(until, line[-1].time if line else 0)
    born = _born(lives)
    agents = tuple(_kept(lives, born, days, since, end, known=True) for days in HORIZONS)
    others = tuple(_kept(lives, born, days, since, end, known=False) for days in HORIZONS)
    fresh = {number for number, time in born.items() if since <= time <= until}
    counts: Counter[bool] = Counter()
    for number in fresh:
        counts[bool(lives.origins[number].owner)] += lives.born[number]
    late = end - HORIZONS[0] * DAY
    young = sum(
        lives.born[number]
        for number in fresh
        if lives.origins[number].owner and born[number] > late
    )
    there = sum(since <= one.time <= until for one in line)
    areas = tuple(_areas(lives, fresh))
    return Survival(agents, others, counts[True], counts[False], young, there, end, areas)


def _until(history: History, until: int) -> list[Commit]:
    """Return the first-parent line up to a time, the oldest first; no clock goes back in it."""
    found: list[Commit] = []
    latest = 0
    for one in reversed(history.first_parents):
        latest = max(latest, one.time)
        if latest > until:
            break
        found.append(one._replace(time=latest))
    return found


def followed_through(
    repository: Repository, history: History, cache: Cache, commits: "list[Commit]",
    progress: Progress = None,
) -> Lives:  # fmt: skip
    """Return the lives of lines of programs that came with these commits, the oldest first."""
    owners = _Owners(history, cache)
    parents = _parents(repository, history)
    lives = Lives()
    # Where a shallow clone ends, all there is would count as new.
    ends = shallow_ends(repository)
    names = [one.oid for one in commits if one.oid not in ends]
    times = {one.oid: one.time for one in commits}
    firsts = {name: parents[name] for name in names if parents.get(name)}
    changes = commit_changes(repository, names, ("-w",), firsts)
    for done, change in enumerate(changes, 1):
        lives.follow(change, times[change.commit], owners.of, digest)
        if progress:
            progress(done, len(names))
    return lives


def shallow_ends(repository: Repository) -> frozenset[str]:
    """Return the commits at which the history of a shallow clone ends."""
    try:
        return frozenset((repository.common_dir / "shallow").read_text().split())
    except OSError:
        return frozenset()


def _parents(repository: Repository, history: History) -> dict[str, str]:
    """Return commit of the first-parent line → its first parent, "" for a root."""
    line = [one.oid for one in history.first_parents]
    out = repository.git.run("rev-list", "--first-parent", "--parents", history.at, "--")
    rows = [row.split() for row in out.decode().splitlines()]
    found = {row[0]: row[1] if len(row) > 1 else "" for row in rows}
    return {oid: found.get(oid, "") for oid in line}


class _Owners:
    """Whose the lines are that a commit of the branch brought: the conversation's, or ""."""

    def __init__(self, history: History, cache: Cache) -> None:
        self._own: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        self._brought: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
        places = {oid: (one.place, one.first) for oid, one in history.commits.items()}
        self._first = {one.oid: one.first for one in history.first_parents}
        branch = self._first.keys()
        rows = [(places[oid], oid, rows) for oid, rows in cache.all("links") if oid in places]
        for (_, first), oid, entries in sorted(rows, key=lambda one: one[0]):
            for session, _, path, numbers, digests, _, _ in entries:
                for number, name in zip(numbers, digests, strict=True):
                    self._own[oid, path][number] = session
                    if name and oid not in branch:
                        self._brought[first, path][name] = session

    def of(self, change: CommitChange, file: FileChange) -> Mapping[int, str | None]:
        """Return line of a file of the branch's commit → conversation, "" where none is known."""
        added = file.added
        if len(added) > MOST_LINES or not is_counted(file.path):
            return {}
        own = self._own.get((change.commit, file.new_path), {})
        # Of what a merge brought, the links are with the commits of its branch.
        brought = self._brought.get((self._first[change.commit], file.new_path), {})
        if not brought:
            return {number: own.get(number, "") for number in added}
        return {
            number: own.get(number) or brought.get(digest(text), "")
            for number, text in added.items()
        }


def is_counted(path: str) -> bool:
    """Whether lines of a file count: programs that people or agents write."""
    return is_code(path) and skip_path(path) is None and not path.startswith(_OURS)


def _born(lives: Lives) -> dict[int, int]:
    return {number: lives.times[one.place] for number, one in enumerate(lives.origins)}


def _kept(
    lives: Lives, born: Mapping[int, int], days: int, since: int, end: int, *, known: bool
) -> Kept:
    wait = days * DAY
    cohort = {
        number for number, time in born.items()
        if since <= time + wait <= end and bool(lives.origins[number].owner) is known
    }  # fmt: skip
    lines: Counter[str] = Counter()
    alive: Counter[str] = Counter()
    for number in cohort:
        group = _group(lives, number)
        lines[group] += lives.born[number]
        alive[group] += lives.born[number]
    for (number, place), count in lives.died.items():
        if number in cohort and lives.times[place] <= born[number] + wait:
            alive[_group(lives, number)] -= count
    total = lines.total()
    share = _share(lines, alive) if total >= LEAST_LINES and len(lines) >= LEAST_GROUPS else None
    return Kept(days, total, alive.total(), len(lines), share)


def _share(lines: Mapping[str, int], alive: Mapping[str, int]) -> Interval:
    """Return the share of lines that stood, with an interval drawn over groups.

    Where all stood, or none, there is nothing to draw: groups are counted then, as many as there
    are, by Wilson's interval.
    """
    from ...training.intervals import interval

    names = sorted(lines)
    found = interval([alive.get(n, 0) for n in names], [lines[n] for n in names], names)
    if found.low < found.high:
        return found
    groups = Share(len(names) if found.mean else 0, len(names))
    return Interval(found.mean, groups.low, groups.high)


def _group(lives: Lives, number: int) -> str:
    origin = lives.origins[number]
    return origin.owner or f"commit {origin.place}"


def _areas(lives: Lives, fresh: "set[int]") -> Iterable[Area]:
    standing = lives.alive()
    lines: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for number in fresh:
        origin = lives.origins[number]
        lines[origin.folder] += standing[number]
        known[origin.folder] += standing[number] if origin.owner else 0
    for folder, count in sorted(lines.items(), key=lambda one: (-one[1], one[0])):
        if count:
            yield Area(folder, count, known[folder])
