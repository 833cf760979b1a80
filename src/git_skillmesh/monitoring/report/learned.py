"""What was learned in a period: how learnings came, changed and went, as the branch has it.

In: a repository, a period. Out: `Change`s, the oldest first. Each commit of the first-parent line
that touched a learning counts once, with the people that git names: who wrote the commit, who
merged it, who is named in its trailers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ...git.diffs import CommitChange, FileChange, commit_changes
from ...git.objects import BlobReader
from ...git.repository import Repository
from ...learnings.model import FOLDER, Learning, State, id_of
from ...learnings.reading import read_learning

_REVIEWS = ("Reviewed-by", "Approved-by", "Acked-by")
# The committer of what is merged by a button.
_FORGES = frozenset({"github", "gitlab", "bitbucket", "web-flow"})
_STRENGTH = {State.RETIRED: 0, State.PROPOSED: 1, State.WARN: 2, State.BLOCK: 3}

NEW, STRONGER, WEAKER, RETIRED, REMOVED, RULE, EDITED = (
    "new", "promoted", "weakened", "retired", "removed", "rule changed", "edited",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit of the branch did to one learning.

    `what` is one of the words above; `before` and `after` are states, "" on the side without it.
    `reviewers` are those whom git names beside the author. `time` is the committer's, in seconds
    of the epoch. `learning` is the learning after the change, before it where it is gone.
    """

    learning_id: str
    what: str
    before: str
    after: str
    commit: str
    time: int
    author: str
    reviewers: tuple[str, ...]
    learning: Learning | None

    @property
    def reverts(self) -> bool:
        """Whether less is looked for than before, as far as states tell."""
        return self.what in (WEAKER, RETIRED, REMOVED)


def changes_of_learnings(
    repository: Repository, at: str, since: int, until: int
) -> tuple[Change, ...]:
    """Return what commits of the first-parent line of `at` did in a period (inclusive).

    Raises what git raises.
    """
    commits = {
        one.oid: one for one in _commits(repository, at) if since <= one.time <= until
    }  # fmt: skip
    if not commits:
        return ()
    names = list(reversed(commits))
    firsts = {name: commits[name].parents[0] for name in names if commits[name].parents}
    found: list[Change] = []
    with BlobReader(repository) as reader:
        for change in commit_changes(repository, names, ("--", FOLDER), firsts):
            one = commits[change.commit]
            reviewers = _reviewers(repository, one)
            found += _of_commit(change, one, reviewers, reader)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Commit:
    oid: str
    parents: tuple[str, ...]
    time: int
    author: str
    committer: str


def _commits(repository: Repository, at: str) -> Iterator[_Commit]:
    """Yield the commits of the branch that touched learnings, the newest first."""
    out = repository.git.run(
        "log", "--first-parent", "-m", "-z", "--format=%H%x1f%P%x1f%ct%x1f%aN%x1f%cN", "--no-patch",
        "--no-show-signature", "--no-notes", "--no-color", "--encoding=UTF-8", "--end-of-options",
        at, "--", FOLDER,
    )  # fmt: skip
    for record in out.decode("utf-8", "replace").split("\0"):
        if record:
            oid, parents, time, author, committer = record.strip("\n").split("\x1f")
            yield _Commit(oid, tuple(parents.split()), int(time), author, committer)


def _reviewers(repository: Repository, one: _Commit) -> tuple[str, ...]:
    """Return who else is named: trailers of the commit and of what it merged, who merged."""
    keys = ",".join(f"key={key}" for key in _REVIEWS)
    form = f"--format=%aN%x1f%(trailers:{keys},valueonly,unfold,separator=%x1e)"
    base = [f"^{one.parents[0]}"] if one.parents else []
    out = repository.git.run(
        "log", "-z", form, "--no-show-signature", "--no-notes", "--no-color", "--encoding=UTF-8",
        "--end-of-options", one.oid, *base, "--", FOLDER,
    )  # fmt: skip
    names: dict[str, None] = {}
    authors = {one.author} if len(one.parents) < 2 else set()
    for record in out.decode("utf-8", "replace").split("\0"):
        author, _, trailers = record.partition("\x1f")
        if author and len(one.parents) > 1:
            authors.add(author)
        for name in trailers.split("\x1e"):
            names.setdefault(name.partition("<")[0].strip())
    if len(one.parents) > 1:
        names.setdefault(one.author)  # of a merge, the one who merged
    elif one.committer.lower() not in _FORGES:
        names.setdefault(one.committer)
    return tuple(name for name in names if name and name not in authors)


def _of_commit(
    change: CommitChange, one: _Commit, reviewers: tuple[str, ...], reader: BlobReader
) -> Iterator[Change]:
    for file in change.files:
        before = _read(file.old_path, file.old_blob, reader)
        after = _read(file.new_path, file.new_blob, reader)
        what = _what(file, before, after)
        if what:
            learning = after or before
            yield Change(
                id_of(file.path), what, before.state.value if before else "",
                after.state.value if after else "", one.oid, one.time, one.author, reviewers,
                learning,
            )  # fmt: skip


def _what(file: FileChange, before: Learning | None, after: Learning | None) -> str:
    """Return what was done, "" for a file that is no learning on either side."""
    if before is None:
        return NEW if after else ""
    if after is None:
        # One that cannot be read any more is not gone.
        return "" if file.new_path else REMOVED
    if after.state is not before.state:
        if after.state is State.RETIRED:
            return RETIRED
        return STRONGER if _STRENGTH[after.state] > _STRENGTH[before.state] else WEAKER
    rules = [(one.matcher, one.paths, one.languages) for one in (before, after)]
    return RULE if rules[0] != rules[1] else EDITED


def _read(path: str, blob: str, reader: BlobReader) -> Learning | None:
    if not blob or not path.endswith(".yaml"):
        return None
    data = reader.read(blob)
    return read_learning(path, data).learning if data is not None else None
