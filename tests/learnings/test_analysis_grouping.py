"""Groups of what says the same, their scores part by part, and the order of evidence."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.learnings.analysis_grouping import (
    candidates_of,
    confidence_of,
    grouped,
    impact_of,
    richness_of,
    scores_of,
    similar,
    title_of,
    words_of,
    worth_of,
)
from git_skillmesh.learnings.candidates import (
    Change,
    Evidence,
    Fate,
    Kind,
    evidence_from_json,
    evidence_id,
    evidence_to_json,
    is_placeholder,
    to_learning,
)
from git_skillmesh.learnings.reading import read_learning
from git_skillmesh.learnings.writing import write_learning

SAYS = (
    "no, use httpx instead of requests for the depot",
    "please use httpx instead of requests in the depot module",
    "the lamp belongs into the hall, never into the cellar",
    "don't put the lamp into the cellar, it belongs into the hall",
    "close the file after the scan",
)


def one(number: int, excerpt: str, kind: Kind = Kind.CORRECTION, **more: object) -> Evidence:
    base = Evidence(
        evidence_id(str(number), excerpt), kind, excerpt, 0.8, f"2026-03-{number:02}T00:00:00Z",
        f"s{number}", f"e{number}",
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def test_near_duplicates_are_one_candidate() -> None:
    evidence = [one(number, text) for number, text in enumerate(SAYS, 1)]
    groups = [[SAYS.index(each.excerpt) for each in group] for group in grouped(evidence)]
    assert groups == [[0, 1], [2, 3], [4]]


def test_the_same_swap_of_names_is_one_candidate_whatever_is_said() -> None:
    swap = Change("a.py", ("now = time.time()",), ("now = clock.now()",))
    said = [one(1, "that is wrong here", changes=(swap,)), one(2, "again", changes=(swap,))]
    assert len(grouped(said)) == 1


@given(st.permutations(list(enumerate(SAYS, 1))), st.integers(0, 5))
def test_neither_order_nor_repetition_matters_and_ids_are_stable(
    order: list[tuple[int, str]], known: int
) -> None:
    evidence = [one(*each) for each in order]
    found = candidates_of(evidence)
    assert found == candidates_of([*evidence[::-1], *evidence[:2]])
    # What comes later in time never changes the id of what was there.
    early = candidates_of([each for each in evidence if each.session <= f"s{known}"])
    assert {each.id for each in early} <= {each.id for each in found}


def test_the_same_words_at_the_same_time_are_one_piece_of_evidence() -> None:
    first = one(1, SAYS[0])
    (found,) = candidates_of([first, replace(first, session="resumed")])
    assert len(found.evidence) == 1


def test_what_one_piece_is_worth() -> None:
    plain = one(1, SAYS[0])
    assert worth_of(plain) == pytest.approx(0.8 * 0.75)
    assert worth_of(replace(plain, signs=("lines taken back",))) == pytest.approx(1 - 0.4 * 0.8)
    assert worth_of(replace(plain, fate=Fate.KEPT)) == pytest.approx(0.6 * 1.1)
    assert worth_of(replace(plain, fate=Fate.REPLACED)) == pytest.approx(0.6 * 0.7)
    assert worth_of(replace(plain, fate=Fate.REVERTED)) == pytest.approx(0.6 * 0.6)
    assert worth_of(replace(plain, signs=("flaw",))) == pytest.approx(0.6 * 0.75)
    assert worth_of(replace(plain, kind=Kind.FOLLOW_UP)) == pytest.approx(0.8 * 0.3)


def test_confidence_grows_with_sessions_and_less_with_repetition_in_one() -> None:
    first, second = one(1, SAYS[0]), one(2, SAYS[1])
    assert confidence_of([first]) == pytest.approx(0.6)
    assert confidence_of([first, second]) == pytest.approx(1 - 0.4 * 0.4)
    same = replace(second, session=first.session)
    assert confidence_of([first, same]) == pytest.approx(1 - 0.4 * 0.7)
    assert confidence_of([one(n, SAYS[0]) for n in range(1, 20)]) == 0.98


def test_impact_counts_what_would_follow() -> None:
    plain = one(1, "use httpx")
    assert impact_of([plain]) == 0
    assert impact_of([replace(plain, paths=("a", "b"))]) == pytest.approx(1 / 5)
    assert impact_of([plain, one(2, "use httpx")]) == pytest.approx(2 / 6)
    assert impact_of([replace(plain, excerpt="always use httpx")]) == pytest.approx(1.5 / 5.5)
    assert impact_of([replace(plain, signs=("we use",))]) == pytest.approx(1 / 5)
    assert impact_of([replace(plain, signs=("tests passed after",))]) == pytest.approx(1 / 5)
    assert impact_of([replace(plain, signs=("written down",))]) == pytest.approx(1 / 5)
    assert impact_of([replace(plain, kind=Kind.REVERT)]) == pytest.approx(1 / 5)


def test_richness_is_the_share_of_what_a_reviewer_wants() -> None:
    plain = one(1, "use httpx")
    assert richness_of([plain]) == 0
    full = replace(
        plain,
        excerpt="use `httpx`, because the depot answers more than one at a time",
        changes=(Change("a.py", ("a",), ("b",)),),
        commits=("a" * 40,),
    )
    assert richness_of([full]) == 1
    assert richness_of([replace(full, commits=())]) == pytest.approx(5 / 6)
    assert richness_of([replace(full, changes=(Change("a", ("x",), ()),))]) == pytest.approx(5 / 6)


def test_the_total_weighs_the_parts() -> None:
    scores = scores_of([one(1, SAYS[0], paths=("a",))])
    expected = 0.5 * scores.confidence + 0.3 * scores.impact + 0.2 * scores.richness
    assert scores.total == round(expected, 3)


def test_titles_are_the_person_s_words_without_how_they_begin() -> None:
    assert title_of(one(1, SAYS[0])) == "Use httpx instead of requests for the depot"
    fix = one(1, "Done.", Kind.FIX, signs=("tests failed before",), paths=("a.py",))
    assert title_of(fix) == "Tests failed before an edit of a.py, and passed after"
    assert title_of(one(1, "", Kind.REDONE, paths=("a.py",))) == "Redone in a.py"
    assert len(title_of(one(1, "word " * 100))) <= 120


def test_words_are_compared_without_their_endings() -> None:
    assert words_of("Tests of the lamps failed") == {"test", "lamp", "fail"}
    assert similar(words_of("closing the files"), words_of("close the file")) is False
    assert similar(frozenset(), frozenset()) is False


texts = st.text(max_size=40)


@given(
    excerpt=texts, before=st.lists(texts, max_size=3),
    commits=st.lists(st.just("ab" * 20), max_size=1), kind=st.sampled_from(Kind),
)  # fmt: skip
def test_every_candidate_becomes_a_learning_that_reads_back(
    excerpt: str, before: list[str], commits: list[str], kind: Kind
) -> None:
    evidence = one(
        1, excerpt, kind, changes=(Change("a.py", tuple(before), ("x",)),), commits=tuple(commits)
    )
    assert evidence_from_json(evidence_to_json(evidence)) == evidence
    (found,) = candidates_of([evidence])
    learning = to_learning(found, "some-id", "A <a@b.c>", "2026-03-01")
    assert is_placeholder(learning.matcher)
    printable = all(c.isprintable() for c in excerpt)
    if printable:
        assert read_learning(learning.path, write_learning(learning).encode()).problems == ()


def test_a_thousand_pieces_are_grouped_in_the_order_of_their_size() -> None:
    dice = random.Random(1)
    words = [f"word{n}" for n in range(400)]
    evidence = [one(n % 28 + 1, " ".join(dice.sample(words, 8))) for n in range(1_000)]
    assert len(candidates_of(evidence)) > 900
