"""Which lines of commits are whose, and which of them are there as they were.

In: the notes, a history, a tree. Out: `Linked` lines, and for each exchange those that stand. A
note and a file are looked at again only when they are others: what a commit did not touch has the
same blame as before.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...git.database import ObjectDatabase
from ...git.graphs import path_graph
from ...git.notes import notes_of
from ...git.origins import origins
from ...git.repository import Repository
from ...sessions.links import Evidence, Link, lines_linked, parse_link
from ..model import Pair
from .cache import Cache
from .facts import Progress, digest
from .history import History

_LARGEST = 2_000_000  # bytes of a file that is looked at
_BATCH = 25
_NOTES = 500
_DAY = 86_400
# Files from which on an index of all commits costs less than it saves; its folder.
_WORTH_A_GRAPH, _GRAPH = 20, "path-graph"
# The key of notes that name files.
_TELLING = "+"


class Place(NamedTuple):
    """A line as a commit left it."""

    commit: str
    path: str
    line: int


@dataclass(slots=True)
class Linked:
    """What the links of one exchange say.

    `made` is line → its digest, of lines that it brought; `carried` the same of lines that were
    moved or rewritten and had been made before. `commits` are all that it is linked to, `via` those
    that had its links before they were rewritten.
    """

    made: dict[Place, str] = field(default_factory=dict)
    carried: dict[Place, str] = field(default_factory=dict)
    commits: dict[str, None] = field(default_factory=dict)
    via: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Links:
    """Links of exchanges, and commit → path → exchange → lines, for who took what away.

    `noted` are all commits that have a note, `telling` those of them with links of files.
    """

    of: dict[Pair, Linked]
    at: dict[str, dict[str, Counter[Pair]]]
    noted: Collection[str]
    telling: Collection[str]


def links_in(cache: Cache, known: Collection[str], commits: Iterable[str] | None = None) -> Links:
    """Return what notes say, all of them or those of some commits.

    `known` are the commits of the history that is judged. A link that a rewritten commit got from
    one that is in this history as well is no new line.
    """
    rows = cache.all("links") if commits is None else cache.some("links", commits).items()
    of: defaultdict[Pair, Linked] = defaultdict(Linked)
    at: dict[str, dict[str, Counter[Pair]]] = {}
    for commit, entries in rows:
        here = at.setdefault(commit, {})
        for session, exchange, path, numbers, digests, carried, via in entries:
            pair = (session, exchange)
            linked = of[pair]
            linked.commits[commit] = None
            linked.via.update(via)
            if path:
                here.setdefault(path, Counter())[pair] += len(numbers)
            if commit not in known:
                continue
            again = carried or any(one in known for one in via)
            into = linked.carried if again else linked.made
            into.update(
                (Place(commit, path, line), name)
                for line, name in zip(numbers, digests, strict=True)
            )
    return Links(dict(of), at, cache.stamps("links").keys(), cache.named("links", [_TELLING]))


def read_notes(repository: Repository, cache: Cache, tip: str | None) -> None:
    """Keep the links of all notes of a tip in plain form, made again where a note is another."""
    notes = notes_of(repository, tip) if tip else {}
    known = cache.stamps("links")
    cache.drop("links", known.keys() - notes.keys())
    stale = sorted(commit for commit, blob in notes.items() if known.get(commit) != blob)
    with ObjectDatabase(repository) as db:
        for first in range(0, len(stale), _NOTES):
            some = stale[first : first + _NOTES]
            contents = list(db.reader.read_many(notes[one] for one in some))
            changes = cache.some("commits", some)
            made = {
                commit: _resolved(db, commit, _parsed(data), changes.get(commit, []))
                for commit, data in zip(some, contents, strict=True)
            }
            with cache.at_once():
                cache.put("links", made, notes)
                cache.place("links", {commit: _keys(rows) for commit, rows in made.items()})


def named(pair: Pair) -> str:
    """Return an exchange as the key of a row."""
    return json.dumps(pair)


def _keys(rows: Iterable[list[Any]]) -> set[str]:
    return {named((row[0], row[1])) for row in rows} | {_TELLING for row in rows if row[2]}


def _parsed(data: bytes | None) -> Iterable[Link]:
    text = (data or b"").decode("utf-8", "surrogateescape")
    return filter(None, map(parse_link, text.split("\n")))


def _resolved(
    db: ObjectDatabase, commit: str, links: Iterable[Link], changes: Iterable[list[Any]]
) -> list[list[Any]]:
    """Return the links of a commit that count in its files; `changes` are what is kept of it."""
    listed = list(links)
    blobs = {row[1]: row[3] for row in changes if row[3]}
    tip = db.tip(commit) if listed else None
    rows: list[list[Any]] = [
        [link.session, link.exchange, "", [], [], False, list(link.via)]
        for link in listed
        if not link.path
    ]
    for path in dict.fromkeys(link.path for link in listed if link.path and tip):
        # A tree is read for a file that the commit did not change, or of which that is not known.
        entry = None
        if path not in blobs and tip and _is_path(path):
            entry = db.trees.at(tip.commit.tree, path)
        blob = blobs.get(path) or (entry.oid if entry and not entry.is_folder else "")
        fresh = [link for link in listed if link.path == path and link.blob == blob]
        if not fresh and not entry and not blob:
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
    repository: Repository, cache: Cache, history: History, files: Mapping[str, str],
    progress: Progress = None, *, whole: bool = True,
) -> set[Place]:  # fmt: skip
    """Return the places of lines that are in the files of the history's tip today.

    `files` (path → blob) are those that linked lines may be in, with `whole` all of them.
    """
    stamps = cache.stamps("blames")
    stale = _stale(repository, cache, history)
    with cache.at_once():
        # What is interrupted must not take the rest for fresh.
        if stale is None or whole:
            cache.drop("blames", stamps.keys() if stale is None else stamps.keys() - files.keys())
        cache.drop("blames", stamps.keys() & (stale or ()))
        cache.put("state", {"blamed": [history.at, history.since]})
    fresh = {} if stale is None else {path: stamps[path] for path in stamps.keys() - stale}
    todo = sorted(path for path, blob in files.items() if fresh.get(path) != blob)
    known = cache.some("blames", files.keys() - set(todo))
    many = len(todo) >= _WORTH_A_GRAPH
    env = path_graph(repository, repository.state_dir / _GRAPH, history.at if many else "")
    batch = {}
    with ObjectDatabase(repository) as db:
        for done, path in enumerate(todo, 1):
            known[path] = batch[path] = _blamed(db, history, path, files[path], env)
            if len(batch) >= _BATCH or done == len(todo):
                cache.put("blames", batch, files)
                batch = {}
                if progress:
                    progress("blaming", done, len(todo))
    return {
        Place(commit, old, first + n)
        for runs in known.values()
        for commit, old, first, count in runs
        for n in range(count)
    }


def _stale(repository: Repository, cache: Cache, history: History) -> set[str] | None:
    """Return the paths whose blame may differ from the one kept; None if all may."""
    before = cache.get("state", "blamed")
    if not before or before[1] > history.since:
        return None
    done = repository.git.run_unchecked("rev-list", f"{before[0]}...{history.at}", "--")
    if done.returncode:
        return None
    between = done.stdout.decode().split()
    kept = cache.some("commits", between)
    if len(kept) < len(set(between)):
        return None
    return {path for rows in kept.values() for row in rows for path in row[:2] if path}


def _blamed(
    db: ObjectDatabase, history: History, path: str, blob: str, env: Mapping[str, str]
) -> list[list[Any]]:
    """Return runs of lines as [commit, path, first line there, how many]."""
    data = db.reader.read(blob) or b""
    if len(data) > _LARGEST or b"\0" in data[:8000]:
        return []
    count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    since = max(history.since - _DAY, 0)
    found = origins(db.repository, history.at, path, range(1, count + 1), since, env=env)
    runs: list[list[Any]] = []
    last: list[Any] = []
    for _, origin in sorted(found.items()):
        if last and last[:2] == [origin.commit, origin.path] and last[2] + last[3] == origin.line:
            last[3] += 1
        else:
            last = [origin.commit, origin.path, origin.line, 1]
            runs.append(last)
    return runs
