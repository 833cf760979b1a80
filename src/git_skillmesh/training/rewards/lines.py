"""Which lines of commits are whose, and which of them are there as they were.

In: the notes, a history, a tree. Out: `Linked` lines, and for each exchange those that stand. A
note and a file are looked at again only when they are others: what a commit did not touch has the
same blame as before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...git.database import ObjectDatabase
from ...git.notes import REF, notes_of
from ...git.origins import origins
from ...git.refs import read_ref
from ...git.repository import Repository
from ...git.trees import list_tree
from ...sessions.links import Evidence, Link, lines_linked, parse_link
from ..model import Pair
from .cache import Cache
from .facts import Progress, digest
from .history import History

_LARGEST = 2_000_000  # bytes of a file that is looked at
_BATCH = 25
_DAY = 86_400


class Place(NamedTuple):
    """A line as a commit left it."""

    commit: str
    path: str
    line: int


@dataclass(slots=True)
class Linked:
    """What the links of one exchange say.

    `made` is line → its digest, of lines that it brought; `carried` the same of lines that were
    moved or rewritten and had been made before. `commits` are all that it is linked to, `touched`
    those of them in which it only took lines away.
    """

    made: dict[Place, str] = field(default_factory=dict)
    carried: dict[Place, str] = field(default_factory=dict)
    commits: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Links:
    """Links of all exchanges, and commit → path → exchange → lines, for who took what away."""

    of: dict[Pair, Linked]
    at: dict[str, dict[str, Counter[Pair]]]
    paths: frozenset[str]


def read_links_of(repository: Repository, cache: Cache, known: Iterable[str]) -> Links:
    """Return what all notes say; `known` are the commits of the history that is judged.

    A link that a rewritten commit got from one that is in this history as well is no new line.
    """
    rows = _rows(repository, cache)
    reached = set(known)
    of: defaultdict[Pair, Linked] = defaultdict(Linked)
    at: dict[str, dict[str, Counter[Pair]]] = {}
    paths: set[str] = set()
    for commit, entries in rows.items():
        here = at.setdefault(commit, {})
        for session, exchange, path, numbers, digests, carried, via in entries:
            pair = (session, exchange)
            linked = of[pair]
            linked.commits[commit] = None
            if path:
                here.setdefault(path, Counter())[pair] += len(numbers)
            if commit not in reached:
                continue
            paths.update([path] if path else ())
            again = carried or any(one in reached for one in via)
            into = linked.carried if again else linked.made
            into.update(
                (Place(commit, path, line), name)
                for line, name in zip(numbers, digests, strict=True)
            )
    return Links(dict(of), at, frozenset(paths))


def _rows(repository: Repository, cache: Cache) -> "dict[str, list[list[Any]]]":
    """Return commit → its links in plain form, made again where a note is another one."""
    tip = read_ref(repository, REF)
    notes = notes_of(repository, tip) if tip else {}
    known = dict(cache.all("links"))
    cache.drop("links", known.keys() - notes.keys())
    stale = [commit for commit, blob in notes.items() if known.get(commit, [""])[0] != blob]
    with ObjectDatabase(repository) as db:
        contents = list(db.reader.read_many(notes[one] for one in stale))
        made = {
            commit: [notes[commit], _resolved(db, commit, _parsed(data))]
            for commit, data in zip(stale, contents, strict=True)
        }
    cache.put("links", made)
    known |= made
    return {commit: known[commit][1] for commit in notes}


def _parsed(data: bytes | None) -> Iterable[Link]:
    text = (data or b"").decode("utf-8", "surrogateescape")
    return filter(None, map(parse_link, text.split("\n")))


def _resolved(db: ObjectDatabase, commit: str, links: Iterable[Link]) -> list[list[Any]]:
    """Return the links of a commit that count in its files."""
    listed = list(links)
    tip = db.tip(commit) if listed else None
    rows: list[list[Any]] = [
        [link.session, link.exchange, "", [], [], False, list(link.via)]
        for link in listed
        if not link.path
    ]
    for path in dict.fromkeys(link.path for link in listed if link.path and tip):
        entry = db.trees.at(tip.commit.tree, path) if tip and _is_path(path) else None
        blob = entry.oid if entry and not entry.is_folder else ""
        fresh = [link for link in listed if link.path == path and link.blob == blob]
        if not fresh and not entry:
            fresh = [link for link in listed if link.path == path and not link.blob]
        of: defaultdict[tuple[str, str], list[tuple[int, Link]]] = defaultdict(list)
        for link in fresh:
            of[link.session, link.exchange] += []
        for line, link in lines_linked(fresh, path, blob).items():
            of[link.session, link.exchange].append((line, link))
        names = _digests(db, blob) if any(of.values()) else []
        for (session, exchange), lines in of.items():
            for carried in (False, True):
                some = sorted(
                    (line, link)
                    for line, link in lines
                    if (link.evidence == Evidence.MOVED) is carried and line <= len(names)
                )
                if some or not (carried or lines):
                    numbers = [line for line, _ in some]
                    via = dict.fromkeys(one for _, link in some for one in link.via)
                    rows.append(
                        [session, exchange, path, numbers, [names[n - 1] for n in numbers],
                         carried, list(via)]
                    )  # fmt: skip
    return rows


def _digests(db: ObjectDatabase, blob: str) -> list[str]:
    data = db.reader.read(blob) or b""
    return [digest(line) for line in data.split(b"\n")] if len(data) <= _LARGEST else []


def _is_path(path: str) -> bool:
    return not {"", ".", ".."} & set(path.split("/")) and "\0" not in path


def standing(
    repository: Repository, cache: Cache, history: History, links: Links,
    since: int, progress: Progress = None,
) -> set[Place]:  # fmt: skip
    """Return the places of lines that are in the files of the history's tip today.

    Only files that linked lines may be in are blamed.
    """
    tree = list_tree(repository, history.at)
    wanted = {path for linked in links.paths for path in history.lineage.heirs(linked)}
    files = {path: tree[path] for path in wanted & tree.keys()}
    known = dict(cache.all("blames"))
    stale = _stale(repository, cache, history, since)
    cache.drop("blames", known.keys() if stale is None else known.keys() - files.keys())
    known = {} if stale is None else known
    todo = [
        path
        for path, blob in sorted(files.items())
        if path not in known or known[path][0] != blob or path in (stale or ())
    ]
    # What is interrupted must not take the rest for fresh.
    cache.drop("blames", set(todo) & known.keys())
    cache.put("state", {"blamed": [history.at, since]})
    batch = {}
    with ObjectDatabase(repository) as db:
        for done, path in enumerate(todo, 1):
            blob = files[path]
            known[path] = batch[path] = [blob, _blamed(db, history.at, path, blob, since)]
            if len(batch) >= _BATCH or done == len(todo):
                cache.put("blames", batch)
                batch = {}
                if progress:
                    progress("blaming", done, len(todo))
    return {
        Place(commit, old, first + n)
        for path in files
        for commit, old, first, count in known[path][1]
        for n in range(count)
    }


def _stale(repository: Repository, cache: Cache, history: History, since: int) -> set[str] | None:
    """Return the paths whose blame may differ from the one kept; None if all may."""
    before = cache.get("state", "blamed")
    if not before or before[1] > since:
        return None
    done = repository.git.run_unchecked("rev-list", f"{before[0]}...{history.at}", "--")
    if done.returncode:
        return None
    between = done.stdout.decode().split()
    kept = {oid: cache.get("commits", oid) for oid in between}
    if any(rows is None for rows in kept.values()):
        return None
    return {path for rows in kept.values() for row in rows for path in row[:2] if path}


def _blamed(db: ObjectDatabase, at: str, path: str, blob: str, since: int) -> list[list[Any]]:
    """Return runs of lines as [commit, path, first line there, how many]."""
    data = db.reader.read(blob) or b""
    if len(data) > _LARGEST or b"\0" in data[:8000]:
        return []
    count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    found = origins(db.repository, at, path, range(1, count + 1), max(since - _DAY, 0))
    runs: list[list[Any]] = []
    last: list[Any] = []
    for _, origin in sorted(found.items()):
        if last and last[:2] == [origin.commit, origin.path] and last[2] + last[3] == origin.line:
            last[3] += 1
        else:
            last = [origin.commit, origin.path, origin.line, 1]
            runs.append(last)
    return runs
