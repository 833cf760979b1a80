"""JSON as people write it in configuration files, with the place of everything in the text.

In: text, with comments and commas after the last element where an editor allows them. Out: nodes
that know where they begin and end, so that a file is changed without being written anew. A file
that cannot be understood is refused with the line in which that shows.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

# What is deeper than this is no configuration.
_DEEPEST = 200
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_scan = json.JSONDecoder(parse_constant=_refuse).scan_once  # type: ignore[attr-defined]


class NotJson(Exception):
    """The text is no JSON: in which line, and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


@dataclass(slots=True)
class Member:
    """A key of an object and its value; `start` is where the key begins."""

    key: str
    start: int
    value: "Node"

    @property
    def end(self) -> int:
        """Where the value ends."""
        return self.value.end


@dataclass(slots=True)
class Node:
    """A value from `start` to before `end`. `kind` is object, array or plain.

    `members` are those of an object, `elements` those of an array, `plain` any other value.
    """

    kind: str
    start: int
    end: int = 0
    plain: Any = None
    members: list[Member] = field(default_factory=list)
    elements: list["Node"] = field(default_factory=list)

    @property
    def value(self) -> Any:
        """The value as Python has it; of a key that comes twice the last counts."""
        if self.kind == "object":
            return {member.key: member.value.value for member in self.members}
        if self.kind == "array":
            return [element.value for element in self.elements]
        return self.plain

    def member(self, key: str) -> Member | None:
        """Return the member that counts for a key."""
        return next((one for one in reversed(self.members) if one.key == key), None)

    def at(self, path: tuple[str, ...]) -> "Node | None":
        """Return the value under keys of objects, None where there is none."""
        node = self
        for key in path:
            found = node.member(key)
            if found is None:
                return None
            node = found.value
        return node

    @property
    def children(self) -> list[tuple[int, int]]:
        """Where each member or element begins and ends."""
        return [(one.start, one.end) for one in (self.members or self.elements)]


def parse(text: str, opened: frozenset[str] | None = None) -> Node:
    """Return the value that a text is. Raises `NotJson`.

    With `opened`, only values under these keys of the outermost object are taken apart; all others
    are plain, and read thirty times as fast.
    """
    return _Parser(text, opened).document()


def line_of(text: str, at: int) -> int:
    """Return the number of the line in which an offset lies."""
    return text.count("\n", 0, at) + 1


class _Parser:
    def __init__(self, text: str, opened: frozenset[str] | None) -> None:
        self.text = text
        self._opened = opened
        self.at = 1 if text.startswith("\ufeff") else 0

    def document(self) -> Node:
        node = self._value(0)
        self._skip()
        if self.at < len(self.text):
            raise self._wrong("more than one value")
        return node

    def _value(self, depth: int) -> Node:
        self._skip()
        text, start = self.text, self.at
        character = text[start : start + 1]
        if depth > _DEEPEST:
            raise self._wrong(f"deeper than {_DEEPEST} levels")
        if character == "{":
            return self._container(Node("object", start), "}", depth)
        if character == "[":
            return self._container(Node("array", start), "]", depth)
        if character == '"':
            return Node("plain", start, plain=self._string(), end=self.at)
        word = next((word for word in _WORDS if text.startswith(word, start)), "")
        if word:
            self.at += len(word)
            return Node("plain", start, self.at, _WORDS[word])
        number = _NUMBER.match(text, start)
        if number is None:
            raise self._wrong(
                f"{character!r} begins no value" if character else "it ends too early"
            )
        self.at = number.end()
        try:
            return Node("plain", start, self.at, json.loads(number[0]))
        except ValueError:
            raise self._wrong("a number with too many digits") from None

    def _container(self, node: Node, closing: str, depth: int) -> Node:
        self.at += 1
        while True:
            self._skip()
            character = self.text[self.at : self.at + 1]
            if character == closing:
                break
            if node.kind == "object":
                node.members.append(self._member(depth))
            else:
                node.elements.append(self._value(depth + 1))
            self._skip()
            character = self.text[self.at : self.at + 1]
            if character == ",":
                self.at += 1
            elif character != closing:
                raise self._wrong(f"a comma or {closing} is missing")
        self.at += 1
        node.end = self.at
        return node

    def _member(self, depth: int) -> Member:
        start = self.at
        if self.text[start : start + 1] != '"':
            raise self._wrong("a key in quotes is missing")
        key = self._string()
        self._skip()
        if self.text[self.at : self.at + 1] != ":":
            raise self._wrong("a colon is missing")
        self.at += 1
        closed = depth == 0 and self._opened is not None and key not in self._opened
        return Member(key, start, (closed and self._plain()) or self._value(depth + 1))

    def _plain(self) -> Node | None:
        """Return a value that is strict JSON as a plain one, None for any other."""
        self._skip()
        try:
            value, end = _scan(self.text, self.at)
        except (StopIteration, ValueError, RecursionError):
            return None
        node = Node("plain", self.at, end, value)
        self.at = end
        return node

    def _string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self._wrong("a string does not end in its line")
        try:
            text = json.loads(found[0])
        except ValueError:
            raise self._wrong("a string with an escape that is none") from None
        self.at = found.end()
        assert isinstance(text, str)  # noqa: S101
        return text

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith("/*", self.at):
            raise self._wrong("a comment does not end")

    def _wrong(self, why: str) -> NotJson:
        return NotJson(line_of(self.text, self.at), why)
