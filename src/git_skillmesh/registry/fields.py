"""What is wrong with the fields of a card or a role, field by field and with the line.

In: a YAML node. Out: complaints. `cards` makes the best of any file; this says what it should be.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..yamlnodes import Node
from .invocation import usable
from .model import ID, Maturity, Risk

ROLE_ID = r"[a-z0-9]+(-[a-z0-9]+)*"
TITLE_LENGTH = 80
ITEM_LENGTH = 400
DESCRIPTION_LENGTH = 1024
PACKAGE_KINDS = ("pypi", "npm", "bin", "crates", "go", "os")
_DEPENDENCY = (
    rf"({'|'.join(PACKAGE_KINDS)}):[A-Za-z0-9@][\w./+@-]*(\[[\w,-]+\])?"
    r"( ?[<>=!~^]{1,3} ?[\w.*, <>=!~^-]+)?"
)
_TAG = r"[^\sA-Z]([^A-Z]*[^\sA-Z])?"


@dataclass(slots=True)
class Fields:
    """The fields of a mapping; what does not fit is noted in `wrong` as (line, what)."""

    node: Node
    name: str = ""
    wrong: "list[tuple[int, str]]" = field(default_factory=list)

    def complain(self, line: int, what: str) -> None:
        """Note what is wrong in a line."""
        self.wrong.append((line, what))

    def get(self, key: str) -> Node | None:
        """Return a field, None where it is missing or empty."""
        content = self.node.content
        pair = content.get(key) if isinstance(content, dict) else None
        return None if pair is None or pair[1].empty else pair[1]

    def line(self, key: str) -> int:
        """Return where a field stands, or else where the mapping begins."""
        content = self.node.content
        return content[key][0].line if isinstance(content, dict) and key in content else 1

    def check(self, known: "Mapping[str, Check]", optional: "frozenset[str]" = frozenset()) -> None:
        """Complain of what is unknown, missing or does not fit."""
        content = self.node.content
        if not isinstance(content, dict):
            self.complain(self.node.line, f"{self.name or 'the file'} must be a mapping of fields")
            return
        for key, (name, _) in content.items():
            if key not in known:
                self.complain(name.line, f"unknown field: {self.full(key)}")
        for key, check in known.items():
            node = self.get(key)
            if node is not None:
                check(self, key, node)
            elif key not in optional:
                pair = content.get(key)
                line = pair[0].line if pair else self.node.line
                self.complain(line, f"{self.full(key)} is {'empty' if pair else 'missing'}")

    def full(self, key: str) -> str:
        """Return the name of a field with those that it lies in."""
        return f"{self.name}.{key}" if self.name else key


Check: TypeAlias = Callable[[Fields, str, Node], None]


def text(longest: int, pattern: str = "", hint: str = "") -> Check:
    """Return a check for one line of text."""

    def check(of: Fields, key: str, node: Node) -> None:
        content = node.content
        if not isinstance(content, str):
            of.complain(node.line, f"{of.full(key)} must be text")
        elif not content.strip():
            of.complain(node.line, f"{of.full(key)} is empty")
        elif len(content) > longest:
            of.complain(node.line, f"{of.full(key)} is longer than {longest} characters")
        elif pattern and not re.fullmatch(pattern, content):
            of.complain(node.line, f"{of.full(key)} must be {hint}: {content!r}")

    return check


def texts(pattern: str = "", hint: str = "", *, least: int = 0) -> Check:
    """Return a check for a list of different texts."""

    def check(of: Fields, key: str, node: Node) -> None:
        if not isinstance(node.content, list):
            of.complain(node.line, f"{of.full(key)} must be a list")
            return
        one = text(ITEM_LENGTH, pattern, hint)
        seen = set()
        for item in node.content:
            if item.empty or (item.plain and not isinstance(item.value(), str)):
                what = "is empty" if item.empty else f"must be text, in quotes: {item.content}"
                of.complain(item.line, f"an entry of {of.full(key)} {what}")
                continue
            one(of, key, item)
            if isinstance(item.content, str):
                folded = " ".join(item.content.casefold().split())
                if folded in seen:
                    of.complain(item.line, f"{of.full(key)} has {item.content!r} twice")
                seen.add(folded)
        if len(node.content) < least:
            of.complain(node.line, f"{of.full(key)} must have {least} entries or more")

    return check


def within(known: "Mapping[str, Check]", optional: "frozenset[str]" = frozenset()) -> Check:
    """Return a check for a mapping with fields of its own."""

    def check(of: Fields, key: str, node: Node) -> None:
        Fields(node, of.full(key), of.wrong).check(known, optional)

    return check


def strings(*, quoted: bool) -> Check:
    """Return a check for a map of strings; `quoted` if what reads like a number must have quotes.

    Readers of Agent Skills take every scalar for text, readers of plain YAML do not.
    """

    def check(of: Fields, key: str, node: Node) -> None:
        if not isinstance(node.content, dict):
            of.complain(node.line, f"{of.full(key)} must be a map of strings")
            return
        for name, (_, value) in node.content.items():
            if not isinstance(value.content if not quoted else value.value(), str):
                in_quotes = ", in quotes" if quoted else ""
                of.complain(value.line, f"{of.full(key)}.{name} must be text{in_quotes}")

    return check


def _word(words: type[Risk] | type[Maturity]) -> Check:
    return text(20, "|".join(words), f"one of {', '.join(words)}")


def _function(of: Fields, key: str, node: Node) -> None:
    if not usable(node.value()):
        what = "a function tool: type, function {name, description, parameters of type object}"
        of.complain(node.line, f"{of.full(key)} must be {what}")


_IDS = texts(ID, "the id of a card, domain.name")
_PHRASES = texts(least=1)
_EITHER = frozenset({"required", "optional"})
_KINDS = frozenset({"before", "after", "related"})
# In the order in which they are written.
CARD: Mapping[str, Check] = {
    "title": text(TITLE_LENGTH, r"\S.*\S", "one line"),
    "tags": texts(_TAG, "lower-case", least=1),
    "tool_hints": texts(),
    "aliases": texts(),
    "examples": texts(least=1),
    "dependencies": texts(
        _DEPENDENCY, f"kind:name with a constraint, kinds {', '.join(PACKAGE_KINDS)}"
    ),
    "input_contract": within({"required": texts(), "optional": texts()}, _EITHER),
    "output_artifacts": _PHRASES,
    "quality_checks": _PHRASES,
    "constraints": _PHRASES,
    "composability": within({"before": _IDS, "after": _IDS, "related": _IDS}, _KINDS),
    "risk_level": _word(Risk),
    "maturity": _word(Maturity),
    "invocation": _function,
    "metadata": strings(quoted=True),
}
OPTIONAL = frozenset({"invocation"})
# As a registry file has them: what a tree says by places and by the front matter is written out.
ENTRY: Mapping[str, Check] = {
    "id": text(130, ID, "domain.name"),
    "domain": text(64, ROLE_ID, "a word"),
    "instruction_file": text(300),
    "description": text(DESCRIPTION_LENGTH),
    **CARD,
}
ROLE: Mapping[str, Check] = {
    "id": text(64, ROLE_ID, "lower-case words with hyphens"),
    "title": text(TITLE_LENGTH),
    "description": text(DESCRIPTION_LENGTH),
    "experts": texts(ID, "the id of a card, domain.name", least=1),
    "tags": texts(_TAG, "lower-case"),
}
ROLE_OPTIONAL = frozenset({"tags"})
# Agent Skills: the specification, as its reference implementation checks it.
SKILL: Mapping[str, Check] = {
    "name": text(64, ROLE_ID, "a-z, 0-9 and single hyphens between them"),
    "description": text(DESCRIPTION_LENGTH),
    "license": text(500),
    "compatibility": text(500),
    "metadata": strings(quoted=False),
    "allowed-tools": text(4000),
}
SKILL_OPTIONAL = frozenset({"license", "compatibility", "metadata", "allowed-tools"})
