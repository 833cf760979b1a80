"""Examples out of the lines of a change, for a matcher that somebody names."""

import pytest

from git_skillmesh.gate.examples import examples_of
from git_skillmesh.learnings.candidates import Change
from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind, Scope

CHANGES = (
    Change("a.py", ("x = 1", "get(u)"), ("x = 2", "ask(u)"), 3),
    Change("b.py", ("y = 1",), ("get(v)", "ask(v)"), 1),
    Change("c.py", ("if x:", "    get(", "        w)"), ("ask(w)",), 1),
)


def examples(matcher: Matcher, *languages: str) -> tuple[list[str], list[str]]:
    learning = Learning("x", "x", "x", matcher, languages=languages)
    bad, good = examples_of(learning, CHANGES)
    return [f"{e.path}: {e.code}" for e in bad], [f"{e.path}: {e.code}" for e in good]


def test_lines_that_the_matcher_tells_apart() -> None:
    assert examples(Matcher(MatcherKind.LITERAL, text="get(u")) == (
        ["a.py: get(u)\n"],
        ["a.py: x = 2\n", "a.py: ask(u)\n"],
    )


def test_a_rule_that_needs_more_than_a_line_gets_the_place() -> None:
    bad, good = examples(
        Matcher(MatcherKind.AST, Scope.FILE, rule={"pattern": "get($A)"}), "python"
    )
    assert bad == ["a.py: get(u)\n", "c.py: if x:\n    get(\n        w)\n"]
    assert good == ["a.py: x = 2\n", "a.py: ask(u)\n", "c.py: ask(w)\n"]


@pytest.mark.parametrize("kind", [MatcherKind.MESSAGE, MatcherKind.PATHS])
def test_rules_about_no_code_get_none(kind: MatcherKind) -> None:
    assert examples(Matcher(kind, regex="get", untouchable=True)) == ([], [])
