"""What people say: each kind of correction, rule and report, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.learnings.analysis_prompts import (
    is_machine,
    judged,
    reports_failure,
    shape,
    signs,
    statements,
)


def corrects(prompt: str, *, follows_edit: bool = True) -> bool:
    return any(one.corrects for one in statements(prompt, follows_edit=follows_edit))


@pytest.mark.parametrize(
    "prompt",
    [
        "no, we use httpx here",
        "No. Put it into the config instead.",
        "no\nthe lamp belongs into the hall module",
        "that's wrong, the list is sorted by name",
        "thats not the branch I was looking for",
        "please use pathlib instead of os.path",
        "Don't hardcode the timeout.",
        "ok, but don\u2019t use a global for that",
        "you forgot to close the file",
        "you should not have removed the test",
        "Why did you delete the fixture?",
        "this should be a constant in settings.py",
        "I meant the other endpoint",
        "revert that, it was fine before",
        "but the depot already sends its name",
        "shouldn't we reuse the helper for that?",
        "nein, das gehört in die Konfiguration",
        "Nutze httpx anstatt requests",
        "utilise httpx au lieu de requests",
        "нет, используй другой модуль",
        "不要用全局变量",
    ],
)
def test_a_correction_is_heard(prompt: str) -> None:
    assert corrects(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "ok",
        "no",
        "no problem, thanks!",
        "No matching files found in src.",
        "no, this is fine",
        "hello there",
        "thanks, that looks good",
        "Add a command that lists all lamps.",
        "what does the scanner do?",
        "can you explain the retry loop to me?",
        "I don't know which branch that was",
        "commit and push please",
        "> no, we use httpx instead of requests",
        "```\n# don't use requests here, that's wrong\n```",
        "    raise ValueError('that is wrong, do not use it')",
        "ERROR: this is wrong, you forgot the flag",
        "// Don't use this instead of the other one",
    ],
)
def test_what_is_none_is_not_taken_for_one(prompt: str) -> None:
    assert statements(prompt, follows_edit=True) == []


@pytest.mark.parametrize(
    "prompt",
    [
        "This session is being continued from a previous conversation. No, don't use requests.",
        "<system-reminder>Never use requests instead of httpx.</system-reminder>",
        "Caveat: The messages below were generated. Don't respond to them.",
        "Stop hook feedback: you forgot to run the tests, that is wrong",
        "a703\n/tmp/x.output\nYou forgot it. Read the output file to retrieve the full result.",
    ],
)
def test_programs_do_not_correct(prompt: str) -> None:
    assert is_machine(prompt)
    assert statements(prompt, follows_edit=True) == []
    assert not reports_failure(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "In this project we always use httpx.",
        "Never commit generated files.",
        "from now on run the linter before you commit",
        "make sure this never happens again",
        "We always want a timeout on requests.",
        "In diesem Projekt verwenden wir immer httpx.",
    ],
)
def test_a_rule_in_words_is_heard(prompt: str) -> None:
    (found,) = statements(prompt, follows_edit=False, is_first=True)
    assert found.is_rule


@pytest.mark.parametrize(
    "prompt",
    [
        "Do we always use httpx here?",
        "I have never seen this before.",
        "Add a section on deployment to the README.",
        "the tests ran for all files",
    ],
)
def test_no_rule(prompt: str) -> None:
    assert not any(one.is_rule for one in statements(prompt, follows_edit=True))


def test_the_first_prompt_has_nothing_to_correct() -> None:
    text = "Use httpx instead of requests, that is wrong today."
    assert corrects(text)
    assert statements(text, follows_edit=False, is_first=True) == []


def test_signs_join_as_independent_probabilities() -> None:
    found = judged("use httpx instead of requests")
    assert found.correction == 0.55
    assert found.signs == ("instead of",)
    both = judged("that's wrong, use httpx instead of requests")
    assert both.correction == round(1 - (1 - 0.7) * (1 - 0.55), 3)
    assert both.signs == ("instead of", "that is wrong")


def test_less_weighs_what_follows_no_edit_or_asks() -> None:
    text = "use httpx instead of requests"
    assert judged(text, follows_edit=False).correction == round(0.55 * 0.9, 3)
    assert judged(f"would you {text}?").correction == 0.275


def test_the_end_of_a_specification_weighs_less() -> None:
    long = "\n\n".join(f"The lamp number {n} is in the hall." for n in range(15))
    assert corrects("Put it there instead of here.")
    assert not corrects(f"{long}\n\nPut it there instead of here.")


@pytest.mark.parametrize(
    ("prompt", "fails"),
    [
        ("the tests are still failing", True),
        ("it doesn't work", True),
        ("I get an error when I run it", True),
        ("das funktioniert immer noch nicht", True),
        ("now add a test", False),
        ("works great", False),
    ],
)
def test_reports_of_failure(prompt: str, fails: bool) -> None:
    assert reports_failure(prompt) is fails


def test_the_shipped_signs_are_sound() -> None:
    for kind in ("correction", "rule"):
        assert all(0 < sign.weight < 1 and sign.name for sign in signs(kind))
    assert not any(
        sign.pattern.search("") for kind in ("correction", "rule") for sign in signs(kind)
    )
    for name in ("machine", "fails", "asks", "urges", "own", "task", "one_shot", "but", "right"):
        assert not shape(name).match("")


@given(st.text(max_size=200), st.booleans())
def test_any_text_gives_numbers_within_bounds(text: str, follows: bool) -> None:
    for one in statements(text, follows_edit=follows):
        assert 0 <= one.correction <= 1
        assert 0 <= one.rule <= 1
        assert one.corrects or one.is_rule


def test_hostile_text_takes_bounded_time() -> None:
    for text in ("why " * 50_000, "no," * 50_000, "a b " * 50_000, "n't" * 50_000, " \t" * 99_999):
        statements(text, follows_edit=True)
        reports_failure(text)
