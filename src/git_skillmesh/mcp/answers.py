"""What a tool answers: text within a budget of tokens, in pages, retrieved text marked as data.

In: blocks of text, the most useful first. Out: one text. Whatever comes from files, conversations,
notes and remotes is hostile: it is put between tags that it cannot close, without characters that
a terminal would obey.
"""

from collections.abc import Iterable, Sequence

from ..display import BYTES_PER_TOKEN, clip, tokens
from ..display import escaped as escaped
from ..display import quoted as quoted
from ..display import writable as writable
from ..errors import UsageError

# What an answer may hold if nobody asks for less or more, and what may be asked for.
MOST_TOKENS = 4_000
_LEAST_ASKED, _MOST_ASKED = 1_000, 20_000
# A piece of a long text, in bytes: with its tags it fits into the smallest answer.
_PIECE = 1_600
_LONGEST_LINE = 500
# What the line about the rest takes.
_ABOUT_THE_REST = 30
_CUT = "… (cut: this alone is longer than the answer may be)"


def pieces(text: str) -> list[str]:
    """Return a long text in parts that a page of any size can hold, divided between lines.

    A line that is longer than a part is divided too; nothing of the text is left out. It is escaped
    before, since that makes it longer.
    """
    text = escaped(text)
    found: list[str] = []
    room = 0
    for line in text.split("\n"):
        for part in _parts(line):
            size = len(part.encode("utf-8", "replace")) + 1
            if found and size <= room:
                found[-1] += f"\n{part}"
            else:
                found.append(part)
                room = _PIECE
            room -= size
    return found


def _parts(line: str) -> list[str]:
    if len(line) <= _PIECE // 4:  # no character has more bytes
        return [line]
    return [line[at : at + _PIECE // 4] for at in range(0, len(line), _PIECE // 4)]


def shortened(text: str, lines: int, characters: int) -> str:
    """Return how a text begins, and how much of it is not shown."""
    kept = text.strip("\n").split("\n")
    shown = "\n".join(kept[:lines])[:characters].rstrip()
    left = len(text.strip("\n")) - len(shown)
    return f"{shown}\n… ({left:,} more characters)" if left > 1 else shown


def one_line(text: str, width: int = _LONGEST_LINE) -> str:
    """Return a text on one line, without what a terminal would obey, cut where it is long."""
    return clip(" ".join(text.split()), width)


def bounded(budget: int, offset: int = 0) -> int:
    """Return the budget of an answer within what can be asked for. Raises `UsageError`."""
    if offset < 0:
        raise UsageError(f"no such offset: {offset}", "it counts from 0")
    return min(max(budget, _LEAST_ASKED), _MOST_ASKED)


def page(
    blocks: Sequence[str], budget: int = MOST_TOKENS, offset: int = 0, *, first: str = "",
    total: int | None = None,
) -> str:  # fmt: skip
    """Return as many whole blocks as fit, and how to get the rest.

    Args:
        blocks: those from `offset` on.
        budget: the most tokens of the whole answer; one block is always there, cut if it must be.
        offset: how many blocks came on earlier pages.
        first: a line before all blocks.
        total: how many blocks there are with those before `offset`, where more are known of.
    """
    kept = [first] if first else []
    left = budget - tokens(first) - _ABOUT_THE_REST
    shown = 0
    for block in blocks:
        needed = tokens(block) + 1
        if needed > left:
            if not shown:
                kept.append(_cut(block, left))
                shown = 1
            break
        kept.append(block)
        left -= needed
        shown += 1
    count = total if total is not None else offset + len(blocks)
    more = count - offset - shown
    if more > 0 and shown:
        kept.append(f"({more} more: ask again with offset={offset + shown})")
    elif offset and not shown:
        kept.append(f"(nothing from offset={offset} on: there are {count})")
    return "\n\n".join(kept)


def some(blocks: Iterable[str], budget: int) -> list[str]:
    """Return the blocks of one page, made one by one, without making those of the next."""
    kept: list[str] = []
    left = budget
    for block in blocks:
        kept.append(block)
        left -= tokens(block) + 1
        if left < 0:
            break
    return kept


def _cut(block: str, budget: int) -> str:
    """Return the beginning of a block, its last line kept: it may be what closes it."""
    first, *rest = block.split("\n")
    last = rest.pop() if rest else ""
    end = f"{_CUT}\n{last}" if last else _CUT
    room = int(budget * BYTES_PER_TOKEN) - len(end.encode("utf-8", "replace")) - 4
    data = "\n".join([first, *rest]).encode("utf-8", "replace")[: max(room, 0)]
    return f"{data.decode('utf-8', 'ignore').rstrip()}\n{end}"
