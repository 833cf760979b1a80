"""Which exchanges have to be judged again, of all that were judged before.

In: what was judged before, and what there is now. Out: the exchanges that the difference concerns,
or None where only judging all of them gives the right answer. For each judged exchange the cache
has the keys of what its reward was made of; what has changed is looked up by the same keys:

    p:PATH    its lines are in that file, or in what became of it; it wrote or took lines there
    r:PATH    it took lines out of that file
    b:NAME    nothing of it is linked, and it wrote a program of that name
    c:COMMIT  linked to it, the origin of such a link, or took lines of it away
    n:COMMIT  took lines of it away, and whether a person did depends on links of commits near it
    u:DAY     nothing of it is linked, and it ended on that day
    young     too young to judge
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...git.process import GitFailed
from ...git.repository import Repository
from ...git.trees import diff_trees
from ..model import Pair
from .cache import Cache
from .facts import Facts, facts_of, seconds_of
from .history import History, at_base, at_path
from .lines import Linked, named
from .missing import AFTER, BEFORE, Age, code_of
from .replaced import NEAR
from .score import FORMULA, Evidence
from .works import paths_of

_DAY = 86_400
_YOUNG = "young"
# Where more than this share is concerned, judging all costs no more.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Before:
    """What was judged: the commit, its place and time, a hash of the order of commits up to it.

    `trees` are session → tree of its exchanges, `reverted` what the history took back.
    """

    formula: int
    age: tuple[int, float]
    at: str
    place: int
    time: int
    order: str
    since: int
    notes: str | None
    trees: Mapping[str, str]
    reverted: Mapping[str, str]

    @classmethod
    def of(
        cls, history: History, notes: str | None, trees: Mapping[str, str], age: Age
    ) -> "Before":
        """Return what is judged now."""
        tip = history.tip
        return cls(
            FORMULA, (age.commits, age.days), tip.oid, tip.place, tip.time,
            _order(history, tip.place), history.since, notes, dict(trees), dict(history.reverted),
        )  # fmt: skip

    @classmethod
    def read(cls, document: Any) -> "Before":
        """Return what `document` has written."""
        return cls(**{**document, "age": tuple(document["age"])})

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def _order(history: History, place: int) -> str:
    names = (one.oid for one in history.commits.values() if one.place <= place)
    return hashlib.blake2b("".join(names).encode(), digest_size=16).hexdigest()


def concerned(
    repository: Repository, cache: Cache, history: History, before: Before, now: Before
) -> frozenset[Pair] | None:
    """Return the exchanges to judge again, None for all."""
    if not _goes_on(history, before, now):
        return None
    fresh = [one.oid for one in history.commits.values() if one.place > before.place]
    changes = cache.some("commits", fresh)
    if len(changes) < len(fresh):
        return None  # of a commit from before all exchanges nothing is kept
    notes = _changed_notes(repository, before.notes, now.notes)
    if notes is None:
        return None
    paths = {path for rows in changes.values() for row in rows for path in row[:2] if path}
    if any(path.rpartition("/")[2] == ".gitignore" for path in paths):
        return None
    told = notes | set(fresh)
    keys = {make(path) for path in paths for make in (at_path, at_base)}
    keys |= {f"c:{commit}" for commit in told} | {_YOUNG}
    for commit, revert in dict(before.reverted).items() ^ dict(now.reverted).items():
        keys |= {f"c:{commit}", f"c:{revert}"}
    keys |= _near(history, told & (notes | cache.stamps("links").keys()))
    pairs = cache.named("pairs", keys) | cache.keys("links", told)
    trees = before.trees, now.trees
    differ = {one for one in {**trees[0], **trees[1]} if trees[0].get(one) != trees[1].get(one)}
    found = _pairs(pairs) | _touching(cache, differ)
    return found if len(found) <= _MOST * cache.count("pairs") else None


def keys_of(
    facts: Facts, linked: Linked | None, evidence: Evidence, taken: Mapping[str, str],
    history: History,
) -> frozenset[str]:  # fmt: skip
    """Return what an exchange is to be judged again for; `taken` is commit → what it did."""
    paths = facts.written.keys() | facts.removed.keys()
    keys = {f"r:{path}" for path in facts.removed}
    commits = set(taken)
    if linked:
        for path in paths_of(linked):
            paths |= history.lineage.heirs(path) | history.made_by.get(path, frozenset())
        commits |= linked.commits.keys() | linked.via
        commits |= {history.reverted.get(commit, "") for commit in linked.commits}
    else:
        keys |= {at_base(path) for path in code_of(facts)}
        keys.add(_day(seconds_of(facts.ended)))
    keys |= {f"n:{commit}" for commit, what in taken.items() if what in ("changed", "corrected")}
    keys |= {f"c:{commit}" for commit in commits if commit} | {at_path(path) for path in paths}
    return frozenset(keys | {_YOUNG} if evidence.young else keys)


def _goes_on(history: History, before: Before, now: Before) -> bool:
    """Whether the history before is the beginning of the one now, in the same order."""
    tip = history.commits.get(before.at)
    return (
        (before.formula, before.age, before.since) == (now.formula, now.age, now.since)
        and tip is not None
        and tip.place == before.place
        and tip in history.first_parents
        and now.time >= before.time
        and _order(history, before.place) == before.order
    )


def _changed_notes(repository: Repository, old: str | None, new: str | None) -> set[str] | None:
    """Return the commits whose notes differ, None if nobody knows."""
    if old == new:
        return set()
    if not old or not new:
        return None
    try:
        return {change.path.replace("/", "") for change in diff_trees(repository, old, new)}
    except GitFailed:
        return None


def _near(history: History, commits: Iterable[str]) -> set[str]:
    """Return the keys of what links of these commits say about others: those near them."""
    names = list(history.commits)
    keys: set[str] = set()
    for commit in commits:
        if one := history.commits.get(commit):
            near = names[max(one.place - NEAR, 0) : one.place + NEAR + 1]
            keys |= {f"n:{name}" for name in near}
            days = range(-AFTER - 1, BEFORE + 2)
            keys |= {_day(one.time + day * _DAY) for day in days}
    return keys


def _day(seconds: float) -> str:
    return f"u:{int(seconds // _DAY)}"


def _touching(cache: Cache, sessions: Iterable[str]) -> frozenset[Pair]:
    """Return the exchanges of sessions that have changed, and those that work on the same files."""
    rows = cache.some("rewards", sessions)
    before = [named((session, row[0])) for session, listed in rows.items() for row in listed]
    keys = {key for key in cache.keys("pairs", before) if key.startswith("p:")}
    facts = facts_of(cache, sessions)
    keys |= {at_path(path) for one in facts.values() for path in one.removed}
    return _pairs([*before, *cache.named("pairs", keys)]) | facts.keys()


def _pairs(names: Iterable[str]) -> frozenset[Pair]:
    pairs = (json.loads(name) for name in names if name.startswith("["))
    return frozenset((session, exchange) for session, exchange in pairs)
