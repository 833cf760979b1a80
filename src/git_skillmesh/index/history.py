"""Which commit brought each file version that the index knows.

In: an open, locked catalogue and HEAD. Out: the commits in the catalogue. Of all commits that
HEAD reaches and that brought a version, the last one counts, so that the answer depends on HEAD
alone and not on the way it took.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..git.history import Introduction, introductions
from ..git.repository import Repository
from .catalogue import Catalogue

# Commits read at most to find which one made a version; older ones stay unknown.
HISTORY_LIMIT = 20_000


def sync_history(
    repository: Repository, catalogue: Catalogue, head: str, members: NDArray[np.int32]
) -> None:
    """Record which commit introduced each member of HEAD's tree.

    Commits that are new since the last walk are always read; those that HEAD does not reach any
    more are forgotten. The rest of history is read only for versions of which nothing is known.
    """
    walked = catalogue.meta("history")
    gone: set[int] = set()
    found: dict[int, Introduction] = {}
    if walked and walked != head:
        unreachable = _only_in(repository, walked, head)
        gone = catalogue.files_of_commits(unreachable)
        if unreachable is not None:
            new = introductions(repository, head, [walked], HISTORY_LIMIT)
            found = _later(catalogue, new, gone)
    wanted = {
        (path, blob): number
        for number, path, blob in catalogue.files_without_commit(members.tolist(), gone)
        if number not in found
    }
    found |= _search(introductions(repository, head, (), HISTORY_LIMIT), wanted)
    if found or gone or wanted or walked != head:
        with catalogue.transaction():
            catalogue.forget_commits(gone)
            catalogue.set_commits({number: (i.commit, i.time) for number, i in found.items()})
            catalogue.set_commits(dict.fromkeys(wanted.values(), ("", 0)))
            catalogue.set_meta("history", head)


def _only_in(repository: Repository, old: str, new: str) -> set[str] | None:
    """Return the commits that `old` reaches and `new` does not; None if `old` is gone."""
    listed = repository.git.run_unchecked("rev-list", old, f"^{new}", "--")
    return set(listed.stdout.decode().split()) if listed.returncode == 0 else None


def _later(
    catalogue: Catalogue, walk: Iterable[Introduction], gone: set[int]
) -> dict[int, Introduction]:
    """Return file id → the last introduction, where it is later than the one that is stored."""
    found: dict[int, Introduction] = {}
    for introduction in walk:
        for number, time in catalogue.commit_times(introduction.path, introduction.blob):
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
