"""The parts that a report is made of, whatever it is written as.

In: nothing. Out: plain data. All text is text: renderers escape it, `Code` says what is a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A name: an id, a path, a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its interval, each 0 to 1."""

    value: float
    low: float
    high: float


# What stands in a cell or a sentence: text, names, one behind the other.
Cell = str | Code | tuple[str | Code, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; an `aside` is a remark on how to read what stands above."""

    text: Cell
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head; columns named in `right` hold numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of `Ranges`: an estimate, or `note` where there is none; `group` gives the colour."""

    label: str
    group: int
    estimate: Estimate | None
    note: str


@dataclass(frozen=True, slots=True)
class Ranges:
    """Shares with their intervals on one scale. `groups` name the colours."""

    title: str
    groups: Sequence[str]
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Bars:
    """Parts of wholes: a row is a label, the part, the whole. `groups` name part and rest."""

    title: str
    groups: tuple[str, str]
    rows: Sequence[tuple[str, int, int]]


Block = Text | Items | Table | Ranges | Bars


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A report: title, what it is about in a line, the most important numbers, sections."""

    title: str
    about: Cell
    figures: Sequence[tuple[str, str, str]]
    sections: Sequence[Section]
