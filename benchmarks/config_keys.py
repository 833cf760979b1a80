"""The keys of a configuration file with their lines: text in, (path of the key, line) out.

Line by line, which is enough for files as people write them; nothing of the program is used, so
that it can be measured against this.
"""

import re
from collections.abc import Iterator

Key = tuple[str, ...]
_JSON = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(:)?|([{}\[\]])|(\n)|//[^\n]*')
_YAML = re.compile(r"^( *)(?:- +)?(['\"]?)([\w.@/-]+)\2:(?:\s|$)")
_ASSIGNED = re.compile(r"^([\w.-]+)\s*[=:]")


def keys_of(text: str, kind: str) -> Iterator[tuple[Key, int]]:
    """Yield every key; `kind` is the extension of the file."""
    if kind == "json":
        return _json(text)
    if kind in ("yml", "yaml"):
        return _yaml(text)
    if kind == "properties":
        return _properties(text)
    return _tables(text)


def _json(text: str) -> Iterator[tuple[Key, int]]:
    stack: list[str] = []
    pending, line = "", 1
    for match in _JSON.finditer(text):
        if match[4]:
            line += 1
        elif match[2]:
            pending = match[1]
            names = [name for name in stack if name]
            if "[" not in stack:
                yield (*names, pending), line
        elif match[3] == "{":
            stack.append(pending)
            pending = ""
        elif match[3] == "[":
            stack.append("[")
            pending = ""
        elif match[3] and stack:
            stack.pop()


def _yaml(text: str) -> Iterator[tuple[Key, int]]:
    stack: list[tuple[int, str]] = []
    block: int | None = None
    for number, line in enumerate(text.split("\n"), 1):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip():
            continue
        if block is not None:
            if indent > block:
                continue
            block = None
        while stack and stack[-1][0] >= indent:
            stack.pop()
        if line.lstrip().startswith("- "):
            stack.append((indent, ""))  # what lies in a list has no path
            continue
        match = _YAML.match(line)
        if match:
            stack.append((indent, match[3]))
            names = [name for _, name in stack]
            if "" not in names:
                yield tuple(names), number
            if re.search(r":\s*[|>][-+]?\s*$", line):
                block = indent


def _tables(text: str) -> Iterator[tuple[Key, int]]:
    table: Key = ()
    for number, line in enumerate(text.split("\n"), 1):
        head = re.match(r"^\[+([\w.\"'-]+)\]+\s*$", line)
        key = _ASSIGNED.match(line)
        if head:
            table = tuple(head[1].replace('"', "").replace("'", "").split("."))
            yield table, number
        elif key:
            yield (*table, *key[1].split(".")), number


def _properties(text: str) -> Iterator[tuple[Key, int]]:
    for number, line in enumerate(text.split("\n"), 1):
        key = _ASSIGNED.match(line)
        if key:
            yield tuple(key[1].split(".")), number
