"""What a learning is: an insight that was reviewed, with a matcher, examples and a state.

In: nothing. Out: the data of `.skillmesh/learnings/ID.yaml`, as plain values. docs/learnings.md
describes every field; `learnings.reading` checks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FOLDER = ".skillmesh/learnings"


class State(StrEnum):
    """How far a learning is trusted: only `block` stops a merge; `retired` is kept as history."""

    PROPOSED = "proposed"
    WARN = "warn"
    BLOCK = "block"
    RETIRED = "retired"

    @property
    def enforced(self) -> bool:
        """Whether the gate looks for it."""
        return self in (State.WARN, State.BLOCK)


class Severity(StrEnum):
    """How a finding is shown; whether it stops a merge is a matter of the state."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class MatcherKind(StrEnum):
    """How a learning is looked for: by syntax, by text, by paths, or in commit messages."""

    AST = "ast"
    REGEX = "regex"
    LITERAL = "literal"
    PATHS = "paths"
    MESSAGE = "message"


class Scope(StrEnum):
    """What the text of a match may span: one added line, or the file around the added lines."""

    LINES = "lines"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Matcher:
    """What the gate looks for. Each kind uses some of the fields; the others are empty.

    ast: `rule`, an ast-grep rule object, with `constraints` and `utils` beside it if need be.
    regex: `regex`, RE2 syntax; `ignore_case`. literal: `text`, found as it stands; `ignore_case`.
    `unless`, of regex and literal: RE2 that takes back a match whose line it also matches.
    message: `regex` that the message of a commit must not match, or, with `required`, must match.
    paths: files that match the `paths` of the learning and are changed want a change of one that
    matches each glob of `accompany` too, or, with `untouchable`, must not be changed at all, or
    must not have more than `max_bytes`.
    """

    kind: MatcherKind
    scope: Scope = Scope.LINES
    rule: Mapping[str, Any] | None = None
    constraints: Mapping[str, Any] | None = None
    utils: Mapping[str, Any] | None = None
    regex: str = ""
    text: str = ""
    unless: str = ""
    ignore_case: bool = False
    required: bool = False
    accompany: tuple[str, ...] = ()
    untouchable: bool = False
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do instead: `text` says it; `rewrite` is the replacement of an ast match."""

    text: str = ""
    rewrite: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """Something that must match (bad) or must not (good).

    `code` is the content of a file, or a commit message. `path` is where it stands, which decides
    language and scope; without one the first language of the learning does. For a matcher of paths
    `files` lists what is changed together, each "PATH", or "PATH SIZE" with the bytes it has.
    """

    code: str = ""
    path: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a replay over past commits said when the learning was promoted; see gate/backtest.py.

    `commits` were looked at, `fired` of them were flagged, `mistaken` of these wrongly as far as
    the later life of their lines tells, `unknown` are too young. `until` is the newest commit.
    """

    commits: int
    fired: int
    mistaken: int
    unknown: int
    until: str
    date: str


@dataclass(frozen=True, slots=True)
class Learning:
    """An insight and everything that is needed to apply it, judge it and trace where it came from.

    Times are ISO 8601, days or with seconds and zone. `confidence` is 0..1. `forced` is the reason
    why it may block without a backtest, `retired` the reason why it is no longer looked for.
    """

    learning_id: str
    title: str
    description: str
    matcher: Matcher
    state: State = State.PROPOSED
    severity: Severity = Severity.WARNING
    category: str = ""
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    pattern: str = ""
    fix: Fix = Fix()
    bad: tuple[Example, ...] = ()
    good: tuple[Example, ...] = ()
    source_chat_id: str = ""
    source_commits: tuple[str, ...] = ()
    example_code_reference: str = ""
    confidence: float | None = None
    author: str = ""
    created: str = ""
    updated: str = ""
    backtest: Backtest | None = None
    forced: str = ""
    retired: str = ""

    @property
    def path(self) -> str:
        """Where its file stands, from the root of the repository."""
        return f"{FOLDER}/{self.learning_id}.yaml"
