"""Thoughts as files and as JSON: round trips, other programs' spelling, and what is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.thinking.model import Thought
from git_skillmesh.thinking.records import (
    document_of,
    from_bytes,
    line_of,
    thoughts_from_json,
    to_bytes,
)
from git_skillmesh.thinking.telling import history_document, json_lines
from testing.examples import examples
from testing.memory import tree_of
from testing.repos import make_repo
from testing.thoughts import open_thoughts

ids = st.text("ab/:\u00e9\u4e2d\U0001f4a1", min_size=1, max_size=8)
texts = st.text(min_size=1, max_size=40).filter(str.strip)
times = st.datetimes().map(lambda when: when.isoformat(timespec="microseconds") + "Z")
numbers = st.integers(0, 1_000_000)
thoughts = st.builds(
    Thought, ids, st.integers(1, 1_000_000), texts, numbers, st.just("") | ids, numbers,
    st.just(0), numbers, st.booleans(), st.just("") | times, st.just("") | ids,
)  # fmt: skip


@given(thoughts)
@settings(max_examples=examples(60))
def test_a_thought_comes_back_from_its_file_and_from_json(thought: Thought) -> None:
    assert from_bytes(to_bytes(thought)) == thought
    line = line_of(thought).encode()
    assert thoughts_from_json(line + b"\n" + line, "x") == [thought, thought]
    assert thoughts_from_json(json.dumps([document_of(thought)]).encode(), "x") == [thought]


values: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([[]])
)
keys = st.sampled_from(["session_id", "number", "text", "time", "branch", "total", "more"])


@given(st.binary(max_size=60) | st.dictionaries(keys, values).map(lambda d: json.dumps(d).encode()))
@settings(max_examples=examples(60))
def test_whatever_a_file_holds_it_is_a_thought_or_none(data: bytes) -> None:
    thought = from_bytes(data)
    assert thought is None or from_bytes(to_bytes(thought)) == thought


@given(st.lists(st.builds(
    Thought, st.just("s"), st.integers(0, 3), st.sampled_from(["red", "green"]),
    branch=st.sampled_from(["", "b"]), branched_from=st.integers(0, 2),
    revises=st.integers(0, 2), needs_more=st.booleans()), min_size=1, max_size=5))  # fmt: skip
@settings(max_examples=examples(5), deadline=None)
def test_an_export_is_read_again_as_the_same_session(told: list[Thought]) -> None:
    first, second, third = (open_thoughts(make_repo(_new_folder())) for _ in range(3))
    first.record_all(told)
    found = first.history("s")
    second.record_all(thoughts_from_json(json_lines(found).encode(), "x"))
    third.record_all(thoughts_from_json(json.dumps(history_document(found)).encode(), "x"))
    assert second.history("s") == third.history("s") == found
    again = second.record_all(thoughts_from_json(json_lines(found).encode(), "x"))
    assert {one.fate for one in again} == {"known"}


_folders: list[Path] = []


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    _folders[:] = [tmp_path]


def _new_folder() -> Path:
    _folders.append(_folders[0] / str(len(_folders)))
    return _folders[-1]


def test_the_spelling_of_other_programs() -> None:
    data = b"""{"thought": "x", "thoughtNumber": 2, "totalThoughts": "5",
        "nextThoughtNeeded": false, "isRevision": true, "revisesThought": 1,
        "branchFromThought": null, "branchId": "b", "sessionId": "s", "needsMoreThoughts": false}"""
    assert thoughts_from_json(data, "x") == [
        Thought("s", 2, "x", 5, "b", revises=1, needs_more=False)
    ]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "stdin holds no thought: docs/thinking.md shows how to write it"),
        (b"[]", "stdin holds no thought: docs/thinking.md shows how to write it"),
        (b'{"thought": "x"}\n{"thought": 1}\n', "stdin:2: thought is not text"),
        (b'{"thought": "x"}\n{"thougt": "x"}\n',
         "stdin:2: 'thougt' is no key that is known here: docs/thinking.md"),
        (b'{"thought": "x"}\n\n{"thought": \n', "stdin:3: not JSON: Expecting value (column 13)"),
        (b'\xff\n', "stdin:1: not UTF-8"),
        (b'[1]', "stdin:1: not a JSON object"),
        (b'{"thought_number": 1}', "stdin:1: thought is missing"),
        (b'{"thought": "x", "thought_number": "b"}', "stdin:1: thought_number is no whole number"),
        (b'{"thought": "x", "next_thought_needed": 1}',
         "stdin:1: next_thought_needed is neither true nor false"),
        (b"[" * 100_000, "stdin:1: not JSON: too deep"),
        (b'{"thought": " "}', "stdin:1: the thought is empty"),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        thoughts_from_json(data, "stdin")
    assert str(error.value) == complaint


def test_the_same_session_is_the_same_tree(tmp_path: Path) -> None:
    repos = [make_repo(tmp_path, name) for name in ("one", "two")]
    one, two = map(open_thoughts, repos)
    one.record_all([Thought("s", 0, "a", total=2), Thought("s", 1, "b"), Thought("s", 0, "c")])
    two.record_all(thoughts_from_json(json_lines(one.history("s")).encode(), "x"))
    assert tree_of(repos[0]) == tree_of(repos[1])
