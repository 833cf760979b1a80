"""One exchange that somebody hands over in words, and how what is handed over is stored.

In: a prompt, a response, files, tools; or sessions that `logged` has read. Out: the memory, by the
same way as everything that is captured: redacted, each exchange once.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import Config
from ..errors import UsageError
from ..git.repository import Repository
from .importers.records import Imported, made_id
from .importers.source import Part, Reading
from .importers.tools import act_of
from .importing import Intake, Report
from .known import alone
from .layout import exchange_key
from .logged import AGENT, Changes, changes_since, file_call, new_session_id, now, timed
from .model import Edit, Exchange, Session, ToolCall


@dataclass(frozen=True, slots=True)
class Words:
    """An exchange in words. `tools` are NAME or NAME=INPUT, `files` paths, `base` a revision.

    Without a `session` it is the first of a new one.
    """

    prompt: str
    response: str
    session: str = ""
    agent: str = ""
    model: str = ""
    title: str = ""
    tools: Sequence[str] = ()
    files: Sequence[str] = ()
    base: str = ""


def session_of(repository: Repository, words: Words, changes: Changes, *, once: bool) -> Session:
    """Return the session of one exchange. Raises `UsageError`.

    With `once` the same words of the same session are the same exchange, however often they are
    handed over; else the moment tells two apart.
    """
    if not words.prompt and not words.response:
        raise UsageError("nothing was said", "give a prompt or a response")
    time = "" if once else now()
    session = words.session
    if not session:
        session = new_session_id()
        if once:
            session = f"chat-{made_id(words.agent, words.prompt, words.response)}"
    moment = () if once else (time,)
    name = made_id(session, *moment, words.prompt, words.response)
    calls = [_tool(text, f"{name}-{number}") for number, text in enumerate(words.tools)]
    if words.files:
        calls.append(file_call(f"{name}-files", changes(list(words.files), words.base)))
    exchange = Exchange(name, words.prompt, words.response, time, time, words.model, tuple(calls))
    return Session(
        session, words.agent or AGENT, (exchange,), words.title,
        str(repository.top or repository.git_dir), repository.branch() or "",
    )  # fmt: skip


def _tool(text: str, call_id: str) -> ToolCall:
    name, _, given = text.partition("=")
    if not name.strip():
        raise UsageError(f"no tool has an empty name: {text}", "write NAME, or NAME=INPUT")
    return ToolCall(call_id, name.strip(), act_of(name.strip()), given)


def changes_in(repository: Repository, base: Path) -> Changes:
    """Return what finds the changes of files that are named from a folder."""

    def changes(paths: list[str], commit: str) -> tuple[Edit, ...]:
        top = os.path.realpath(repository.top or base)
        inside = []
        for path in paths:
            if "\0" in path:
                raise UsageError("not a path: it has a NUL")
            # Only the folder: a symbolic link is a file of its own.
            folder, name = os.path.split(os.path.normpath(base / path))
            found = os.path.relpath(os.path.join(os.path.realpath(folder), name), top)  # noqa: PTH118
            if found == ".." or found.startswith("../"):
                raise UsageError(f"not a file of this repository: {path}")
            inside.append(found)
        return changes_since(repository, inside, commit)

    return changes


def store(repository: Repository, config: Config, sessions: Sequence[Session]) -> Report:
    """Store sessions that were handed over. Raises `UsageError` for one that was forgotten.

    Also as `Intake` and `MemoryStore.add` do, and `Busy`.
    """
    with alone(repository), contextlib.closing(Intake(repository, config)) as intake:
        time = now()
        wanted = []
        for session in sessions:
            # Told once more, and without a time: it would differ by that alone.
            exchanges = [
                exchange
                for exchange in session.exchanges
                if exchange.started or not intake.known.keepers(exchange_key(exchange.exchange_id))
            ]
            wanted.append(timed(replace(session, exchanges=tuple(exchanges)), time))
        part = Part("", Imported(tuple(session for session in wanted if session.exchanges)))
        report = intake.take("log-chat", Reading(1, iter([part])))
    if report.forgotten:
        raise UsageError(f"session {min(report.forgotten)} was forgotten and stays away")
    return report
