"""One page of several repositories: what counts as an answer, and the order."""

from typing import Any

from git_skillmesh.retrieval.shared import (
    Owner,
    Row,
    SharedHit,
    of_others,
    one_list,
    one_page,
    own_thought,
)
from git_skillmesh.retrieval.terms import parse
from git_skillmesh.retrieval.together import Kind

OTHER = Owner("id-of-billing", "acme/billing")


def code(number: str, cosine: float, text: str, **more: Any) -> Row:
    metadata = {
        "repo_id": OTHER.repo_id, "file_path": "src/money.py", "symbol": "round_amount",
        "kind": "function", "language": "python", "start_line": 5, "end_line": 6,
        "commit_sha": "c" * 40, **more,
    }  # fmt: skip
    return Row(number, OTHER, cosine, metadata, text)


def hit(name: str, evidence: float, *, here: bool, kind: Kind = Kind.CODE) -> SharedHit:
    facts = {"state": "warn"}
    return SharedHit(kind, "r", "r", here, name, name, evidence, 0.0, facts)


def order(hits: list[SharedHit]) -> list[str]:
    return [one.id for one in hits]


def test_a_row_becomes_a_hit() -> None:
    (found,) = of_others(
        Kind.CODE, [code("1", 0.75, "def round_amount(x):\n    return x")], parse("round an amount")
    )
    assert (found.repository, found.local, found.title) == ("acme/billing", False, "round_amount")
    assert (found.cosine, found.words, found.evidence) == (0.75, 1.0, 1.25)
    assert found.facts == {
        "path": "src/money.py", "start_line": 5, "end_line": 6, "line": 5,
        "symbol": "round_amount", "kind": "function", "language": "python", "commit": "c" * 40,
        "changed": False,
    }  # fmt: skip
    assert [(line.number, line.text) for line in found.lines] == [(5, "def round_amount(x):")]


def test_of_a_file_the_best_place_counts_and_what_is_far_does_not() -> None:
    rows = [
        code("far", 0.39, "return nothing", file_path="a.py", symbol=""),
        code("word", 0.1, "the amount is rounded", file_path="b.py", symbol=""),
        code("near", 0.4, "return nothing", file_path="c.py", symbol=""),
        code("second", 0.5, "", file_path="d.py", symbol=""),
        code("best", 0.6, "", file_path="d.py", symbol=""),
    ]
    found = of_others(Kind.CODE, rows, parse("round an amount"))
    assert [one.id for one in found] == ["best", "word", "near"]


def test_rows_that_somebody_else_wrote_may_be_anything() -> None:
    """Missing fields, other types, lines that end before they begin."""
    rows = [
        Row("1", OTHER, 0.9, {}, ""),
        code("2", 0.8, "x", file_path=7, symbol=None, start_line="12", end_line=-3, kind=True),
    ]
    found = {one.id: one for one in of_others(Kind.CODE, rows, parse("x"))}
    # Neither says where it is, so they are one place.
    assert list(found) == ["2"]
    facts = found["2"].facts
    assert (facts["path"], facts["start_line"], facts["end_line"]) == ("", 1, 1)
    for kind in (Kind.CHAT, Kind.LEARNING, Kind.THOUGHT):
        assert len(of_others(kind, rows, parse("x"))) == 1


def test_own_hits_keep_their_order() -> None:
    """The ranker put "sure" first, although vectors alone would have put "alike" there."""
    own = [hit("sure", 0.3, here=True), hit("alike", 0.9, here=True), hit("last", 0.1, here=True)]
    others = [hit("near", 0.95, here=False), hit("fair", 0.5, here=False)]
    page = one_list(own, others)
    assert order(page) == ["near", "sure", "alike", "fair", "last"]
    assert [one.score for one in page] == [0.95, 0.9, 0.9, 0.5, 0.1]
    assert [one.rank for one in page] == [1, 2, 3, 4, 5]
    # Of equal ones what is here comes first.
    assert order(one_list([hit("a", 0.5, here=True)], [hit("b", 0.5, here=False)])) == ["a", "b"]


def test_one_page_of_several_kinds() -> None:
    code_hits = one_list([], [hit(f"code {n}", 0.6, here=False) for n in range(3)])
    learned = one_list([], [hit("rule", 0.8, here=False, kind=Kind.LEARNING)])
    unlikely = one_list([], [hit("talk", 0.2, here=False, kind=Kind.CHAT)])
    lists = {Kind.CODE: code_hits, Kind.LEARNING: learned, Kind.CHAT: unlikely}
    page = one_page(lists, 3)
    assert order(page) == ["rule", "code 0", "code 1"]
    assert [one.rank for one in page] == [1, 2, 3]
    # Alone even what is unlikely is shown.
    assert order(one_page({Kind.CHAT: unlikely}, 3)) == ["talk"]


def test_thoughts_of_both_sides_look_alike() -> None:
    facts = {"session": "s", "number": 2, "branch": "", "time": "2026-03-01T00:00:00Z"}
    here = own_thought(Owner("r", "r", True), "1", facts, "Round once.", 0.5, parse("round"))
    assert (here.local, here.title, dict(here.facts)) == (True, "s 2", facts)
    assert (here.kind, here.words, here.text) == (Kind.THOUGHT, 1.0, "Round once.")
