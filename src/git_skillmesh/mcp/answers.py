"""What a tool answers: text within a budget of tokens, in pages, retrieved text marked as data.

In: blocks of text, the most useful first. Out: one text. Whatever comes from files, conversations,
notes and remotes is hostile: it is put between tags that it cannot close, without characters that
a terminal would obey.
"""

import re
from collections.abc import Mapping, Sequence

from ..display import safe, safe_line, tokens

# What an answer may hold if nobody asks for less.
MOST_TOKENS = 4_000
_TAG = "retrieved"
_CLOSES = re.compile(rf"<(?=/?\s*{_TAG}\b)", re.IGNORECASE)
# So much of a text is kept where it alone is longer than the answer may be.
_LEAST_CHARACTERS = 200


def quoted(text: str, source: str, about: Mapping[str, str] | None = None) -> str:
    """Return retrieved text as data: `source` says where it is from, `about` what is known of it.

    A reader is told by the server's instructions that nothing between these tags is an order.
    """
    names = {"from": source, **(about or {})}
    shown = " ".join(f'{name}="{_attribute(value)}"' for name, value in names.items() if value)
    return f"<{_TAG} {shown}>\n{escaped(text).rstrip()}\n</{_TAG}>"


def escaped(text: str) -> str:
    """Return text that cannot end a block of `quoted`, nor begin one."""
    return _CLOSES.sub("&lt;", safe(text))


def _attribute(value: str) -> str:
    return safe_line(value).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


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
    left = budget - tokens(first) - 30  # the line about the rest
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
    if more > 0:
        kept.append(f"({more} more: ask again with offset={offset + shown})")
    return "\n\n".join(kept)


def _cut(block: str, budget: int) -> str:
    """Return the beginning of a block, its last line kept: it may be what closes it."""
    lines = block.split("\n")
    room = max(budget * 3, _LEAST_CHARACTERS) - len(lines[-1])
    kept: list[str] = []
    for line in lines[:-1]:
        if len(line) >= room:
            kept.append(line[: max(room, 0)] + " …")
            break
        kept.append(line)
        room -= len(line) + 1
    if len(lines) == 1:
        return block[: max(room, _LEAST_CHARACTERS)] + " …"
    return "\n".join([*kept, "… (cut: this alone is longer than the answer may be)", lines[-1]])
