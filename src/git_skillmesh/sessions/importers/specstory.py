"""SpecStory: a Markdown file a session, `.specstory/history/<time>-<slug>.md`.

In: the lines of a file, version 2.1 or older. Out: its session; what its subagents said becomes a
session of its own. Most edits are told without their bytes: only a file that was written whole, or
a patch, has them.
"""

import re
from collections.abc import Iterable
from pathlib import PurePath

from ..model import Act, Edit, ToolCall
from .drafts import Conversation
from .patch import runs
from .places import Place, Roots
from .prompts import spoken
from .records import Imported, Misfit, Report, made_id, utc
from .tools import act_of, commits_in

AGENT = "specstory"

_SESSION = re.compile(r"<!-- .{1,60}? Session (\S+)(?: \(([^)]*)\))? -->$")
_TURN = re.compile(
    r"_\*\*(User|Agent|Assistant)( - sidechain)?(?: \(([^()]*)\))?( \(sidechain\))?\*\*_$"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T_](\d\d)[:-](\d\d)(?:[:-](\d\d))?Z")
_TOOL = re.compile(r'<tool-use data-tool-type="[^"]*" data-tool-name="([^"]*)">')
_OLD_TOOL = re.compile(r"Tool use: \*\*([^*]+)\*\*")
_FENCE = re.compile(r"(`{3,})([\w+#.-]*)$")
_CODE = re.compile(r"`([^`\n]+)`")
_WRITTEN = re.compile(r"(?:File created successfully at: (\S+)|The file (\S+) has been updated)")
_PATCHED = re.compile(r"\*\*(?:Add|Update|Delete|Modify): `([^`]+)`\*\*")


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one file."""
    report = Report(source)
    text = [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines]
    head = next((match for line in text[:20] if (match := _SESSION.match(line))), None)
    session_id = head[1] if head else made_id(AGENT, PurePath(source).name)
    started = _time(head[2] or "") if head else ""
    talk = Conversation(session_id, AGENT, started=started, title=_title(text))
    side = Conversation(f"{session_id}-sidechain", AGENT, started=started, parent=session_id)
    turns = _turns(text)
    if not turns:
        report.add(0, "not a history of SpecStory: no turn begins in it")
    for number, match, body in turns:
        told = match[3] or ""
        aside = bool(match[2] or match[4]) or told == "sidechain"
        with report.guard(number):
            _take(side if aside else talk, match[1], told, body, Place(roots))
    sessions = (each.session(source) for each in (talk, side))
    return Imported(tuple(filter(None, sessions)), report.problems)


def _title(lines: list[str]) -> str:
    title = next((line[2:] for line in lines[:10] if line.startswith("# ")), "")
    return _TIME.sub("", title).strip(" ()")


def _turns(lines: list[str]) -> list[tuple[int, re.Match[str], list[str]]]:
    """Return (line number, heading, lines) of every turn; one quoted by a tool is none."""
    turns: list[tuple[int, re.Match[str], list[str]]] = []
    within = False
    for number, line in enumerate(lines, 1):
        marked = line.startswith("_**") and not within
        heading = _TURN.match(line.rstrip()) if marked else None
        within = (within or line.startswith("<tool-use ")) and "</tool-use>" not in line
        if heading:
            turns.append((number, heading, []))
        elif turns:
            turns[-1][2].append(line)
    return turns


def _time(text: str) -> str:
    match = _TIME.search(text)
    return utc(f"{match[1]}T{match[2]}:{match[3]}:{match[4] or '00'}Z") if match else ""


def _take(talk: Conversation, who: str, told: str, lines: list[str], place: Place) -> None:
    while lines and lines[-1].strip() in ("", "---"):
        lines = lines[:-1]
    time = _time(told)
    if who == "User":
        prompt, command = spoken(["\n".join(lines)])
        if prompt and not prompt.startswith("This session is being continued from"):
            talk.prompt("", prompt, time, vain=command)
        return
    model = "" if told == "sidechain" else _TIME.sub("", told).strip()
    texts, blocks = _parts(lines)
    calls = [_call(talk, at, block, time, place) for at, block in enumerate(blocks)]
    talk.say("\n".join(texts), time, model)
    for call in calls:
        talk.call(call)


def _parts(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """Split a turn of the agent into (what it said, its tool calls); thoughts are left out."""
    texts: list[str] = []
    blocks: list[list[str]] = []
    inside = ""
    for line in lines:
        if not inside and line.startswith("<tool-use "):
            inside = "</tool-use>"
            blocks.append([])
        elif not inside and line.startswith("<think>"):
            inside = "</think>"
        elif not inside and _OLD_TOOL.match(line):
            inside = "the end of the turn"
            blocks.append([])
        if inside in ("</tool-use>", "the end of the turn"):
            blocks[-1].append(line)
        elif not inside:
            texts.append(line)
        if inside and inside in line:
            inside = ""
    return texts, blocks


def _call(talk: Conversation, at: int, lines: list[str], time: str, place: Place) -> ToolCall:
    head = _TOOL.match(lines[0]) or _OLD_TOOL.match(lines[0])
    name = head[1] if head else ""
    act = act_of(name)
    inline, fences = _inline_and_fences(lines)
    written = [text for kind, text in fences if kind != "text"]
    output = fences[-1][1] if fences and (fences[-1][0] in ("", "text")) else ""
    command, paths, edits = "", [], []
    match act:
        case Act.READ:
            paths = [_path(place, name) for name in inline[:1]]
        case Act.EDIT:
            edits = _edits(name, lines, written, output, place)
            paths = [edit.path for edit in edits]
        case Act.BASH | Act.SEARCH | Act.WEB:
            bash = next((text for kind, text in fences if kind in ("bash", "sh")), "")
            command = inline[0] if inline else bash.strip()
    number = talk.number_of_calls + at
    return ToolCall(
        made_id(talk.session_id, number, name, command, *paths), name, act, command, output,
        "<tool_use_error>" in output, time, tuple(path for path in dict.fromkeys(paths) if path),
        tuple(edits), commits_in(command, output) if act == Act.BASH else (),
    )  # fmt: skip


def _path(place: Place, name: str) -> str:
    try:
        return place.relative(name)
    except Misfit:
        return ""


def _inline_and_fences(lines: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    inline: list[str] = []
    fences: list[tuple[str, str]] = []
    fence, body = "", list[str]()
    for line in lines:
        match = _FENCE.match(line.strip()) if "```" in line else None
        if fence:
            if line.rstrip() == fence:
                fences[-1] = fences[-1][0], "".join(each + "\n" for each in body)
                fence, body = "", []
            else:
                body.append(line)
        elif match:
            fence = match[1]
            fences.append((match[2], ""))
        else:
            inline += _CODE.findall(line) if "`" in line else ()
    return inline, fences


def _edits(
    name: str, lines: list[str], written: list[str], output: str, place: Place
) -> list[Edit]:
    """Return what is told of an edit with its bytes."""
    target = _WRITTEN.search(output)
    if target and name == "Write" and written:
        return [Edit(place.relative(target[1] or target[2]), None, written[0])]
    patched = [match[1] for line in lines if (match := _PATCHED.match(line))]
    return [
        Edit(place.relative(path), before, after)
        for path, text in zip(patched, written, strict=False)
        for before, after in runs(text.splitlines())
    ]
