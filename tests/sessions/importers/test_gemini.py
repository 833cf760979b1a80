"""Gemini CLI: the document and the lines say the same; only what succeeded is an edit."""

import json
from typing import Any

from git_skillmesh.sessions.importers import gemini
from git_skillmesh.sessions.importers.records import Imported, lines_of
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.transcripts import ROOTS, TOP, at, jsonl

ABOUT = {"sessionId": "g1", "projectHash": "h", "startTime": at(0), "lastUpdated": at(9)}


def tool(**more: Any) -> dict[str, Any]:
    args = {"file_path": f"{TOP}/a.py", "old_string": "x\n", "new_string": "y\n"}
    answer = [{"functionResponse": {"id": "replace-1", "response": {"output": "ok"}}}]
    return {
        "id": "replace-1", "name": "replace", "args": args, "result": answer,
        "status": "success", "timestamp": at(3), **more,
    }  # fmt: skip


def messages(*tools: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": "m1", "timestamp": at(1), "type": "user", "content": [{"text": "do it"}]},
        {"id": "i1", "timestamp": at(1), "type": "info", "content": "update available"},
        {"id": "m2", "timestamp": at(2), "type": "gemini", "content": "done", "thoughts": [],
         "model": "gemini-2.5-pro", "toolCalls": list(tools)},
    ]  # fmt: skip


def expected(*tools: ToolCall) -> Imported:
    exchange = Exchange("m1", "do it", "done", at(1), at(3), "gemini-2.5-pro", tools)
    return Imported((Session("g1", "gemini", (exchange,), source="f.json", started=at(0)),))


def read(data: bytes) -> Imported:
    return gemini.read(lines_of(data), "f.json", ROOTS)


def edits(**more: Any) -> tuple[Edit, ...]:
    done = read(jsonl([ABOUT, *messages(tool(**more))]))
    assert done.problems == ()
    return done.sessions[0].exchanges[0].tools[0].edits


def test_the_document_and_the_lines() -> None:
    told = messages(tool())
    done = expected(
        ToolCall(
            "replace-1",
            "replace",
            Act.EDIT,
            "",
            "ok",
            time=at(3),
            paths=("a.py",),
            edits=(Edit("a.py", "x\n", "y\n"),),
        )
    )
    assert read(json.dumps({**ABOUT, "messages": told}, indent=2).encode()) == done
    assert read(json.dumps({**ABOUT, "messages": told}).encode()) == done
    unfinished = {**told[2], "content": "do", "toolCalls": []}
    lines = [ABOUT, *told[:2], unfinished, told[2], {"$set": {"lastUpdated": at(9)}}]
    assert read(jsonl([*lines, {"$rewindTo": "m1"}])) == done


def test_only_what_succeeded_is_an_edit() -> None:
    assert edits(status="error") == edits(status="cancelled") == edits(status=None) == ()


def test_the_whole_file_is_the_better_record() -> None:
    shown = {"originalContent": "w\nx\n", "newContent": "w\ny\n", "fileDiff": "…"}
    assert edits(resultDisplay=shown) == (Edit("a.py", "w\nx\n", "w\ny\n", whole=True, line=1),)
    by_hand = {**shown, "diffStat": {"user_added_lines": 1}}
    assert edits(resultDisplay=by_hand) == (Edit("a.py", "x\n", "y\n"),)
