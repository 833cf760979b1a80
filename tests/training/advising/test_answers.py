"""What is believed of an answer: nothing that is not anchored, whatever a model says."""

import json
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.training.advising.answers import MOST, findings_in, read_answer
from git_skillmesh.training.advising.model import Kind
from testing.advising import CLEANER, QUOTE, finding, request, source
from testing.examples import examples

ASKED = request(
    source(),
    source(Kind.CONVERSATION, "9d2e-1", "Asked: wait longer each time between requests"),
    source(Kind.CODE, "b.py:1", "def somewhere_else(): pass"),
)


def read(*findings: object) -> tuple[list[tuple[str, int, str]], dict[str, int]]:
    found = read_answer(json.dumps({"findings": findings}), ASKED, CLEANER)
    assert found.understood
    return [(one.path, one.line, one.source.id) for one in found.advice], dict(found.dropped)


def test_what_stands_every_check() -> None:
    found = read_answer(json.dumps({"findings": [finding()]}), ASKED, CLEANER)
    (one,) = found.advice
    assert (one.path, one.line, one.text) == ("a.py", 2, "line 2")
    assert (one.message, one.quote, one.source.id) == ("No clock.", QUOTE, "clock")
    assert found.dropped == Counter()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"source": ""}, "cites nothing"),
        ({"source": None}, "cites nothing"),
        ({"source": "L2"}, "cites what it was not shown"),
        ({"source": "clock"}, "cites what it was not shown"),
        ({"source": "K1", "quote": "def somewhere_else(): pass"}, "cites what it was not shown"),
        ({"source": "C1"}, "quotes what its source does not say"),
        ({"line": 1}, "names no added line"),
        ({"line": 3}, "names no added line"),
        ({"line": True}, "names no added line"),
        ({"line": "2; rm"}, "names no added line"),
        ({"line": float("nan")}, "names no added line"),
        ({"line": 10**30}, "names no added line"),
        ({"file": "b.py"}, "names no added line"),
        ({"file": "../a.py"}, "names no added line"),
        ({"quote": ""}, "quotes what its source does not say"),
        ({"quote": "the"}, "quotes what its source does not say"),
        ({"quote": "time.time() beats depot.clock()"}, "quotes what its source does not say"),
        ({"quote": QUOTE * 20}, "quotes what its source does not say"),
        ({"message": " "}, "says nothing"),
    ],
)  # fmt: skip
def test_what_is_dropped(more: dict[str, Any], why: str) -> None:
    assert read(finding(**more)) == ([], {why: 1})


@pytest.mark.parametrize(
    "more",
    [
        {"line": "4"},
        {"line": 4.0},
        {"line": 4, "source": " [L1] "},
        {"line": 4, "quote": f"\u201c{QUOTE.upper()}\u201d"},
        {"line": 4, "quote": QUOTE.replace(" ", "\n  ")},
    ],
)
def test_what_is_meant_the_same(more: dict[str, Any]) -> None:
    assert read(finding(**more)) == ([("a.py", 4, "clock")], {})


def test_a_conversation_is_cited() -> None:
    cited = finding(source="C1", quote="wait longer each time", line=4)
    assert read(cited) == ([("a.py", 4, "9d2e-1")], {})


def test_a_message_is_made_harmless_and_short() -> None:
    said = "\x1b[2J\u202e wait\n\n" + "x" * 5_000 + " AKIAIOSFODNN7EXAMPLE"
    found = read_answer(json.dumps({"findings": [finding(message=said)]}), ASKED, CLEANER)
    (one,) = found.advice
    assert one.message.startswith("\u241b[2J<U+202E> wait xxx")
    assert len(one.message) == 1_000
    found = read_answer(
        json.dumps({"findings": [finding(message="AKIAZ5MNQ2XWTVYR7DLK")]}), ASKED, CLEANER
    )
    assert "AKIAZ5" not in found.advice[0].message


@pytest.mark.parametrize(
    "text",
    [
        "Here you are:\n```json\n{}\n```\nBye {not json}",
        "<think>{{{ [1, 2] </think>{}",
        "<think>never ended {}",
        "{} and again {}",
    ],
)
def test_json_is_found_in_what_is_around_it(text: str) -> None:
    whole = json.dumps({"findings": [finding()]})
    found = findings_in(text.replace("{}", whole))
    assert found == (None if "never" in text else [finding()])


def test_an_answer_that_breaks_off() -> None:
    whole = json.dumps({"findings": [finding(), finding(line=4), finding(message="z" * 50)]})
    assert findings_in(whole[:-30]) == [finding(), finding(line=4)]
    assert findings_in(json.dumps([finding()])) == [finding()]
    assert findings_in(json.dumps(finding())) == [finding()]
    assert findings_in('{"findings": []}') == []
    assert findings_in("no") is None


@pytest.mark.parametrize(
    "text",
    ["{" * 300_000, "[" * 300_000, '{"a":' * 60_000, '"' * 300_000, '{"findings": [' + "1" * 9_000,
     '{"file": "a", "line": ' * 20_000, "\ud800" * 1_000],
)  # fmt: skip
def test_no_answer_takes_long(text: str) -> None:
    began = time.thread_time()
    assert read_answer(text, ASKED, CLEANER).advice == []
    assert time.thread_time() - began < 2


def test_no_more_than_anybody_reads() -> None:
    listed, dropped = read(*[finding() for _ in range(MOST + 7)])
    assert (len(listed), dropped) == (MOST, {f"beyond the first {MOST} of an answer": 7})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=3,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "file": st.sampled_from(["a.py", "b.py", "./a.py", ""]) | JSON,
        "line": st.integers(-1, 7) | st.sampled_from(["2", "4.0", 4.0]) | JSON,
        "source": st.sampled_from(["L1", "L2", "C1", "K1", "l1", ""]) | JSON,
        "quote": st.sampled_from(
            [QUOTE, QUOTE[:20], "wait longer each time", "def somewhere_else(): pass", "the"]
        )
        | JSON,
        "message": st.text(max_size=30) | JSON,
    },
)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(NEARLY | JSON, max_size=4), st.text(max_size=20), st.integers(0, 30))
def test_nothing_survives_that_is_not_anchored(listed: list[Any], around: str, cut: int) -> None:
    text = around + json.dumps({"findings": listed}) + around
    found = read_answer(text[: len(text) - cut], ASKED, CLEANER)
    for one in found.advice:
        assert (one.path, one.line) in {("a.py", 2), ("a.py", 4)}
        assert one.source in (ASKED.sources["L1"], ASKED.sources["C1"])
        quoted = " ".join(one.quote.split()).casefold()
        assert len(quoted) >= 12
        assert quoted in " ".join(one.source.text.split()).casefold()
        assert one.message
        assert one.message.isprintable() or "\u200b" in one.message or not one.message.isascii()
