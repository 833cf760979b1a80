"""Matchers taken from what went and what came: only what its own examples prove."""

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.learnings.analysis_matchers import (
    code_in,
    first_fitting,
    holds,
    proposals,
    replaced,
)
from git_skillmesh.learnings.candidates import Change
from git_skillmesh.learnings.model import Example, Fix, Matcher, MatcherKind, Scope

SWAP = Change("src/a.py", ("now = time.time()",), ("now = clock.now()",), 1)
SAID = "no, use clock.now instead of time.time"


def test_a_name_that_the_person_said_becomes_matchers_the_narrowest_first() -> None:
    ast, regex, literal = proposals([SWAP], SAID)
    assert ast.matcher == Matcher(
        MatcherKind.AST, Scope.FILE, rule={"pattern": "time.time($$$ARGUMENTS)"}
    )
    assert regex.matcher == Matcher(MatcherKind.REGEX, regex=r"(?:^|[^\w.$])time\.time(?:$|[^\w$])")
    assert literal.matcher == Matcher(MatcherKind.LITERAL, text="time.time")
    assert regex.bad == (Example("now = time.time()\n", "src/a.py"),)
    assert regex.good == (Example("now = clock.now()\n", "src/a.py"),)
    assert regex.fix == Fix("Use clock.now instead of time.time.")
    assert regex.languages == ("python",)
    assert first_fitting([ast, regex, literal], holds) == regex


def test_what_nobody_said_has_to_be_code_and_to_have_gone_twice() -> None:
    other = Change("src/b.py", ("old = time.time()",), ("old = clock.now()",))
    assert list(proposals([SWAP])) == []
    assert next(one.pattern for one in proposals([SWAP, other])) == "a call of time.time"
    words = [
        Change("a.md", ("the both of them",), ("the pair of them",)),
        Change("b.md", ("now both come",), ("now pair come",)),
    ]
    assert list(proposals(words)) == []


def test_a_name_that_is_still_there_is_no_mistake() -> None:
    kept = Change("src/a.py", ("x = 1",), ("y = time.time() + 1", "z = 2"))
    assert list(proposals([SWAP, kept], SAID)) == []


def test_lines_that_differ_in_more_than_one_name_say_nothing_for_sure() -> None:
    change = Change("a.py", ("now = time.time()",), ("then = clock.now()",))
    assert list(replaced(change)) == []
    assert list(replaced(Change("a.py", ("a(b)", "c"), ("a(d)",)))) == []
    assert list(replaced(Change("a.py", ("a(b)",), ("a(d)",)))) == [("b", "d")]


def test_code_is_what_is_quoted_or_looks_like_it() -> None:
    text = "use `x y` and os.path, not get_it() or readFile, but never mind the rest"
    assert list(code_in(text)) == ["x y", "os.path", "get_it", "readFile"]


names = st.from_regex(r"[a-z_$][a-z_$.]{2,9}[a-z]", fullmatch=True)


@given(names, names, st.text(max_size=30))
def test_every_proposal_of_text_that_is_taken_holds(old: str, new: str, said: str) -> None:
    change = Change("a.py", (f"x = {old}(1)",), (f"x = {new}(1)",))
    found = first_fitting(proposals([change], f"{said} {old}"), holds)
    assert found is None or holds(found)
