"""The gate, held against commits of the past: what it would have said of each.

In: learnings and commits. Out: for each commit, the learnings that fire with their findings and
lines. `introduced` finds them, from the same differences that the check would see; a sieve before
it spares most commits the whole look.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..git.changes import ChangedFile, Hunk
from ..git.diffs import ALL_LINES, CommitChange, FileChange, commit_changes
from ..git.objects import BlobReader, sizes
from ..git.repository import Repository
from ..learnings.model import Learning, MatcherKind
from .excerpts import fingerprint
from .fates import AddedLine
from .introduced import finding, introduced
from .matchers.compiling import compile_message, compile_paths
from .matchers.message import CommitMessage, MessageMatcher
from .model import Finding, Place
from .past import PastCommit
from .rules import Rules
from .sieve import Sieve

_AT_ONCE = 200  # commits between two looks of whoever waits
# As `git.changes` compares two trees.
_AS_CHECKED = (
    "--unified=0", "--text", "-M50%", "-l0", "--indent-heuristic", "--ignore-submodules=dirty",
)  # fmt: skip
_SAMPLE = 10  # lines of a file beside the flagged ones whose fate is asked for
_LEAST = 3  # letters and digits of a line that says something


@dataclass(frozen=True, slots=True)
class Fired:
    """A commit with what one learning finds in it.

    `lines` are the flagged ones; `others` a sample of what the commit added to the same files.
    """

    commit: PastCommit
    findings: tuple[Finding, ...]
    lines: tuple[AddedLine, ...] = ()
    others: tuple[AddedLine, ...] = ()


def replay(
    repository: Repository,
    learnings: Sequence[Learning],
    commits: Sequence[PastCommit],
    *,
    first_parent: bool = False,
) -> "Generator[tuple[PastCommit, Mapping[int, Fired]]]":
    """Yield each commit with the learnings that fire, by their place in the list.

    A commit of which git lacks a file (a partial clone) is left out. Close the iterator to stop git
    early. Raises `RuleError` for a
    learning whose matcher cannot be used.
    """
    with BlobReader(repository) as reader:
        gate = _Gate(repository, learnings, reader)
        for start in range(0, len(commits), _AT_ONCE):
            yield from gate.look(commits[start : start + _AT_ONCE], first_parent)


class _Gate:
    """Applies learnings to commits, a few hundred at a time."""

    def __init__(
        self, repository: Repository, learnings: Sequence[Learning], reader: BlobReader
    ) -> None:
        self._repository = repository
        self._learnings = learnings
        self._reader = reader
        self._sieve = Sieve(learnings, reader)
        self._rules: dict[frozenset[int], Rules] = {}
        self._messages: list[tuple[int, MessageMatcher]] = []
        self._sized = False
        for place, learning in enumerate(learnings):
            if learning.matcher.kind is MatcherKind.MESSAGE:
                self._messages.append((place, compile_message(learning)))
            elif learning.matcher.kind is MatcherKind.PATHS:
                compile_paths(learning)
                self._sized = self._sized or bool(learning.matcher.max_bytes)

    def look(
        self, commits: Sequence[PastCommit], first_parent: bool
    ) -> "Iterator[tuple[PastCommit, dict[int, Fired]]]":
        names = [commit.oid for commit in commits]
        parents = {c.oid: c.parents[0] for c in commits if len(c.parents) > 1 and first_parent}
        every = commit_changes(self._repository, names, ALL_LINES, parents)
        worth = {change.commit: self._sieve.worth(change) for change in every}
        near = [name for name in names if worth.get(name)]
        found: dict[str, dict[int, Fired]] = {name: {} for name in worth}
        by_name = {commit.oid: commit for commit in commits}
        for change in commit_changes(self._repository, near, _AS_CHECKED, parents):
            commit = by_name[change.commit]
            found[change.commit] = self._introduced(commit, change, worth[change.commit])
        for commit in commits:
            if commit.oid in found:
                yield commit, found[commit.oid] | self._of_message(commit)

    def _introduced(
        self, commit: PastCommit, change: CommitChange, worth: "Mapping[str, frozenset[int]]"
    ) -> "dict[int, Fired]":
        files = [as_checked(file) for file in change.files]
        if self._sized and worth.get(""):
            files = _with_sizes(self._repository, files)
        findings: list[Finding] = []
        for path, places in worth.items():
            asked = [file for file in files if file.path == path or not path]
            rules = self._applied(places)
            findings += introduced(rules, asked, self._reader.read).findings
        added = {file.path: file.added for file in change.files}
        found = {}
        for place in sorted(set().union(*worth.values())):
            name = self._learnings[place].learning_id
            mine = tuple(each for each in findings if each.learning_id == name)
            if mine:
                found[place] = _fired(commit, mine, added)
        return found

    def _applied(self, places: "frozenset[int]") -> Rules:
        if places not in self._rules:
            self._rules[places] = Rules(self._learnings[place] for place in sorted(places))
        return self._rules[places]

    def _of_message(self, commit: PastCommit) -> "dict[int, Fired]":
        message = CommitMessage(commit.oid, commit.message, len(commit.parents) > 1)
        found = {}
        for place, matcher in self._messages:
            learning = self._learnings[place]
            mine = tuple(
                finding(
                    learning,
                    Place(""),
                    match.text,
                    fingerprint(learning.learning_id, "", match.text, 0),
                    match.why,
                    commit.oid,
                )
                for match in matcher.matches([message])
            )
            if mine:
                found[place] = Fired(commit, mine)
        return found


def as_checked(file: FileChange) -> ChangedFile:
    """Return a file as the check knows it."""
    regular = "100644"
    both = bool(file.new_blob and file.old_blob)
    hunks = tuple(Hunk(h.old, len(h.removed), h.new, len(h.added)) for h in file.hunks)
    return ChangedFile(
        path=file.path,
        old_path=file.old_path,
        blob=file.new_blob,
        old_blob=file.old_blob,
        mode=regular if file.new_blob else "",
        old_mode=regular if file.old_blob else "",
        hunks=hunks if both else None,
    )


def _with_sizes(repository: Repository, files: Sequence[ChangedFile]) -> "list[ChangedFile]":
    known = sizes(repository, {oid for f in files for oid in (f.blob, f.old_blob) if oid})
    return [replace(f, size=known.get(f.blob, 0), old_size=known.get(f.old_blob, 0)) for f in files]


def _fired(
    commit: PastCommit, findings: "tuple[Finding, ...]", added: "Mapping[str, dict[int, bytes]]"
) -> Fired:
    lines: dict[tuple[str, int], AddedLine] = {}
    for each in findings:
        place = each.place
        for number in range(place.line, place.end_line + 1):
            text = added.get(place.path, {}).get(number)
            if text is not None:
                lines[place.path, number] = AddedLine(commit.oid, place.path, number, text)
    others: list[AddedLine] = []
    for path in sorted({path for path, _ in lines}):
        beside = [
            AddedLine(commit.oid, path, number, text)
            for number, text in added[path].items()
            if (path, number) not in lines and sum(map(_says, text)) >= _LEAST
        ]
        others += beside[:: max(1, -(-len(beside) // _SAMPLE))]
    return Fired(commit, findings, tuple(lines.values()), tuple(others))


def _says(byte: int) -> bool:
    return chr(byte).isalnum()
