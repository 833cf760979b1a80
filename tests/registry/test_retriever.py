"""Questions in, hits or a reason out."""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.registry.backends.memory import InMemoryBackend
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.models import MOST_FOR_SENTENCES
from git_skillmesh.registry.retriever import SkillRetriever
from git_skillmesh.registry.router import Options, Routing
from testing.cards import CARDS, card
from testing.examples import examples

STATIC = StaticEmbedder.load()
ALL = Options(everything=True)


@cache
def retriever() -> SkillRetriever:
    return SkillRetriever(CARDS)


@cache
def quick() -> SkillRetriever:
    return SkillRetriever(CARDS, embedder=STATIC)


def ids(routing: Routing) -> list[str]:
    return [hit.card.id for hit in routing.hits]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("presigned url for a bucket", "store.s3"),
        ("boto3", "store.s3"),
        ("server rendering with nextjs", "web.nextjs"),
        ("C++ unique_ptr", "lang.cpp"),
        ("prune my roses", "garden.roses"),
        ("the dough does not rise", "cook.bread"),
        ("Mann-Whitney", "stats.tests"),
        ("hang out a link to a stored file that ends after an hour", "store.s3"),
    ],
)
def test_the_right_card_comes_first(question: str, expected: str) -> None:
    assert ids(retriever().route(question, 5, ALL))[0] == expected
    if len(question.split()) < 5:
        assert ids(quick().route(question, 5, ALL))[0] == expected


@pytest.mark.parametrize("question", ["write a poem about cats", "who was Napoleon", "hello"])
def test_what_no_card_is_about_is_not_answered(question: str) -> None:
    routing = retriever().route(question)
    assert routing.hits == ()
    assert routing.best_guess is not None
    assert routing.reason == (
        "nothing in the registry is about this: best guess "
        f"{routing.best_guess.id} at {routing.confidence:.2f}"
    )
    assert retriever().retrieve(question) == []
    assert len(retriever().route(question, 3, ALL).hits) == 3


def test_a_registry_may_be_about_what_no_skill_of_ours_is() -> None:
    cats = card("pets.cats", "Poems about cats", "Write poems, limericks and songs about cats.")
    routing = SkillRetriever([*CARDS, cats]).route("write a poem about cats")
    assert ids(routing)[0] == "pets.cats"


def test_scores_are_probabilities() -> None:
    routing = retriever().route("create a bucket with lifecycle rules and presigned urls", 6)
    scores = [hit.score for hit in routing.hits]
    assert scores == sorted(scores, reverse=True)
    assert 0.5 < scores[0] <= routing.confidence <= 1
    assert sum(scores) == pytest.approx(routing.confidence, abs=0.001)
    first = routing.hits[0]
    assert first.sparse_score > 0
    assert 0 < first.dense_score <= 1


@pytest.mark.parametrize("top_k", [0, 1, 2, 5, 6, 1_000])
def test_top_k(top_k: int) -> None:
    found = ids(retriever().route("bread and roses", top_k, ALL))
    # A card that has neither a word nor any of the meaning is never a hit.
    assert min(top_k, 4) <= len(found) <= min(top_k, len(CARDS))
    assert found == ids(retriever().route("bread and roses", 100, ALL))[:top_k]


def test_nothing_to_ask_and_nothing_to_look_at() -> None:
    for empty in ("", " \n", "?!", "\0"):
        assert retriever().route(empty) == Routing(empty, (), "the question has no words")
    assert SkillRetriever(()).route("bread").reason == "the registry has no cards"
    assert InMemoryBackend().query("bread") == []
    assert SkillRetriever([card("a.b", "")]).retrieve("bread") == []


def test_words_alone() -> None:
    routing = quick().route("boto3 bucket lifecycle", 5, Options(dense=False))
    assert ids(routing)[0] == "store.s3"
    assert {hit.dense_score for hit in routing.hits} == {0}
    nothing = quick().route("xylophone zeppelin", 5, Options(dense=False))
    assert nothing.reason == "nothing in the registry has a word of the question"


def test_rank_fusion_is_a_mode() -> None:
    routing = retriever().route("presigned url for a bucket", 3, Options(mode="rrf"))
    assert ids(routing)[0] == "store.s3"


def test_unknown_backend() -> None:
    with pytest.raises(ValueError, match="unknown backend 'redis'"):
        SkillRetriever(CARDS, "redis")  # type: ignore[arg-type]


@settings(max_examples=examples(30), deadline=None)
@given(st.permutations(CARDS), st.text(max_size=40) | st.sampled_from(["bread", "s3 c++"]))
def test_answers_do_not_depend_on_the_order_of_cards(cards: list[Card], question: str) -> None:
    one = SkillRetriever(cards, embedder=STATIC).route(question, 4, ALL)
    assert one == quick().route(question, 4, ALL)


HOSTILE = (
    "\0\x1b[31m", "\ud800", "a" * 100_000, "(" * 5_000, "'; DROP TABLE cards; --",
    "../../etc/passwd",
    "{{7*7}}", "%s%n", "\u202ebread", "🍞" * 500, "- " * 10_000, "c" + "+" * 5_000, "\r\n" * 100,
)  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE)
def test_hostile_questions(question: str) -> None:
    routing = quick().route(question, 3, ALL)
    assert len(routing.hits) <= 3
    assert "\x1b" not in routing.reason


def test_hostile_cards() -> None:
    cards = [
        card(f"x.y{number}", text, text, tags=[text], examples=[text], aliases=[text], body=text)
        for number, text in enumerate(HOSTILE)
    ]
    retriever = SkillRetriever([*cards, *CARDS], embedder=STATIC)
    assert ids(retriever.route("prune roses", 3, ALL))[0] == "garden.roses"


def test_an_instruction_file_that_is_gone(tmp_path: Path) -> None:
    lost = replace(CARDS[0], body=None, root=tmp_path)
    assert ids(SkillRetriever([lost]).route("sourdough bread starter"))[0] == "cook.bread"


def test_many_cards_get_the_quick_model(tmp_path: Path) -> None:
    rows = random.Random(1)
    words = ["alpha", "beta", "gamma", "delta", "omega", "sigma"]
    many = [
        card(f"m.n{number}", f"Thing {number}", " ".join(rows.sample(words, 3)))
        for number in range(MOST_FOR_SENTENCES + 1)
    ]
    retriever = SkillRetriever([*many, *CARDS], folder=tmp_path)
    assert ids(retriever.route("presigned urls for an s3 bucket"))[0] == "store.s3"
    same = SkillRetriever([*many, *CARDS], folder=tmp_path)
    assert same.route("alpha beta", 9, ALL) == retriever.route("alpha beta", 9, ALL)


class Failing:
    """Fails when it is asked for what is stored."""

    model_id, dimension = STATIC.model_id, STATIC.dimension
    embed_query = STATIC.embed_query

    def embed_documents(self, texts: Sequence[str]) -> object:
        if len(texts) in (0, 1) or "write a story" in texts:  # a document, or elsewhere.txt
            return STATIC.embed_documents(texts)
        raise AssertionError(f"embedded again: {texts}")


def test_a_second_run_reads_nothing_again(tmp_path: Path) -> None:
    SkillRetriever(CARDS, embedder=STATIC, folder=tmp_path, registry="mine")
    failing: object = Failing()
    again = SkillRetriever(CARDS, embedder=failing, folder=tmp_path, registry="mine")  # type: ignore[arg-type]
    assert ids(again.route("prune roses", 1, ALL)) == ["garden.roses"]
