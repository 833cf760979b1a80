"""Cursor: `{role, message}` a line, `~/.cursor/projects/<slug>/agent-transcripts/<id>/<id>.jsonl`.

In: the lines of a transcript. Out: its session.

The format has no times, no ids and no results: ids are made of place and content, and an edit
counts as it was asked for.
"""

from collections.abc import Iterable
from pathlib import PurePath

from ..model import Act, Edit, ToolCall
from .drafts import Conversation
from .places import Place, Roots
from .records import Imported, Record, Report, get, json_lines, made_id, need, objects
from .tools import act_of, described, edits_of_input

AGENT = "cursor"

_REDACTED = "[REDACTED]"


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one transcript."""
    report = Report(source)
    talk = Conversation(PurePath(source).stem, AGENT)
    for number, record in json_lines(lines, report):
        with report.guard(number):
            _take(talk, record, roots)
    session = talk.session(source)
    return Imported((session,) if session else (), report.problems)


def _take(talk: Conversation, record: Record, roots: Roots) -> None:
    role = need(record, "role", str)
    content = need(record, "message", dict).get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    blocks = objects(get({"content": content}, "content", list, []), '"content"')
    texts = [get(block, "text", str, "") for block in blocks if block.get("type") == "text"]
    if role == "user":
        prompt = _prompt("\n\n".join(texts))
        if prompt:
            talk.prompt("", prompt)
        return
    calls = [
        _call(talk, block, place, Place(roots))
        for place, block in enumerate(blocks)
        if block.get("type") == "tool_use"
    ]
    talk.say("\n\n".join(text.replace(_REDACTED, "").strip() for text in texts))
    for call in calls:
        talk.call(call)


def _prompt(text: str) -> str:
    """Return what the person asked, among the files and rules that the program adds."""
    parts = [part.partition("</user_query>") for part in text.split("<user_query>")[1:]]
    asked = [query.strip() for query, closed, _ in parts if closed]
    if asked:
        return "\n\n".join(query for query in asked if query)
    return "" if text.lstrip().startswith("<") else text.strip()


def _call(talk: Conversation, block: Record, number: int, at: Place) -> ToolCall:
    name, given = need(block, "name", str), block.get("input")
    if isinstance(given, str):
        given = {"input": given}
    given = get({"input": given}, "input", dict, {})
    act = act_of(name)
    at = Place(at.roots, get(given, "working_directory", str, ""))
    paths, text = described(act, given, at)
    edits = edits_of_input(given, at) if act == Act.EDIT else []
    if name.lower().startswith("delete") and not edits:
        edits = [Edit(path, whole=True) for path in paths]
    paths = paths or tuple(dict.fromkeys(edit.path for edit in edits))
    told = len(talk.drafts), talk.number_of_calls
    call_id = get(block, "id", str, "") or made_id(talk.session_id, *told, number, name, text)
    return ToolCall(call_id, name, act, text, paths=paths, edits=tuple(edits))
