"""From the bytes of a learning's file to a `Learning`, or to what is wrong with it, line by line.

In: a path and bytes, from a working tree or a commit. Out: `ReadFile`. Strict on purpose: a field
that nobody knows is most often a typing error, and a matcher with one would guard nothing. Keys
that begin with "x-" are the user's own. docs/learning.schema.json says the same to editors.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, TypeVar

from ..yamlnodes import Node, Unreadable, read_yaml
from .model import Backtest, Example, Fix, Learning, Matcher, MatcherKind, Scope, Severity, State

ID = r"[a-z0-9][a-z0-9._-]{0,63}"
DAY = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
COMMIT = r"[0-9a-f]{7,64}"
TITLE_LENGTH = 120

# Field → whether it must be there. The order is that of a written file.
FIELDS = {
    "learning_id": True, "title": True, "description": True, "category": False, "tags": False,
    "languages": False, "paths": False, "severity": False, "state": False, "pattern": False,
    "matcher": True, "fix": False, "examples": False, "source_chat_id": False,
    "source_commits": False, "example_code_reference": False, "confidence": False,
    "author": False, "created": False, "updated": False, "backtest": False, "forced": False,
    "retired": False,
}  # fmt: skip
# Kind of matcher → field → whether it must be there.
MATCHERS = {
    MatcherKind.AST: {"rule": True, "constraints": False, "utils": False},
    MatcherKind.REGEX: {"regex": True, "scope": False, "ignore_case": False, "unless": False},
    MatcherKind.LITERAL: {"text": True, "scope": False, "ignore_case": False, "unless": False},
    MatcherKind.MESSAGE: {"regex": True, "ignore_case": False, "required": False},
    MatcherKind.PATHS: {"accompany": False, "untouchable": False, "max_bytes": False},
}
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with a file, and in which line (from 1)."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as it was read: the learning is None where there are problems.

    `lines` says where each field stands, for complaints that come later: "matcher",
    "matcher.regex", "examples.bad.0".
    """

    path: str
    learning: Learning | None
    problems: tuple[Problem, ...] = ()
    lines: "dict[str, int]" = field(default_factory=dict)

    def problem(self, name: str, what: str) -> Problem:
        """Return a complaint about a field."""
        return Problem(self.path, self.lines.get(name, 1), what)


def read_learning(path: str, data: bytes) -> ReadFile:
    """Read the file of a learning; `path` is where it stands, and its name must be the id."""
    try:
        root = read_yaml(data)
    except Unreadable as error:
        return ReadFile(path, None, (Problem(path, error.line, error.what),))
    if not isinstance(root.content, dict):
        return ReadFile(path, None, (Problem(path, 1, "not a mapping of fields"),))
    lines = _lines(root)
    reader = _Mapping(root, "")
    learning = _learning(reader, path)
    problems = tuple(sorted(Problem(path, line, what) for line, what in reader.wrong))
    return ReadFile(path, None if problems else learning, problems, lines)


def _lines(root: Node) -> "dict[str, int]":
    lines = {}
    pending = [("", root)]
    while pending:
        name, node = pending.pop()
        if isinstance(node.content, dict):
            for key, (key_node, value) in node.content.items():
                lines[name + key] = key_node.line
                pending.append((f"{name}{key}.", value))
        elif isinstance(node.content, list):
            for number, one in enumerate(node.content):
                lines[f"{name}{number}"] = one.line
    return lines


class _Mapping:
    """Takes fields out of a mapping. What does not fit is noted in `wrong`, and a default taken."""

    def __init__(self, node: Node, name: str, wrong: "list[tuple[int, str]] | None" = None) -> None:
        self.wrong: list[tuple[int, str]] = [] if wrong is None else wrong
        self.line = node.line
        self._name = name
        self._fields: dict[str, tuple[Node, Node]] = {}
        if isinstance(node.content, dict):
            self._fields = node.content
        elif not node.empty:
            self.complain(node.line, f"{name} must be a mapping")

    def complain(self, line: int, what: str) -> None:
        self.wrong.append((line, what))

    def fits(self, known: "dict[str, bool]") -> bool:
        """Complain of unknown fields and of missing ones; whether none is missing."""
        for key, (node, _) in self._fields.items():
            if key not in known and not key.startswith("x-"):
                self.complain(node.line, f"unknown field: {self._full(key)}")
        missing = [key for key, must in known.items() if must and self._get(key) is None]
        for key in missing:
            if key in self._fields:
                self.complain(self._fields[key][0].line, f"{self._full(key)} is empty")
            else:
                self.complain(self.line, f"{self._full(key)} is missing")
        return not missing

    def text(self, key: str, pattern: str = "", hint: str = "", longest: int = 20_000) -> str:
        node = self._get(key)
        if node is None:
            return ""
        if not isinstance(node.content, str):
            self.complain(node.line, f"{self._full(key)} must be text")
            return ""
        text = node.content.strip("\n") if "\n" in node.content else node.content
        if not text.strip():
            self.complain(node.line, f"{self._full(key)} is empty")
        elif len(text) > longest:
            self.complain(node.line, f"{self._full(key)} is longer than {longest} characters")
        elif pattern and not re.fullmatch(pattern, text):
            self.complain(node.line, f"{self._full(key)} must be {hint}")
        return text

    def exact(self, key: str) -> str:
        """Return text as it stands, line feeds included."""
        node = self._get(key)
        if node is None:
            return ""
        if not isinstance(node.content, str):
            self.complain(node.line, f"{self._full(key)} must be text")
            return ""
        if not node.content:
            self.complain(node.line, f"{self._full(key)} is empty")
        return node.content

    def word(self, key: str, kind: type[_Word], default: _Word) -> _Word:
        node = self._get(key)
        if node is None:
            return default
        try:
            return kind(node.content)  # type: ignore[arg-type]
        except ValueError:
            words = ", ".join(kind)
            self.complain(node.line, f"{self._full(key)} must be one of {words}")
            return default

    def flag(self, key: str) -> bool:
        node = self._get(key)
        if node is None:
            return False
        value = node.value()
        if not isinstance(value, bool):
            self.complain(node.line, f"{self._full(key)} must be true or false")
        return value is True

    def number(self, key: str, least: float, most: float, *, whole: bool = True) -> float | None:
        node = self._get(key)
        if node is None:
            return None
        value = node.value()
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not fits or not least <= value <= most:
            what = "a whole number" if whole else "a number"
            top = f"to {most:g}" if most < 1e9 else "or more"
            self.complain(node.line, f"{self._full(key)} must be {what}, {least:g} {top}")
            return None
        return float(value)

    def words(self, key: str, pattern: str = r"(?s).*\S.*", hint: str = "text") -> tuple[str, ...]:
        """Return a list of texts; a single text counts as a list of one."""
        found = []
        for node in self.items(key):
            text = node.content
            if not isinstance(text, str) or node.empty or not re.fullmatch(pattern, text):
                self.complain(node.line, f"{self._full(key)} must list {hint}")
            else:
                found.append(text)
        return tuple(found)

    def items(self, key: str) -> "list[Node]":
        node = self._get(key)
        if node is None:
            return []
        return node.content if isinstance(node.content, list) else [node]

    def within(self, key: str) -> "_Mapping | None":
        node = self._get(key)
        return None if node is None else _Mapping(node, self._full(key), self.wrong)

    def json(self, key: str) -> "dict[str, Any] | None":
        node = self._get(key)
        if node is None:
            return None
        if not isinstance(node.content, dict):
            self.complain(node.line, f"{self._full(key)} must be a mapping")
            return None
        value: dict[str, Any] = node.value()
        return value

    def line_of(self, key: str) -> int:
        node = self._get(key)
        return node.line if node else self.line

    def _get(self, key: str) -> Node | None:
        node = self._fields[key][1] if key in self._fields else None
        return None if node is None or node.empty else node

    def _full(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def _learning(of: _Mapping, path: str) -> Learning | None:
    of.fits(FIELDS)
    name = of.text("learning_id", ID, "lower-case letters, digits, '.', '_' and '-', up to 64")
    if name and PurePosixPath(path).name != f"{name}.yaml":
        of.complain(of.line_of("learning_id"), f"the file of {name} must be named {name}.yaml")
    matcher = _matcher(of.within("matcher"))
    examples = of.within("examples")
    fix = of.within("fix")
    if fix is not None:
        fix.fits({"text": False, "rewrite": False})
    if examples is not None:
        examples.fits({"bad": False, "good": False})
    confidence = of.number("confidence", 0, 1, whole=False)
    found = Learning(
        learning_id=name,
        title=of.text("title", r"[^\n]*", "one line", TITLE_LENGTH),
        description=of.text("description"),
        matcher=matcher or Matcher(MatcherKind.LITERAL),
        state=of.word("state", State, State.PROPOSED),
        severity=of.word("severity", Severity, Severity.WARNING),
        category=of.text("category", r"[^\n]*", "one line"),
        tags=of.words("tags"),
        languages=of.words("languages"),
        paths=of.words("paths"),
        pattern=of.text("pattern"),
        fix=Fix(fix.text("text"), fix.exact("rewrite")) if fix else Fix(),
        bad=tuple(_examples(examples, "bad")),
        good=tuple(_examples(examples, "good")),
        source_chat_id=of.text("source_chat_id", r"\S*", "an id"),
        source_commits=of.words("source_commits", COMMIT, "ids of commits"),
        example_code_reference=of.text("example_code_reference", r"[^\n]*", "one line"),
        confidence=confidence,
        author=of.text("author", r"[^\n]*", "one line"),
        created=of.text("created", DAY, "a day such as 2026-01-31"),
        updated=of.text("updated", DAY, "a day such as 2026-01-31"),
        backtest=_backtest(of.within("backtest")),
        forced=of.text("forced"),
        retired=of.text("retired"),
    )
    return None if of.wrong else found


def _matcher(of: _Mapping | None) -> Matcher | None:
    if of is None:
        return None
    before = len(of.wrong)
    kind = of.word("kind", MatcherKind, MatcherKind.LITERAL)
    if not of.fits({"kind": True} | MATCHERS[kind] if len(of.wrong) == before else {"kind": True}):
        return None
    largest = of.number("max_bytes", 1, 1e15)
    matcher = Matcher(
        kind=kind,
        scope=Scope.FILE if kind is MatcherKind.AST else of.word("scope", Scope, Scope.LINES),
        rule=of.json("rule"),
        constraints=of.json("constraints"),
        utils=of.json("utils"),
        regex=of.exact("regex"),
        text=of.exact("text"),
        unless=of.exact("unless"),
        ignore_case=of.flag("ignore_case"),
        required=of.flag("required"),
        accompany=of.words("accompany"),
        untouchable=of.flag("untouchable"),
        max_bytes=int(largest or 0),
    )
    if kind is MatcherKind.PATHS:
        _one_path_rule(of, matcher)
    return matcher


def _one_path_rule(of: _Mapping, matcher: Matcher) -> None:
    given = [bool(matcher.accompany), matcher.untouchable, bool(matcher.max_bytes)]
    if sum(given) != 1:
        of.complain(of.line, "matcher must have one of accompany, untouchable and max_bytes")


def _examples(of: _Mapping | None, key: str) -> Iterable[Example]:
    """Yield examples: a text is code; a mapping has code and path, or files."""
    for node in of.items(key) if of else []:
        if isinstance(node.content, str):
            if of and (node.empty or not node.content):
                of.complain(node.line, f"an example in examples.{key} is empty")
            yield Example(code=node.content)
            continue
        one = _Mapping(node, f"examples.{key}", of.wrong if of else None)
        one.fits({"code": False, "path": False, "files": False})
        example = Example(
            one.exact("code"), one.text("path"), one.words("files", r"[^\n]+", "PATH, or PATH SIZE")
        )
        if bool(example.code) == bool(example.files):
            one.complain(node.line, f"an example in examples.{key} must have code or files")
        yield example


def _backtest(of: _Mapping | None) -> Backtest | None:
    if of is None:
        return None
    counts = ("commits", "fired", "mistaken", "unknown")
    if not of.fits(dict.fromkeys((*counts, "until", "date"), True)):
        return None
    commits, fired, mistaken, unknown = (int(of.number(key, 0, 1e12) or 0) for key in counts)
    until = of.text("until", COMMIT, "the id of a commit")
    date = of.text("date", DAY, "a day such as 2026-01-31")
    return Backtest(commits, fired, mistaken, unknown, until, date)
