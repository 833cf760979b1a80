"""Whether a question is about a known field counts for cards of known fields alone."""

from pathlib import Path

import numpy as np
import pytest

from git_skillmesh.embedding.sentence import SentenceEmbedder
from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.registry import known
from git_skillmesh.registry.background import background
from git_skillmesh.registry.index import empty, update
from git_skillmesh.registry.known import read, write_known
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.signals import Reader
from git_skillmesh.registry.vectors import LocalVectors
from testing.cards import CARDS

STATIC = StaticEmbedder.load()
INSIDE = ("the pod restarts over and over", "my join returns each row twice")
OUTSIDE = ("write a poem about cats", "my landlord wants to raise the rent in the middle of winter")


@pytest.fixture(scope="module")
def model() -> SentenceEmbedder:
    return SentenceEmbedder.load()


def test_what_is_shipped_is_of_the_model_that_is_shipped(model: SentenceEmbedder) -> None:
    inside = [read(model, text)[1] for text in INSIDE]
    outside = [read(model, text)[1] for text in OUTSIDE]
    assert all(field is not None and -1 <= field <= 1 for field in inside + outside)
    assert min(field or 0 for field in inside) > 0 > max(field or 0 for field in outside)


def test_the_vector_is_the_one_that_is_kept(model: SentenceEmbedder) -> None:
    for text in (*INSIDE, "", "\0"):
        np.testing.assert_array_equal(read(model, text)[0], model.embed_query(text))
    assert read(model, "")[1] is None


def test_a_model_without_layers_has_no_idea() -> None:
    vector, field = read(STATIC, INSIDE[0])
    np.testing.assert_array_equal(vector, STATIC.embed_query(INSIDE[0]))
    assert field is None


def test_weights_of_another_model_and_damaged_ones_are_not_used(
    model: SentenceEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "known.vec"
    monkeypatch.setattr(known, "FITTED", path)
    weights = np.ones(4 * model.dimension + 1)
    for made_by, expected in ((model.model_id, 1.0), ("another", None)):
        write_known(weights * 100, made_by, path)
        assert read(model, INSIDE[0])[1] == expected
    path.write_bytes(path.read_bytes()[:200])
    known._fitted.cache_clear()
    assert read(model, INSIDE[0])[1] is None
    monkeypatch.undo()
    known._fitted.cache_clear()


def test_a_card_of_an_unknown_field_is_judged_without_it() -> None:
    index = update(empty(STATIC.dimension), CARDS, STATIC)
    reader = Reader(index, LocalVectors(index), STATIC, background())

    def number(card_id: str) -> int:
        return next(n for n, one in enumerate(CARDS) if one.id == card_id)

    def judged(one: Card) -> float | None:
        signals = reader.signals(one.title, STATIC.embed_query(one.title), 0.25)
        place = signals.cards.tolist().index(number(one.id))
        return reader.known(signals, place)

    found = {one.id: judged(one) for one in CARDS}
    assert found["store.s3"] == 0.25
    assert found["cook.bread"] is None
