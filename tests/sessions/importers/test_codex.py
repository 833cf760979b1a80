"""Codex: prompts told twice, patches, results in their three forms, forks and subagents."""

from git_skillmesh.sessions.importers import codex
from git_skillmesh.sessions.importers.records import Imported, Record, lines_of, made_id
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.transcripts import (
    ROOTS,
    TOP,
    at,
    codex_answers,
    codex_calls,
    codex_event,
    codex_meta,
    codex_says,
    jsonl,
)
from testing.transcripts import codex as record

NAME = "rollout-2026-01-23T15-39-00-01234567-89ab-cdef-0123-456789abcdef.jsonl"
PATCH = """\
*** Begin Patch
*** Update File: lib/a.py
@@ def f():
 one
-two
+2
 three
+four
*** Add File: b.py
+x
+
*** End Patch
"""


def read(*records: Record) -> Imported:
    return codex.read(lines_of(jsonl(records)), NAME, ROOTS)


def calls(*records: Record) -> tuple[ToolCall, ...]:
    done = read(codex_meta(), codex_event(1, "user_message", message="do it"), *records)
    assert done.problems == ()
    return done.sessions[0].exchanges[0].tools


def test_a_conversation() -> None:
    done = read(
        codex_meta(),
        codex_says(1, "user", "<environment_context>…</environment_context>"),
        record("turn_context", 1, {"cwd": f"{TOP}/lib", "model": "gpt-5-codex"}),
        codex_says(1, "user", "make it blink"),
        codex_event(1, "user_message", message="make it blink\n", images=["data:…"]),
        record("response_item", 2, {"type": "reasoning", "encrypted_content": "x"}),
        codex_calls(3, "k1", "shell", command=["bash", "-lc", "git commit -m x"]),
        codex_answers(4, "k1", '{"output":"[main 1a2b3c4] x\\n","metadata":{"exit_code":0}}'),
        codex_event(5, "agent_message", message="It blinks."),
        codex_says(5, "assistant", "It blinks."),
        codex_event(6, "token_count", info=None),
        codex_event(7, "user_message", message="thanks"),
    )
    call = ToolCall(
        "k1", "shell", Act.BASH, "git commit -m x", "[main 1a2b3c4] x\n", time=at(3),
        commits=("1a2b3c4",),
    )  # fmt: skip
    prompt = "make it blink\n\n[image]"
    assert done == Imported((
        Session(
            "c1", "codex",
            (
                Exchange(
                    made_id("c1", 0, prompt), prompt, "It blinks.", at(1), at(5), "gpt-5-codex",
                    (call,),
                ),
                Exchange(made_id("c1", 1, "thanks"), "thanks", "", at(7), at(7)),
            ),
            "", TOP, "main", "", NAME, at(0),
        ),
    ))  # fmt: skip


def test_without_events_the_messages_are_the_prompts() -> None:
    done = read(
        codex_meta(), codex_says(1, "user", "# AGENTS.md instructions for …"),
        codex_says(2, "user", "do it"), codex_says(3, "assistant", "done"),
    )  # fmt: skip
    assert done.sessions[0].exchanges == (
        Exchange(made_id("c1", 0, "do it"), "do it", "done", at(2), at(3)),
    )


def test_a_patch_is_an_edit_for_each_run_of_lines_once_it_is_applied() -> None:
    edits = (
        Edit("lib/a.py", "two\n", "2\n"),
        Edit("lib/a.py", "", "four\n"),
        Edit("b.py", None, "x\n\n", whole=True, line=1),
    )
    asked = codex_calls(2, "k", "apply_patch", patch=PATCH)
    [call] = calls(
        asked, codex_answers(3, "k", "Success. Updated the following files:\nM lib/a.py")
    )
    assert call == ToolCall(
        "k", "apply_patch", Act.EDIT, "", "Success. Updated the following files:\nM lib/a.py",
        time=at(2), paths=("lib/a.py", "b.py"), edits=edits,
    )  # fmt: skip
    raw = {"type": "custom_tool_call", "name": "apply_patch", "input": PATCH, "call_id": "k"}
    output = {"type": "custom_tool_call_output", "call_id": "k", "output": "Exit code: 0\nOutput:"}
    custom = [record("response_item", 2, raw), record("response_item", 3, output)]
    assert calls(*custom)[0].edits == edits
    by_shell = codex_calls(
        2, "k", "shell", command=["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}EOF"], workdir=TOP
    )
    assert calls(by_shell, codex_answers(3, "k", "ok"))[0].edits == edits


def test_a_patch_that_failed_or_never_ended_changed_nothing() -> None:
    asked = codex_calls(2, "k", "apply_patch", patch=PATCH)
    for output in (
        "apply_patch verification failed: no such lines",
        "Exit code: 1\nOutput:\nno",
        '{"output":"no","metadata":{"exit_code":1}}',
        {"content": "no", "success": False},
    ):
        [call] = calls(asked, codex_answers(3, "k", output))
        assert (call.failed, call.edits) == (True, ())
    assert calls(asked)[0].edits == ()
    ended = codex_event(4, "patch_apply_end", call_id="k", success=False)
    [call] = calls(asked, codex_answers(3, "k", "ok"), ended)
    assert (call.failed, call.edits) == (True, ())


def test_a_fork_repeats_the_exchanges_of_the_session_it_comes_from() -> None:
    start = [codex_event(1, "user_message", message="do it"), codex_says(2, "assistant", "done")]
    first = read(codex_meta(), *start).sessions[0]
    fork = read(
        codex_meta(id="c2", forked_from_id="c1"), codex_meta(), *start,
        codex_event(3, "user_message", message="otherwise"),
    ).sessions[0]  # fmt: skip
    assert (fork.session_id, fork.parent) == ("c2", "")
    assert fork.exchanges[0] == first.exchanges[0]


def test_a_subagent_has_a_parent() -> None:
    start = codex_event(1, "user_message", message="look")
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "c0", "depth": 1}}}
    assert read(codex_meta(source=spawned), start).sessions[0].parent == "c0"
    older = codex_meta(thread_source="subagent", forked_from_id="c0")
    assert read(older, start).sessions[0].parent == "c0"


def test_a_rollout_without_its_first_line_is_named_by_its_file() -> None:
    done = read(codex_event(1, "user_message", message="do it"))
    assert done.sessions[0].session_id == "01234567-89ab-cdef-0123-456789abcdef"


def test_a_rollout_from_before_the_envelope() -> None:
    bare = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "do"}]}
    done = read({"id": "c9", "timestamp": at(0), "instructions": None}, bare)
    assert done.problems == ()
    assert (done.sessions[0].session_id, done.sessions[0].exchanges[0].prompt) == ("c9", "do")
