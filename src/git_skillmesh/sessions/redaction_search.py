"""RE2, and the only place that knows it: unions of anchors, and which rule an anchor belongs to.

In: rules. Out: a compiled search, and `Entries` that decide where it has found something.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ..errors import ConfigurationError
from .secret_model import Context
from .secret_tokens import Token
from .secret_values import free_left, free_right

# A key of any kind ends before this; what is longer is no key.
_LONGEST_TOKEN = 20_000
_DOCUMENTED = re.compile(rb"EXAMPLE|(?i:x{5}|example|your|placeholder)|0{8}|1234567|abcdefg|\*{3}")


class _Entry:
    """A rule ready to decide: does it hold where the anchor was found?"""

    def __init__(self, rule: Token | Context, rank: int) -> None:
        self.rule = rule
        self.rank = rank
        self.name = rule.name

    def find(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the pieces that have to go. `end` is where the anchor ends, -1 if not known."""
        rule = self.rule
        if isinstance(rule, Context):
            if end < 0:
                anchor = self._pattern.match(data, start)
                if anchor is None:
                    return
                end = anchor.end()
            yield from rule.find(data, start, end)
            return
        match = self._pattern.match(data, start, start + _LONGEST_TOKEN)
        if match is None:
            return
        begin, end = match.span()
        if rule.before:
            front = self._before.search(data[max(0, start - 64) : start])
            if front is None:
                return
            begin -= len(front[0])
        if rule.loose and not (free_left(data, begin) and free_right(data, end)):
            return
        text = data[begin:end]
        if _DOCUMENTED.search(text) is None and len(set(text)) > 6:
            yield begin, end

    @cached_property
    def _pattern(self) -> Any:
        rest = self.rule.rest if isinstance(self.rule, Token) else ""
        return _compile((self.rule.anchor + rest).encode())

    @cached_property
    def _before(self) -> "re.Pattern[bytes]":
        return re.compile(f"(?:{getattr(self.rule, 'before', '')})\\Z".encode())


class Entries:
    """The rules of one search, and which of them an anchor belongs to."""

    def __init__(self, rules: Sequence[Token | Context], rank: int) -> None:
        self._all = [_Entry(rule, rank + number) for number, rule in enumerate(rules)]
        self.single = len(rules) == 1

    def at(self, data: bytes, start: int, end: int) -> list[_Entry]:
        """Return the rules whose anchor stands here, the surest first."""
        if self.single:
            return self._all
        found = self._set.Match(data[start : max(end, start + 80)])
        return [self._all[number] for number in sorted(found or ())]

    @cached_property
    def _set(self) -> Any:
        import re2

        found = re2.Set.MatchSet(_options())
        for entry in self._all:
            found.Add(f"\\A(?:{entry.rule.anchor})".encode())
        found.Compile()
        return found


def union(rules: Sequence[Token | Context], rank: int) -> tuple[Any, Entries]:
    """Return one search for the anchors of all rules, and what decides behind it."""
    pattern = "|".join(f"(?:{rule.anchor})" for rule in rules)
    return _compile(pattern.encode()), Entries(rules, rank)


def _compile(pattern: bytes) -> Any:
    import re2  # a compiled module: only where text is redacted

    return re2.compile(pattern, _options())


def _options() -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are
    options.max_mem = 64 << 20
    return options


def user_pattern(pattern: str, where: str) -> Any:
    """Return a pattern of the user's, or say in one line what is wrong with it."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ConfigurationError(
            f"{where}: {pattern!r} is no RE2 pattern", reason or "see docs/redaction.md"
        ) from None
