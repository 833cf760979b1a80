"""Exchanges of which hooks tell what no transcript does.

In: notes with the payloads of Cursor, whose transcripts have no times, models, results and ids, and
of Codex's `notify`, where no rollout was kept. Out: sessions to store: what is stored of them
already (their transcript, or earlier notes), with that filled in.

Notes may be told twice, when a process was killed before it had deleted them: nothing is doubled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from . import layout
from .importers import codex, cursor
from .importers.places import Place, Roots
from .importers.records import Misfit, get, made_id
from .importers.tools import act_of, commits_in, described, edits_of_input, given_to, text_of
from .importing import Intake
from .live import Note
from .model import Act, Exchange, Session, ToolCall

Redact = Callable[[Exchange], Exchange]
# Two hooks that tell of one thing do so within this time.
_SAME_SECONDS = 5.0


def told_sessions(notes: Iterable[Note], intake: Intake, roots: Roots) -> Iterator[Session]:
    """Yield the sessions that notes tell more of than is stored. Raises `Damaged`."""
    by_session: dict[tuple[str, str], list[Note]] = {}
    for note in notes:
        if note.said and note.session:
            by_session.setdefault((note.agent, note.session), []).append(note)
    for (agent, session_id), theirs in by_session.items():
        is_stored = intake.known.has_session(layout.key_of(session_id))
        if agent == cursor.AGENT:
            stored = intake.store.session(session_id).exchanges if is_stored else ()
            talk = _Talk(session_id, stored, intake.redacted)
            for note in theirs:
                talk.take(note, Place(roots, note.folder, note.folder))
            exchanges = talk.changed()
        elif agent == codex.AGENT:
            exchanges = [] if is_stored else list(_turns(session_id, theirs))
        else:
            exchanges = []
        if exchanges:
            yield Session(session_id, agent, tuple(exchanges), directory=theirs[0].folder)


class _Talk:
    """A conversation of Cursor, as it is stored and as the notes go on with it."""

    def __init__(self, session_id: str, stored: Iterable[Exchange], redact: Redact) -> None:
        self._id = session_id
        self._redact = redact
        self._stored = list(stored)
        self._exchanges = list(self._stored)
        self._at: dict[str, int] = {}  # generation → its exchange

    def changed(self) -> list[Exchange]:
        """Return the exchanges that are not as they are stored, each after the one before it."""
        old: list[Exchange | None] = [*self._stored]
        old += [None] * (len(self._exchanges) - len(old))
        return [new for new, was in zip(self._exchanges, old, strict=True) if new != was]

    def take(self, note: Note, place: Place) -> None:
        """Fill in what one note says; one that does not fit its format says nothing."""
        try:
            said = {**note.said}
            generation = get(said, "generation_id", str, "")
            model = get(said, "model", str, "")
            match note.event:
                case "beforeSubmitPrompt":
                    self._prompt(generation, get(said, "prompt", str, "").strip(), note.time)
                    self._fill(generation, note.time, model)
                case "afterAgentResponse":
                    self._say(generation, note.time, model, get(said, "text", str, "").strip())
                case "afterFileEdit" | "afterShellExecution" | "postToolUse":
                    call = _call(self._id, note, said, place)
                    if call is not None:
                        self._call(generation, note.time, model, call)
                case "stop" | "sessionEnd" if self._exchanges:
                    self._fill(generation, note.time, model)
        except (Misfit, RecursionError):
            return

    def _prompt(self, generation: str, prompt: str, time: str) -> None:
        """Find the exchange that a prompt begins, or begin it."""
        clean = self._redact(Exchange("", prompt, "")).prompt
        for place in reversed(range(len(self._exchanges))):
            known = self._exchanges[place]
            if known.prompt == clean and known.started in ("", time):
                self._at[generation] = place
                return
        made = made_id(self._id, len(self._exchanges), prompt)
        self._exchanges.append(Exchange(made, clean, "", time, time))
        self._at[generation] = len(self._exchanges) - 1

    def _current(self, generation: str) -> int:
        if generation in self._at:
            return self._at[generation]
        if not self._exchanges:
            self._exchanges.append(Exchange(made_id(self._id, 0, ""), "", ""))
        return self._at.setdefault(generation, len(self._exchanges) - 1)

    def _fill(self, generation: str, time: str, model: str) -> int:
        at = self._current(generation)
        known = self._exchanges[at]
        self._exchanges[at] = replace(
            known, started=known.started or time, ended=max(known.ended, time),
            model=known.model or model,
        )  # fmt: skip
        return at

    def _say(self, generation: str, time: str, model: str, text: str) -> None:
        at = self._fill(generation, time, model)
        known = self._exchanges[at]
        clean = self._redact(Exchange("", "", text)).response
        if clean and clean not in known.response:
            both = "\n\n".join(filter(None, (known.response, clean)))
            self._exchanges[at] = replace(known, response=both)

    def _call(self, generation: str, time: str, model: str, call: ToolCall) -> None:
        at = self._fill(generation, time, model)
        (clean,) = self._redact(Exchange("", "", "", tools=(call,))).tools
        known = self._exchanges[at]
        calls = list(known.tools)
        same = (place for place in reversed(range(len(calls))) if _is_same(calls[place], clean))
        place = next(same, None)
        if place is None:
            calls.append(clean)
        else:
            calls[place] = _united(calls[place], clean)
        self._exchanges[at] = replace(known, tools=tuple(calls))


def _call(session_id: str, note: Note, said: dict[str, Any], place: Place) -> ToolCall | None:
    """Return what an event tells as a tool call, None without its name. Raises `Misfit`."""
    call_id = get(said, "tool_use_id", str, "") or made_id(session_id, note.time, repr(said))
    if note.event == "afterFileEdit":
        edits = tuple(edits_of_input(said, place))
        paths = tuple(dict.fromkeys(edit.path for edit in edits))
        return ToolCall(call_id, "edit", Act.EDIT, time=note.time, paths=paths, edits=edits)
    if note.event == "afterShellExecution":
        name, act, given = "Shell", Act.BASH, {"command": get(said, "command", str, "")}
        output = text_of(said.get("output"))
    else:
        name = get(said, "tool_name", str, "")
        act, given = act_of(name), given_to(said.get("tool_input"))
        output = _output(said)
    if not name:
        return None
    paths, text = described(act, given, place)
    edits = tuple(edits_of_input(given, place)) if act == Act.EDIT else ()
    paths = paths or tuple(dict.fromkeys(edit.path for edit in edits))
    commits = commits_in(text, output) if act == Act.BASH else ()
    return ToolCall(
        call_id, name, act, text, output, time=note.time, paths=paths, edits=edits, commits=commits
    )


def _output(said: Mapping[str, Any]) -> str:
    """Return what a tool answered: text, or JSON of an object with the text in it."""
    told = said.get("tool_output", said.get("tool_response"))
    shown = given_to(told) if isinstance(told, str | dict) else {}
    for key in ("output", "stdout", "text", "input"):
        if isinstance(shown.get(key), str):
            return str(shown[key])
    return told if isinstance(told, str) else ""


def _is_same(known: ToolCall, call: ToolCall) -> bool:
    """Whether two tell of one thing: the transcript and a hook, or two hooks."""
    if known.call_id == call.call_id:
        return True
    if known.act != call.act or not _is_near(known.time, call.time):
        return False
    if call.act == Act.EDIT:
        written = {(edit.path, edit.after) for edit in call.edits}
        return bool(written) and written == {(edit.path, edit.after) for edit in known.edits}
    if call.act == Act.BASH:
        return known.input == call.input and (
            not (known.output and call.output) or known.output == call.output
        )
    return known.input == call.input and known.paths == call.paths


def _is_near(one: str, other: str) -> bool:
    if not one or not other:
        return True
    try:
        apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
    return abs(apart.total_seconds()) <= _SAME_SECONDS


def _united(known: ToolCall, call: ToolCall) -> ToolCall:
    return replace(
        known,
        input=known.input or call.input,
        output=known.output or call.output,
        time=known.time or call.time,
        paths=known.paths or call.paths,
        edits=known.edits or call.edits,
        commits=known.commits or call.commits,
    )


def _turns(session_id: str, notes: Iterable[Note]) -> Iterator[Exchange]:
    """Yield the turns that Codex has notified of."""
    for note in notes:
        asked, turn = note.said.get("input-messages"), note.said.get("turn-id")
        answer = note.said.get("last-assistant-message")
        prompts = (
            [text for text in asked if isinstance(text, str)] if isinstance(asked, list) else []
        )
        if isinstance(turn, str) and prompts:
            response = answer if isinstance(answer, str) else ""
            yield Exchange(made_id(session_id, turn), prompts[-1], response, note.time, note.time)
