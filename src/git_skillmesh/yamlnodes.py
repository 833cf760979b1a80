"""YAML that strangers may have written, as a tree of plain nodes with line numbers.

In: bytes. Out: `Node`s. Only what a file of fields needs is let in: one document of mappings,
lists and scalars; no anchors (they can grow without bound), no tags, no deep nesting, no key twice.
"""

from dataclasses import dataclass
from typing import Any

LONGEST = 256 * 1024  # bytes
_DEEPEST = 24
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


class Unreadable(Exception):
    """The text is not the YAML that is let in. `line` counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it begins, lines from 1. `start` and `end` are offsets in characters.

    `content` is a str (a scalar as it reads, `plain` if without quotes), a list of nodes, or a dict
    of key → (node of the key, node of the value).
    """

    content: "str | list[Node] | dict[str, tuple[Node, Node]]"
    line: int
    start: int
    end: int
    plain: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing stands there, or null."""
        return self.plain and self.content in ("", "~", "null")

    def value(self) -> Any:
        """Return the value as JSON knows it: words for true, false and null, and numbers."""
        if isinstance(self.content, dict):
            return {key: node.value() for key, (_, node) in self.content.items()}
        if isinstance(self.content, list):
            return [node.value() for node in self.content]
        if not self.plain:
            return self.content
        if self.content in _WORDS:
            return _WORDS[self.content]
        return _number(self.content)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            if text.isascii() and text[:1] not in "_+." and "_" not in text and text[-1:].isdigit():
                return kind(text)
        except ValueError:
            continue
    return text


def read_yaml(data: bytes, longest: int = LONGEST) -> Node:
    """Return the document, of at most `longest` bytes. Raises `Unreadable`."""
    import yaml  # only where such a file is read

    if len(data) > longest:
        raise Unreadable(1, f"longer than {longest // 1024} KiB")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(data.count(b"\n", 0, error.start) + 1, "not UTF-8") from None
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _document(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, error.problem or "not YAML") from None
    except yaml.YAMLError as error:
        raise Unreadable(1, str(error).splitlines()[0]) from None


def _document(events: Any) -> Node:
    """Build the tree without recursion: the depth is in the hands of whoever wrote the file."""
    import yaml

    stack: list[_Open] = []
    root: Node | None = None
    documents = 0
    for event in events:
        start: Any = event.start_mark
        end: Any = event.end_mark
        line = start.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Unreadable(line, "more than one document")
        elif isinstance(event, yaml.AliasEvent):
            raise Unreadable(line, f"*{event.anchor}: aliases are not allowed")
        elif isinstance(event, yaml.NodeEvent):
            _refuse_extras(event, line)
            if isinstance(event, yaml.ScalarEvent):
                plain = not event.style
                root = _add(stack, Node(event.value, line, start.index, end.index, plain), root)
            else:
                if len(stack) >= _DEEPEST:
                    raise Unreadable(line, f"nested deeper than {_DEEPEST}")
                stack.append(_Open(isinstance(event, yaml.MappingStartEvent), start, []))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = stack.pop()
            root = _add(stack, closed.node(end.index), root)
    if root is None:
        raise Unreadable(1, "empty")
    return root


def _refuse_extras(event: Any, line: int) -> None:
    if event.anchor:
        raise Unreadable(line, f"&{event.anchor}: anchors are not allowed")
    if getattr(event, "tag", None) and event.tag != "!":
        raise Unreadable(line, f"{event.tag}: tags are not allowed")


@dataclass(frozen=True, slots=True)
class _Open:
    """A mapping or list that has begun; a mapping holds keys and values in turn."""

    mapping: bool
    mark: Any
    nodes: list[Node]

    def node(self, end: int) -> Node:
        line, start = self.mark.line + 1, self.mark.index
        if not self.mapping:
            return Node(self.nodes, line, start, end)
        content: dict[str, tuple[Node, Node]] = {}
        for key, value in zip(self.nodes[::2], self.nodes[1::2], strict=True):
            if not isinstance(key.content, str):
                raise Unreadable(key.line, "a key must be a word")
            if key.content in content:
                raise Unreadable(key.line, f"{key.content} stands there twice")
            content[key.content] = key, value
        return Node(content, line, start, end)


def _add(stack: list[_Open], node: Node, root: Node | None) -> Node:
    if stack:
        stack[-1].nodes.append(node)
        return root or node
    return node
