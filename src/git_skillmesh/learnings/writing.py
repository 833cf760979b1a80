"""From a `Learning` to the text of its file, and one field changed in a file that people wrote.

In: a learning; or a file and a field. Out: YAML. The order is fixed, empty fields are left out, and
several lines of text become a block, so that a diff of the file reads like prose.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..yamlnodes import Node, read_yaml
from .model import Example, Learning, Matcher, MatcherKind
from .reading import FIELDS, MATCHERS


def write_learning(learning: Learning) -> str:
    """Return the text of the file of a learning; reading it gives the same learning."""
    plain = fields_of(learning)
    return dump({name: plain[name] for name in FIELDS if plain.get(name) not in _NOTHING})


def set_field(text: str, name: str, value: "str | Mapping[str, Any]") -> str:
    """Return the text of a file with one field set, a word or a mapping; all else stays as it is.

    Raises `yamlnodes.Unreadable`, and KeyError for a name that is no field.
    """
    if name not in FIELDS:
        raise KeyError(name)
    root = read_yaml(text.encode())
    fields = root.content if isinstance(root.content, dict) else {}
    plain = value if isinstance(value, str) else dict(value)
    written = dump({name: plain}).removesuffix("\n")
    if name in fields:
        key, node = fields[name]
        end = max(_end(node, text), key.end)
        tail = "\n" if text[:end].endswith("\n") else ""
        return text[: key.start] + written + tail + text[end:]
    order = list(FIELDS)
    following = [key for other, (key, _) in fields.items() if other in order[order.index(name) :]]
    at = min((key.start for key in following), default=len(text))
    before = text[:at] if text[:at].endswith("\n") or not text[:at] else text[:at] + "\n"
    return f"{before}{written}\n{text[at:]}"


def _end(node: Node, text: str) -> int:
    """Return where what a node says ends: a block is told to end where the next thing begins."""
    inside: list[Node] = []
    if isinstance(node.content, dict):
        inside = [each for pair in node.content.values() for each in pair]
    elif isinstance(node.content, list):
        inside = node.content
    if not inside or text[node.end - 1 : node.end] in ("}", "]"):
        return node.end
    return max(_end(each, text) for each in inside)


_NOTHING: tuple[Any, ...] = (None, "", [], {})


def fields_of(learning: Learning) -> dict[str, Any]:
    """Return every field as JSON knows it, empty ones too."""
    fix = {name: text for name, text in asdict(learning.fix).items() if text}
    sides = {"bad": learning.bad, "good": learning.good}
    examples = {side: [_example(one) for one in found] for side, found in sides.items() if found}
    return {
        "learning_id": learning.learning_id,
        "title": learning.title,
        "description": learning.description,
        "category": learning.category,
        "tags": list(learning.tags),
        "languages": list(learning.languages),
        "paths": list(learning.paths),
        "severity": str(learning.severity),
        "state": str(learning.state),
        "pattern": learning.pattern,
        "matcher": _matcher(learning.matcher),
        "fix": fix,
        "examples": examples,
        "source_chat_id": learning.source_chat_id,
        "source_commits": list(learning.source_commits),
        "example_code_reference": learning.example_code_reference,
        "confidence": learning.confidence,
        "author": learning.author,
        "created": learning.created,
        "updated": learning.updated,
        "backtest": asdict(learning.backtest) if learning.backtest else None,
        "forced": learning.forced,
        "retired": learning.retired,
    }


def _matcher(matcher: Matcher) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": str(matcher.kind)}
    for name, must in MATCHERS[matcher.kind].items():
        value = getattr(matcher, name)
        if name == "scope":
            value = str(value)
        elif isinstance(value, tuple):
            value = list(value)
        if must or value not in (*_NOTHING, False, 0):
            found[name] = value
    if matcher.kind in (MatcherKind.REGEX, MatcherKind.LITERAL) and matcher.scope == "lines":
        found.pop("scope", None)
    return found


def _example(example: Example) -> "str | dict[str, Any]":
    if example.code and not example.path:
        return example.code
    found = {"path": example.path, "code": example.code, "files": list(example.files)}
    return {name: value for name, value in found.items() if value}


def dump(document: dict[str, Any]) -> str:
    """Return a mapping as YAML that people like to read."""
    import yaml  # only where a learning is written

    class Dumper(yaml.SafeDumper):
        """Text of several lines as a block, lists indented below their key."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

        def analyze_scalar(self, scalar: str) -> Any:
            # PyYAML takes a tab for a special character, and Go for its indentation.
            block = getattr(self.event, "style", None) == "|"
            analysis = super().analyze_scalar(scalar.replace("\t", " ") if block else scalar)
            analysis.scalar = scalar
            return analysis

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value and not _needs_quotes(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=96)


def _needs_quotes(value: str) -> bool:
    """Whether a block would not give the text back as it is."""
    lines = value.split("\n")
    return any(line != line.rstrip() for line in lines) or lines[0][:1].isspace()
