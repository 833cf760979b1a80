"""The code that is shown with a prompt: what the edits are about first, then what the agent read.

In: the files of an exchange, its edits, its tool calls, a budget of tokens. Out: files and parts of
files, as much as there is room for. Of an edited file the lines that change come first, then those
around them, then the whole.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from ...sessions.line_diff import lines_of
from ...sessions.model import Act, Exchange
from .blocks import Block, Shown
from .states import FileWork

# Lines around a change, where the whole file has no room.
_AROUND = 12
# What is looked at of all that an agent read, the latest first.
_MOST_READS, _MOST_LINES = 24, 400
_FEWEST_LINES = 4
# How tools number the lines of a file they show.
_NUMBERED = re.compile(r"^ *\d+(?:→|\t|: |\| ?)", re.MULTILINE)
_TAIL = re.compile(r"\n*<system-reminder>.*", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w{3,}")
Count = Callable[[str], int]


def context_for(
    work: Sequence[FileWork], reads: Iterable[Shown], blocks: Sequence[Block], budget: int,
    count: Count,
) -> list[Shown]:  # fmt: skip
    """Return what to show, of at most so many tokens; `blocks` are all edits it has to serve."""
    chosen: list[list[Shown]] = [[] for _ in work]
    left = budget
    for widths in (0, _AROUND, None):
        for number, one in enumerate(work):
            wanted = list(_views(one, blocks, widths))
            more = _cost(wanted, count) - _cost(chosen[number], count)
            if wanted != chosen[number] and more <= left:
                chosen[number] = wanted
                left -= more
    found = [part for parts in chosen for part in parts]
    edited = {part.path for one in work for part in one.shown()}
    for part in _ranked((one for one in reads if one.path not in edited), blocks):
        cut = _cut(part, left, count)
        if cut is not None:
            found.append(cut)
            left -= _cost([cut], count)
    return found


def reads_of(exchange: Exchange, at_start: Callable[[str], str | None]) -> Iterator[Shown]:
    """Yield what the agent read, the latest first: as its tool showed it, or as the file was."""
    seen: set[str] = set()
    for call in reversed(exchange.tools):
        if call.act is not Act.READ or call.failed or len(call.paths) != 1:
            continue
        path = call.paths[0]
        if path in seen or len(seen) == _MOST_READS:
            continue
        seen.add(path)
        text = _TAIL.sub("", call.output)
        numbers = _NUMBERED.findall(text)
        if text and len(numbers) * 2 > text.count("\n"):
            first = int(re.sub(r"\D", "", numbers[0]) or 1)
            yield Shown(path, _NUMBERED.sub("", text), first, False)
        elif (whole := at_start(path)) is not None:
            yield Shown(path, whole)
        elif text:
            yield Shown(path, text, 0, False)


def _views(one: FileWork, blocks: Sequence[Block], width: int | None) -> Iterator[Shown]:
    """Yield a file as it is shown with so many lines around its changes, None for all of it."""
    parts = one.shown()
    if width is None or not one.exact or not parts:
        yield from parts
        return
    (whole,) = parts
    lines = lines_of(whole.text)
    own = {one.path, whole.path}
    spans = list(_spans(lines, (block for block in blocks if block.path in own), width))
    for low, high in spans:
        yield Shown(whole.path, "".join(lines[low:high]), low + 1, high - low == len(lines))


def _spans(lines: list[str], blocks: Iterable[Block], width: int) -> Iterator[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for block in blocks:
        wanted = lines_of(block.search) if block.kind == "edit" else []
        at = _find(lines, wanted)
        end = at + len(wanted) if wanted else min(_FEWEST_LINES, len(lines))
        if block.kind != "write":
            found.append((max(at - width, 0), min(end + width, len(lines))))
    low, high = -1, -1
    for begin, end in sorted(found):
        if begin > high:
            if high >= 0:
                yield low, high
            low = begin
        high = max(high, end)
    if high >= 0:
        yield low, high


def _find(lines: list[str], wanted: list[str]) -> int:
    for at in range(len(lines) - len(wanted) + 1):
        if lines[at : at + len(wanted)] == wanted:
            return at
    return 0


def _ranked(reads: Iterable[Shown], blocks: Iterable[Block]) -> list[Shown]:
    """Return what was read, the most relevant first: most names in common with the edits."""
    names = {name for block in blocks for name in _NAME.findall(block.search + block.replace)}

    def shared(part: Shown) -> int:
        return len(names & set(_NAME.findall(part.text)))

    return sorted(reads, key=shared, reverse=True)  # stable: then the latest first


def _cut(part: Shown, room: int, count: Count) -> Shown | None:
    """Return as many of the first lines as there is room for, None where that is too little."""
    lines = lines_of(part.text)
    most = min(len(lines), _MOST_LINES)
    while most >= min(_FEWEST_LINES, len(lines)) and most:
        whole = part.whole and most == len(lines)
        cut = Shown(part.path, "".join(lines[:most]), part.line, whole)
        cost = _cost([cut], count)
        if cost <= room:
            return cut
        most = min(most - 1, most * max(room, 0) // cost)
    return None


def _cost(parts: Sequence[Shown], count: Count) -> int:
    return sum(count(part.text) + count(part.path) + 12 for part in parts)
