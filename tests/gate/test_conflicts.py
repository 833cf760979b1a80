"""Which learnings a new one is like, or against."""

from dataclasses import replace

import pytest

from git_skillmesh.gate.conflicts import Neighbours
from git_skillmesh.learnings.model import Example, Learning, Matcher, MatcherKind, Scope, State

NEW = Learning(
    "new",
    "Ask by way of the shared client",
    "It has our timeouts.",
    Matcher(MatcherKind.REGEX, regex=r"\brequests\.get\("),
    bad=(Example("requests.get(url)\n"),),
    good=(Example("http.get(url)\n"),),
)
OTHER = Learning(
    "other",
    "Give every request a timeout",
    "Without one a call waits for ever.",
    Matcher(MatcherKind.LITERAL, text="requests.post("),
    State.WARN,
    bad=(Example("requests.post(url)\n"),),
    good=(Example("requests.post(url, timeout=3)\n"),),
)


def related(learning: Learning, other: Learning) -> list[tuple[str, str]]:
    return [(str(c.relation), c.why) for c in Neighbours([other]).conflicts_of(learning)]


def test_others_are_no_matter() -> None:
    assert related(NEW, OTHER) == []
    assert related(NEW, replace(OTHER, learning_id="new")) == []


def test_the_new_one_finds_what_another_shows_as_right() -> None:
    other = replace(OTHER, good=(Example("requests.get(url, timeout=3)\n"),))
    why = "it finds its good example: requests.get(url, timeout=3)"
    assert related(NEW, other) == [("against it", why)]


def test_another_finds_what_the_new_one_shows_as_right() -> None:
    other = replace(OTHER, matcher=Matcher(MatcherKind.LITERAL, text="http.get("))
    why = "other finds the new one's good example: http.get(url)"
    assert related(NEW, other) == [("against it", why)]


def test_the_same_matcher() -> None:
    other = replace(OTHER, matcher=Matcher(MatcherKind.REGEX, regex=r"\brequests\.get\( "))
    assert related(NEW, other) == [("the same matcher", OTHER.title)]


@pytest.mark.parametrize("swapped", [False, True])
def test_both_find_the_same(swapped: bool) -> None:
    wide = replace(OTHER, matcher=Matcher(MatcherKind.LITERAL, text="requests.get"), good=())
    one, other = (wide, NEW) if swapped else (NEW, wide)
    (found,) = related(one, other)
    assert found[0] == "finds the same"
    assert found[1].endswith("requests.get(url)")


def test_similar_words() -> None:
    title = "Always ask by way of our shared client"
    assert related(NEW, replace(OTHER, title=title)) == [("similar words", title)]


def test_examples_of_other_languages_and_kinds_are_not_held_against_it() -> None:
    python = replace(NEW, languages=("python",))
    script = replace(OTHER, languages=("javascript",), good=NEW.bad)
    assert related(python, script) == []
    message = replace(
        OTHER,
        matcher=Matcher(MatcherKind.MESSAGE, regex="fixup"),
        good=(Example("requests.get()"),),
    )
    assert related(NEW, message) == []
    elsewhere = replace(OTHER, good=(Example("requests.get(u)\n", "web/a.ts"),))
    assert related(replace(NEW, paths=("src/**",)), elsewhere) == []


def test_a_broken_rule_is_not_run_and_words_still_count() -> None:
    broken = Matcher(MatcherKind.REGEX, regex="(")
    assert related(NEW, replace(OTHER, matcher=broken)) == []
    assert related(replace(NEW, matcher=broken), replace(OTHER, title=NEW.title)) == [
        ("similar words", NEW.title)
    ]
    unknown = Matcher(MatcherKind.AST, Scope.FILE, rule={"pattern": "f()"})
    assert related(NEW, replace(OTHER, matcher=unknown, languages=("klingon",))) == []


def test_the_worst_come_first_and_retired_ones_count() -> None:
    against = replace(OTHER, learning_id="z", good=NEW.bad, state=State.RETIRED)
    same = replace(NEW, learning_id="a")
    found = Neighbours([same, OTHER, against]).conflicts_of(NEW)
    assert [(c.learning_id, str(c.relation), c.state) for c in found] == [
        ("z", "against it", State.RETIRED),
        ("a", "the same matcher", State.PROPOSED),
    ]
