"""What the page asks for (web/src/api.ts), held against what the program answers.

In: the name of an interface, a document. Out: what does not fit, as text. The few forms of
TypeScript that the file uses are understood, and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

API = Path(__file__).parents[1] / "web" / "src" / "api.ts"
_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_]\w*|[{}()\[\];:|&?,=]')


@dataclass
class _Kind:
    """A type: `name` is object, array, union, literal, or a name of the file."""

    name: str
    fields: dict[str, "_Kind"] = field(default_factory=dict)
    parts: list["_Kind"] = field(default_factory=list)


class _Reader:
    def __init__(self, text: str) -> None:
        bare = re.sub(r"//[^\n]*", "", text)
        self._tokens = _TOKEN.findall(bare)
        self._place = 0

    def declarations(self) -> Iterator[tuple[str, _Kind]]:
        while self._place < len(self._tokens):
            self._take("export")
            what, name = self._next(), self._next()
            if what == "type":
                self._take("=")
                yield name, self._union()
                continue
            bases = []
            if self._peek() == "extends":
                self._next()
                bases = [_Kind(self._next())]
                while self._peek() == ",":
                    self._next()
                    bases.append(_Kind(self._next()))
            yield name, _Kind("both", parts=[*bases, self._object()])

    def _union(self) -> _Kind:
        parts = []
        while True:
            if self._peek() == "|":
                self._next()
            parts.append(self._both())
            if self._peek() != "|":
                return parts[0] if len(parts) == 1 else _Kind("union", parts=parts)

    def _both(self) -> _Kind:
        parts = [self._array()]
        while self._peek() == "&":
            self._next()
            parts.append(self._array())
        return parts[0] if len(parts) == 1 else _Kind("both", parts=parts)

    def _array(self) -> _Kind:
        kind = self._one()
        while self._peek() == "[":
            self._take("[")
            self._take("]")
            kind = _Kind("array", parts=[kind])
        return kind

    def _one(self) -> _Kind:
        word = self._peek()
        if word == "{":
            return self._object()
        self._next()
        if word == "(":
            kind = self._union()
            self._take(")")
            return kind
        if word.startswith('"'):
            return _Kind("literal", {word[1:-1]: _Kind("")})
        return _Kind(word)

    def _object(self) -> _Kind:
        self._take("{")
        fields = {}
        while self._peek() != "}":
            name = self._next()
            self._take(":")
            fields[name] = self._union()
            if self._peek() in (";", ","):
                self._next()
        self._take("}")
        return _Kind("object", fields)

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._place += 1
        return token

    def _take(self, wanted: str) -> None:
        found = self._next()
        assert found == wanted, f"{wanted} expected, found {found} at token {self._place}"


@cache
def _declared() -> Mapping[str, _Kind]:
    return dict(_Reader(API.read_text()).declarations())


def misfits(name: str, document: Any) -> list[str]:
    """Return what of a document does not fit an interface."""
    return list(_misfits(_declared()[name], document, name))


def _misfits(kind: _Kind, value: Any, where: str) -> Iterator[str]:
    simple: Mapping[str, tuple[type, ...]] = {
        "string": (str,), "number": (int, float), "boolean": (bool,), "null": (type(None),),
    }  # fmt: skip
    if kind.name in simple:
        if not isinstance(value, simple[kind.name]) or (
            kind.name == "number" and isinstance(value, bool)
        ):
            yield f"{where} is no {kind.name}: {value!r:.80}"
    elif kind.name == "literal":
        if value not in kind.fields:
            yield f"{where} is {value!r:.80}"
    elif kind.name == "array":
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for place, one in enumerate(value):
            yield from _misfits(kind.parts[0], one, f"{where}[{place}]")
    elif kind.name == "union":
        found = [list(_misfits(part, value, where)) for part in kind.parts]
        if all(found):
            yield from min(found, key=len)
    elif kind.name in ("object", "both"):
        yield from _object_misfits(_fields(kind), value, where)
    else:
        yield from _misfits(_declared()[kind.name], value, where)


def _fields(kind: _Kind) -> dict[str, _Kind]:
    if kind.name == "object":
        return kind.fields
    if kind.name == "both":
        return {name: one for part in kind.parts for name, one in _fields(part).items()}
    return _fields(_declared()[kind.name])


def _object_misfits(fields: Mapping[str, _Kind], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    for name in sorted(set(fields) ^ set(value)):
        yield f"{where}.{name} is {'missing' if name in fields else 'not in the contract'}"
    for name in set(fields) & set(value):
        yield from _misfits(fields[name], value[name], f"{where}.{name}")
