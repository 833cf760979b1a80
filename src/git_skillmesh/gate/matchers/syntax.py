"""Matches by syntax: an ast-grep rule, held against the tree of a file.

In: a learning of kind ast, which names its languages. Out: a `ContentMatcher`.
"""

import re
from collections.abc import Mapping
from typing import Any

from ...chunking.languages import language_of
from ...learnings.model import Learning, Matcher
from ..scope import Scope
from .model import Match, NotLookedAt, RuleError, TextFile
from .parser import Refused, Unbearable, parser

LARGEST = 1_000_000  # bytes of a file
# What ast-grep parses, by our names, which are its own too. It panics for any other.
LANGUAGES = frozenset(
    "bash c cpp csharp css dart elixir go haskell hcl html java javascript json jsx kotlin lua"  # noqa: SIM905
    " markdown nix php python ruby rust scala solidity swift tsx typescript yaml zig".split()
)
_HEAD = 16_384
# A word of a pattern that is neither a variable nor a part of one.
_WORD = re.compile(r"(?<![\w$])[A-Za-z_][A-Za-z0-9_]*(?![\w$])")
_DEEPEST = 32


class SyntaxMatcher:
    """Finds what an ast-grep rule matches, with the replacement that the learning proposes.

    Raises `RuleError` where ast-grep does not take the rule for one of the languages; with
    `proven`, that it does is known, and is not tried again.
    """

    def __init__(self, learning: Learning, *, proven: bool = False) -> None:
        matcher = learning.matcher
        if not learning.languages:
            raise RuleError("an ast matcher needs languages", "languages")
        for language in learning.languages:
            if language not in LANGUAGES:
                raise RuleError(f"ast-grep does not parse {language}; use regex", "languages")
        self._languages = Scope(learning).languages
        self._config: dict[str, Any] = {"rule": dict(matcher.rule or {})}
        for name in ("constraints", "utils"):
            value = getattr(matcher, name)
            if value:
                self._config[name] = dict(value)
        self._rewrite = learning.fix.rewrite
        self._words = tuple(sorted(word.encode() for word in _required(self._config)))
        empty = TextFile("", b"")
        for language in () if proven else sorted(self._languages):
            try:
                parser().find(empty, language, self._config)
            except Refused as error:
                raise RuleError(f"{error} (as {language})") from None
            except NotLookedAt as error:
                raise RuleError(f"the rule cannot be built: {error}") from None

    def may_match(self, file: TextFile) -> bool:
        """Whether every word that a match must contain stands in the file."""
        return all(word in file.data for word in self._words)

    def matches(self, file: TextFile, lines: "frozenset[int] | None" = None) -> "list[Match]":
        """Return matches that touch one of `lines` (all of the file, if None).

        Raises `NotLookedAt` for a file that is too large, or that the parser cannot bear.
        """
        language = language_of(file.path, file.data[:_HEAD])
        if language not in self._languages:
            return []
        if len(file.data) > LARGEST:
            raise NotLookedAt(f"larger than {LARGEST // 1_000_000} MB")
        found = _find(file, language, self._config, self._rewrite)
        if lines is None:
            return found
        return [m for m in found if not lines.isdisjoint(range(m.line, m.end_line + 1))]


def _find(file: TextFile, language: str, config: Mapping[str, Any], rewrite: str) -> "list[Match]":
    if "unbearable" in file.kept:
        raise NotLookedAt(file.kept["unbearable"])
    try:
        return parser().find(file, language, config, rewrite)
    except Refused as error:
        raise NotLookedAt(str(error)) from None
    except Unbearable as error:
        file.kept["unbearable"] = str(error)  # for other rules too
        raise


def required_words(matcher: Matcher) -> "set[str]":
    """Return words that stand in every file in which the rule of a matcher finds something."""
    return _required({"rule": matcher.rule or {}, "utils": matcher.utils or {}})


def _required(config: Mapping[str, Any]) -> "set[str]":
    """Return words that stand in every file in which the rule matches.

    Only what is certain: words of plain patterns that must hold, be it for the node itself or for
    one that must stand beside, above or below it.
    """
    utils = config.get("utils") or {}

    def of(rule: Any, depth: int) -> "set[str]":
        if not isinstance(rule, Mapping) or depth > _DEEPEST:
            return set()
        words: set[str] = set()
        if isinstance(rule.get("pattern"), str):
            words |= _words_of(rule["pattern"])
        for name in ("inside", "has", "precedes", "follows"):
            words |= of(rule.get(name), depth + 1)
        every = rule.get("all")
        for one in every if isinstance(every, list) else ():
            words |= of(one, depth + 1)
        if isinstance(rule.get("matches"), str):
            words |= of(utils.get(rule["matches"]), depth + 1)
        return words

    return of(config.get("rule"), 0)


def _words_of(pattern: str) -> "set[str]":
    # What looks like a comment may be skipped in the match.
    if any(mark in pattern for mark in ("#", "//", "/*", "--", "<!")):
        return set()
    return set(_WORD.findall(pattern))
