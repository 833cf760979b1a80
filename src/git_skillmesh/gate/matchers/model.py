"""What every matcher takes and gives.

In: a `TextFile`. Out: `Match`es, in the order in which they stand. The check decides afterwards
which of them the change brought in; a matcher knows nothing of changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from ...errors import ConfigurationError


class RuleError(ConfigurationError):
    """A matcher that cannot be used: its rule or pattern does not compile. `field` names which."""

    def __init__(self, what: str, field: str = "matcher") -> None:
        super().__init__(what)
        self.field = field


@dataclass(frozen=True)
class TextFile:
    """A file as the matchers see it: bytes that are not UTF-8 are replaced, line ends kept."""

    path: str
    data: bytes
    # What a matcher keeps for the next rule on the same file, so that it is parsed once.
    kept: "dict[str, Any]" = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def text(self) -> str:
        """The content as text."""
        return self.data.decode("utf-8", "replace")

    @cached_property
    def lines(self) -> "list[str]":
        """The lines without their ends; only line feeds end a line, as git counts them."""
        lines = self.text.split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    @cached_property
    def searched(self) -> bytes:
        """The content as UTF-8, CRLF as LF: what regular expressions are held against."""
        return self.text.replace("\r\n", "\n").encode()

    @cached_property
    def searched_lines(self) -> "list[bytes]":
        """The lines of `searched`, without their ends."""
        lines = self.searched.split(b"\n")
        return lines[:-1] if lines[-1] == b"" else lines


@dataclass(frozen=True, slots=True)
class Match:
    """Where a matcher matched; lines and columns from 1, `end_column` after the last character.

    `replacement` is what an ast fix would put there, "" where there is none.
    """

    line: int
    end_line: int
    column: int
    end_column: int
    replacement: str = ""


class ContentMatcher(Protocol):
    """Finds the places in a file that a learning of kind ast, regex or literal is about."""

    def may_match(self, file: TextFile) -> bool:
        """Whether it is worth looking: cheap, and never False where `matches` finds something."""

    def matches(self, file: TextFile, lines: "frozenset[int] | None" = None) -> Iterable[Match]:
        """Yield matches that touch one of `lines` (all of the file, if None).

        Raises `NotLookedAt` where the file is more than the matcher can bear.
        """


class NotLookedAt(Exception):
    """A file that a matcher leaves out: too large, nested too deep, of no language it knows.

    Where it has too many matches, `found` has the first ones: nobody passes by doing it too often.
    """

    def __init__(self, why: str, found: "Sequence[Match]" = ()) -> None:
        super().__init__(why)
        self.found = found
