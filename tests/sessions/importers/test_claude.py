"""Claude Code: what is a prompt, what the edits were byte by byte, whose a record is."""

from typing import Any

from git_skillmesh.sessions.importers import claude
from git_skillmesh.sessions.importers.places import Roots
from git_skillmesh.sessions.importers.records import Imported, Record, lines_of, made_id
from git_skillmesh.sessions.model import Act, Edit, Exchange, Problem, Session, ToolCall
from testing.transcripts import (
    ROOTS,
    TOP,
    at,
    claude_result,
    claude_says,
    claude_uses,
    jsonl,
)
from testing.transcripts import claude as record


def read(*records: Record, roots: Roots = ROOTS) -> Imported:
    return claude.read(lines_of(jsonl(records)), "s1.jsonl", roots)


def session(*exchanges: Exchange, **more: Any) -> Session:
    values: dict[str, Any] = {
        "directory": TOP, "branch": "main", "source": "s1.jsonl", "started": at(1), **more,
    }  # fmt: skip
    return Session("s1", "claude-code", exchanges, **values)


def only_call(*records: Record) -> ToolCall:
    """Return the one tool call of the one exchange; nothing may be a problem."""
    done = read(record("user", "p", 1, "do it"), *records)
    assert done.problems == ()
    [exchange] = done.sessions[0].exchanges
    [call] = exchange.tools
    return call


def edit_result(**more: Any) -> Record:
    return {
        "filePath": f"{TOP}/a.py", "oldString": "old\n", "newString": "new\n",
        "originalFile": "one\nold\nold\n", "structuredPatch": [], "userModified": False,
        "replaceAll": False, **more,
    }  # fmt: skip


def test_a_conversation() -> None:
    done = read(
        record("user", "p1", 1, "make it blink"),
        claude_says("a1", 2, {"type": "thinking", "thinking": "hm", "signature": "x"}),
        claude_says("a2", 3, "I look at it."),
        claude_uses("a3", 4, "t1", "Read", file_path=f"{TOP}/lamp.py"),
        claude_result("u1", 5, "t1", "1\tx = 1", {"type": "text", "file": {}}),
        claude_uses("a4", 6, "t2", "Bash", command="git commit -qm blink"),
        claude_result("u2", 7, "t2", "[main 1a2b3c4] blink\n 1 file changed"),
        claude_says("a5", 8, "It blinks."),
        record("user", "p2", 9, [{"type": "text", "text": "thanks"}]),
    )
    read_call = ToolCall("t1", "Read", Act.READ, output="1\tx = 1", time=at(4), paths=("lamp.py",))
    commit = ToolCall(
        "t2", "Bash", Act.BASH, "git commit -qm blink", "[main 1a2b3c4] blink\n 1 file changed",
        time=at(6), commits=("1a2b3c4",),
    )  # fmt: skip
    assert done == Imported((
        session(
            Exchange(
                "p1", "make it blink", "I look at it.\n\nIt blinks.", at(1), at(8),
                "claude-opus-4", (read_call, commit),
            ),
            Exchange("p2", "thanks", "", at(9), at(9)),
        ),
    ))  # fmt: skip


def test_what_the_program_says_is_no_prompt() -> None:
    done = read(
        record("user", "p1", 1, "start"),
        claude_says("a1", 2, "yes"),
        record("user", "m", 3, "<local-command-caveat>…", isMeta=True),
        record("user", "c", 4, "This session is being continued", isCompactSummary=True),
        record("user", "n", 5, "<task-notification>done</task-notification>"),
        record("user", "i", 6, [{"type": "text", "text": "[Request interrupted by user]"}]),
        record("user", "r", 7, "<system-reminder>be nice</system-reminder>"),
        {"type": "summary", "summary": "Blinking lamp", "leafUuid": "a1"},
        {"type": "summary", "summary": "Another file", "leafUuid": "zz"},
        {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}},
        claude_says("e", 8, "API Error", isApiErrorMessage=True),
    )
    assert done == Imported(
        (
            session(
                Exchange("p1", "start", "yes", at(1), at(2), "claude-opus-4"),
                title="Blinking lamp",
            ),
        )
    )  # fmt: skip


def test_a_slash_command_is_a_prompt_if_the_agent_answers() -> None:
    command = "<command-message>{0}</command-message>\n<command-name>/{0}</command-name>"
    done = read(
        record("user", "p1", 1, command.format("clear") + "<command-args></command-args>"),
        record("user", "o", 2, "<local-command-stdout>cleared</local-command-stdout>"),
        record("user", "p2", 3, command.format("plan") + "<command-args>the lamp</command-args>"),
        record("user", "m", 4, [{"type": "text", "text": "<objective>…"}], isMeta=True),
        claude_says("a1", 5, "A plan."),
    )
    assert done.sessions[0].exchanges == (
        Exchange("p2", "/plan the lamp", "A plan.", at(3), at(5), "claude-opus-4"),
    )


def queue(operation: str, second: int, **more: str) -> Record:
    return {
        "type": "queue-operation", "operation": operation, "timestamp": at(second),
        "sessionId": "s1", **more,
    }  # fmt: skip


def test_what_a_person_says_in_the_middle_of_a_turn_is_a_prompt() -> None:
    done = read(
        record("user", "p1", 1, "start"),
        queue("enqueue", 2, content="use red"),
        queue("enqueue", 3, content='{"task_id":"b1","tool_use_id":"t"}'),
        queue("enqueue", 4, content="stop after that"),
        queue("remove", 5),
        queue("remove", 5),
        claude_says("a1", 6, "Red."),
        queue("dequeue", 7),
        record("user", "p2", 7, "stop after that"),
        queue("enqueue", 8, content="never sent"),
        queue("popAll", 9, content="never sent"),
    )
    assert done == Imported((
        session(
            Exchange("p1", "start", "", at(1), at(1)),
            Exchange(
                made_id("s1", at(5), "use red"), "use red", "Red.", at(5), at(6), "claude-opus-4"
            ),
            Exchange("p2", "stop after that", "", at(7), at(7)),
        ),
    ))  # fmt: skip


def test_a_steering_prompt_that_is_told_twice_is_one() -> None:
    attached = {"attachment": {"type": "queued_command", "prompt": "use red"}, "type": "attachment"}
    told = {**record("user", "q", 6, ""), **attached}
    for twice in ([queue("remove", 5), told], [told, queue("remove", 5)]):
        done = read(
            record("user", "p1", 1, "start"), queue("enqueue", 2, content="use red"), *twice
        )
        assert [e.prompt for e in done.sessions[0].exchanges] == ["start", "use red"]


def test_an_edit_has_its_bytes_from_the_result_and_its_line_from_the_file() -> None:
    call = only_call(
        claude_uses("a", 2, "t", "Edit", file_path=f"{TOP}/a.py", old_string="x", new_string="y"),
        claude_result("u", 3, "t", "updated", edit_result(newString="\tnew\n\tmore\n")),
    )
    assert call == ToolCall(
        "t", "Edit", Act.EDIT, output="updated", time=at(2), paths=("a.py",),
        edits=(Edit("a.py", "old\n", "\tnew\n\tmore\n", line=2),),
    )  # fmt: skip


def edits_of(told: Any, name: str = "Edit", **given: Any) -> tuple[Edit, ...]:
    given = given or {"old_string": "old\n", "new_string": "mine\n"}
    return only_call(
        claude_uses("a", 2, "t", name, file_path=f"{TOP}/a.py", **given),
        claude_result("u", 3, "t", "updated", told),
    ).edits


def test_replacing_everywhere_is_an_edit_for_each_place() -> None:
    told = edit_result(newString="new\nnewer\n", replaceAll=True)
    assert edits_of(told) == (
        Edit("a.py", "old\n", "new\nnewer\n", line=2),
        Edit("a.py", "old\n", "new\nnewer\n", line=4),
    )
    many = edit_result(originalFile="old\n" * 51, replaceAll=True)
    assert edits_of(many) == (
        Edit("a.py", "old\n" * 51, "new\n" * 51, whole=True, line=1),
    )  # fmt: skip


def test_the_patch_gives_the_place_where_the_file_is_not_recorded() -> None:
    patch = [{"newStart": 7, "lines": [" one", "-old", "+    new", "\\ No newline", " two"]}]
    told = edit_result(originalFile=None, newString="\tnew\n", structuredPatch=patch)
    assert edits_of(told) == (Edit("a.py", "old\n", "\tnew\n", line=8),)
    assert edits_of(edit_result(originalFile=None)) == (Edit("a.py", "old\n", "new\n"),)


def test_what_a_person_changed_in_an_edit_is_not_the_agents() -> None:
    told = edit_result(newString="theirs\n", userModified=True)
    assert edits_of(told) == (Edit("a.py", "old\n", "mine\n", amended=True),)


def test_a_file_written_is_the_whole_file() -> None:
    told = {"type": "create", "filePath": f"{TOP}/a.py", "content": "x\n", "originalFile": None}
    assert edits_of(told, "Write", content="x\n") == (
        Edit("a.py", None, "x\n", whole=True, line=1),
    )
    told = {**told, "type": "update", "originalFile": "w\n"}
    assert edits_of(told, "Write", content="x\n") == (
        Edit("a.py", "w\n", "x\n", whole=True, line=1),
    )


def test_edits_without_a_told_result_are_those_that_were_asked_for() -> None:
    two = [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d"}]
    assert edits_of("done", "MultiEdit", edits=two) == (
        Edit("a.py", "a", "b"),
        Edit("a.py", "c", "d"),
    )
    assert edits_of(None, "Write", content="x") == (Edit("a.py", None, "x", whole=True, line=1),)


def test_an_edit_that_failed_or_never_ended_changed_nothing() -> None:
    asked = claude_uses("a", 2, "t", "Edit", file_path="a.py", old_string="x", new_string="y")
    failed = claude_result("u", 3, "t", "no match", "Error: no match", failed=True)
    assert only_call(asked, failed).edits == ()
    assert only_call(asked, failed).failed
    assert only_call(asked).edits == ()


def test_a_subagent_is_a_session_of_its_own_that_its_task_points_to() -> None:
    side = {"isSidechain": True, "agentId": "ab1"}
    task = claude_uses("a", 2, "t", "Task", prompt="look around", subagent_type="Explore")
    answer = claude_says("y", 4, "Nothing there.", **side)
    asked = record("user", "x", 3, "look around", **side)
    result = claude_result("u", 5, "t", "Nothing.", {"agentId": "ab1", "status": "completed"})
    done = read(record("user", "p", 1, "do it"), task, asked, answer, result)
    found = Exchange("x", "look around", "Nothing there.", at(3), at(4), "claude-opus-4")
    call = ToolCall("t", "Task", Act.TASK, "look around", "Nothing.", time=at(2), session="s1-ab1")
    assert done == Imported((
        session(Exchange("p", "do it", "", at(1), at(5), "claude-opus-4", (call,))),
        Session(
            "s1-ab1", "claude-code", (found,), "", TOP, "main", "s1", "s1.jsonl", at(3)
        ),
    ))  # fmt: skip

    # The same, told by records of progress, which repeat those of the subagent's own file.
    def told(inner: Record) -> Record:
        data = {"type": "agent_progress", "message": inner, "agentId": "ab1", "prompt": "look"}
        outer = record("progress", "o" + inner["uuid"], 9, "", data=data, parentToolUseID="t")
        del outer["message"]
        return outer

    inner = [
        {key: r[key] for key in ("type", "message", "uuid", "timestamp")} for r in (asked, answer)
    ]
    assert read(record("user", "p", 1, "do it"), task, *map(told, inner), result) == done


def test_a_sidechain_without_an_id_follows_its_first_record() -> None:
    done = read(
        record("user", "p", 1, "do it"),
        claude_uses("a", 2, "t", "Task", prompt="look around"),
        record("user", "x", 3, "look around", isSidechain=True),
        claude_says("y", 4, "Nothing.", isSidechain=True, parentUuid="x"),
    )
    assert [(s.session_id, s.parent, len(s.exchanges)) for s in done.sessions] == [
        ("s1", "", 1),
        ("s1-x", "s1", 1),
    ]
    assert done.sessions[0].exchanges[0].tools[0].session == "s1-x"


def test_progress_is_not_even_read() -> None:
    lines = jsonl([record("user", "p", 1, "do it")])
    broken = b'{"parentUuid":"x","isSidechain":false,"type":"progress","data":{{"oops"}\n'
    assert claude.read(lines_of(broken + lines), "s1.jsonl", ROOTS).problems == ()


def test_a_record_that_does_not_fit_is_one_problem_and_the_rest_is_read() -> None:
    good = record("user", "p", 1, "do it")
    bad = [
        b"{},\n",
        b"7\n",
        b'{"no":"type"}\n',
        b'{"type":"user","sessionId":"s1","message":[]}\n',
        b'{"type":"later"}\n',
        b'{"type":"later"}\n',
        b'{"type":"user","message":{"content":"\xff"}}\n',
        b'{"a":' + b"[" * 100_000 + b"\n",
    ]
    done = claude.read([*bad, jsonl([good]), b'{"type":"us'], "s1.jsonl", ROOTS)
    assert done == Imported(
        (session(Exchange("p", "do it", "", at(1), at(1))),),
        (
            Problem("s1.jsonl", 1, "not JSON: Extra data (column 3)"),
            Problem("s1.jsonl", 2, "a number, not an object"),
            Problem("s1.jsonl", 3, '"type" is missing'),
            Problem("s1.jsonl", 4, '"message" is a list, not an object'),
            Problem("s1.jsonl", 7, "not UTF-8"),
            Problem("s1.jsonl", 8, "nested too deeply"),
            Problem("s1.jsonl", 5, "records of type 'later' are not known (2 in this file)"),
        ),
    )  # fmt: skip


def test_the_same_record_twice_counts_once() -> None:
    prompt, answer = record("user", "p", 1, "do it"), claude_says("a", 2, "done")
    assert read(prompt, answer, prompt, answer) == read(prompt, answer)


def test_records_of_another_session_in_a_resumed_file_stay_its_own() -> None:
    done = read(
        record("user", "p0", 1, "before", sessionId="s0"),
        claude_says("a0", 2, "yes", sessionId="s0"),
        record("user", "p1", 3, "after"),
    )
    assert [(s.session_id, [e.exchange_id for e in s.exchanges]) for s in done.sessions] == [
        ("s0", ["p0"]),
        ("s1", ["p1"]),
    ]
