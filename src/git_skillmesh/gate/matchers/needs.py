"""What must stand somewhere in a file for a rule of syntax to match in it: told without parsing.

In: an ast-grep rule. Out: expressions of which every one must be found. Only what is certain: a
rule that says nothing certain gets none, and every file is parsed for it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .expressions import compile_expression
from .model import RuleError

# What a match of the node itself or of one that must stand beside, above or below it needs.
_BESIDE = ("inside", "has", "precedes", "follows")
_DEEPEST = 32
# A word of a pattern that is neither a variable nor a part of one.
_WORD = re.compile(r"(?<![\w$])[A-Za-z_][A-Za-z0-9_]*(?![\w$])")
_COMMENTS = ("#", "//", "/*", "--", "<!")
# An escape, a class of characters, an anchor.
_PART = re.compile(r"\\.|\[\^?(?:\\.|[^\[\]\\])+\]|[\^$]", re.DOTALL)
_CLASS = re.compile(r"\\[wds]")
_ANCHORS = ("^", "$", r"\b", r"\B", r"\A", r"\z")


def needs(
    rule: "Mapping[str, Any] | None", utils: "Mapping[str, Any] | None" = None
) -> "list[Any]":
    """Return compiled expressions, each of which every file with a match holds."""
    found = [_compiled(each) for each in sorted(_of(rule, utils or {}, 0))]
    return [each for each in found if each is not None]


def _of(rule: Any, utils: Mapping[str, Any], depth: int) -> "set[str]":
    if not isinstance(rule, Mapping) or depth > _DEEPEST:
        return set()
    found: set[str] = set()
    if isinstance(rule.get("pattern"), str):
        found |= _words(rule["pattern"])
    if isinstance(rule.get("regex"), str):
        found |= _loosened(rule["regex"])
    for name in _BESIDE:
        found |= _of(rule.get(name), utils, depth + 1)
    for each in _list(rule.get("all")):
        found |= _of(each, utils, depth + 1)
    if isinstance(rule.get("matches"), str):
        found |= _of(utils.get(rule["matches"]), utils, depth + 1)
    either = [_of(each, utils, depth + 1) for each in _list(rule.get("any"))]
    if either and all(either):
        # Of each branch the longest: a file needs one of them.
        found.add("|".join(f"(?:{max(each, key=len)})" for each in either))
    return found


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _words(pattern: str) -> "set[str]":
    # What looks like a comment may be skipped in the match.
    return set() if any(mark in pattern for mark in _COMMENTS) else set(_WORD.findall(pattern))


def _loosened(regex: str) -> "set[str]":
    """Return an expression that finds in a file what `regex` finds in the text of one node.

    Where a node begins and ends the file goes on, so what is tied to an end is set free. What is
    a letter beyond ASCII to ast-grep is none to RE2.
    """
    # Flags change what a character means; classes may be nested; \b may have braces.
    if "(?" in regex.replace("(?:", "") or "[" in _PART.sub("", regex) or r"\b{" in regex:
        return set()
    parts = _PART.findall(regex)
    if any(part[0] == "[" and _CLASS.search(part) for part in parts):
        return set()
    free = _PART.sub(_freed, regex)
    return {free} if free else set()


def _freed(part: "re.Match[str]") -> str:
    if part[0] in _ANCHORS:
        return ""
    return rf"(?:{part[0]}|\v|[^\x00-\x7F])" if _CLASS.fullmatch(part[0]) else part[0]


def _compiled(expression: str) -> Any:
    try:
        compiled = compile_expression(expression, field="rule")
    except RuleError:
        return None
    return None if compiled.search(b"") else compiled
