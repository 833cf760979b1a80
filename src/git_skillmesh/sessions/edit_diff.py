"""Edits as an agent recorded them, shown as diffs.

In: an edit. Out: lines of a unified diff.
"""

from collections.abc import Iterator, Sequence

from .line_diff import Hunk, hunks
from .model import Edit

_CONTEXT = 3


def diff_of(edit: Edit) -> Iterator[str]:
    """Yield the lines of the diff; each begins with `+`, `-`, ` ` or `@@`."""
    before, after = _lines(edit.before), _lines(edit.after)
    first = max(edit.line, 1)
    for group in _neighbours(hunks(before, after)):
        a0, b0 = (max(start - _CONTEXT, 0) for start in (group[0].a0, group[0].b0))
        a1, b1 = group[-1].a1 + _CONTEXT, group[-1].b1 + _CONTEXT
        a1, b1 = min(a1, len(before)), min(b1, len(after))
        yield f"@@ -{first + a0},{a1 - a0} +{first + b0},{b1 - b0} @@"
        at = a0
        for hunk in group:
            yield from (f" {line}" for line in before[at : hunk.a0])
            yield from (f"-{line}" for line in before[hunk.a0 : hunk.a1])
            yield from (f"+{line}" for line in after[hunk.b0 : hunk.b1])
            at = hunk.a1
        yield from (f" {line}" for line in before[at:a1])


def _neighbours(found: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    """Yield hunks in groups whose surroundings touch."""
    group: list[Hunk] = []
    for hunk in found:
        if group and hunk.a0 - group[-1].a1 > 2 * _CONTEXT:
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


def _lines(text: str | None) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []
