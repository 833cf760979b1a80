"""A question is made a vector once, and what goes wrong is told to who asks for it."""

from collections.abc import Sequence

import numpy as np
import pytest

from git_skillmesh.errors import Unavailable
from git_skillmesh.index.documents import Document
from git_skillmesh.index.vectors import Vectors
from git_skillmesh.mcp.questions import Questions, Vector


class Counting:
    """A model that counts what it is asked, and can be away."""

    def __init__(self, model_id: str = "m", away: bool = False) -> None:
        self.model_id = model_id
        self.away = away
        self.asked: list[str] = []

    def vectors(self, documents: Sequence[Document]) -> Vectors:
        raise NotImplementedError

    def embed_query(self, text: str) -> Vector:
        self.asked.append(text)
        if self.away:
            raise Unavailable("the model is away")
        return np.full(2, len(text), np.float32)


def test_once_a_question_begun_or_not() -> None:
    questions, model, other = Questions(), Counting(), Counting("other")
    questions.begin(model, "one")
    assert questions.of(other, "one").tolist() == [3, 3]
    questions.begin(model, "three")  # what was begun before is kept
    assert questions.of(model, "one").tolist() == [3, 3]
    assert questions.of(model, "three").tolist() == [5, 5]
    questions.begin(model, "one")
    assert questions.of(model, "one").tolist() == [3, 3]
    assert (model.asked, other.asked) == (["one", "three"], ["one"])


def test_what_goes_wrong_is_told_and_not_kept() -> None:
    questions, model = Questions(), Counting(away=True)
    questions.begin(model, "one")
    with pytest.raises(Unavailable, match="away"):
        questions.of(model, "one")
    model.away = False
    assert questions.of(model, "one").tolist() == [3, 3]
    assert model.asked == ["one", "one"]


def test_old_questions_are_forgotten() -> None:
    questions, model = Questions(), Counting()
    for number in range(100):
        questions.of(model, str(number))
    questions.of(model, "99")
    questions.of(model, "0")
    assert len(model.asked) == 101
