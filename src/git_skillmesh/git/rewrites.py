"""What became of commits that were rewritten: what git says of it, and where they still are.

In: the standard input of post-rewrite hooks, reflogs, refs. Out: pairs of old and new commits,
commits that a branch does not have (any more), patch ids, and who wrote lines that are gone.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .checkouts import only_worktree
from .refs import list_refs
from .repository import Repository

PAIRS = "rewritten"  # in the state folder: what the shim was told, `old new` a line
_TAKEN = "rewritten.running"
_OID = r"(?:[0-9a-f]{40}|[0-9a-f]{64})"
_PAIR = re.compile(rf"({_OID}) ({_OID})(?: |$)".encode())
_MOST_UNMERGED = 5_000


class Pair(NamedTuple):
    """git made the commit `new` out of `old`."""

    old: str
    new: str


def leave_pairs(state: Path, data: bytes) -> None:
    """Keep what git told a post-rewrite hook until the worker comes. Raises OSError."""
    if data:
        state.mkdir(parents=True, exist_ok=True)
        with (state / PAIRS).open("ab") as stream:
            stream.write(data)


@contextlib.contextmanager
def pairs_left(state: Path) -> Iterator[list[Pair]]:
    """Give what was left, in order; forget it when the block ends without an error.

    What a killed process had taken comes first.
    """
    taken, fresh = state / _TAKEN, state / PAIRS
    data = _read(taken)
    with contextlib.suppress(OSError):
        aside = state / f"{_TAKEN}.{os.getpid()}"
        fresh.rename(aside)
        data += aside.read_bytes()
        taken.write_bytes(data)
        aside.unlink()
    found = (_PAIR.match(line) for line in data.splitlines())
    yield [Pair(each[1].decode(), each[2].decode()) for each in found if each]
    with contextlib.suppress(OSError):
        taken.unlink()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def tips(repository: Repository) -> dict[str, str]:
    """Return the commits that branches, remote branches and the HEADs of worktrees are at."""
    found = list_refs(repository, "refs/heads", "refs/remotes")
    only = only_worktree(repository)
    head = _head_in(repository, found) if only else None
    if head:
        return {**found, f"HEAD of {only}": head}
    out = os.fsdecode(repository.git.run("worktree", "list", "--porcelain"))
    top = ""
    for line in out.split("\n"):
        if line.startswith("worktree "):
            top = line[9:]
        elif line.startswith("HEAD ") and line[5:].strip("0"):
            found[f"HEAD of {top}"] = line[5:]
    return found


def _head_in(repository: Repository, refs: Mapping[str, str]) -> str | None:
    """Return the commit of the main HEAD as far as its file and these refs tell it."""
    said = _read(repository.common_dir / "HEAD").decode("utf-8", "surrogateescape").strip()
    if said.startswith("ref: "):
        return refs.get(said[5:].strip())
    return said if re.fullmatch(_OID, said) and said.strip("0") else None


def new_commits(
    repository: Repository,
    wanted: Iterable[str],
    known: Iterable[str],
    since: int | None = None,
    limit: int = 20_000,
) -> list[str]:
    """Return the commits in the history of `wanted` and not of `known`, parents first."""
    stdin = "".join(f"{oid}\n" for oid in wanted) + "".join(f"^{oid}\n" for oid in known)
    options = [f"--max-count={limit}"] + ([f"--since={since}"] if since is not None else [])
    return _rev_list(repository, "--topo-order", *options, stdin=stdin)[::-1]


def unmerged(
    repository: Repository, tip: str, more: Iterable[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return commit → parents of what `tip` does not have in its history, children first.

    From all branches and all reflogs, ORIG_HEAD, FETCH_HEAD, MERGE_HEAD and the commits `more`.
    """
    named = {*more, *_named(repository)}
    stdin = "".join(f"{oid}\n" for oid in sorted(named)) + f"^{tip}\n"
    # The program's own refs have logs too, and the stash is no history.
    mine = ("--glob=refs/notes", "--glob=refs/skillmesh")
    out = _rev_list(
        repository, "--topo-order", "--parents", f"--max-count={_MOST_UNMERGED}", "--reflog",
        "--branches", "--remotes", "--not", *mine, "--not", stdin=stdin,
    )  # fmt: skip
    split = (line.split() for line in out)
    return {commit: tuple(parents) for commit, *parents in split}


def _rev_list(repository: Repository, *options: str, stdin: str) -> list[str]:
    command = ("rev-list", "--ignore-missing", *options, "--stdin")
    return repository.git.run_unchecked(*command, stdin=stdin.encode()).stdout.decode().splitlines()


def _named(repository: Repository) -> Iterator[str]:
    for name in ("ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "REBASE_HEAD"):
        for line in _read(repository.git_dir / name).splitlines():
            word = line[:64].split()[0].decode("ascii", "replace") if line.strip() else ""
            if re.fullmatch(_OID, word):
                yield word


def existing_commits(repository: Repository, oids: Iterable[str]) -> dict[str, int]:
    """Return commit → committer's time in seconds of the epoch, for those that are here."""
    stdin = "".join(f"{oid}\n" for oid in oids)
    command = ("cat-file", "--batch-check=%(objectname) %(objecttype)")
    lines = repository.git.run(*command, stdin=stdin.encode()).decode().splitlines()
    here = [line.split()[0] for line in lines if line.endswith(" commit")]
    if not here:
        return {}
    listed = "".join(f"{oid}\n" for oid in here).encode()
    options = ("--no-walk=unsorted", "--stdin", "--format=%ct %H")
    out = repository.git.run_unchecked("rev-list", *options, stdin=listed).stdout.decode()
    said = (line.split() for line in out.splitlines() if not line.startswith("commit "))
    return {oid: int(time) for time, oid in said}


def patch_ids(repository: Repository, commits: Sequence[str]) -> dict[str, str]:
    """Return commit → stable patch id, without merges and commits that change nothing.

    Made of the added and removed lines alone: other work nearby changes the context of a patch.
    """
    if not commits:
        return {}
    stdin = "".join(f"{commit}\n" for commit in commits).encode()
    options = (
        "-p",
        "-U0",
        "-r",
        "--root",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "-O/dev/null",
    )
    patches = repository.git.run_unchecked("diff-tree", "--stdin", *options, stdin=stdin).stdout
    out = repository.git.run("patch-id", "--stable", stdin=patches).decode()
    return {commit: patch for patch, commit in (line.split() for line in out.splitlines())}


def merge_base(repository: Repository, one: str, other: str) -> str | None:
    """Return a best common ancestor of two commits, None if there is none."""
    result = repository.git.run_unchecked("merge-base", one, other)
    return result.stdout.decode().split("\n")[0] or None
