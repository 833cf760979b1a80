"""Proposed matchers, tried as the gate would: syntax too, and what does not hold is refused."""

from dataclasses import replace

from git_skillmesh.gate.proposing import passes
from git_skillmesh.learnings.analysis_matchers import first_fitting, proposals
from git_skillmesh.learnings.candidates import Change
from git_skillmesh.learnings.model import Example, Matcher, MatcherKind

SWAP = Change("src/a.py", ("now = time.time()",), ("now = clock.now()",), 1)


def test_a_call_is_looked_for_by_syntax_where_its_examples_hold() -> None:
    found = list(proposals([SWAP], "use clock.now instead of time.time"))
    assert [passes(one) for one in found] == [True, True, True]
    chosen = first_fitting(found, passes)
    assert chosen is not None
    assert chosen.matcher.kind is MatcherKind.AST


def test_what_does_not_hold_is_refused() -> None:
    (ast, regex, literal) = proposals([SWAP], "use clock.now instead of time.time")
    assert not passes(replace(ast, languages=("klingon",)))
    assert not passes(replace(regex, matcher=Matcher(MatcherKind.REGEX, regex="(")))
    assert not passes(replace(literal, good=(Example("time.time()\n", "src/a.py"),)))
