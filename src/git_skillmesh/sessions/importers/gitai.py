"""git-ai: a note on each commit in `refs/notes/ai`.

In: notes, which say what lines of a commit which conversation wrote, above `---` and JSON about
the conversations. Out: the conversations whose messages are kept there, and for each one a session
`<id>-git-ai` with a call for every commit: its output is the attribution, `path ranges` a line.

Notes have no results of tools: an edit counts as it was asked for.
"""

from collections.abc import Iterable, Iterator

from ...git.notes import notes_of
from ...git.objects import BlobReader
from ...git.repository import Repository
from ..model import Act, ToolCall
from .drafts import Conversation
from .places import Place, Roots
from .records import (
    Imported,
    Misfit,
    Record,
    Report,
    get,
    made_id,
    need,
    objects,
    parse_json,
    utc,
)  # fmt: skip
from .tools import act_of, described, edits_of_input

AGENT = "git-ai"


def parts_of(repository: Repository, ref: str, roots: Roots) -> tuple[int, Iterator[Imported]]:
    """Return (1, the notes of a ref): a conversation may stand in any of them."""
    return 1, (read_repository(repository, ref, roots) for _ in range(1))


def read_repository(repository: Repository, ref: str, roots: Roots) -> Imported:
    """Read the notes of a ref."""
    notes = notes_of(repository, ref)
    with BlobReader(repository) as blobs:
        return read_notes(zip(notes, blobs.read_many(notes.values()), strict=True), ref, roots)


def read_notes(notes: Iterable[tuple[str, bytes | None]], ref: str, roots: Roots) -> Imported:
    """Read (commit, note) pairs."""
    report = Report(ref)
    talks: dict[str, Conversation] = {}
    seen: dict[str, int] = {}
    for commit, note in notes:
        with report.guard(0, commit):
            if note is None:
                raise Misfit("the note is missing from this repository")
            _read_note(talks, seen, commit, note, Place(roots))
    sessions = (talk.session(ref) for talk in talks.values())
    return Imported(tuple(filter(None, sessions)), report.problems)


def _read_note(
    talks: dict[str, Conversation], seen: dict[str, int], commit: str, note: bytes, place: Place
) -> None:
    above, divider, below = (b"\n" + note).partition(b"\n---\n")
    if not divider:
        raise Misfit('no "---" between the lines and the JSON')
    about = objects([parse_json(below)], "the note")[0]
    lines = _attributed(above.decode("utf-8", "replace"))
    for group in ("prompts", "sessions"):
        for key, entry in get(about, group, dict, {}).items():
            told = objects([entry], f'"{group}"')[0]
            _conversation(talks, seen, told, key, place)
            if key in lines:
                _attribution(talks, told, key, commit, lines[key])


def _attributed(text: str) -> dict[str, list[tuple[str, str]]]:
    """Return key of a conversation → (path, ranges of lines)."""
    found: dict[str, list[tuple[str, str]]] = {}
    path = ""
    for line in text.splitlines():
        if not line.startswith("  "):
            path = line.strip().strip('"')
            continue
        key, _, ranges = line.strip().partition(" ")
        found.setdefault(key.partition("::")[0], []).append((path, ranges))
    return found


def _agent(told: Record) -> tuple[str, str, str]:
    agent = need(told, "agent_id", dict)
    return need(agent, "id", str), get(agent, "tool", str, ""), get(agent, "model", str, "")


def _attribution(
    talks: dict[str, Conversation], told: Record, key: str, commit: str,
    lines: list[tuple[str, str]],
) -> None:  # fmt: skip
    session_id, tool, model = _agent(told)
    name = f"{session_id}-git-ai"
    if name not in talks:
        talks[name] = Conversation(name, AGENT, title=tool, parent=session_id)
        talks[name].prompt(made_id(name), "")
    output = "\n".join(f"{path} {ranges}" for path, ranges in lines)
    paths = tuple(dict.fromkeys(path for path, _ in lines))
    call_id = made_id(commit, key)
    talks[name].say("", model=model)
    talks[name].call(
        ToolCall(call_id, AGENT, Act.EDIT, output=output, paths=paths, commits=(commit,))
    )


def _conversation(
    talks: dict[str, Conversation], seen: dict[str, int], told: Record, key: str, place: Place
) -> None:
    """Add the messages of a conversation; notes of several commits hold more and more of it.

    `seen` is how many messages of each were read: what is no longer is not read.
    """
    messages = objects(get(told, "messages", list, []), '"messages"')
    if not messages:
        return
    session_id, tool, model = _agent(told)
    if len(messages) <= seen.get(f"{session_id} {key}", 0):
        return
    talk = Conversation(session_id, AGENT, title=tool)
    for number, message in enumerate(messages):
        _message(talk, message, f"{key} {number}", model, place)
    known = talks.get(f"{session_id} {key}")
    if known is None or len(known.drafts) <= len(talk.drafts):
        talks[f"{session_id} {key}"] = talk
        seen[f"{session_id} {key}"] = len(messages)


def _message(talk: Conversation, message: Record, at: str, model: str, place: Place) -> None:
    time, text = utc(message.get("timestamp")), get(message, "text", str, "").strip()
    match message.get("type"):
        case "user":
            if text:
                talk.prompt(made_id(talk.session_id, time or at, text), text, time)
        case "assistant":
            talk.say(text, time, model)
        case "tool_use":
            name, given = need(message, "name", str), message.get("input")
            given = given if isinstance(given, dict) else {"input": given}
            act = act_of(name)
            paths, shown = described(act, given, place)
            edits = tuple(edits_of_input(given, place)) if act == Act.EDIT else ()
            call_id = made_id(talk.session_id, at, name, time)
            talk.say("", time, model)
            talk.call(ToolCall(call_id, name, act, shown, time=time, paths=paths, edits=edits))
