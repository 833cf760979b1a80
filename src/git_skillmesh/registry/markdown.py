"""The parts of a SKILL.md: its sections and its fences, with line numbers.

In: a body. Out: sections by their second-level headings, and what stands between ``` lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SECTIONS = (
    "When to use", "Execution behaviour", "Decision tree", "Anti-patterns", "Common mistakes",
    "Output contract", "Composability",
)  # fmt: skip
_FENCE = re.compile(r"^( {0,3}(?:[-*]|\d+\.)? *)(`{3,}|~{3,})[ \t]*(.*)$")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t#]*$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the body and its number in the file; `fenced` are fences and what they hold."""

    number: int
    text: str
    fenced: bool


@dataclass(frozen=True, slots=True)
class Fence:
    """Code: `info` is what follows the opening ```; an open one has no end in its file."""

    line: int
    info: str
    code: str
    open: bool = False

    @property
    def language(self) -> str:
        """The first word of the info."""
        return self.info.split()[0].lower() if self.info.split() else ""

    @property
    def run(self) -> bool:
        """Whether it is to be executed."""
        return "run" in self.info.split()[1:]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines up to the next of its level or above; level 0 is what comes first."""

    level: int
    title: str
    line: int
    lines: tuple[Line, ...]

    @property
    def prose(self) -> str:
        """The text outside of fences."""
        return "\n".join(line.text for line in self.lines if not line.fenced)


@dataclass(frozen=True, slots=True)
class Page:
    """A body in parts. `sections` are those of the second level."""

    title: str
    title_line: int
    sections: tuple[Section, ...]
    fences: tuple[Fence, ...]
    lines: tuple[Line, ...]


def read_page(body: str, first_line: int = 1) -> Page:
    """Divide a body whose first line has this number."""
    lines: list[Line] = []
    fences: list[Fence] = []
    opened: tuple[int, str, str] | None = None  # line, marker, info
    code: list[str] = []
    for number, text in enumerate(body.removesuffix("\n").split("\n"), first_line):
        found = _FENCE.match(text)
        if opened is None:
            if found and "`" not in found[3]:
                opened, code = (number, found[2], found[3].strip()), []
            lines.append(Line(number, text, opened is not None))
            continue
        lines.append(Line(number, text, True))
        if found and found[2].startswith(opened[1]) and not found[3]:
            fences.append(Fence(opened[0], opened[2], _dedented(code)))
            opened = None
        else:
            code.append(text)
    if opened is not None:
        fences.append(Fence(opened[0], opened[2], _dedented(code), open=True))
    headings = [
        (place, found)
        for place, line in enumerate(lines)
        if not line.fenced and (found := _HEADING.match(line.text))
    ]
    first = next(((place, found[2]) for place, found in headings if len(found[1]) == 1), None)
    return Page(
        first[1] if first else "",
        lines[first[0]].number if first else first_line,
        tuple(_sections(lines, headings)), tuple(fences), tuple(lines),
    )  # fmt: skip


def _sections(
    lines: "list[Line]", headings: "list[tuple[int, re.Match[str]]]"
) -> Iterator[Section]:
    for index, (place, found) in enumerate(headings):
        if len(found[1]) == 2:
            later = (at for at, other in headings[index + 1 :] if len(other[1]) <= 2)
            inside = lines[place + 1 : next(later, len(lines))]
            yield Section(2, found[2], lines[place].number, tuple(inside))


def _dedented(code: "list[str]") -> str:
    """Return code without the indent that a list gives it."""
    indents = [len(line) - len(line.lstrip()) for line in code if line.strip()]
    common = min(indents, default=0)
    return "".join(f"{line[common:]}\n" for line in code)
