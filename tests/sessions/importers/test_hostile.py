"""Whatever a transcript holds, a reader answers with sessions and problems, never with an error."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.importers.detect import READERS, agent_of, read_transcript
from git_skillmesh.sessions.importers.gitai import read_notes
from git_skillmesh.sessions.importers.records import LONGEST_LINE, Imported, lines_of
from git_skillmesh.sessions.model import Problem, exchange_to_json
from testing.examples import examples
from testing.transcripts import ROOTS, jsonl, samples

SAMPLES = samples()
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\ud800", "/", "..", "\0", "1e999", "2026-99-99T00:00:00.000Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, entry in inner:
        deeper = isinstance(entry, dict | list)
        found += places(entry, (*path, key)) if deeper else [(*path, key)]
    return found


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return changed


def check(done: Imported) -> None:
    """What comes out can be stored: as JSON, in UTF-8."""
    for session in done.sessions:
        for exchange in session.exchanges:
            json.dumps(exchange_to_json(exchange), ensure_ascii=False).encode()
    assert all(isinstance(problem, Problem) for problem in done.problems)


@pytest.mark.parametrize("agent", SAMPLES)
def test_the_samples_are_read_without_a_problem(agent: str) -> None:
    data = jsonl(SAMPLES[agent])
    assert agent_of(data) == agent
    done = read_transcript(data, "f.jsonl", ROOTS)
    assert done.problems == ()
    calls = [call for s in done.sessions for e in s.exchanges for call in e.tools]
    assert any(call.edits for call in calls)


@pytest.mark.parametrize("agent", SAMPLES)
@settings(max_examples=examples(30), deadline=None)
@given(data=st.data())
def test_any_value_in_any_place(agent: str, data: st.DataObject) -> None:
    records = SAMPLES[agent]
    for _ in range(data.draw(st.integers(1, 3))):
        records = put(records, data.draw(st.sampled_from(places(records))), data.draw(anything))
    check(READERS[agent](lines_of(jsonl(records)), "f.jsonl", ROOTS))


@pytest.mark.parametrize("agent", READERS)
@settings(max_examples=examples(30), deadline=None)
@given(
    data=st.binary(max_size=200)
    | st.text(alphabet='#>`<=_*\n SEARCHREPLA/{}[]"', max_size=200).map(str.encode)
)
def test_any_bytes(agent: str, data: bytes) -> None:  # fmt: skip
    check(READERS[agent](lines_of(data), "f", ROOTS))
    check(read_transcript(data, "f", ROOTS))


@settings(max_examples=examples(30), deadline=None)
@given(data=st.data())
def test_any_value_in_a_note(data: st.DataObject) -> None:
    told = {
        "agent_id": {"tool": "claude", "id": "s1", "model": "m"},
        "messages": [
            {"type": "user", "text": "do it", "timestamp": "2026-01-01T00:00:00Z"},
            {"type": "tool_use", "name": "Edit", "input": {"file_path": "a", "content": "x"}},
        ],
    }
    about = {
        "schema_version": "authorship/3.0.0",
        "prompts": {"k": told},
        "sessions": {"s_1": told},
    }
    about = put(about, data.draw(st.sampled_from(places(about))), data.draw(anything))
    note = b"a.py\n  k 1-3,5\n  s_1::t_2 4\n---\n" + json.dumps(about).encode()
    check(read_notes([("1" * 40, note)], "refs/notes/ai", ROOTS))


def _ends(data: bytes) -> list[int]:
    return [number for number, byte in enumerate(data, 1) if byte == ord("\n")]


@pytest.mark.parametrize("agent", SAMPLES)
def test_every_cut_of_a_file_that_is_being_written(agent: str) -> None:
    data = jsonl(SAMPLES[agent])
    # Around the ends of lines, and here and there within them.
    lines = [number + place for number in _ends(data) for place in (-2, -1, 0, 1, 2)]
    for end in sorted({*range(0, len(data), 13), *lines}):
        done = READERS[agent](lines_of(data[:end]), "f.jsonl", ROOTS)
        assert done.problems == ()


def test_a_line_without_end_is_one_problem() -> None:
    lines = [b'{"a":"' + b"x" * LONGEST_LINE + b'"}\n', jsonl(SAMPLES["claude-code"][:1])]
    done = READERS["claude-code"](lines, "f.jsonl", ROOTS)
    assert len(done.sessions) == 1
    assert done.problems == (Problem("f.jsonl", 1, "line of 64 MiB is too long for a record"),)


def test_a_document_in_the_wrong_file_is_told_by_its_content() -> None:
    messages = SAMPLES["gemini"][1:3]
    document = json.dumps({"sessionId": "g1", "messages": messages}, indent=2).encode()
    done = read_transcript(document, "full.jsonl", ROOTS)
    assert [session.agent for session in done.sessions] == ["gemini"]
    assert done.problems == ()
    # A reader that is told otherwise says so, and not for every line of it.
    wrong = READERS["claude-code"](lines_of(document * 9), "full.jsonl", ROOTS)
    assert wrong.sessions == ()
    assert len(wrong.problems) == 101
    assert wrong.problems[-1].message.endswith(" more records do not fit")


def test_an_empty_file_and_one_of_no_agent() -> None:
    assert read_transcript(b"", "f", ROOTS) == Imported()
    assert read_transcript(b"\n \n", "f", ROOTS) == Imported()
    unknown = (Problem("f", 0, "the transcript of no agent that is known"),)
    assert read_transcript(b"# Notes\n", "f", ROOTS) == Imported(problems=unknown)
