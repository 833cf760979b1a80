"""Confidence: each part by itself, and what they amount to."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.confidence import (
    PRIOR,
    WEIGHTS,
    Confidence,
    Fate,
    checks_passed,
    committed,
    confidence_of,
    next_prompt_accepts,
    not_reverted,
    not_undone,
    survived,
)
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall


def edit(before: str, after: str, path: str = "a.py") -> ToolCall:
    return ToolCall("e", "Edit", Act.EDIT, edits=(Edit(path, before, after),))


def bash(command: str, output: str = "", **more: Any) -> ToolCall:
    return ToolCall("b", "Bash", Act.BASH, command, output, **more)


def exchange(*tools: ToolCall, prompt: str = "go on", name: str = "x") -> Exchange:
    return Exchange(name, prompt, "done", tools=tools)


PASS = bash("pytest", "3 passed in 0.1s")
FAIL = bash("pytest", "1 failed, 2 passed in 0.1s")
LINT = bash("ruff check", "All checks passed!")
WRITE = edit("", "first line\nsecond line\n")


def test_nothing_known_is_the_prior() -> None:
    one = exchange(name="1")
    assert confidence_of(Session("s", "codex", (one,)), one, Fate()) == Confidence(PRIOR)


def test_the_formula() -> None:
    one = exchange(WRITE, PASS, name="1")
    two = exchange(prompt="Thanks!", name="2")
    fate = Fate(committed=True, lines_linked=4, lines_alive=3, reverted=False)
    found = confidence_of(Session("s", "codex", (one, two)), one, fate)
    assert dict(found.parts) == {
        "committed": 1.0, "tests": 1.0, "not undone": 1.0, "next prompt": 1.0,
        "not reverted": 0.05, "survived": 0.5,
    }  # fmt: skip
    odds = math.log(PRIOR / (1 - PRIOR)) + sum(WEIGHTS[n] * v for n, v in found.parts)
    assert found.score == round(1 / (1 + math.exp(-odds)), 3)


def test_a_reverted_exchange_is_not_kept_whatever_else_speaks_for_it() -> None:
    one = exchange(WRITE, PASS, name="1")
    session = Session("s", "codex", (one, exchange(prompt="great", name="2")))
    assert confidence_of(session, one, Fate(True, reverted=True)).score < 0.1
    assert confidence_of(session, one, Fate(True, 10, 0, True)).score < 0.01
    assert confidence_of(session, one, Fate(True, 10, 10, False)).score > 0.95


def test_committed() -> None:
    quoting = bash("git commit -m x", commits=("1a2b3c4",))
    assert committed(exchange(), (), Fate(committed=True)) == 1.0
    assert committed(exchange(quoting), (), Fate(committed=False)) == -1.0
    assert committed(exchange(), (), Fate(lines_linked=3)) == 1.0
    assert committed(exchange(WRITE, quoting), (), Fate()) == 0.5
    assert committed(exchange(WRITE), (exchange(quoting),), Fate()) == 0.5
    assert committed(exchange(quoting, WRITE), (), Fate()) is None


def test_tests_count_after_the_last_edit() -> None:
    assert checks_passed(exchange(WRITE, FAIL, PASS), ()) == 1.0
    assert checks_passed(exchange(WRITE, PASS, FAIL), ()) == -1.0
    assert checks_passed(exchange(PASS, WRITE), ()) is None
    assert checks_passed(exchange(WRITE, LINT), ()) == 0.4
    assert checks_passed(exchange(WRITE), (exchange(), exchange(FAIL, PASS))) == -1.0
    assert checks_passed(exchange(WRITE), (exchange(),) * 3 + (exchange(PASS),)) is None


def test_lines_that_later_edits_take_away() -> None:
    assert not_undone(exchange(PASS), ()) is None
    assert not_undone(exchange(WRITE), ()) == 1.0
    half = exchange(edit("first line\nsecond line\n", "other line\nsecond line\n"))
    assert not_undone(exchange(WRITE), (half,)) == 0.0
    assert not_undone(exchange(WRITE), (exchange(edit("first line\nsecond line\n", "")),)) == -1.0
    elsewhere = exchange(edit("first line\nsecond line\n", "", path="b.py"))
    assert not_undone(exchange(WRITE), (elsewhere,)) == 1.0
    moved = exchange(edit("first line\n", "    first line\n"))
    assert not_undone(exchange(WRITE), (moved,)) == 1.0


@pytest.mark.parametrize(
    "prompt",
    [
        "No, that's not what I meant", "undo that please", "It still doesn't work", "wrong file!",
        "revert this", "why did you delete the tests?", "that's wrong", "Nein, so nicht",
        "das funktioniert nicht", "mach das rückgängig", "ça ne marche pas", "no funciona",
        "está mal", "não funciona", "нет, не так", "это не работает", "不对 改回来", "还是不行",
        "違う", "되돌려 줘",
    ],
)  # fmt: skip
def test_prompts_that_reject(prompt: str) -> None:
    assert next_prompt_accepts((exchange(prompt=prompt),)) == -1.0


@pytest.mark.parametrize(
    "prompt",
    ["Thanks!", "perfect, commit this", "looks good", "yes please", "danke", "merci", "gracias",
     "спасибо", "谢谢", "ありがとう", "works now, let's get a PR up"],
)  # fmt: skip
def test_prompts_that_accept(prompt: str) -> None:
    assert next_prompt_accepts((exchange(prompt=prompt),)) == 1.0


@pytest.mark.parametrize(
    "prompt",
    ["Now add a button", "no problem, next: the docs are missing a page", "北京天气",
     "note the API",
     "add a test for the notification", "Was macht diese Funktion?"],
)  # fmt: skip
def test_prompts_that_say_neither(prompt: str) -> None:
    assert next_prompt_accepts((exchange(prompt=prompt),)) is None
    assert next_prompt_accepts(()) is None


def test_reverts_and_survival() -> None:
    assert not_reverted(Fate()) is None
    assert not_reverted(Fate(reverted=True)) == -1.0
    assert survived(Fate()) is None
    assert survived(Fate(lines_linked=0, lines_alive=0)) is None
    assert survived(Fate(lines_linked=4, lines_alive=0)) == -1.0
    assert survived(Fate(lines_linked=4, lines_alive=4)) == 1.0
    assert survived(Fate(lines_linked=4, lines_alive=9)) == 1.0


@given(
    st.booleans() | st.none(), st.integers(0, 9), st.integers(0, 9) | st.none(),
    st.booleans() | st.none(),
)  # fmt: skip
def test_the_score_is_a_probability_and_more_alive_lines_never_lower_it(
    committed_: bool | None, linked: int, alive: int | None, reverted: bool | None
) -> None:
    one = exchange(WRITE, name="1")
    session = Session("s", "codex", (one,))
    score = confidence_of(session, one, Fate(committed_, linked, alive, reverted)).score
    assert 0 < score < 1
    if alive is not None:
        more = confidence_of(session, one, Fate(committed_, linked, alive + 1, reverted)).score
        assert more >= score
