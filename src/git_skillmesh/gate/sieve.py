"""Which learnings may have something to say of which files of a past commit, told cheaply.

In: the patches of commits. Out: for each commit the learnings that are worth the whole look. Never
too few: what is left out has no finding. A finding of a line is new text, so it stands among the
added lines, however git pairs old and new ones; for what spans lines the file itself is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..chunking.languages import language_of
from ..git.diffs import CommitChange, FileChange
from ..git.objects import BlobReader
from ..learnings.model import Learning, MatcherKind, Scope
from .matchers.compiling import compile_content
from .matchers.model import ContentMatcher, TextFile
from .matchers.needs import needs
from .matchers.text import TextMatcher, TextSet
from .scope import Scope as Covered

_BY_TEXT = (MatcherKind.REGEX, MatcherKind.LITERAL)
# What the name of a file does not settle, its contents may.
_UNSURE = (".h", ".m", ".cls", ".inc", ".t", ".v", ".pp", ".conf", ".trigger")


class _Sought:
    """A learning about content, by its place in the list, with its matcher."""

    def __init__(self, place: int, learning: Learning) -> None:
        self.place = place
        self.matcher: ContentMatcher = compile_content(learning)
        self._needs = needs(learning.matcher.rule, learning.matcher.utils)
        self._surely = Covered(learning)
        self._perhaps = Covered(replace(learning, languages=()))

    def covers(self, path: str) -> bool:
        """Whether it may be about a file, whatever language the file turns out to have."""
        if self._surely.covers(path):
            return True
        unsure = path.endswith(_UNSURE) or language_of(path) == "text"
        return unsure and self._perhaps.covers(path)

    def may_match(self, file: TextFile) -> bool:
        """Whether it is worth looking at a file."""
        if not self.matcher.may_match(file):
            return False
        # Expressions see other line ends than the parser does.
        return b"\r" in file.data or all(each.search(file.searched) for each in self._needs)


@dataclass
class Sieve:
    """Holds patches against learnings. `reader` gives the files of those that span lines.

    Raises `RuleError` for a learning whose matcher does not compile.
    """

    learnings: Sequence[Learning]
    reader: BlobReader
    _lines: list[_Sought] = field(default_factory=list)
    _files: list[_Sought] = field(default_factory=list)
    _paths: list[tuple[int, Covered]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place, learning in enumerate(self.learnings):
            kind = learning.matcher.kind
            if kind is MatcherKind.PATHS:
                self._paths.append((place, Covered(learning)))
            elif kind is not MatcherKind.MESSAGE:
                by_line = kind in _BY_TEXT and learning.matcher.scope is Scope.LINES
                (self._lines if by_line else self._files).append(_Sought(place, learning))
        matchers = [each.matcher for each in self._lines]
        self._set = TextSet([each for each in matchers if isinstance(each, TextMatcher)])

    def worth(self, change: CommitChange) -> "dict[str, frozenset[int]]":
        """Return the places of the learnings that may have a finding, by the path of the file.

        Rules about paths look at all files together: theirs stand under "".
        """
        found = {}
        for file in change.files:
            added = [line for hunk in file.hunks for line in hunk.added]
            if added:
                places = self._in_lines(file.path, b"\n".join(added) + b"\n")
                found[file.path] = places | self._in_file(file)
        found[""] = frozenset(
            place
            for place, covered in self._paths
            if any(covered.covers(file.path) for file in change.files)
        )
        return {path: places for path, places in found.items() if places}

    def _in_lines(self, path: str, added: bytes) -> "frozenset[int]":
        near = frozenset(each.place for each in self._lines if each.covers(path))
        if not near:
            return near
        hits = self._set.may_match(TextFile(path, added))
        return near & {self._lines[hit].place for hit in hits}

    def _in_file(self, file: FileChange) -> "frozenset[int]":
        near = [each for each in self._files if each.covers(file.path)]
        if not near:
            return frozenset()
        text = TextFile(file.path, self.reader.read(file.new_blob) or b"")
        return frozenset(each.place for each in near if each.may_match(text))
