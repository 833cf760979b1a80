"""Changes to a JSON text that leave every other character where it was.

In: a text, its nodes, and what to put in or take out. Out: cuts, each a place, what stood there and
what stands there now. Cuts are applied one after the other and can be taken back in reverse.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .jsonc import Node

_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cut:
    """At an offset, `old` became `new`."""

    at: int
    old: str
    new: str


def apply(text: str, cuts: Iterable[Cut]) -> str:
    """Return the text after some cuts, made in their order."""
    for cut in cuts:
        text = text[: cut.at] + cut.new + text[cut.at + len(cut.old) :]
    return text


def taken_back(text: str, cuts: Iterable[Cut]) -> str | None:
    """Return the text before some cuts, None if it is not what they led to."""
    for cut in reversed(list(cuts)):
        if not text.startswith(cut.new, cut.at):
            return None
        text = text[: cut.at] + cut.old + text[cut.at + len(cut.new) :]
    return text


def between(old: str, new: str) -> list[Cut]:
    """Return the one cut that leads from one text to another, none if they are equal."""
    if old == new:
        return []
    shorter = min(len(old), len(new))
    at = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = 0
    while tail < shorter - at and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return [Cut(at, old[at : len(old) - tail], new[at : len(new) - tail])]


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is laid out: its line ends and one step of its indentation."""

    newline: str = "\n"
    step: str = "  "

    @classmethod
    def of(cls, text: str, root: Node) -> "Style":
        """Return the style of a text, seen from the first child that has a line to itself."""
        first = text.find("\n")
        newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
        for start, _ in root.children:
            indent = _indent_at(text, start)
            if indent and _begins_line(text, start):
                return cls(newline, indent)
        return cls(newline)

    def written(self, value: Any, indent: str) -> str:
        """Return JSON over several lines, of which all but the first are indented."""
        if isinstance(value, dict) and value:
            inner = [f"{_flat(key)}: {self.written(one, indent + self.step)}"
                     for key, one in value.items()]  # fmt: skip
        elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            inner = [self.written(one, indent + self.step) for one in value]
        else:
            return _flat(value)
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        line = self.newline + indent
        return opening + line + self.step + f",{line}{self.step}".join(inner) + line + closing


def added(text: str, node: Node, value: Any, style: Style, key: str = "") -> list[Cut]:
    """Return cuts that add a member to an object (with `key`) or an element to an array."""
    name = f"{json.dumps(key)}: " if key else ""
    if not node.children:
        return [_first_child(text, node, value, style, name)]
    start, end = node.children[-1]
    if "\n" not in text[node.start : node.end]:
        return [Cut(end, "", f", {name}{json.dumps(value, ensure_ascii=False)}")]
    indent = _indent_at(text, start) if _begins_line(text, start) else None
    if indent is None:
        indent = _indent_at(text, node.start) + style.step
    fresh = style.newline + indent + name + style.written(value, indent)
    comma = _comma(text, end, node.end - 1)
    if comma is not None:
        return [Cut(_after_remark(text, comma + 1, node.end - 1), "", fresh + ",")]
    place = _after_remark(text, end, node.end - 1)
    return [Cut(place, "", fresh), Cut(end, "", ",")]


def _first_child(text: str, node: Node, value: Any, style: Style, name: str) -> Cut:
    base = _indent_at(text, node.start)
    indent = base + style.step
    inner = text[node.start + 1 : node.end - 1]
    kept = inner.rstrip()
    fresh = style.newline + indent + name + style.written(value, indent)
    if "\n" in inner[len(kept) :]:
        return Cut(node.start + 1 + len(kept), "", fresh)
    return Cut(node.end - 1, "", fresh + style.newline + base)


def replaced(text: str, node: Node, value: Any, style: Style) -> list[Cut]:
    """Return cuts that put another value in the place of a node."""
    old = text[node.start : node.end]
    if "\n" in old or "\n" not in text:
        new = style.written(value, _indent_at(text, node.start)) if "\n" in old else _flat(value)
    else:
        new = _flat(value)
    return [Cut(node.start, old, new)]


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def removed(text: str, node: Node, index: int) -> list[Cut]:
    """Return cuts that take the child at an index out of an object or an array."""
    children = node.children
    start, end = children[index]
    before = children[index - 1][1] if index else node.start + 1
    behind = children[index + 1][0] if index + 1 < len(children) else node.end - 1
    comma = _comma(text, end, behind)
    first = _space_before(text, before, start, end if comma is None else comma + 1)
    if not index and index + 1 < len(children) and comma is not None:
        # What stood before the first child now stands before the second.
        rest = comma + 1
        while text[rest : rest + 1] in (" ", "\t", "\r", "\n"):
            rest += 1
        return [Cut(comma, text[comma:rest], ""), Cut(start, text[start:end], "")]
    cuts = [Cut(comma, ",", "")] if comma is not None else []
    if not index and len(children) == 1:
        last = node.end - 1
        space = text[end:last].replace(",", "", 1) if comma is not None else text[end:last]
        if first == node.start + 1 and not space.strip():
            return [Cut(first, text[first:last], "")]
    cuts.append(Cut(first, text[first:end], ""))
    if comma is None and index:
        former = _comma(text, before, start)
        if former is not None:
            cuts.append(Cut(former, ",", ""))
    return cuts


def _space_before(text: str, before: int, start: int, end: int) -> int:
    """Return where the white space before a child begins that goes with it.

    A comment to the end of its line keeps its line end, unless another one follows.
    """
    first = before + len(text[before:start].rstrip(" \t\r\n"))
    remarks = list(_COMMENT.finditer(text, before, start))
    runs_on = remarks and remarks[-1].end() >= first and remarks[-1][0].startswith("//")
    return start if runs_on and not re.match(r"[ \t]*\r?\n", text[end:]) else first


def _comma(text: str, start: int, end: int) -> int | None:
    """Return where a comma stands between two places, comments left aside."""
    at = start
    while at < end:
        remark = _COMMENT.match(text, at)
        if remark:
            at = remark.end()
        elif text[at] == ",":
            return at
        else:
            at += 1
    return None


def _after_remark(text: str, start: int, end: int) -> int:
    """Return the end of a comment that follows on the same line, `start` if there is none."""
    line_end = text.find("\n", start, end)
    if line_end < 0:
        return start
    rest = text[start:line_end]
    shown = rest.rstrip()
    remark = _COMMENT.fullmatch(shown.lstrip())
    return start + len(shown) if remark and "\n" not in remark[0] else start


def _begins_line(text: str, at: int) -> bool:
    line = text.rfind("\n", 0, at) + 1
    return line > 0 and not text[line:at].strip()


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]
