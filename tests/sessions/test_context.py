"""The context of an exchange, whole, and how it behaves on anything."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.confidence import Confidence, Fate
from git_skillmesh.sessions.context import Context, context_of, tool_sequence
from git_skillmesh.sessions.edits_as_diff import FileChange, Place
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.modification import Modification
from git_skillmesh.sessions.snippets import Snippet, involved_in, shown

BEFORE = '''class Scanner:
    """Scans."""

    def scan(self, path):
        return self.read(path)

    def read(self, path):
        return open(path).read()
'''
AFTER = BEFORE.replace(
    "return self.read(path)\n",
    "for attempt in range(3):\n            try:\n                return self.read(path)\n"
    "            except OSError:\n                continue\n",
)


def call(act: Act, *edits: Edit, text: str = "", output: str = "") -> ToolCall:
    return ToolCall(f"{act}", str(act), act, text, output, edits=edits)


def test_the_whole_context() -> None:
    exchange = Exchange(
        "x-1",
        "Scans get lost when the disk is slow. Please fix that!\n```\nOSError: timed out\n```",
        "Let me look.\n\nA failing read is now tried three times.",
        model="m-1",
        tools=(
            call(Act.READ), call(Act.READ), call(Act.SEARCH),
            call(Act.EDIT, Edit("src/scan.py", BEFORE, AFTER, whole=True, line=1)),
            call(Act.EDIT, Edit("tests/test_scan.py", "", "def test_retry():\n    assert True\n",
                                whole=True, line=1)),
            call(Act.BASH, text="pytest -q", output="2 passed in 0.01s"),
        ),
    )  # fmt: skip
    session = Session("s-1", "codex", (exchange,))
    context = context_of(session, exchange)
    snippets = (
        Snippet(
            "src/scan.py", "Scanner.scan", 5, "        return self.read(path)",
            "        for attempt in range(3):\n            try:\n                return "
            "self.read(path)\n            except OSError:\n                continue",
        ),
        Snippet("tests/test_scan.py", "test_retry", 1, "",
                "def test_retry():\n    assert True"),
    )  # fmt: skip
    assert context == Context(
        modification_type=Modification.BUGFIX,
        confidence_score=0.917,
        prompt_summary="Scans get lost when the disk is slow. Please fix that!",
        response_summary="A failing read is now tried three times.",
        tool_sequence="read\u00d72→search→edit\u00d72→bash",
        diff_summary="2 files, +7 \u22121: src/scan.py +5 \u22121; tests/test_scan.py +2 \u22120",
        involved_entities=(
            "src/scan.py", "tests/test_scan.py", "src/scan.py::Scanner.scan",
            "tests/test_scan.py::test_retry",
        ),
        code_context=(
            "src/scan.py:5 Scanner.scan\n-        return self.read(path)\n"
            "+        for attempt in range(3):\n+            try:\n"
            "+                return self.read(path)\n+            except OSError:\n"
            "+                continue\n\n"
            "tests/test_scan.py:1 test_retry\n+def test_retry():\n+    assert True"
        ),
        added=7,
        removed=1,
        raw_prompt_hash=hashlib.sha256(exchange.prompt.encode()).hexdigest(),
        raw_response_hash=hashlib.sha256(exchange.response.encode()).hexdigest(),
        model_version="m-1",
        changes=context.changes,
        snippets=snippets,
        confidence=Confidence(0.917, (("tests", 1.0), ("not undone", 1.0))),
    )  # fmt: skip
    assert [(one.path, one.added, one.removed) for one in context.changes] == [
        ("src/scan.py", 5, 1), ("tests/test_scan.py", 2, 0),
    ]  # fmt: skip


def test_fate_is_listened_to() -> None:
    exchange = Exchange("x", "add a file", "done", tools=(
        call(Act.EDIT, Edit("a", "", "first line\n", whole=True)),
    ))  # fmt: skip
    session = Session("s", "codex", (exchange,))
    scores = [
        context_of(session, exchange, fate).confidence_score
        for fate in (Fate(reverted=True), Fate(False), None, Fate(True), Fate(True, 9, 9, False))
    ]
    assert scores == sorted(scores)
    assert scores[0] < 0.1 < 0.9 < scores[-1]


def test_an_empty_exchange_has_a_context() -> None:
    empty = Exchange("x", "", "")
    found = context_of(Session("s", "codex", (empty,)), empty)
    nothing = hashlib.sha256(b"").hexdigest()
    assert found == Context(
        Modification.UNKNOWN, 0.6, "", "", "", "", (), "", 0, 0, nothing, nothing, "",
        confidence=Confidence(0.6),
    )  # fmt: skip


def test_long_tool_sequences_are_cut() -> None:
    tools = tuple(call(act) for _ in range(100) for act in (Act.READ, Act.BASH))
    assert tool_sequence(Exchange("x", "", "", tools=tools)) == "read→bash→" * 30 + "…"


def test_symbols_are_the_innermost_that_changed() -> None:
    piece = (
        "class A:\n    x = 1\n\n    def f(self):\n        return 2\n\n\ndef g():\n    return 3\n"
    )
    place = Place(("old",), ("        return 2", "", "", "def g():"), 5, 0, 4)
    found = involved_in([FileChange("a.py", 4, 1, (place,), pieces=(piece,))])
    assert found.symbols == ("a.py::A.f", "a.py::g")


def test_fragments_and_unknown_languages_have_symbols_or_none() -> None:
    fragment = "fn retry() {\n    scan();\n}\n"
    place = Place((), ("    scan();",), 0, 0, 1)
    change = FileChange("a.rs", 1, 0, (place,), pieces=(fragment,))
    assert involved_in([change]).symbols == ("a.rs::retry",)
    assert involved_in([FileChange("a.unheard", 1, 0, (place,), pieces=(fragment,))]).symbols == ()


def test_snippets_are_bounded_and_hold_no_control_characters() -> None:
    lines = tuple(f"{'x' * 500}\x1b[2J{n}" for n in range(500))
    places = tuple(Place((), lines, 1 + 500 * n, 0, 500 * n) for n in range(20))
    found = involved_in([FileChange(f"a{n}\x1b.py", 10, 0, places) for n in range(20)])
    assert len(found.snippets) == 8
    text = shown(found.snippets)
    assert len(text) < 6_000
    assert "\x1b" not in text
    assert text.startswith("a0\ufffd.py:1\n+" + "x" * 160 + "\u2026\n")


def test_the_same_data_gives_the_same_context_in_every_process() -> None:
    code = (
        "import json, sys\nfrom git_skillmesh.sessions.model import *\n"
        "from git_skillmesh.sessions.context import context_of\n"
        "e = exchange_from_json(json.loads(sys.argv[1]))\n"
        "print(repr(context_of(Session('s', 'codex', (e,)), e)))"
    )
    edit = {"path": "a.py", "before": BEFORE, "after": AFTER, "whole": True}
    tools = [{"call_id": "c", "name": "Edit", "act": "edit", "edits": [edit]}]
    document = {"exchange_id": "x", "prompt": "fix lost scans", "response": "ok", "tools": tools}
    said = {
        subprocess.run(
            [sys.executable, "-c", code, json.dumps(document)],
            capture_output=True, check=True, timeout=60, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


texts = st.text(max_size=60) | st.text(alphabet="ab\n\r ", max_size=60)
edits = st.builds(
    Edit, st.sampled_from(["a.py", "b.md", "c\x1b.rs", "/x/y.ts"]), texts | st.none(),
    texts | st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(["", "a.py"]),
)  # fmt: skip
calls = st.builds(
    ToolCall, st.text(max_size=3), st.text(max_size=3), st.sampled_from(Act), texts, texts,
    st.booleans(), edits=st.lists(edits, max_size=3).map(tuple),
    commits=st.sampled_from([(), ("1a2b3c4",)]),
)  # fmt: skip
exchanges = st.builds(
    Exchange, st.text(max_size=2), texts, texts, tools=st.lists(calls, max_size=5).map(tuple)
)


@settings(deadline=None)
@given(st.lists(exchanges, min_size=1, max_size=4))
def test_any_exchange_has_a_context(found: list[Exchange]) -> None:
    session = Session("s", "codex", tuple(found))
    for exchange in found:
        context = context_of(session, exchange)
        assert 0 < context.confidence_score < 1
        assert context.added == sum(change.added for change in context.changes)
        for text in (context.prompt_summary, context.response_summary, context.diff_summary):
            assert text.isprintable()
        assert context == context_of(session, exchange)


@pytest.mark.parametrize("piece", ["x", "a b\n", "}\n", "def f():\n"])
def test_large_edits_take_bounded_time(piece: str) -> None:
    size = 2_000_000 // len(piece)
    edit = Edit("a.py", piece * size, piece * (size // 2) + "new\n" + piece * (size // 2), True, 1)
    exchange = Exchange("x", "p" * 10_000_000, "r " * 5_000_000, tools=(call(Act.EDIT, edit),))
    start = time.process_time()
    context_of(Session("s", "codex", (exchange,)), exchange)
    assert time.process_time() - start < 10


def test_the_fields_that_others_rely_on() -> None:
    assert {field.name for field in fields(Context)} >= {
        "modification_type", "confidence_score", "prompt_summary", "response_summary",
        "tool_sequence", "diff_summary", "involved_entities", "code_context", "added", "removed",
        "raw_prompt_hash", "raw_response_hash", "model_version",
    }  # fmt: skip
