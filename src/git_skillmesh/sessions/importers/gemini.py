"""Gemini CLI: one JSON document a session, or (newer) its messages as JSON lines.

In: the lines of `~/.gemini/tmp/<project>/chats/session-….json(l)`. Out: its session.

The program rewrites the file as it goes; a message told again takes the place of the first. What a
rewind has taken back stays: it was said.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import PurePath

from ..model import Act, Edit, ToolCall
from .drafts import Conversation
from .places import Place, Roots
from .records import Imported, Record, Report, get, json_lines, need, objects, parse_json, utc
from .tools import act_of, commits_in, described, edits_of_input, text_of

AGENT = "gemini"


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one session."""
    report = Report(source)
    talk = Conversation(PurePath(source).stem, AGENT)
    messages: dict[str, tuple[int, Record]] = {}
    for number, record in _records(lines, report):
        with report.guard(number):
            _take(talk, messages, number, record)
    place = Place(roots)
    for number, message in messages.values():
        with report.guard(number):
            _message(talk, message, place)
    session = talk.session(source)
    return Imported((session,) if session else (), report.problems)


def _records(lines: Iterable[bytes], report: Report) -> Iterable[tuple[int, Record]]:
    """Yield JSON lines, or the one document that is written over many."""
    rest = iter(lines)
    first = next((line for line in rest if line.strip()), b"")
    if first not in (b"{\n", b"{\r\n", b"[\n", b"[\r\n"):
        yield from json_lines(chain([first], rest), report)
        return
    with report.guard(0):
        document = parse_json(b"".join([first, *rest]))
        for record in document if isinstance(document, list) else [document]:
            with report.guard(0):
                yield 0, objects([record], "the document")[0]


def _take(
    talk: Conversation, messages: dict[str, tuple[int, Record]], number: int, record: Record
) -> None:
    """Sort a record: about the session, or a message."""
    if "$set" in record:
        _about(talk, need(record, "$set", dict))
    elif "$rewindTo" in record:
        return
    elif "sessionId" in record:
        _about(talk, record)
    else:
        _keep(messages, number, record)
    told = record.get("messages") or (record.get("$set") or {}).get("messages")
    if told is not None:
        for message in objects(get({"messages": told}, "messages", list, []), '"messages"'):
            _keep(messages, number, message)


def _keep(messages: dict[str, tuple[int, Record]], number: int, message: Record) -> None:
    need(message, "type", str)
    key = get(message, "id", str, "") or f"\0{len(messages)}"
    messages[key] = number, message


def _about(talk: Conversation, record: Record) -> None:
    talk.session_id = get(record, "sessionId", str, "") or talk.session_id
    talk.started = talk.started or utc(record.get("startTime"))
    talk.title = get(record, "summary", str, "") or talk.title


def _message(talk: Conversation, message: Record, place: Place) -> None:
    time, text = utc(message.get("timestamp")), text_of(message.get("content")).strip()
    match message["type"]:
        case "user":
            if text:
                talk.prompt(get(message, "id", str, ""), text, time)
        case "gemini":
            asked = objects(get(message, "toolCalls", list, []), '"toolCalls"')
            calls = [_call(call, place, time) for call in asked]
            talk.say(text, time, get(message, "model", str, ""))
            for call in calls:
                talk.call(call)


def _call(call: Record, place: Place, time: str) -> ToolCall:
    name, given = need(call, "name", str), get(call, "args", dict, {})
    act = act_of(name)
    paths, text = described(act, given, place)
    status = get(call, "status", str, "")
    output = _output(call)
    edits: list[Edit] = []
    if act == Act.EDIT and status == "success":
        edits = _edits_shown(call, place) or edits_of_input(given, place)
    return ToolCall(
        get(call, "id", str, ""), name, act, text, output, status not in ("", "success"),
        utc(call.get("timestamp")) or time, paths, tuple(edits),
        commits_in(text, output) if act == Act.BASH else (),
    )  # fmt: skip


def _edits_shown(call: Record, place: Place) -> list[Edit]:
    """Return the whole file before and after, if it is recorded and all of it is the agent's."""
    shown = call.get("resultDisplay")
    if not isinstance(shown, dict) or not isinstance(shown.get("newContent"), str):
        return []
    by_hand = shown.get("diffStat")
    if isinstance(by_hand, dict) and by_hand.get("user_added_lines"):
        return []
    given = get(call, "args", dict, {})
    path = place.relative(need(given, "file_path", str))
    before = shown.get("originalContent")
    before = before if isinstance(before, str) else None
    return [Edit(path, before, shown["newContent"], whole=True, line=1)]


def _output(call: Record) -> str:
    """Return what `result[].functionResponse.response.output` (or `.error`) says."""
    texts = []
    for part in get(call, "result", list, []):
        answer = part.get("functionResponse") if isinstance(part, dict) else None
        response = answer.get("response") if isinstance(answer, dict) else None
        if isinstance(response, dict):
            texts.append(text_of(response.get("output", response.get("error"))))
    return "\n".join(text for text in texts if text)
