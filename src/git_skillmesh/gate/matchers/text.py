"""Matches by text: a regular expression or a literal, line by line or over the whole file.

In: a learning of kind regex or literal. Out: a `ContentMatcher`; and `TextSet`, which tells in one
pass which of many may match. Expressions see CRLF as LF, so that a checkout decides nothing.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from ...learnings.model import Learning, MatcherKind, Scope
from .expressions import by_lines, compile_expression, escaped, options, tied_to_ends
from .model import Match, NotLookedAt, RuleError, TextFile

LARGEST = 10_000_000  # bytes of a file
MOST_MATCHES = 10_000
# Bytes times instructions: where RE2 cannot keep its states, each byte takes a step an
# instruction, and this many take about eight seconds.
MOST_STEPS = 1_000_000_000
SECONDS = 5.0  # of CPU time for all matches of a file: each of them may need a look at its end
# So many expressions share one automaton: more of them make its states too many.
_TOGETHER = 100


class TextMatcher:
    """Finds a regular expression or a literal. Matches without characters do not count.

    Raises `RuleError` where an expression does not compile.
    """

    def __init__(self, learning: Learning) -> None:
        matcher = learning.matcher
        literal = matcher.kind is MatcherKind.LITERAL
        name = "text" if literal else "regex"
        pattern = escaped(matcher.text) if literal else matcher.regex
        self._by_line = matcher.scope is Scope.LINES
        if literal and self._by_line and "\n" in matcher.text:
            raise RuleError("a text of several lines needs scope: file")
        case = matcher.ignore_case
        # `^` and `$` are the ends of a line in either scope.
        self.anywhere = by_lines(pattern)
        self.ignore_case = case
        self._line = compile_expression(pattern, ignore_case=case, field=name)
        self._file = compile_expression(pattern, ignore_case=case, field=name, lines=True)
        self._unless: Any = None
        if matcher.unless:
            self._unless = compile_expression(matcher.unless, ignore_case=case, field="unless")
        self._literal = matcher.text.encode() if literal and not case else None
        self.steps = 1 if literal else int(self._file.programsize)
        # Whether a search of the whole text finds each line that a search by lines does.
        self.searchable = literal or not self._by_line or not tied_to_ends(pattern)

    def may_match(self, file: TextFile) -> bool:
        """Whether the text stands in the file at all."""
        if not self.searchable or self._too_much(file):
            return True
        if self._literal is not None:
            return self._literal in file.searched
        return self._file.search(file.searched) is not None

    def matches(self, file: TextFile, lines: "frozenset[int] | None" = None) -> "list[Match]":
        """Return matches that touch one of `lines` (all of the file, if None).

        Raises `NotLookedAt` for a file that is too large, or takes too long.
        """
        if reason := self._too_much(file):
            raise NotLookedAt(reason)
        limit = time.thread_time() + SECONDS
        found = self._in_lines(file, lines) if self._by_line else self._in_file(file, lines)
        matches = []
        for match in found:
            if match is not None:
                matches.append(match)
            if len(matches) > MOST_MATCHES:
                raise NotLookedAt(f"more than {MOST_MATCHES:,} matches", matches[:-1])
            if time.thread_time() > limit:
                raise NotLookedAt(f"takes more than {SECONDS:g} s to match")
        return matches

    def _too_much(self, file: TextFile) -> str:
        if len(file.data) > LARGEST:
            return f"larger than {LARGEST // 1_000_000} MB"
        if len(file.data) * self.steps > MOST_STEPS:
            return f"larger than {MOST_STEPS // self.steps // 1000:,} kB, too much for the pattern"
        return ""

    # Both yield None for what they looked at in vain, so that the time is watched.

    def _in_lines(self, file: TextFile, lines: "frozenset[int] | None") -> Iterator[Match | None]:
        texts = file.searched_lines
        for number in self._worth(file) if lines is None else sorted(lines):
            text = texts[number - 1] if 0 < number <= len(texts) else b""
            yield None
            for match in self._line.finditer(text):
                start, end = match.span()
                if start == end:
                    yield None
                    continue
                if self._unless is not None and self._unless.search(text):
                    break
                yield Match(number, number, _column(text, start), _column(text, end))

    def _worth(self, file: TextFile) -> Iterator[int]:
        """Yield the lines in which a search of the whole text begins to find something."""
        if not self.searchable:
            yield from range(1, len(file.searched_lines) + 1)
            return
        starts, at = _starts(file), 0
        while match := self._file.search(file.searched, at):
            number = bisect_right(starts, match.start())
            yield number
            if number >= len(starts):
                return
            at = starts[number]

    def _in_file(self, file: TextFile, lines: "frozenset[int] | None") -> Iterator[Match | None]:
        starts, texts = _starts(file), file.searched_lines
        for match in self._file.finditer(file.searched):
            yield None
            start, end = match.span()
            first, last = bisect_right(starts, start), bisect_right(starts, end - 1)
            if start == end or (lines is not None and lines.isdisjoint(range(first, last + 1))):
                continue
            around = b"\n".join(texts[first - 1 : last])
            if self._unless is not None and self._unless.search(around):
                continue
            before, after = start - starts[first - 1], end - starts[last - 1]
            last_text = file.searched[starts[last - 1] : end]
            yield Match(first, last, _column(texts[first - 1], before), _column(last_text, after))


class TextSet:
    """Many matchers at once: one pass over a file tells which are worth running on it."""

    def __init__(self, matchers: Sequence[TextMatcher]) -> None:
        self._always = [n for n, matcher in enumerate(matchers) if not matcher.searchable]
        self._sets = []
        for case in (False, True):
            among = [
                (n, matcher)
                for n, matcher in enumerate(matchers)
                if matcher.searchable and matcher.ignore_case is case
            ]
            for start in range(0, len(among), _TOGETHER):
                part = among[start : start + _TOGETHER]
                steps = sum(matcher.steps for _, matcher in part)
                automaton = _automaton([matcher for _, matcher in part], case)
                self._sets.append((automaton, steps, [n for n, _ in part]))

    def may_match(self, file: TextFile) -> "list[int]":
        """Return which of the matchers, by their place, may match: never too few."""
        found = list(self._always)
        for automaton, steps, places in self._sets:
            bearable = len(file.data) * steps <= 10 * MOST_STEPS
            hits = automaton.Match(file.searched) if bearable else []
            # The last one matches any text. Where it did not, RE2 ran out of memory.
            if len(places) in hits:
                found += [places[hit] for hit in hits if hit < len(places)]
            else:
                found += places
        return sorted(found)


def _automaton(matchers: Sequence[TextMatcher], ignore_case: bool) -> Any:
    import re2

    limits = options(ignore_case)
    limits.max_mem *= 8
    automaton = re2.Set.SearchSet(limits)
    for matcher in matchers:
        automaton.Add(matcher.anywhere.encode())
    automaton.Add(b"")
    automaton.Compile()
    return automaton


def _starts(file: TextFile) -> "list[int]":
    """Return where each line begins, in bytes of `searched`."""
    if "starts" not in file.kept:
        lengths = (len(line) + 1 for line in file.searched_lines[:-1])
        file.kept["starts"] = list(accumulate(lengths, initial=0))
    starts: list[int] = file.kept["starts"]
    return starts


def _column(line: bytes, offset: int) -> int:
    return len(line[:offset].decode("utf-8", "replace")) + 1
