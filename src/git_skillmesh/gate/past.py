"""Which commits of the past a replay goes over.

In: a revision and a window. Out: `PastCommit`s, newest first.
"""

from dataclasses import dataclass

from ..errors import UsageError
from ..git.process import GitFailed
from ..git.repository import Repository

_FORM = "--format=%H%x00%P%x00%ct%x00%B%x00%x00"
_AS_IT_IS = ("--no-notes", "--no-mailmap", "--no-color", "--encoding=UTF-8", "--no-show-signature")


@dataclass(frozen=True, slots=True)
class Window:
    """The commits to go over: up to `until`, at most `count` (0: all), since a date git knows.

    With `first_parent` a merge is taken for one commit, with all that its branch brought, and the
    commits of the branch are left out: what was merged, as a gate in CI sees it. Otherwise merges
    are left out, and every commit is held against its first parent.
    """

    until: str = "HEAD"
    since: str = ""
    count: int = 0
    first_parent: bool = False


@dataclass(frozen=True, slots=True)
class PastCommit:
    """A commit; `time` is the committer's, in seconds of the epoch, `age` the commits since."""

    oid: str
    parents: tuple[str, ...]
    time: int
    message: str
    age: int

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


def past_commits(repository: Repository, window: Window) -> "list[PastCommit]":
    """Return the commits of a window, newest first.

    The one at which a shallow clone ends is left out: all it has would count as added. Raises
    `UsageError` for a window that git does not understand.
    """
    merges = "--first-parent" if window.first_parent else "--no-merges"
    options = [merges, *_AS_IT_IS, _FORM]
    options += [f"--since={window.since}"] * bool(window.since)
    options += [f"--max-count={window.count}"] * bool(window.count)
    try:
        out = repository.git.run("log", *options, "--end-of-options", window.until, "--")
    except GitFailed as error:
        raise UsageError(f"no commits up to {window.until}", error.stderr) from None
    ends = _shallow(repository)
    found: list[PastCommit] = []
    for record in out.decode("utf-8", "replace").split("\0\0\n")[:-1]:
        oid, parents, time, message = record.split("\0", 3)
        if oid not in ends:
            commit = PastCommit(oid, tuple(parents.split()), int(time), message, len(found))
            found.append(commit)
    return found


def _shallow(repository: Repository) -> "frozenset[str]":
    try:
        return frozenset((repository.common_dir / "shallow").read_text().split())
    except OSError:
        return frozenset()
