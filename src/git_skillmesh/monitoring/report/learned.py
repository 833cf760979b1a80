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
    `author` wrote it (several of a merge), `reviewers` are those whom git names beside. `time` is
    the committer's, in seconds of the epoch. `learning` is the learning after the change, before it
    where it is gone.
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
        one.oid: one
        for one in _commits(repository, "--first-parent", "-m", "--end-of-options", at)
        if since <= one.time <= until
    }  # fmt: skip
    if not commits:
        return ()
    names = list(reversed(commits))
    firsts = {name: commits[name].parents[0] for name in names if commits[name].parents}
    found: list[Change] = []
    with BlobReader(repository) as reader:
        for change in commit_changes(repository, names, ("--", FOLDER), firsts):
            one = commits[change.commit]
            found += _of_commit(change, one, _people(repository, one), reader)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Commit:
    oid: str
    parents: tuple[str, ...]
    time: int
    author: str
    committer: str
    named: tuple[str, ...]


def _commits(repository: Repository, *what: str) -> Iterator[_Commit]:
    """Yield the commits that touched learnings, the newest first."""
    keys = ",".join(f"key={key}" for key in _REVIEWS)
    trailers = f"%(trailers:{keys},valueonly,unfold,separator=%x1e)"
    # No name can have the byte that stands between the fields.
    form = "--format=" + "%x00".join(["%H", "%P", "%ct", "%aN", "%cN", trailers])
    out = repository.git.run(
        "log", "-z", form, "--no-patch", "--no-show-signature", "--no-notes", "--no-color",
        "--encoding=UTF-8", *what, "--", FOLDER,
    )  # fmt: skip
    fields = iter(out.decode("utf-8", "replace").split("\0"))
    for oid, parents, time, author, committer, said in zip(*[fields] * 6, strict=False):
        names = (name.partition("<")[0].strip() for name in said.split("\x1e"))
        yield _Commit(
            oid.strip(), tuple(parents.split()), int(time), author, committer,
            tuple(filter(None, names)),
        )  # fmt: skip


def _people(repository: Repository, one: _Commit) -> tuple[str, tuple[str, ...]]:
    """Return who wrote a change, and who else is named: in trailers, or for having merged it."""
    if len(one.parents) < 2:
        others = [*one.named, *([] if one.committer.lower() in _FORGES else [one.committer])]
        return one.author, tuple(name for name in dict.fromkeys(others) if name != one.author)
    branch = list(_commits(repository, "--end-of-options", one.oid, f"^{one.parents[0]}"))
    writers = dict.fromkeys(each.author for each in reversed(branch) if each.oid != one.oid)
    others = [*one.named, *(name for each in branch for name in each.named), one.author]
    seen = (name for name in dict.fromkeys(others) if name not in writers)
    return ", ".join(writers) or one.author, tuple(seen)


def _of_commit(
    change: CommitChange, one: _Commit, people: tuple[str, tuple[str, ...]], reader: BlobReader
) -> Iterator[Change]:
    for file in change.files:
        before = _read(file.old_path, file.old_blob, reader)
        after = _read(file.new_path, file.new_blob, reader)
        what = _what(file, before, after)
        if what:
            learning = after or before
            yield Change(
                id_of(file.path), what, before.state.value if before else "",
                after.state.value if after else "", one.oid, one.time, *people,
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
