"""Refs of the program: read them, move them if nobody else has, find what else holds a commit.

In: names of refs. Out: commit ids, or `RefMoved`. No hook of the user runs for these refs: git
calls reference-transaction for every ref that moves, and this one moves in the background.
"""

import os
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ..errors import Busy
from .process import GitFailed
from .repository import Repository
from .writing import unwritable

T = TypeVar("T")
# Refs that all worktrees share and few repositories have.
_OURS = ("refs/skillmesh/", "refs/notes/")
_NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")
# A committer for the reflog: git refuses to make one up where user.useConfigOnly is set.
_WHO = {"GIT_COMMITTER_NAME": "git skillmesh", "GIT_COMMITTER_EMAIL": "git-skillmesh@localhost"}
_PATIENCE_SECONDS = 30.0


class RefMoved(Exception):
    """Somebody else moved the ref, or is doing so: look again and do the work anew."""


def read_ref(repository: Repository, ref: str) -> str | None:
    """Return the commit of a ref below refs/ that worktrees share, None if there is no such ref."""
    if is_nowhere(repository, ref):
        return None
    out = repository.git.run_unchecked("rev-parse", "--verify", "-q", f"{ref}^{{commit}}").stdout
    return out.decode().strip() or None


def is_nowhere(repository: Repository, name: str) -> bool:
    """Whether the files of refs have nothing of this name: what most repositories say of ours.

    `name` is a ref of the program, or a folder of such. False where only git can tell.
    """
    common = repository.common_dir
    if not name.startswith(_OURS) or any(letter in name for letter in "*?[\\^~:@"):
        return False
    if os.path.lexists(common / name) or (common / "reftable").exists():
        return False
    try:  # only now: git writes a ref here before it takes its own file away
        return name.rstrip("/").encode() not in (common / "packed-refs").read_bytes()
    except FileNotFoundError:
        return True
    except OSError:
        return False


def list_refs(repository: Repository, *patterns: str) -> dict[str, str]:
    """Return name → object id of all refs under the patterns (all refs without any)."""
    if patterns and all(is_nowhere(repository, pattern) for pattern in patterns):
        return {}
    out = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
    pairs = (line.split(" ", 1) for line in os.fsdecode(out).splitlines())
    return {name: oid for oid, name in pairs}


def refs_holding(repository: Repository, commits: Sequence[str]) -> list[str]:
    """Return the names of all refs in whose history one of the commits is."""
    if not commits:
        return []
    wanted = [f"--contains={commit}" for commit in commits]
    out = repository.git.run("for-each-ref", "--format=%(refname)", *wanted)
    return os.fsdecode(out).splitlines()


def reached(repository: Repository, commits: Iterable[str], head: str) -> frozenset[str]:
    """Return those of the commits that are here and that `head` reaches."""
    wanted = sorted(set(commits) - {""})
    if not wanted or not head:
        return frozenset()
    check = "\n".join(wanted).encode() + b"\n"
    out = repository.git.run("cat-file", "--batch-check=%(objectname)", stdin=check)
    known = [line for line in out.decode().splitlines() if " " not in line]
    stdin = "\n".join([*known, f"^{head}"]).encode() + b"\n"
    beyond = set(repository.git.run("rev-list", "--stdin", stdin=stdin).decode().split())
    return frozenset(known) - beyond


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Return whether `old` is `new` or in its history."""
    if old == new:
        return True
    return repository.git.run_unchecked("merge-base", "--is-ancestor", old, new).returncode == 0


def move_ref(repository: Repository, ref: str, new: str, old: str | None, reason: str) -> None:
    """Move a ref from `old` (None: it must not exist) to `new`, all or nothing.

    Raises:
        RefMoved: the ref is not at `old`, or another process has it locked.
        ReadOnly: the repository cannot be written.
    """
    expected = old or "0" * len(new)
    command = (*_NO_HOOKS, "update-ref", "--no-deref", "-m", reason, ref, new, expected)
    result = repository.git.run_unchecked(*command, extra_env=_WHO)
    if result.returncode == 0:
        return
    error = GitFailed(command[2:], result.returncode, result.stderr)
    if denied := unwritable(error):
        raise denied
    # Each ref format says it in words of its own, so look where the ref is.
    if "lock" in error.stderr or read_ref(repository, ref) != old:
        raise RefMoved(error.stderr)
    raise error


def expire_reflog(repository: Repository, ref: str) -> None:
    """Make the log of a ref forget where the ref has been, if there is one.

    git keeps logs of branches and notes only, of every ref with core.logAllRefUpdates=always.
    """
    if repository.git.run_unchecked("reflog", "exists", ref).returncode == 0:
        repository.git.run(
            "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--rewrite", ref
        )


def only_in(repository: Repository, old: str, ref: str) -> frozenset[str]:
    """Return the objects that only `old` and its history keep: not `ref`, where it was before.

    Empty as long as another ref, a log or an index keeps the commits.
    """
    kept = ("--not", "--all", "--reflog", "--indexed-objects")
    found = _objects(repository, old, *kept)
    # git leaves out commits exactly, their contents only roughly.
    return found - _objects(repository, ref) if found else found


def _objects(repository: Repository, *revisions: str) -> frozenset[str]:
    # A partial clone lacks objects, and a damaged log must not undo what has been done already.
    command = ("rev-list", "--objects", "--missing=allow-any", *revisions)
    out = repository.git.run_unchecked(*command).stdout.decode("utf-8", "replace")
    return frozenset(line.partition(" ")[0] for line in out.splitlines())


def prune_expiry(repository: Repository) -> str:
    """Return the age at which `git gc` drops what nothing refers to, as git writes it."""
    out = repository.git.run_unchecked("config", "--get", "gc.pruneExpire").stdout
    return os.fsdecode(out).strip() or "2.weeks.ago"


def until_moved(attempt: Callable[[], T], ref: str) -> T:
    """Repeat what ends with moving a ref until nobody else was faster. Raises `Busy`.

    Somebody's attempt always succeeds, so all of them get through; the pauses are random, for two
    that collide once would otherwise collide again.
    """
    deadline, pause = time.monotonic() + _PATIENCE_SECONDS, 0.004
    while True:
        try:
            return attempt()
        except RefMoved as moved:
            if time.monotonic() > deadline:
                said = str(moved).strip().splitlines()
                raise Busy(f"another process keeps {ref}", said[-1] if said else "") from None
        time.sleep(pause * random.random())  # noqa: S311
        pause = min(pause * 2, 0.25)


def drop_unreachable(repository: Repository) -> None:
    """Drop every object that nothing refers to, at once. Raises `GitFailed`."""
    repository.git.run("gc", "--quiet", "--prune=now")
