"""Conversations that somebody hands over, for what no importer reads.

In: JSON as docs/formats.md describes it, or words. Out: sessions. A document that does not fit is
an error that names the line and the key.
"""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..errors import UsageError
from ..git.hunks import changed_hunks
from ..git.process import GitFailed
from ..git.repository import Repository
from .documents import documents
from .importers.records import Misfit, made_id, utc
from .importers.tools import act_of, commits_in
from .model import Act, Edit, Exchange, Session, ToolCall

AGENT = "log-chat"
_SESSION_KEYS = ("session", "agent", "title", "directory", "branch", "parent")
_EXCHANGE_KEYS = ("id", "prompt", "response", "started", "ended", "model", "tools", "files", "base")
_TOOL_KEYS = ("id", "name", "act", "input", "output", "failed", "time", "paths", "edits", "commits")
_EDIT_KEYS = ("path", "before", "after", "whole", "line", "moved_from", "amended")

Changes = Callable[[list[str], str], tuple[Edit, ...]]


class _Wrong(Exception):
    """A value that does not fit: its key and what is wrong with it."""


def sessions_from_json(data: bytes, source: str, changes: Changes) -> list[Session]:
    """Return the sessions of a JSON document, or of JSON lines. Raises `UsageError`.

    `changes` returns what (paths, commit) have changed since the commit.
    """
    found: dict[str, Session] = {}
    fresh = new_session_id()
    for line, document in documents(data, source):
        try:
            session = _session(document, fresh, changes)
            known = found.get(session.session_id)
            found[session.session_id] = (
                replace(known, exchanges=known.exchanges + session.exchanges) if known else session
            )
        except _Wrong as wrong:
            raise UsageError(
                f"{source}:{line}: {wrong}", "docs/formats.md shows the keys"
            ) from None
    if not found:
        raise UsageError(f"{source} holds no conversation", "docs/formats.md shows how to write it")
    return list(found.values())


def new_session_id() -> str:
    """Return the id of a session that has none yet."""
    return f"chat-{uuid.uuid4()}"


def now() -> str:
    """Return the time as it is stored."""
    return utc(datetime.now(UTC).isoformat())


def changes_since(repository: Repository, paths: list[str], commit: str) -> tuple[Edit, ...]:
    """Return how files differ from a commit ("" is HEAD). Raises `UsageError`.

    `paths` count from the root of the working tree. A file that the commit lacks is new as a whole.
    """
    if repository.top is None:
        raise UsageError("a bare repository has no files that could have changed")
    base = repository.resolve(commit)[0] if commit else repository.head_commit()
    edits: list[Edit] = []
    for path in paths:
        file = repository.top / path
        there = base is not None and _is_in(repository, base, path)
        if not there and (file.is_symlink() or not file.is_file()):
            raise UsageError(f"no such file, neither here nor in {commit or 'HEAD'}: {path}")
        if there and base is not None:
            hunks = changed_hunks(repository, base, path)
            gone = not file.exists()
            edits += [
                Edit(path, _text(h.before), None if gone else _text(h.after), gone, h.line)
                for h in hunks
            ]
        else:
            content = file.read_bytes()
            if b"\0" not in content[:8000]:
                edits.append(Edit(path, None, _text(content), whole=True, line=1))
    return tuple(edits)


def _is_in(repository: Repository, commit: str, path: str) -> bool:
    try:
        out = repository.git.run(
            "--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, path
        )
    except GitFailed:
        return False
    return b" blob " in out


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _session(document: Any, fresh: str, changes: Changes) -> Session:
    several = isinstance(document, dict) and "exchanges" in document
    _object(document, "", (*_SESSION_KEYS, *(("exchanges",) if several else _EXCHANGE_KEYS)))
    session_id = _text_at(document, "", "session") or fresh
    if several:
        listed = _list_at(document, "", "exchanges")
        places = [(f"exchanges[{number}].", entry) for number, entry in enumerate(listed)]
    else:
        about = {key: value for key, value in document.items() if key not in _SESSION_KEYS}
        places = [("", about)]
    exchanges = tuple(_exchange(entry, place, session_id, changes) for place, entry in places)
    if not exchanges:
        raise _Wrong("exchanges is empty")
    return Session(
        session_id, _text_at(document, "", "agent") or AGENT, exchanges,
        *(_text_at(document, "", key) for key in ("title", "directory", "branch", "parent")),
    )  # fmt: skip


def _exchange(entry: Any, place: str, session_id: str, changes: Changes) -> Exchange:
    _object(entry, place, _EXCHANGE_KEYS)
    prompt, response = (_text_at(entry, place, key) for key in ("prompt", "response"))
    if not prompt and not response:
        raise _Wrong(f"{place}prompt is missing")
    started, ended = _time_at(entry, place, "started"), _time_at(entry, place, "ended")
    name = _text_at(entry, place, "id") or made_id(session_id, started, prompt, response)
    tools = _list_at(entry, place, "tools")
    calls = [_tool(tool, f"{place}tools[{n}].", f"{name}-{n}") for n, tool in enumerate(tools)]
    files = [
        _is_text(path, f"{place}files[{n}]")
        for n, path in enumerate(_list_at(entry, place, "files"))
    ]
    if files:
        calls.append(file_call(f"{name}-files", changes(files, _text_at(entry, place, "base"))))
    model = _text_at(entry, place, "model")
    return Exchange(name, prompt, response, started, ended or started, model, tuple(calls))


def file_call(call_id: str, edits: tuple[Edit, ...]) -> ToolCall:
    """Return the call that stands for files an exchange changed, by whatever means."""
    paths = tuple(dict.fromkeys(edit.path for edit in edits))
    return ToolCall(call_id, "edit", Act.EDIT, paths=paths, edits=edits)


def timed(session: Session, time: str) -> Session:
    """Return the session with a time for the exchanges that have none."""
    exchanges = (
        exchange if exchange.started else replace(exchange, started=time, ended=time)
        for exchange in session.exchanges
    )
    return replace(session, exchanges=tuple(exchanges))


def _tool(entry: Any, place: str, call_id: str) -> ToolCall:
    _object(entry, place, _TOOL_KEYS)
    name = _text_at(entry, place, "name")
    if not name:
        raise _Wrong(f"{place}name is missing")
    text, output = _text_at(entry, place, "input"), _text_at(entry, place, "output")
    edits = tuple(
        _edit(edit, f"{place}edits[{number}].")
        for number, edit in enumerate(_list_at(entry, place, "edits"))
    )
    paths, commits = (
        tuple(
            _is_text(value, f"{place}{key}[{number}]")
            for number, value in enumerate(_list_at(entry, place, key))
        )
        for key in ("paths", "commits")
    )
    told = _text_at(entry, place, "act")
    if told and told not in list(Act):
        raise _Wrong(f"{place}act must be one of {', '.join(Act)}")
    act = Act(told) if told else Act.EDIT if edits else act_of(name)
    return ToolCall(
        _text_at(entry, place, "id") or call_id, name, act, text, output,
        _flag_at(entry, place, "failed"), _time_at(entry, place, "time"),
        paths or tuple(dict.fromkeys(edit.path for edit in edits)), edits,
        commits or (commits_in(text, output) if act == Act.BASH else ()),
    )  # fmt: skip


def _edit(entry: Any, place: str) -> Edit:
    _object(entry, place, _EDIT_KEYS)
    path = _text_at(entry, place, "path")
    if not path:
        raise _Wrong(f"{place}path is missing")
    before, after = (
        None if entry.get(key) is None else _text_at(entry, place, key)
        for key in ("before", "after")
    )
    line = entry.get("line", 0)
    if not isinstance(line, int) or isinstance(line, bool) or line < 0:
        raise _Wrong(f"{place}line is no line number")
    moved = _text_at(entry, place, "moved_from")
    whole, amended = (_flag_at(entry, place, key) for key in ("whole", "amended"))
    return Edit(path, before, after, whole, line, moved, amended)


def _object(value: Any, place: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise _Wrong(f"{place.rstrip('.') or 'the document'} is no object")
    unknown = sorted(set(value) - set(keys))
    if unknown:
        raise _Wrong(f"{place}{unknown[0]} is no key that is known here")


def _text_at(entry: Any, place: str, key: str) -> str:
    value = entry.get(key)
    return "" if value is None else _is_text(value, f"{place}{key}")


def _is_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{where} is not text")
    # Half of a surrogate pair cannot be written as UTF-8.
    return value.encode("utf-8", "replace").decode()


def _flag_at(entry: Any, place: str, key: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise _Wrong(f"{place}{key} is neither true nor false")
    return value


def _list_at(entry: Any, place: str, key: str) -> list[Any]:
    value = entry.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Wrong(f"{place}{key} is no list")
    return value


def _time_at(entry: Any, place: str, key: str) -> str:
    try:
        return utc(entry.get(key))
    except Misfit as error:
        raise _Wrong(f"{place}{key}: {error}") from None
