"""The change that is checked: what is staged, the working tree, or a range of commits.

In: a repository and names of commits. Out: a `Change`: its base, from which the rules come, and
what differs. Nothing of it is read from the working tree, and nothing in the repository is written.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError
from ..git.changes import ChangedFile, staged_changes, tree_changes
from ..git.process import Git
from ..git.repository import Repository
from .matchers.message import CommitMessage

_FORMAT = "--format=%H%x00%P%x00%B%x00%x01"
# What is tried with a patch. Agents count wrongly and leave context out; git takes what is beyond
# its counts for a remark, so that they are counted anew first.
_LENIENT = (("--recount",), (), ("--recount", "--unidiff-zero"), ("--unidiff-zero",))
_NAME = re.compile(rb'^(?:---|\+\+\+) "?(?!/dev/null)(\S)(.?)', re.MULTILINE)
_SHALLOW = "the clone is shallow: git fetch --unshallow (in CI: fetch-depth: 0)"


@dataclass(frozen=True, slots=True)
class Change:
    """What is checked. `base` and `head` are commits, "" for what is none.

    `base_tree` is where the rules come from. Blobs are read through `repository`.
    """

    repository: Repository
    base: str
    head: str
    base_tree: str
    files: tuple[ChangedFile, ...]


def staged(repository: Repository, environ: Mapping[str, str] = os.environ) -> Change:
    """Return what the index adds to HEAD. Raises `UsageError` in a bare repository.

    For `git commit -a` and `git commit FILE` git makes a temporary index and names it in
    GIT_INDEX_FILE. Our git commands drop that variable, since a worker in the background would
    find the index gone; here it is the very thing that is asked about.
    """
    _needs_working_tree(repository)
    index = environ.get("GIT_INDEX_FILE")
    if index:
        repository = _with(repository, {"GIT_INDEX_FILE": index})
    return _against_head(repository)


@contextmanager
def worktree(repository: Repository, environ: Mapping[str, str] = os.environ) -> Iterator[Change]:
    """Give what `git add --all` would add to HEAD, in an index and object store of their own.

    Raises `UsageError` in a bare repository.
    """
    _needs_working_tree(repository)
    index = Path(environ.get("GIT_INDEX_FILE") or repository.git_dir / "index")
    with _apart(repository) as apart:
        _add_all(apart, repository.git.cwd / index)
        yield _against_head(apart)


@contextmanager
def patched(repository: Repository, data: bytes) -> Iterator[Change]:
    """Give what a patch brings in where it is applied to HEAD, or else to the files on disk.

    It is applied in an index and object store of their own. Numbers of lines that are wrong in it
    are mended, and names may stand with or without a/ and b/. Raises `UsageError` where it fits
    neither.
    """
    with _apart(repository) as apart:
        commit, base = repository.head_tree()
        tree = base
        apart.git.run("read-tree", tree)
        problem = _apply(apart, data)
        if problem and not repository.is_bare:
            _add_all(apart, repository.git.cwd / repository.git_dir / "index")
            tree = apart.git.run_unchecked("write-tree").stdout.decode().strip()
            problem = _apply(apart, data) if tree else problem
        if problem:
            raise UsageError("the patch cannot be applied", problem)
        yield Change(apart, commit or "", "", base, tuple(staged_changes(apart, tree)))


def _apply(apart: Repository, data: bytes) -> str:
    """Apply a patch to the index; return what is wrong with it, "" if nothing is."""
    said = ""
    added = sum(line[:1] == b"+" and line[:4] != b"+++ " for line in data.split(b"\n"))
    name = _NAME.search(data)
    if name is None and b"diff --git " not in data:
        return "this is no diff"
    strip = "-p0" if name and (name[1] not in b"abciow" or name[2] != b"/") else "-p1"
    for options in _LENIENT:
        command = ("-c", "core.compression=0", "-c", "core.safecrlf=false", "apply", strip)
        told = apart.git.run_unchecked(*command, *options, "--numstat", "-", stdin=data)
        if added > _added_by(told.stdout):
            continue
        command += ("--cached", "--whitespace=nowarn", *options, "-")
        done = apart.git.run_unchecked(*command, stdin=data)
        if not done.returncode:
            return ""
        said = said or done.stderr.decode("utf-8", "replace")
    lines = [line for line in said.splitlines() if line.startswith("error: ")] or [said]
    return lines[0].removeprefix("error: ").strip() or "its lines are miscounted"


def _added_by(numstat: bytes) -> int:
    """Return how many lines git would add."""
    counts = (line.partition(b"\t")[0] for line in numstat.split(b"\n"))
    return sum(int(count) for count in counts if count.isdigit())


@contextmanager
def _apart(repository: Repository) -> Iterator[Repository]:
    """Give the repository with an empty index, and an object store beside its own."""
    import tempfile  # a hook has no use for it

    with tempfile.TemporaryDirectory(prefix="skillmesh-") as name:
        folder = Path(name)
        objects = os.fspath(repository.path_of("objects"))
        others = [f'"{_c_quoted(objects)}"']
        (folder / "objects").mkdir()
        variables = {
            "GIT_INDEX_FILE": os.fspath(folder / "index"),
            "GIT_OBJECT_DIRECTORY": os.fspath(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(others),
        }
        top = repository.top or repository.git.cwd
        yield replace(repository, git=Git(top, {**repository.git.env, **variables}))


def _add_all(apart: Repository, index: Path) -> None:
    """Make the index of `_apart` what another would be after `git add --all`."""
    import shutil

    if index.is_file():
        shutil.copyfile(index, apart.git.env["GIT_INDEX_FILE"])
    # What cannot be read is left as it is in the index.
    apart.git.run_unchecked(
        "-c", "core.compression=0", "-c", "core.fsmonitor=false", "-c", "core.safecrlf=false",
        "-c", "advice.addEmbeddedRepo=false", "add", "--all", "--ignore-errors", "--", ":(top)",
    )  # fmt: skip


def between(repository: Repository, base: str, head: str) -> Change:
    """Return what `head` brings in since it left `base`. Raises `UsageError`."""
    old, new = _commit(repository, base), _commit(repository, head)
    found = repository.git.run_unchecked("merge-base", old, new).stdout.decode().split()
    if not found:
        raise UsageError(
            f"{base} and {head} have no common commit here",
            _SHALLOW if _is_shallow(repository) else "name a base that they share",
        )
    return _range(repository, found[0], new)


def merge(repository: Repository, head: str = "HEAD") -> Change:
    """Return what a merge commit brings to its first parent. Raises `UsageError`.

    That is what a CI checks: the merge of a pull request into its base as it is now.
    """
    commit = _commit(repository, head)
    parents = repository.git.run("rev-list", "--no-walk", "--parents", commit).decode().split()[1:]
    if len(parents) < 2:
        why = "its parents are not here" if _is_shallow(repository) else "it has one parent"
        mend = "in CI: fetch-depth: 2" if _is_shallow(repository) else "use BASE..HEAD"
        raise UsageError(f"{head} is no merge here, {why}", mend)
    return _range(repository, parents[0], commit)


def whole(repository: Repository, head: str) -> Change:
    """Return all of a commit, as if it were new; the rules are its own. Raises `UsageError`."""
    commit = _commit(repository, head)
    files = tree_changes(repository, repository.empty_tree, commit)
    return Change(repository, "", commit, commit, tuple(files))


def nothing(repository: Repository) -> Change:
    """Return no change at all to HEAD: for the message of a commit alone."""
    commit, tree = repository.head_tree()
    return Change(repository, commit or "", "", tree, ())


def messages(change: Change) -> Iterator[CommitMessage]:
    """Yield the messages of the commits of a range, the newest first."""
    if not (change.base and change.head):
        return
    out = change.repository.git.run(
        "log", "--no-color", "--no-show-signature", "--encoding=UTF-8", "--no-notes", _FORMAT,
        f"{change.base}..{change.head}", "--",
    )  # fmt: skip
    for record in out.split(b"\0\x01\n"):
        commit, parents, text = (*record.split(b"\0", 2), b"", b"")[:3]
        if commit:
            merged = len(parents.split()) > 1
            yield CommitMessage(commit.decode(), text.decode("utf-8", "replace"), merged)


def cut_off(change: Change) -> bool:
    """Whether the clone lacks some of the commits of the range."""
    if not (change.base and change.head and _is_shallow(change.repository)):
        return False
    ends = (change.repository.common_dir / "shallow").read_text().split()
    within = change.repository.git.run("rev-list", f"{change.base}..{change.head}", "--").split()
    return not set(ends).isdisjoint(oid.decode() for oid in within)


def _against_head(repository: Repository) -> Change:
    commit, tree = repository.head_tree()
    files = staged_changes(repository, tree)
    for other in _merged(repository):
        files = _also_new_to(files, staged_changes(repository, other))
    return Change(repository, commit or "", "", tree, tuple(files))


def _merged(repository: Repository) -> list[str]:
    """Return the commits that the next commit merges into HEAD."""
    try:
        return (repository.git_dir / "MERGE_HEAD").read_text().split()
    except (OSError, UnicodeDecodeError):
        return []


def _also_new_to(files: list[ChangedFile], others: list[ChangedFile]) -> list[ChangedFile]:
    """Leave out what a merge takes from the other side as it is there."""
    theirs = {file.path: file for file in others}
    found = []
    for file in files:
        other = theirs.get(file.path)
        if other is not None:
            found.append(replace(file, among=_both(file.among, other.added())))
    return found


def _both(one: "frozenset[int] | None", other: "frozenset[int] | None") -> "frozenset[int] | None":
    return one if other is None else other if one is None else one & other


def _range(repository: Repository, base: str, head: str) -> Change:
    return Change(repository, base, head, base, tuple(tree_changes(repository, base, head)))


def _commit(repository: Repository, name: str) -> str:
    if not name.startswith("-") and "\0" not in name:
        result = repository.git.run_unchecked(
            "rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}"
        )
        if result.returncode == 0:
            return result.stdout.decode().strip()
    raise UsageError(
        f"not a commit of this repository: {name}", _SHALLOW if _is_shallow(repository) else ""
    )


def _is_shallow(repository: Repository) -> bool:
    return (repository.common_dir / "shallow").is_file()


def _needs_working_tree(repository: Repository) -> None:
    if repository.is_bare:
        raise UsageError("a bare repository has nothing staged", "check a range: BASE..HEAD")


def _with(repository: Repository, variables: Mapping[str, str]) -> Repository:
    git = repository.git
    return replace(repository, git=Git(git.cwd, {**git.env, **variables}))


def _c_quoted(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
