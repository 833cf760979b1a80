"""Comments in the code that excuse a finding: `skillmesh: ignore[ID] reason`.

In: a file. Out: `Ignore`s. Only a comment counts that begins so, after its mark or after another
remark's; text that merely tells of one (a string, Markdown, a sentence in a comment) does not.
"""

import re
from dataclasses import dataclass
from typing import Any

from ..chunking.languages import language_of
from ..learnings.reading import ID
from .matchers.model import TextFile

_WORD = b"skillmesh:"
_HEAD = 16_384
_LARGEST = 2_000_000  # bytes of a file that is parsed to tell comments from strings
_MARKS = r"#+|/{2,}!?|--+|;+|%+|/\*+!?|<!--|\{-|\(\*|\{#|<%#|\*|'|!|\.\.|(?i:rem|dnl)"
_IGNORE = re.compile(
    rf"(?P<before>(?:^|(?<=\s))(?:{_MARKS})[ \t]*|^[ \t]*)"
    r"skillmesh:[ \t]*ignore\[(?P<ids>[^\]\n]*)\](?P<reason>.*)$"
)
_END = re.compile(r"\*/|-->|-\}|\*\)|#\}|%>|--%>")
# Languages that are cut into chunks without a grammar.
_PARSERS = {"markdown": "markdown", "rst": "rst", "yaml": "yaml"}
_CODE_IN_PROSE = ("fenced_code_block", "indented_code_block", "code_fence_content")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment in `line` that excuses findings of learnings in the lines that it `covers`.

    It counts if it has a reason. `certain` is False where nothing tells what is a comment there.
    """

    line: int
    column: int
    end_column: int
    covers: tuple[int, ...]
    ids: tuple[str, ...]
    reason: str
    certain: bool


def ignores(file: TextFile) -> list[Ignore]:
    """Return the comments of a file that excuse something, in order."""
    if _WORD not in file.data:
        return []
    found = [
        (number, line, match)
        for number, line in enumerate(file.lines, 1)
        if "skillmesh:" in line and (match := _IGNORE.search(line))
    ]
    if not found:
        return []
    comments = _Comments(file)
    drafts = []
    for number, line, match in found:
        ids = tuple(word for word in re.split(r"[,\s]+", match["ids"]) if re.fullmatch(ID, word))
        last = comments.last_line(number, line, match)
        if ids and last is not None:
            drafts.append((number, line, match, ids, last))
    alone = {number for number, line, match, _, _ in drafts if _is_alone(line, match)}
    return [_made(draft, alone, comments.known) for draft in drafts]


def _made(draft: Any, alone: "set[int]", certain: bool) -> Ignore:
    number, line, match, ids, last = draft
    covers = [number]
    if number in alone:
        below = last + 1
        while below in alone:
            below += 1
        covers.append(below)
    reason = _END.split(match["reason"], maxsplit=1)[0].strip(" \t\r:-")
    start = match.start() + len(match["before"])
    return Ignore(
        line=number,
        column=start + 1,
        end_column=len(line.rstrip()) + 1,
        covers=tuple(covers),
        ids=ids,
        reason=reason if re.search(r"\w", reason) else "",
        certain=certain,
    )


def _is_alone(line: str, match: "re.Match[str]") -> bool:
    """Whether nothing but the comment stands in the line."""
    before = line[: match.start()]
    after = _END.split(match["reason"], maxsplit=1)[1:]
    return not before.strip() and not "".join(after).strip()


class _Comments:
    """Tells what is a comment, by the grammar of the file's language where there is one."""

    def __init__(self, file: TextFile) -> None:
        from ..chunking.grammars import GRAMMARS

        self.language = language_of(file.path, file.data[:_HEAD])
        self.lines = file.lines
        self.root: Any = None
        grammar = GRAMMARS.get(self.language)
        parser = grammar.parser if grammar else _PARSERS.get(self.language)
        if parser is not None and len(file.data) <= _LARGEST:
            from ..chunking.syntax import parse

            self.root = parse(parser, file.text.encode())
        self.known = self.root is not None

    def last_line(self, number: int, line: str, match: "re.Match[str]") -> int | None:
        """Return the last line of the comment that a match stands in, None if in none."""
        mark = match["before"].strip()
        if self.language in ("markdown", "html", "xml") and mark not in ("<!--", "//", "/*", ""):
            return None
        if self.language == "markdown" and mark != "<!--":
            return None
        if self.root is None:
            return number if mark else None
        column = len(line[: match.start() + len(match["before"])].encode())
        point = number - 1, column
        node = self.root.descendant_for_point_range(point, point)
        while node is not None:
            if self.language == "markdown" and node.type in _CODE_IN_PROSE:
                return None
            if "comment" in node.type.lower() or node.type in ("marginalia", "haddock", "pod"):
                end: int = node.end_point[0] + (node.end_point[1] > 0)
                return max(end, number)
            if node.type == "raw_text":  # a script within a page: the mark must do
                return number if mark else None
            node = node.parent
        return number if self.language == "markdown" else None
