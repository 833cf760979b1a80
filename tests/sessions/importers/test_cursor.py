"""Cursor: prompts among what the program adds, ids made of place and content."""

from git_skillmesh.sessions.importers import cursor
from git_skillmesh.sessions.importers.records import Imported, lines_of, made_id
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.transcripts import ROOTS, TOP, jsonl


def text(role: str, *texts: str) -> dict[str, object]:
    return {"role": role, "message": {"content": [{"type": "text", "text": t} for t in texts]}}


def uses(name: str, **given: str) -> dict[str, object]:
    return {
        "role": "assistant",
        "message": {"content": [{"type": "tool_use", "name": name, "input": given}]},
    }


def test_a_conversation() -> None:
    records = [
        text("user", "<attached_files>…</attached_files>", "<user_query>\ndo it\n</user_query>"),
        text("assistant", "[REDACTED]", "I write."),
        uses("StrReplace", path=f"{TOP}/a.py", old_string="x", new_string="y"),
        uses("Delete", path=f"{TOP}/b.py"),
        uses("Shell", command="ls", working_directory=TOP),
        text("user", "<system_notification>…</system_notification>"),
        text("assistant", "Done."),
    ]
    done = cursor.read(lines_of(jsonl(records)), "folder/u1.jsonl", ROOTS)
    replaced = made_id("u1", 1, 0, 0, "StrReplace", "")
    deleted, listed = made_id("u1", 1, 1, 0, "Delete", ""), made_id("u1", 1, 2, 0, "Shell", "ls")
    calls = (
        ToolCall(
            replaced, "StrReplace", Act.EDIT, paths=("a.py",), edits=(Edit("a.py", "x", "y"),)
        ),
        ToolCall(deleted, "Delete", Act.EDIT, paths=("b.py",), edits=(Edit("b.py", whole=True),)),
        ToolCall(listed, "Shell", Act.BASH, "ls"),
    )
    exchange = Exchange(made_id("u1", 0, "do it"), "do it", "I write.\n\nDone.", tools=calls)
    assert done == Imported((Session("u1", "cursor", (exchange,), source="folder/u1.jsonl"),))
