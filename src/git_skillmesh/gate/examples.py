"""Examples for a matcher out of the lines of a change.

In: a learning and the changes that it comes from. Out: lines that its matcher finds where they
went, and does not find where they came.
"""

from collections.abc import Callable, Iterable

from ..learnings.candidates import Change
from ..learnings.model import Example, Learning, MatcherKind
from .matchers.model import NotLookedAt
from .trial import hits

_MOST = 3
_NO_CODE = (MatcherKind.PATHS, MatcherKind.MESSAGE)


def examples_of(
    learning: Learning, changes: Iterable[Change]
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return bad and good examples: of each change in which a line went that matches.

    Where a rule of syntax needs more than a line, all lines of a place are one example. Raises
    `RuleError`.
    """
    if learning.matcher.kind in _NO_CODE:
        return (), ()
    hit = hits(learning)
    bad: dict[Example, None] = {}
    good: dict[Example, None] = {}
    for change in changes:
        went = [one for one in _lines(change.before, change.path) if _is(hit, one, True)]
        came = _lines(change.after, change.path)
        whole = _whole(change.before, change.path)
        if not went and _is(hit, whole, True):
            went, came = [whole], [_whole(change.after, change.path)]
        if went:
            bad.update(dict.fromkeys(went))
            good.update(dict.fromkeys(one for one in came if _is(hit, one, False)))
    return tuple(bad)[:_MOST], tuple(good)[:_MOST]


def _lines(lines: Iterable[str], path: str) -> list[Example]:
    return [Example(f"{line.strip()}\n", path) for line in lines if line.strip()]


def _whole(lines: Iterable[str], path: str) -> Example:
    return Example("".join(f"{line}\n" for line in lines), path)


def _is(hit: Callable[[Example], bool], example: Example, wanted: bool) -> bool:
    try:
        return bool(example.code.strip()) and hit(example) is wanted
    except NotLookedAt:
        return False
