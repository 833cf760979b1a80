"""Edits as an agent recorded them, shown as diffs.

In: an edit. Out: lines of a unified diff. A text that is too large to compare line by line is shown
as taken away and put in.
"""

import difflib
from collections.abc import Iterator

from ..sessions.model import Edit

_CONTEXT = 3
# Lines of one side times lines of the other: what comparing may cost.
_MOST_WORK = 4_000_000


def diff_of(edit: Edit) -> Iterator[str]:
    """Yield the lines of the diff; each begins with `+`, `-`, ` ` or `@@`."""
    before, after = _lines(edit.before), _lines(edit.after)
    head, tail = _same_ends(before, after)
    start = max(head - _CONTEXT, 0)
    old = before[start : len(before) - max(tail - _CONTEXT, 0)]
    new = after[start : len(after) - max(tail - _CONTEXT, 0)]
    first = max(edit.line, 1) + start
    if len(old) * len(new) > _MOST_WORK:
        yield f"@@ -{first},{len(old)} +{first},{len(new)} @@"
        yield from (f"-{line}" for line in old)
        yield from (f"+{line}" for line in new)
        return
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(
        _CONTEXT
    ):
        _, i1, _, j1, _ = group[0]
        _, _, i2, _, j2 = group[-1]
        yield f"@@ -{first + i1},{i2 - i1} +{first + j1},{j2 - j1} @@"
        for kind, a, b, c, d in group:
            if kind == "equal":
                yield from (f" {line}" for line in old[a:b])
            else:
                yield from (f"-{line}" for line in old[a:b])
                yield from (f"+{line}" for line in new[c:d])


def counts_of(edit: Edit) -> tuple[int, int]:
    """Return how many lines an edit added and removed."""
    added = removed = 0
    for line in diff_of(edit):
        added += line.startswith("+")
        removed += line.startswith("-")
    return added, removed


def _lines(text: str | None) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _same_ends(one: list[str], other: list[str]) -> tuple[int, int]:
    """Return how many lines are the same at the beginning, and at the end."""
    shorter = min(len(one), len(other))
    head = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if one[-1 - n] != other[-1 - n]), rest)
    return head, tail
