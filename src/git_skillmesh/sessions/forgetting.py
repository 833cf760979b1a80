"""Forget sessions: out of the ref, out of its history, and never to come back.

In: ids of sessions. Out: what was removed and who still has it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..git.database import ObjectDatabase
from ..git.refs import (
    expire_reflog,
    list_refs,
    only_in,
    prune_expiry,
    refs_holding,
)
from ..git.repository import Repository
from ..git.rewrite import without_paths
from . import layout


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `forget` did.

    `sessions` are the ids that are gone (with the subagents), `commits` how many commits of the
    ref were rewritten, `refs` the names of other refs here that still hold a session: what a remote
    had when it was last fetched. `objects` is how many objects nothing refers to any more; `git gc`
    drops them when they are older than `expiry`, and `git gc --prune=now` at once.
    """

    sessions: tuple[str, ...]
    commits: int
    refs: tuple[str, ...]
    objects: int
    expiry: str


def forget(repository: Repository, ref: str, session_ids: Sequence[str]) -> Forgotten:
    """Rewrite the history of the ref without conversations and leave a tombstone for each.

    Raises as `forget_folders`.
    """
    keys = [layout.key_of(session_id) for session_id in session_ids]
    return forget_folders(repository, ref, session_ids, keys, layout.session_path)


def forget_folders(
    repository: Repository,
    ref: str,
    session_ids: Sequence[str],
    keys: Sequence[str],
    path_of: Callable[[str], str],
) -> Forgotten:
    """Rewrite the history of the ref without the folders of some keys, and leave tombstones.

    Forgetting what is already forgotten looks again who still has it. The objects stay in the
    repository until `git gc` drops them: a pack cannot be shortened without writing it anew, and
    that would drop what else the user has not lost yet.

    Raises:
        UsageError: there is no such session, nor was there ever one.
        RefMoved: somebody else wrote meanwhile; nothing has changed.
        ReadOnly: the repository cannot be written.
    """
    paths = [path_of(key) for key in keys]
    with ObjectDatabase(repository) as db:
        tip = db.tip(ref)
        tree = tip.commit.tree if tip else None
        tombstones = [layout.tombstone_path(key) for key in keys]
        gone = db.trees.at(tree, tombstones[0]) is not None
        if tip is None or not (gone or db.trees.folder(tree, paths[0])):
            raise UsageError(
                f"no such session: {session_ids[0]}", "git skillmesh has not stored it"
            )
        rewritten = without_paths(db, tip.oid, paths)
        base = db.tip(rewritten.tip) if rewritten.tip == tip.oid else None
        clean = base.commit.tree if base else db.trees.change(tree, dict.fromkeys(paths))
        mark = db.blob(layout.TOMBSTONE)
        new = db.trees.change(clean, dict.fromkeys(tombstones, mark))
        if new != tree:
            now = max(int(time.time()), tip.commit.time)
            commit = db.commit(new, (rewritten.tip,), f"forget {len(keys)} of the sessions", now)
            db.move(ref, commit, tip.oid, "skillmesh: forget")
        expire_reflog(repository, ref)
        refs = set(refs_holding(repository, rewritten.first)) - {ref}
        for name, oid in list_refs(repository, "refs/skillmesh", "refs/remotes").items():
            if name != ref and any(db.reader.look_up(f"{oid}:{path}") for path in paths):
                refs.add(name)
    objects = only_in(repository, tip.oid, ref)
    expiry = prune_expiry(repository)
    held = tuple(sorted(refs))
    return Forgotten(tuple(session_ids), rewritten.commits, held, len(objects), expiry)
