"""Which commit brought each file version that the index knows.

In: a catalogue and HEAD. Out: the commits in the catalogue. Of all commits that HEAD reaches and
that brought a version, the last one counts, so that the answer depends on HEAD alone and not on
the way it took. Each worktree has a HEAD and therefore answers of its own.
"""

import os
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..git.history import Introduction, introductions
from ..git.repository import Repository
from .catalogue import Catalogue
from .origins import view_name

# Commits read at most to find which one made a version; older ones stay unknown.
HISTORY_LIMIT = 20_000
# What a team has agreed on has answers of its own, too; no worktree can have this name.
SHARED = "/shared"
# Files asked for with one statement.
_AT_ONCE = 500


class Commits:
    """The commits of file versions as seen from one worktree's HEAD; "" is: looked for in vain.

    With a `view` (`SHARED`) they are those of another commit than HEAD.
    """

    def __init__(self, catalogue: Catalogue, repository: Repository, view: str = "") -> None:
        self._catalogue = catalogue
        self._worktree = view or view_name(repository)

    @property
    def head(self) -> str | None:
        """The HEAD that the commits are those of."""
        return self._catalogue.meta(f"history {self._worktree}")

    def of(self, files: Iterable[int]) -> dict[int, str]:
        """Return file id → commit, as far as known."""
        wanted = [int(number) for number in files]
        found: dict[int, str] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._catalogue.rows(
                f"SELECT file, commit_id FROM commits WHERE worktree = ? AND file IN ({marks})",
                [self._worktree, *part],
            )
            found |= {int(number): commit.hex() for number, commit in rows if commit}
        return found

    def all(self) -> dict[int, str]:
        """Return file id → commit of all files that were looked for."""
        sql = "SELECT file, commit_id FROM commits WHERE worktree = ?"
        return {number: c.hex() for number, c in self._catalogue.rows(sql, (self._worktree,))}

    def times(self, path: str, blob: str) -> list[tuple[int, int | None]]:
        """Return (id, time of its commit) of a file version, under whatever rules it was read."""
        return self._catalogue.rows(
            "SELECT id, time FROM files LEFT JOIN commits ON file = id AND worktree = ?"
            " WHERE path = ? AND blob = ?",
            (self._worktree, os.fsencode(path), bytes.fromhex(blob)),
        )

    def put(self, head: str, gone: Iterable[int], found: Mapping[int, tuple[str, int]]) -> None:
        """Forget the commits of some files, store those of others."""
        catalogue = self._catalogue
        with catalogue.transaction():
            catalogue.connection.executemany(
                "DELETE FROM commits WHERE worktree = ? AND file = ?",
                [(self._worktree, number) for number in gone],
            )
            catalogue.connection.executemany(
                "INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?)",
                [
                    (self._worktree, number, bytes.fromhex(commit), time)
                    for number, (commit, time) in found.items()
                ],
            )
            catalogue.set_meta(f"history {self._worktree}", head)


def sync_history(
    repository: Repository,
    catalogue: Catalogue,
    head: str,
    members: NDArray[np.int32],
    view: str = "",
) -> None:
    """Record which commit introduced each member of HEAD's tree, or of that of a view's commit.

    Commits that are new since the last walk are always read; those that HEAD does not reach any
    more are forgotten. The rest of history is read only for versions of which nothing is known.
    """
    commits = Commits(catalogue, repository, view)
    walked = commits.head
    known = commits.all()
    gone: set[int] = set()
    found: dict[int, Introduction] = {}
    if walked and walked != head:
        met: set[str] = set()
        new = list(introductions(repository, head, [walked], HISTORY_LIMIT, met))
        # Nearly always the new commits come after the known one: then none is out of reach.
        unreachable = set() if walked in met else _only_in(repository, walked, head)
        if unreachable is None:
            gone = set(known)
        else:
            gone = {number for number, commit in known.items() if commit in unreachable}
            found = _later(commits, new, gone)
    unknown = set(members.tolist()) - (known.keys() - gone) - found.keys()
    rows = catalogue.files(sorted(unknown)).values()
    wanted = {(row.path, row.blob): row.id for row in rows}
    found |= _search(introductions(repository, head, (), HISTORY_LIMIT), wanted)
    if found or gone or wanted or walked != head:
        stored = {number: (i.commit, i.time) for number, i in found.items()}
        commits.put(head, gone, stored | dict.fromkeys(wanted.values(), ("", 0)))


def forget_worktrees(repository: Repository, catalogue: Catalogue) -> None:
    """Forget the commits of worktrees that are gone; call inside a transaction."""
    for (name,) in catalogue.rows("SELECT DISTINCT worktree FROM commits WHERE worktree <> ''"):
        if name != SHARED and not (repository.common_dir / "worktrees" / name).is_dir():
            catalogue.connection.execute("DELETE FROM commits WHERE worktree = ?", (name,))
            catalogue.connection.execute("DELETE FROM meta WHERE name = ?", (f"history {name}",))


def _only_in(repository: Repository, old: str, new: str) -> set[str] | None:
    """Return the commits that `old` reaches and `new` does not; None if `old` is gone."""
    listed = repository.git.run_unchecked("rev-list", old, f"^{new}", "--")
    return set(listed.stdout.decode().split()) if listed.returncode == 0 else None


def _later(
    commits: Commits, walk: Iterable[Introduction], gone: set[int]
) -> dict[int, Introduction]:
    """Return file id → the last introduction, where it is later than the one that is stored."""
    found: dict[int, Introduction] = {}
    for introduction in walk:
        for number, time in commits.times(introduction.path, introduction.blob):
            if number in found:
                newer = introduction.time > found[number].time
            else:
                newer = time is None or number in gone or introduction.time >= time
            if newer:
                found[number] = introduction
    return found


def _search(
    walk: Iterable[Introduction], wanted: dict[tuple[str, str], int]
) -> dict[int, Introduction]:
    """Return file id → introduction of what is wanted, and take it out of `wanted`."""
    found: dict[int, Introduction] = {}
    if not wanted:
        return found
    for introduction in walk:
        number = wanted.pop((introduction.path, introduction.blob), None)
        if number is not None:
            found[number] = introduction
        if not wanted:
            break
    return found
