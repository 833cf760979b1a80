"""Which exchanges made the lines of each chunk: blame and links joined, kept beside the index.

In: HEAD, the notes with links, the index. Out: tables of the catalogue: for each chunk its
exchanges, for each exchange its commits. A file is blamed when it is new and a link was ever about
it, or about a file that it was renamed from, and again when links of it change. So a commit costs
what it changed. All of it can be made anew from git.
"""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import SkillmeshError
from ..git.blame import blame
from ..git.database import ObjectDatabase
from ..git.notes import REF, notes_of
from ..git.process import GitFailed
from ..git.refs import read_ref
from ..git.repository import Repository
from ..git.trees import diff_trees
from ..sessions.answering import attribute
from ..sessions.links import Link, read_links
from .catalogue import Catalogue, FileRow
from .origins import provenance_name
from .store import Store
from .sync import Progress

_RUN = "provenance run"
# Files blamed between two writes: what is interrupted goes on from there.
_BATCH = 50
_LARGEST = 2_000_000
# Commits looked through for renames.
_HISTORY_LIMIT = 20_000


class Origin(NamedTuple):
    """An exchange that made lines, and how many."""

    session: str
    exchange: str
    lines: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has changed since the last run: links by commit, paths, and files to blame."""

    links: Mapping[str, tuple[Link, ...]]
    paths: frozenset[str]
    files: Sequence[FileRow]


def sync_provenance(
    repository: Repository,
    store: Store,
    members: Iterable[int],
    head: str | None,
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
    view: str = "",
) -> int:
    """Bring the tables up to date with HEAD and the notes; return how many files were blamed.

    `members` are the files of HEAD's tree. The index is locked only while results are written.
    Raises `Busy`, `ReadOnly`, `Damaged`.
    """
    notes = read_ref(repository, REF)
    if head is None or not store.catalogue_path.exists():
        return 0
    state = json.dumps([head, notes])
    catalogue = store.reader()
    name = provenance_name(repository, view)
    try:
        before = catalogue.meta(name)
        if before == state or (before is None and notes is None):
            return 0
        plan = _plan(repository, catalogue, sorted(members), before, head, notes)
    finally:
        catalogue.close()
    with store.writing(wait_seconds) as catalogue, catalogue.transaction():
        _store_links(catalogue, plan)
        run = last_run(catalogue) + 1
        catalogue.set_meta(_RUN, str(run))
    for start in range(0, len(plan.files), _BATCH):
        part = plan.files[start : start + _BATCH]
        with ObjectDatabase(repository) as db:
            traced = {row.id: _trace(db, row, head) for row in part}
        with store.writing(wait_seconds) as catalogue, catalogue.transaction():
            for number, lines in traced.items():
                _store_origins(catalogue, number, run, lines)
        if progress:
            progress(start + len(part), len(plan.files))
    with store.writing(wait_seconds) as catalogue, catalogue.transaction():
        catalogue.set_meta(name, state)
    return len(plan.files)


def _plan(
    repository: Repository,
    catalogue: Catalogue,
    members: Sequence[int],
    before: str | None,
    head: str,
    notes: str | None,
) -> _Plan:
    old_head, old_notes = json.loads(before) if before else (None, None)
    links = _changed_links(repository, old_notes, notes)
    linked = {os.fsdecode(path) for (path,) in catalogue.rows("SELECT path FROM linked_paths")}
    changed = {link.path for found in links.values() for link in found if link.path}
    new, touched = set(linked | changed), set(changed)
    for old, path in _renames(repository, head, old_head, links):
        if old in new:
            new.add(path)
        if old in touched:
            touched.add(path)
    done = {int(number) for (number,) in catalogue.rows("SELECT file FROM traced")}
    files = [
        row
        for row in catalogue.files(members).values()
        if row.chunks and row.bytes <= _LARGEST
        and (row.path in touched or (row.path in new and row.id not in done))
    ]  # fmt: skip
    return _Plan(links, frozenset(new), files)


def _changed_links(
    repository: Repository, old: str | None, new: str | None
) -> dict[str, tuple[Link, ...]]:
    """Return commit → its links, nothing where it has none any more, for notes that differ."""
    commits: Iterable[str] = ()
    if new is not None:
        try:
            changes = diff_trees(repository, f"{old}^{{tree}}", f"{new}^{{tree}}") if old else None
        except GitFailed:  # the old notes have been collected
            changes = None
        if changes is None:
            commits = notes_of(repository, new)
        else:
            commits = dict.fromkeys(change.path.replace("/", "") for change in changes)
    listed = list(commits)
    return dict.fromkeys(listed, ()) | read_links(repository, listed)


def _renames(
    repository: Repository, head: str, old_head: str | None, links: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield (old path, new path) of renames since the earliest commit of interest, in order."""
    commits = list(links)
    out = b""
    if commits:
        oldest = _oldest(repository, commits)
        out = _log(repository, head, f"--since={oldest}") if oldest else b""
    elif old_head and old_head != head:
        out = _log(repository, f"{old_head}..{head}")
    fields = iter(out.split(b"\0"))
    for field in fields:
        if field.lstrip(b"\n").startswith(b"R"):
            yield os.fsdecode(next(fields)), os.fsdecode(next(fields))


def _log(repository: Repository, *revisions: str) -> bytes:
    return repository.git.run_unchecked(
        "log", "--reverse", "--format=", "--diff-filter=R", "--find-renames", "--name-status", "-z",
        f"--max-count={_HISTORY_LIMIT}", *revisions, "--",
    ).stdout  # fmt: skip


def _oldest(repository: Repository, commits: Sequence[str]) -> int:
    """Return the earliest time of those commits that are here, 0 if none is."""
    out = repository.git.run_unchecked(
        "log", "--no-walk=unsorted", "--ignore-missing", "--format=%ct", "--stdin",
        stdin="\n".join(commits).encode() + b"\n",
    ).stdout  # fmt: skip
    return min((int(line) for line in out.split()), default=0)


def _store_links(catalogue: Catalogue, plan: _Plan) -> None:
    connection = catalogue.connection
    connection.executemany(
        "INSERT OR IGNORE INTO linked_paths VALUES (?)",
        [(os.fsencode(path),) for path in plan.paths],
    )
    for commit, links in plan.links.items():
        counts: Counter[tuple[str, str]] = Counter()
        for link in links:
            lines = sum(last - first + 1 for first, last in link.ranges)
            counts[link.session, link.exchange] += lines
        oid = bytes.fromhex(commit)
        connection.execute("DELETE FROM links WHERE commit_id = ?", (oid,))
        connection.executemany(
            "INSERT INTO links VALUES (?, ?, ?, ?)",
            [(oid, session, exchange, n) for (session, exchange), n in counts.items()],
        )


def _trace(db: ObjectDatabase, row: FileRow, head: str) -> list[tuple[int, Link]]:
    """Return (line, link) of the linked lines of a file at HEAD; nothing where blame fails."""
    try:
        lines = attribute(db, blame(db.repository, row.path, commit=head))
    except SkillmeshError:  # a shallow or partial clone lacks what blame needs
        return []
    return [(line.blamed.number, line.link) for line in lines if line.link]


def _store_origins(
    catalogue: Catalogue, file: int, run: int, lines: Sequence[tuple[int, Link]]
) -> None:
    connection = catalogue.connection
    connection.execute("DELETE FROM origins WHERE file = ?", (file,))
    chunks = catalogue.chunks(file) if lines else []
    counts: Counter[tuple[int, str, str]] = Counter()
    between = []
    for number, link in lines:
        inside = [one.ordinal for one in chunks if one.start_line <= number <= one.end_line]
        counts.update((ordinal, link.session, link.exchange) for ordinal in inside)
        between += [] if inside else [(number, link)]
    # A blank line between chunks counts with its neighbour, and says nothing of others.
    for number, link in between:
        before = [one.ordinal for one in chunks if one.end_line < number][-1:]
        after = [one.ordinal for one in chunks if one.start_line > number][:1]
        for ordinal in (*before, *after):
            if counts[key := (ordinal, link.session, link.exchange)]:
                counts[key] += 1
                break
    connection.executemany(
        "INSERT INTO origins VALUES (?, ?, ?, ?, ?)",
        [(file, *key, count) for key, count in counts.items()],
    )
    connection.execute("INSERT OR REPLACE INTO traced VALUES (?, ?)", (file, run))


def last_run(catalogue: Catalogue) -> int:
    """Return the number of the last run that looked at files, 0 if there was none."""
    return int(catalogue.meta(_RUN) or 0)


def traced_since(catalogue: Catalogue, run: int) -> list[int]:
    """Return the files that were blamed in a later run."""
    rows = catalogue.rows("SELECT file FROM traced WHERE run > ? ORDER BY file", (run,))
    return [int(number) for (number,) in rows]


def origins_of(catalogue: Catalogue, file: int) -> dict[int, tuple[Origin, ...]]:
    """Return ordinal of the chunk → the exchanges that made lines of it, most lines first."""
    return origins_of_files(catalogue, [file]).get(file, {})


def origins_of_files(
    catalogue: Catalogue, files: Collection[int]
) -> dict[int, dict[int, tuple[Origin, ...]]]:
    """Return the same for each file that has any."""
    rows = catalogue.rows(
        "SELECT file, ordinal, session, exchange, lines FROM origins"
        f" WHERE file IN ({','.join('?' * len(files))})"
        " ORDER BY file, ordinal, lines DESC, session, exchange",
        list(files),
    )
    found: dict[int, dict[int, tuple[Origin, ...]]] = {}
    for file, ordinal, session, exchange, lines in rows:
        of_file = found.setdefault(int(file), {})
        origin = Origin(session, exchange, int(lines))
        of_file[int(ordinal)] = (*of_file.get(int(ordinal), ()), origin)
    return found


def chunks_of_session(catalogue: Catalogue, session: str) -> list[tuple[str, int, int, int]]:
    """Return (exchange, file, ordinal, lines) of all chunks that have lines of a session."""
    return catalogue.rows(
        "SELECT exchange, file, ordinal, lines FROM origins WHERE session = ?"
        " ORDER BY exchange, file, ordinal",
        (session,),
    )


def commits_of_session(catalogue: Catalogue, session: str) -> list[tuple[str, str, int]]:
    """Return (exchange, commit, lines) of all links of a session."""
    rows = catalogue.rows(
        "SELECT exchange, commit_id, lines FROM links WHERE session = ?"
        " ORDER BY exchange, commit_id",
        (session,),
    )
    return [(str(exchange), commit.hex(), int(lines)) for exchange, commit, lines in rows]
