"""Edits of files as text that a model can write: SEARCH/REPLACE blocks, parsed back and applied.

In: files before and after, or text with blocks. Out: the other; files as the blocks leave them.
docs/rl-dataset.md shows the form to people. Everything is counted in lines that end with "\n", so
a block fits whole lines or not at all. Pure.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...sessions.line_diff import hunks, lines_of

BEGIN, END = "*** begin edits", "*** end edits"
CONTEXT, CONTEXT_END = "*** begin context", "*** end context"
# Lines around a change that are shown beside it; more where that is not yet one place only.
_AROUND = 3
_FENCE = 7
_NO_NEWLINE = " (no newline)"
_RUN = re.compile(r"^([<=>])\1*", re.MULTILINE)
_PLAIN = re.compile(r"[\w./@+-]+")
_NUMBER = re.compile(r"[0-9]{1,9}")
_HEAD = re.compile(r"\*\*\* (edit|write|delete|move|file|part) (.+)")
_RESERVED = re.compile(
    rf"^(?=(?:{'|'.join(map(re.escape, (BEGIN, END, CONTEXT, CONTEXT_END)))})$)", re.MULTILINE
)


class Misfit(ValueError):
    """Text that is not in this form, or a block that does not fit a file."""


@dataclass(frozen=True, slots=True)
class Block:
    """One step. `edit`: the lines `search` of a file, which stand there once, become `replace`.

    `write` makes the whole file `replace`, `delete` takes it away, `move` calls it `target`.
    """

    kind: str
    path: str
    search: str = ""
    replace: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file of the context, or a part of one that begins at a line (0 if unknown)."""

    path: str
    text: str
    line: int = 1
    whole: bool = True


# -- making blocks ---------------------------------------------------------------------------------


def blocks_of(path: str, before: str | None, after: str | None) -> tuple[Block, ...]:
    """Return the blocks that make a file what it is after; None is no file.

    They are tried before they are returned: where small ones would be ambiguous, one writes all.
    """
    if before == after:
        return ()
    if after is None:
        return (Block("delete", path),)
    whole = (Block("write", path, "", after),)
    if not before or not after:
        return whole
    found = tuple(_edits(path, lines_of(before), lines_of(after)))
    try:
        fits = applied({path: before}, found) == {path: after}
    except Misfit:
        fits = False
    small = sum(len(one.search) + len(one.replace) for one in found) < len(after) + len(before)
    return found if fits and small else whole


def _edits(path: str, a: list[str], b: list[str]) -> Iterator[Block]:
    """Yield blocks for where two lists of lines differ, each wide enough to be one place."""
    groups: list[list[int]] = []
    for at in hunks(a, b):
        wide = _unique(a, max(at.a0 - _AROUND, 0), min(at.a1 + _AROUND, len(a)))
        low, high = wide
        if groups and low <= groups[-1][1]:
            last = groups[-1]
            last[0], last[1], last[3] = min(last[0], low), max(last[1], high), at.b1 - at.a1
        else:
            shift = groups[-1][3] if groups else 0
            groups.append([low, high, shift, at.b1 - at.a1])
    for first, end, shift, grown in groups:
        now = b[first + shift : end + grown]
        yield Block("edit", path, "".join(a[first:end]), "".join(now))


def _unique(lines: list[str], low: int, high: int) -> tuple[int, int]:
    """Widen a range of lines until they stand nowhere else in the file."""
    while (low or high < len(lines)) and len(_places(lines, lines[low:high], 2)) > 1:
        wider = max(_AROUND, high - low)
        low, high = max(low - wider, 0), min(high + wider, len(lines))
    return low, high


def _places(lines: list[str], wanted: list[str], most: int) -> list[int]:
    """Return where lines stand in a file, at most so many places."""
    found: list[int] = []
    at = -1
    while wanted and len(found) < most:
        try:
            at = lines.index(wanted[0], at + 1)
        except ValueError:
            break
        if lines[at : at + len(wanted)] == wanted:
            found.append(at)
    return found


# -- applying --------------------------------------------------------------------------------------


def applied(files: Mapping[str, str], blocks: Iterable[Block]) -> dict[str, str]:
    """Return the files after the blocks, in order. Raises `Misfit`."""
    state = dict(files)
    for block in blocks:
        if block.kind == "write":
            state[block.path] = block.replace
            continue
        if block.path not in state:
            raise Misfit(f"{block.path} is not there")
        if block.kind == "delete":
            del state[block.path]
        elif block.kind == "move":
            state[block.target] = state.pop(block.path)
        else:
            state[block.path] = _edited(block, state[block.path])
    return state


def _edited(block: Block, text: str) -> str:
    lines, wanted = lines_of(text), lines_of(block.search)
    places = _places(lines, wanted, 2)
    if len(places) != 1:
        raise Misfit(f"{block.path}: the lines stand there {'twice' if places else 'nowhere'}")
    at = places[0]
    return "".join((*lines[:at], block.replace, *lines[at + len(wanted) :]))


# -- as text ---------------------------------------------------------------------------------------


def prose(text: str) -> str:
    """Return text of a person or agent in which no line is taken for one of this form."""
    return _RESERVED.sub(" ", text)


def rendered(blocks: Iterable[Block]) -> str:
    """Return blocks as text."""
    return "\n".join((BEGIN, *(line for one in blocks for line in _lines(one)), END))


def shown(files: Iterable[Shown]) -> str:
    """Return the context as text."""
    parts = [CONTEXT]
    for one in files:
        kind = "file" if one.whole else "part"
        parts.append(f"*** {kind} {_named(one.path)}{'' if one.whole else f' {one.line}'}")
        parts += _fenced("TEXT", one.text)
    return "\n".join((*parts, CONTEXT_END))


def _lines(block: Block) -> Iterator[str]:
    yield f"*** {block.kind} {_named(block.path)}" + (
        f" {_named(block.target)}" if block.kind == "move" else ""
    )
    if block.kind == "write":
        yield from _fenced("TEXT", block.replace)
    elif block.kind == "edit":
        size = _size(block.search, block.replace)
        yield f"{'<' * size} SEARCH"
        yield from _body(block.search, "=" * size)
        yield from _body(block.replace, f"{'>' * size} REPLACE")


def _fenced(word: str, text: str) -> Iterator[str]:
    size = _size(text)
    yield f"{'<' * size} {word}"
    yield from _body(text, f"{'>' * size} {word}")


def _body(text: str, close: str) -> Iterator[str]:
    if not text or text.endswith("\n"):
        yield text + close
    else:
        yield f"{text}\n{close}{_NO_NEWLINE}"


def _size(*texts: str) -> int:
    """Return how long a fence has to be so that no line of the texts begins like it."""
    if not any(mark * _FENCE in text for text in texts for mark in "<=>"):
        return _FENCE
    runs = (len(run[0]) + 1 for text in texts for run in _RUN.finditer(text))
    return max(_FENCE, max(runs, default=0))


def _named(path: str) -> str:
    return path if _PLAIN.fullmatch(path) and path.isascii() else json.dumps(path)


# -- and back --------------------------------------------------------------------------------------


def parse_edits(text: str) -> tuple[Block, ...]:
    """Return the blocks in the answer of a model, () where it has none. Raises `Misfit`."""
    lines = text.split("\n")
    if BEGIN not in lines:
        return ()
    found, at = [], lines.index(BEGIN) + 1
    while (line := _line(lines, at)) != END:
        kind, names = _head(line)
        at += 1
        if kind == "edit":
            block, at = _parse_edit(lines, at, names[0])
        elif kind == "write":
            content, at = _parse_fenced(lines, at)
            block = Block(kind, names[0], "", content)
        elif kind == "move" and len(names) == 2:
            block = Block(kind, names[0], target=names[1])
        elif kind == "delete":
            block = Block(kind, names[0])
        else:
            raise Misfit(f"line {at}: no edit")
        found.append(block)
    return tuple(found)


def parse_context(text: str) -> tuple[Shown, ...]:
    """Return the files that a prompt shows. Raises `Misfit`."""
    lines = text.split("\n")
    if CONTEXT not in lines:
        return ()
    found, at = [], lines.index(CONTEXT) + 1
    while (line := _line(lines, at)) != CONTEXT_END:
        kind, names = _head(line)
        if kind not in ("file", "part"):
            raise Misfit(f"line {at + 1}: no file")
        content, at = _parse_fenced(lines, at + 1)
        first = int(names[1]) if len(names) > 1 and _NUMBER.fullmatch(names[1]) else 1
        found.append(Shown(names[0], content, first, kind == "file"))
    return tuple(found)


def _line(lines: list[str], at: int) -> str:
    if at >= len(lines):
        raise Misfit("it ends early")
    return lines[at]


def _head(line: str) -> tuple[str, list[str]]:
    found = _HEAD.fullmatch(line)
    if found is None:
        raise Misfit(f"no head of a block: {line[:80]!r}")
    names: list[str] = []
    rest = found[2]
    while rest:
        if rest.startswith('"'):
            try:
                name, end = json.JSONDecoder().raw_decode(rest)
            except ValueError:
                raise Misfit(f"no path: {rest[:80]!r}") from None
            names.append(str(name))
            rest = rest[end:].removeprefix(" ")
        else:
            name, _, rest = rest.partition(" ")
            names.append(name)
    return found[1], names


def _opened(lines: list[str], at: int, word: str) -> int:
    found = re.fullmatch(rf"(<{{{_FENCE},}}) {word}", _line(lines, at))
    if found is None:
        raise Misfit(f"line {at + 1}: no {word}")
    return len(found[1])


def _until(lines: list[str], at: int, close: str) -> tuple[str, int]:
    ends: list[int] = []
    for mark in (close, close + _NO_NEWLINE):
        try:
            ends.append(lines.index(mark, at, min(ends, default=len(lines))))
        except ValueError:
            continue
    if not ends:
        raise Misfit("it ends early")
    end = min(ends)
    text = "\n".join(lines[at:end])
    whole = text if end == at or lines[end] != close else f"{text}\n"
    return whole, end + 1


def _parse_edit(lines: list[str], at: int, path: str) -> tuple[Block, int]:
    size = _opened(lines, at, "SEARCH")
    search, at = _until(lines, at + 1, "=" * size)
    replace, at = _until(lines, at, f"{'>' * size} REPLACE")
    return Block("edit", path, search, replace), at


def _parse_fenced(lines: list[str], at: int) -> tuple[str, int]:
    size = _opened(lines, at, "TEXT")
    return _until(lines, at + 1, f"{'>' * size} TEXT")
