"""Copilot: the events of its CLI, and a chat of VS Code."""

import json

from git_skillmesh.sessions.importers import copilot
from git_skillmesh.sessions.importers.detect import read_transcript
from git_skillmesh.sessions.importers.records import Imported, lines_of
from git_skillmesh.sessions.model import Act, Edit, Exchange, Problem, Session, ToolCall
from testing.transcripts import ROOTS, TOP, at, jsonl
from testing.transcripts import copilot as event

WRITTEN = Edit("lib/a.py", None, "y\n", whole=True, line=1)


def test_the_events_of_the_command_line() -> None:
    asked = {"toolCallId": "k", "name": "create", "arguments": '{"path":"a.py","file_text":"y\\n"}'}
    done = copilot.read(
        lines_of(jsonl([
            event("session.start", 0, sessionId="o1", context={
                "cwd": f"{TOP}/lib", "gitRoot": TOP, "branch": "main", "headCommit": "0" * 40}),
            event("session.model_change", 1, newModel="gpt-4.1"),
            event("user.message", 2, content="do it", attachments=[]),
            event("assistant.message", 3, content="I write.", toolRequests=[asked]),
            event("tool.execution_start", 4, toolCallId="k", toolName="create", arguments={}),
            event("tool.execution_complete", 5, toolCallId="k", success=True,
                  result={"content": "ok"}),
            event("assistant.turn_end", 6, turnId="0"),
            {"type": "mystery"},
        ])),
        "events.jsonl", ROOTS,
    )  # fmt: skip
    call = ToolCall(
        "k", "create", Act.EDIT, "", "ok", time=at(3), paths=("lib/a.py",), edits=(WRITTEN,)
    )
    exchange = Exchange("e2", "do it", "I write.", at(2), at(5), "gpt-4.1", (call,))
    assert done == Imported(
        (Session("o1", "copilot", (exchange,), "", TOP, "main", "", "events.jsonl", at(0)),),
        (Problem("events.jsonl", 8, "events of type 'mystery' are not known"),),
    )


def test_a_failed_call_changed_nothing() -> None:
    start = event("tool.execution_start", 1, toolCallId="k", toolName="create",
                  arguments={"path": f"{TOP}/a.py", "file_text": "y"})  # fmt: skip
    for end in ({"success": False}, {"result": {"result_type": "failure"}}):
        complete = event("tool.execution_complete", 2, toolCallId="k", **end)
        done = copilot.read(lines_of(jsonl([start, complete])), "f.jsonl", ROOTS)
        [call] = done.sessions[0].exchanges[0].tools
        assert (call.failed, call.edits) == (True, ())


def test_a_chat_of_vs_code() -> None:
    arguments = {"filePath": f"{TOP}/lib/a.py", "content": "y\n"}
    rounds = [{"response": "I write.", "toolCalls": [
        {"id": "k", "name": "create_file", "arguments": json.dumps(arguments)}]}]  # fmt: skip
    chat = {
        "version": 3, "sessionId": "v1", "customTitle": "A file", "requests": [
            {"requestId": "r1", "timestamp": 1769182741000, "modelId": "copilot/gpt-5",
             "message": {"text": "do it"}, "response": [],
             "result": {"metadata": {"toolCallRounds": rounds, "toolCallResults": {
                 "k": {"content": [{"value": "ok"}, {"value": {"node": {}}}]}}}}},
            {"requestId": "r2", "timestamp": 1769182742000, "message": {"text": "thanks"},
             "response": [{"value": "You are "}, {"kind": "x"}, {"value": "welcome."}]},
        ],
    }  # fmt: skip
    call = ToolCall(
        "k", "create_file", Act.EDIT, "", "ok", time=at(1), paths=("lib/a.py",), edits=(WRITTEN,)
    )
    for indent in (None, 2):
        data = json.dumps(chat, indent=indent).encode()
        done = copilot.read(lines_of(data), "v1.json", ROOTS)
        assert done == Imported((
            Session(
                "v1", "copilot",
                (
                    Exchange("r1", "do it", "I write.", at(1), at(1), "copilot/gpt-5", (call,)),
                    Exchange("r2", "thanks", "You are welcome.", at(2), at(2)),
                ),
                "A file", source="v1.json", started=at(1),
            ),
        ))  # fmt: skip


def test_a_chat_kept_as_a_log_of_changes_is_one_problem() -> None:
    log = jsonl([{"kind": 0, "v": {"requests": []}}, {"kind": 1, "k": ["requests"], "v": []}])
    told = "a chat that VS Code keeps as a log of changes: not read"
    done = read_transcript(log, "v1.jsonl", ROOTS)
    assert done == Imported(problems=(Problem("v1.jsonl", 1, told),))
