"""Questions to ast-grep, answered where it cannot do harm: see parser.py.

In: a question as plain values. Out: an answer as plain values. Each file is parsed once for all
the rules that come in a row.
"""

import re
from collections import OrderedDict
from typing import Any

_KEPT = 32  # files
_LONGEST = 300
_VARIABLE = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)|\$([A-Z_][A-Z0-9_]*)")


class Trees:
    """Parsed files, the last ones that were asked about."""

    def __init__(self, most_matches: int) -> None:
        self._most = most_matches
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._trees: OrderedDict[tuple[int, str], Any] = OrderedDict()

    def answer(self, question: "dict[str, Any]") -> "dict[str, Any]":
        """Return {"matches"}, {"refused"}, {"failed"}, or {"again"} where the text is missing."""
        number = question["file"]
        if "text" in question:
            self._texts[number] = question["text"]
        elif number not in self._texts:
            return {"again": True}
        try:
            return self._found(question)
        except (RuntimeError, ValueError, TypeError, Exception) as error:
            return {"refused": _cause(str(error))}
        except BaseException as error:  # a panic of Rust is no Exception
            return {"refused": _cause(str(error)) or "ast-grep fails"}

    def _found(self, question: "dict[str, Any]") -> "dict[str, Any]":
        tree = self._tree(question["file"], question["language"])
        nodes = tree.root().find_all(question["config"])
        text, rewrite = self._texts[question["file"]], question["rewrite"]
        found = {"matches": sorted(_match(node, text, rewrite) for node in nodes[: self._most])}
        return found | {"more": True} if len(nodes) > self._most else found

    def _tree(self, number: int, language: str) -> Any:
        from ast_grep_py import SgRoot

        key = number, language
        if key not in self._trees:
            self._trees[key] = SgRoot(self._texts[number], language)
        while len(self._texts) > _KEPT:
            oldest, _ = self._texts.popitem(last=False)
            for other in [other for other in self._trees if other[0] == oldest]:
                del self._trees[other]
        return self._trees[key]


def _match(node: Any, text: str, rewrite: str) -> "tuple[int, int, int, int, str]":
    place = node.range()
    start, end = place.start, place.end
    replacement = _filled(rewrite, node, text) if rewrite else ""
    # A node that ends after a line feed ends in the line that the feed closes.
    if end.column == 0 and end.line > start.line:
        before = text.rfind("\n", 0, end.index - 1) + 1
        return start.line + 1, end.line, start.column + 1, end.index - before + 1, replacement
    return start.line + 1, end.line + 1, start.column + 1, end.column + 1, replacement


def _filled(rewrite: str, node: Any, text: str) -> str:
    """Return the replacement with what the variables of the rule stand for in this match."""

    def value(variable: "re.Match[str]") -> str:
        if variable[1]:
            nodes = node.get_multiple_matches(variable[1])
            if not nodes:
                return ""
            return text[nodes[0].range().start.index : nodes[-1].range().end.index]
        found = node.get_match(variable[2])
        return found.text() if found is not None else ""

    return _VARIABLE.sub(value, rewrite)


def _cause(said: str) -> str:
    """Return the innermost cause that ast-grep gives, on one line."""
    text = said.partition("\nStack backtrace:")[0]
    causes = [cause.strip() for cause in re.split(r"(?m)^\s*\d+: |^Caused by:", text)]
    last = next((cause for cause in reversed(causes) if cause), "")
    field = re.search(r"`(rule|constraints|utils)` is not configured", text)
    where = f"{field[1]}: " if field else ""
    return where + " ".join(last.split())[:_LONGEST]
