"""Text that stands in every file in which a learning finds something: looked for before all else.

In: a learning. Out: its needles, plain text. They are worked out once and kept with the learnings,
so that of hundreds of rules only those are built that a change has the words for.
"""

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from ..learnings.model import Learning, MatcherKind
from .matchers.syntax import required_words

_SHORTEST = 3
# RE2 takes these in the two cases for more than ASCII knows: the signs of kelvin and the long s.
_UNSURE = re.compile(r"[kKsS\r\n]|[^\x00-\x7f]")
_ENDS = re.compile(r"[\r\n]")
# What Python reads in another way than RE2.
_OTHERWISE = re.compile(r"\[\[|\[:|\\[QEpPCzZ]|\(\?[a-zA-Z]*[U-]")


def needles_of(learning: Learning) -> tuple[str, ...]:
    """Return texts that all must stand in what a match is looked for in; none if nothing is sure.

    Of a rule without regard to case they are in lower case, and so must the text be.
    """
    matcher = learning.matcher
    if matcher.kind is MatcherKind.AST:
        return tuple(sorted(required_words(matcher)))
    if matcher.kind is MatcherKind.LITERAL:
        return _best(_pieces([matcher.text], matcher.ignore_case))
    if matcher.kind is MatcherKind.REGEX and not _OTHERWISE.search(matcher.regex):
        return _best(_pieces(_runs(matcher.regex), matcher.ignore_case))
    return ()


def _best(pieces: Iterable[str]) -> tuple[str, ...]:
    found = [piece for piece in pieces if len(piece) >= _SHORTEST]
    return (max(found, key=len),) if found else ()


def _pieces(texts: Iterable[str], ignore_case: bool) -> Iterator[str]:
    for text in texts:
        if ignore_case:
            yield from (piece.lower() for piece in _UNSURE.split(text))
        else:
            yield from _ENDS.split(text)


def _runs(pattern: str) -> list[str]:
    """Return runs of characters that every match has, as far as Python reads the pattern."""
    from re import _constants, _parser  # type: ignore[attr-defined]

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed: Any = _parser.parse(pattern)
    except (re.error, Warning, RecursionError, OverflowError, ValueError):
        return []
    if parsed.state.flags & re.IGNORECASE:
        return []
    runs = [""]
    for kind, value in parsed:
        if kind is _constants.LITERAL:
            runs[-1] += chr(value)
        else:
            runs.append("")
    return runs
