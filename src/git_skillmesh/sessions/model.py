"""What a conversation is, whichever agent it was with.

In: what an importer read. Out: `Session`s of `Exchange`s as plain data, and their JSON form, which
is also how they are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any


class Act(StrEnum):
    """What a tool call does, by whatever name the agent calls the tool."""

    READ = "read"
    EDIT = "edit"
    BASH = "bash"
    SEARCH = "search"
    TASK = "task"
    WEB = "web"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file as the agent recorded it.

    `path` is relative to the root of the repository with `/`, or absolute outside of it. `before`
    is the text that was replaced and `after` what stands there now; None where the record does not
    say (`before`) or the file is gone (`after`). With `whole` they are the whole file. `line` is
    the first line of `after` in the new file, 0 if unknown. `moved_from` is the old path of a
    renamed file. `amended` says that a person changed the edit before it was made: `after` is what
    the agent proposed.
    """

    path: str
    before: str | None = None
    after: str | None = None
    whole: bool = False
    line: int = 0
    moved_from: str = ""
    amended: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One use of a tool. `input` is its command, pattern or JSON; `time` is ISO 8601 in UTC or "".

    `paths` are the files that it names, `commits` the abbreviated SHAs that its output quotes as
    made by it, `session` the id of the session that a task ran as.
    """

    call_id: str
    name: str
    act: Act
    input: str = ""
    output: str = ""
    failed: bool = False
    time: str = ""
    paths: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    commits: tuple[str, ...] = ()
    session: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One prompt and what answered it. `exchange_id` is the same at every import of the session.

    `started` and `ended` are ISO 8601 in UTC, "" where the format has no times. `response` is the
    agent's text without its thoughts and tool calls.
    """

    exchange_id: str
    prompt: str
    response: str
    started: str = ""
    ended: str = ""
    model: str = ""
    tools: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation. `parent` is the session that started this one as a subagent, "" if none.

    `agent` is claude-code, codex, gemini, cursor, copilot, aider, specstory, git-ai or the name
    that `log-chat` was given; `directory` where it ran; `source` the file or ref it was read from.
    `started` is the time of its first record, also where an earlier session keeps that exchange.
    """

    session_id: str
    agent: str
    exchanges: tuple[Exchange, ...]
    title: str = ""
    directory: str = ""
    branch: str = ""
    parent: str = ""
    source: str = ""
    started: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that does not fit its format: `line` counts from 1, 0 for the whole file."""

    source: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: {self.message}"


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """Return what JSON can hold, without the values that are their field's default."""
    document: dict[str, Any] = _plain(exchange)
    return document


def exchange_from_json(document: Mapping[str, Any]) -> Exchange:
    """Return the exchange; unknown keys are left out, as a newer version may write them.

    Raises:
        KeyError, TypeError, ValueError: the document is no exchange.
    """
    calls = tuple(_call(entry) for entry in document.get("tools", ()))
    return Exchange(**{**_known(Exchange, document), "tools": calls})


def _call(entry: Mapping[str, Any]) -> ToolCall:
    values = _known(ToolCall, entry)
    values["act"] = Act(values["act"])
    values["edits"] = tuple(Edit(**_known(Edit, edit)) for edit in entry.get("edits", ()))
    for name in ("paths", "commits"):
        values[name] = tuple(entry.get(name, ()))
    return ToolCall(**values)


def _known(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: document[field.name] for field in fields(kind) if field.name in document}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if not is_dataclass(value):
        return value
    pairs = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: _plain(entry) for field, entry in pairs if entry != field.default}
