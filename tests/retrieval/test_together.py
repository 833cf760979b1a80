"""Kinds of hits on one page: likelihoods decide, the order within a kind stays."""

from dataclasses import replace

import pytest

from git_skillmesh.learnings.model import State
from git_skillmesh.retrieval.chats import ChatHit
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.learnings import LearningHit
from git_skillmesh.retrieval.ranker import weights
from git_skillmesh.retrieval.results import Hit
from git_skillmesh.retrieval.together import Kind, learning_likelihood, together
from testing.learnings import literal


def code(rank: int, dense: float) -> Hit:
    """Return a hit of code with a cosine."""
    weight = float(weights().values[NAMES.index("dense")])
    return Hit(
        rank, "", (), f"f{rank}.py", 1, 2, 1, "f", "function", None, "python", 10.0 - rank, (),
        None, False, (), "def f\n", {"dense": dense * weight},
    )  # fmt: skip


def chat(rank: int, score: float) -> ChatHit:
    """Return an exchange with a score."""
    return ChatHit(rank, "s", f"s-{rank}", "", "", "", "", "prompt", (), score, (), (), "")


def learned(rank: int, cosine: float, state: State = State.WARN) -> LearningHit:
    """Return a learning with a cosine."""
    one = literal(f"one-{rank}", "x", state)
    return LearningHit(rank, one, one.path, "description", False, 1.0, (), (), "", {}, cosine)


def kinds(*args: object, **kwargs: object) -> list[str]:
    """Return the kinds on the page."""
    return [one.kind.value for one in together(*args, **kwargs)]  # type: ignore[arg-type]


WELL = [code(rank, 0.6 - rank / 50) for rank in range(1, 6)]
BADLY = [code(rank, 0.1) for rank in range(1, 6)]


def test_a_good_hit_of_one_kind_stands_above_bad_ones_of_another() -> None:
    assert kinds(BADLY, [chat(1, 4.0)])[0] == "chat"
    assert kinds(BADLY, (), [learned(1, 0.7)])[0] == "learning"
    assert kinds(WELL, [chat(1, 2.8)], [learned(1, 0.35)])[0] == "code"


def test_uncertain_hits_of_other_kinds_are_left_out_beside_code_and_kept_alone() -> None:
    doubtful = {"chats": [chat(1, 1.0)], "learnings": [learned(1, 0.2)], "skills": [("s", 0.6)]}
    assert kinds(WELL, **doubtful) == ["code"] * 5
    for name, hits in doubtful.items():
        assert len(together(**{name: hits})) == 1  # type: ignore[arg-type]


def test_within_a_kind_the_order_stays() -> None:
    mixed = [code(1, 0.2), code(2, 0.9), code(3, 0.5)]
    page = together(mixed, [chat(1, 3.4), chat(2, 4.0)])
    assert [one.hit for one in page if one.kind is Kind.CODE] == mixed
    likelihoods = [one.likelihood for one in page]
    assert likelihoods == sorted(likelihoods, reverse=True)


@pytest.mark.parametrize("cosine", [0.1, 0.4, 0.8])
def test_the_more_a_learning_is_trusted_the_more_it_counts(cosine: float) -> None:
    states = [State.RETIRED, State.PROPOSED, State.WARN, State.BLOCK]
    found = [learning_likelihood(learned(1, cosine, state)) for state in states]
    assert found == sorted(found)
    assert len(set(found)) == 4


def test_nothing_gives_nothing() -> None:
    assert together() == []
    assert kinds(skills=[("only", 0.2)]) == ["skill"]
    assert kinds([replace(code(1, 0.0), features={})]) == ["code"]
