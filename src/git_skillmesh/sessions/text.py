"""An exchange as the text in which it is searched, cut into pieces.

In: an exchange and the title of its session. Out: chunks with line numbers in one text: what was
asked, what was answered, what was changed, which commands ran and how they failed. Output of tools
that did not fail is left out: it repeats the code and drowns the conversation.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..chunking.model import Chunk
from .model import Act, Edit, Exchange, ToolCall

# Raised whenever the text of the same exchange changes; exchanges are then read anew.
TEXT_VERSION = 1
# Characters: of a piece, of a line, of what a person or agent said (its beginning and its end), of
# the edits of one file, of the commands, of a failure.
_PIECE = 1_200
_LINE = 400
_SAID_FIRST, _SAID_LAST = 24_000, 8_000
_EDITED = 3_000
_RAN = 6_000
_FAILED = 800
_MOST_FILES = 40
_HEADING = 100
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class SearchText:
    """The whole text, and its chunks in order; `paths` are the files that it changed or named."""

    text: str
    chunks: tuple[Chunk, ...]
    paths: tuple[str, ...]


def search_text(exchange: Exchange, title: str = "") -> SearchText:
    """Return the text of an exchange. A function of its arguments alone, linear in their size."""
    lines: list[str] = []
    chunks: list[Chunk] = []

    def add(kind: str, symbol: str, name: str, part: Iterable[str]) -> None:
        for number, piece in enumerate(_pieces(part), 1):
            start = len(lines) + 1
            lines.extend(piece)
            key = f"{name}~{number}" if number > 1 else name
            text = "\n".join(piece)
            chunks.append(Chunk(symbol, kind, title, start, len(lines), text, (), "", key))

    add("section", _heading(exchange.prompt), "prompt", _said(exchange.prompt))
    add("text", "", "response", _said(exchange.response))
    edits = _edits_by_path(exchange.tools)
    for path in list(edits)[:_MOST_FILES]:
        add("block", path, f"edit {path}", _changed(path, edits[path]))
    add("text", "", "commands", _commands(exchange.tools))
    add("text", "", "failures", _failures(exchange.tools))
    named = (path for call in exchange.tools for path in call.paths)
    return SearchText("\n".join(lines), tuple(chunks), tuple(dict.fromkeys([*edits, *named])))


def _said(text: str) -> Iterator[str]:
    if len(text) > _SAID_FIRST + _SAID_LAST:
        yield from text[:_SAID_FIRST].splitlines()
        yield "…"
        text = text[-_SAID_LAST:]
    yield from text.splitlines()


def _heading(prompt: str) -> str:
    """Return the first line of a prompt that says something."""
    for line in prompt[:_SAID_LAST].splitlines():
        told = _BLANK.sub(" ", line).strip(" #*-\t")
        if told and any(map(str.isalnum, told)):
            return told[:_HEADING]
    return ""


def _edits_by_path(calls: Iterable[ToolCall]) -> dict[str, list[Edit]]:
    found: dict[str, list[Edit]] = {}
    for call in calls:
        for edit in call.edits if not call.failed else ():
            found.setdefault(edit.path, []).append(edit)
    return found


def _changed(path: str, edits: Iterable[Edit]) -> Iterator[str]:
    """Yield the path, then the lines that were written, the latest edits first."""
    yield path
    left = _EDITED
    for edit in reversed(list(edits)):
        old = set((edit.before or "").splitlines())
        for line in (edit.after or "")[: 10 * _EDITED].splitlines():
            if line in old or not line.strip():
                continue
            left -= len(line)
            if left < 0:
                return
            yield line


def _commands(calls: Iterable[ToolCall]) -> Iterator[str]:
    left = _RAN
    for call in calls:
        if call.act in (Act.BASH, Act.SEARCH, Act.WEB, Act.TASK) and call.input:
            for line in call.input[:_FAILED].splitlines():
                left -= len(line)
                if left < 0:
                    return
                yield line


def _failures(calls: Iterable[ToolCall]) -> Iterator[str]:
    left = _RAN
    for call in calls:
        if call.failed and call.output:
            left -= _FAILED
            if left < 0:
                return
            yield from call.output[-_FAILED:].splitlines()


def _pieces(lines: Iterable[str]) -> Iterator[list[str]]:
    """Divide lines into pieces, where possible at an empty line; long lines are broken."""
    piece: list[str] = []
    size = 0
    for whole in lines:
        for start in range(0, max(len(whole), 1), _LINE):
            line = whole[start : start + _LINE]
            if size > _PIECE or (size > _PIECE // 2 and not line.strip()):
                yield piece
                piece, size = [], 0
            if line.strip() or piece:
                piece.append(line.rstrip())
                size += len(line)
    if any(piece):
        yield piece
