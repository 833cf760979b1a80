"""The same answers from Chroma: a store that stays, and one that ends with the process."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chroma.target import Target
from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.registry.backends.chroma import ChromaBackend, collection_of
from git_skillmesh.registry.backends.memory import InMemoryBackend
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.retriever import SkillRetriever
from git_skillmesh.registry.router import Options
from testing.cards import CARDS, card

STATIC = StaticEmbedder.load()
QUESTIONS = (
    "presigned url for a bucket", "prune roses", "server rendering with next.js", "C++ raii",
    "the dough does not rise", "write a poem about cats", "", "t-test or chi-squared",
)  # fmt: skip


def records(folder: Path, registry: str = "experts") -> dict[str, dict[str, object]]:
    target = Target("persistent", path=folder / "chroma")
    with ChromaReader(target) as reader:
        found = reader.get(collection_of(registry), where={"repo_id": f"skills:{registry}"})
        return {record["id"]: record["metadata"] for record in found}


def same_answers(one: ChromaBackend, cards: tuple[Card, ...]) -> None:
    memory = InMemoryBackend(STATIC)
    memory.index(cards)
    for question in QUESTIONS:
        for options in (Options(everything=True), Options(), Options(dense=False)):
            ours, theirs = (backend.route(question, 3, options) for backend in (one, memory))
            assert ours == theirs, question


@pytest.mark.parametrize("stays", [True, False], ids=["persistent", "ephemeral"])
def test_the_answers_are_those_of_memory(tmp_path: Path, stays: bool) -> None:
    backend = ChromaBackend(STATIC, tmp_path if stays else None)
    backend.index(CARDS)
    same_answers(backend, CARDS)
    fewer = (replace(CARDS[0], title="Rye bread", examples=("dark bread",)), *CARDS[2:])
    backend.index(fewer)
    same_answers(backend, fewer)
    assert (tmp_path / "chroma").exists() is stays


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    def index(cards: tuple[Card, ...]) -> None:
        ChromaBackend(STATIC, tmp_path).index(cards)

    index(CARDS)
    before = records(tmp_path)
    assert {row["expert_id"] for row in before.values()} == {one.id for one in CARDS}
    fields = set(COLLECTIONS["skillmesh_experts"].fields)
    assert all(fields <= set(row) for row in before.values())
    index(CARDS)
    assert records(tmp_path) == before
    changed = replace(CARDS[1], description="Prune roses in March.")
    index((CARDS[0], changed, *CARDS[3:]))
    after = records(tmp_path)
    assert {row["expert_id"] for row in after.values()} == {
        one.id for one in CARDS if one.id != CARDS[2].id
    }
    differing = {id_ for id_, row in after.items() if before.get(id_) != row}
    assert differing
    assert {after[id_]["expert_id"] for id_ in differing} == {changed.id}


def test_a_collection_for_each_registry(tmp_path: Path) -> None:
    ours = SkillRetriever(CARDS, "chroma", folder=tmp_path, embedder=STATIC)
    mine = SkillRetriever(CARDS[:2], "chroma", folder=tmp_path, registry="My Team", embedder=STATIC)
    assert collection_of("experts") == "skillmesh_experts"
    assert collection_of("My Team").startswith("skillmesh_experts-my-team-")
    assert {hit.card.id for hit in mine.route("bucket", 9, Options(everything=True)).hits} <= {
        one.id for one in CARDS[:2]
    }
    assert ours.route("s3 bucket", 1, Options(everything=True)).hits[0].card.id == "store.s3"
    assert records(tmp_path, "My Team").keys() != records(tmp_path).keys()


def test_a_server(database: Callable[[str], Target], tmp_path: Path) -> None:
    backend = ChromaBackend(STATIC, tmp_path, database("skills"))
    backend.index(CARDS)
    same_answers(backend, CARDS)
    assert not (tmp_path / "chroma").exists()


def test_two_repositories_on_one_server(database: Callable[[str], Target], tmp_path: Path) -> None:
    """Cards have the same ids in both, and each repository sees and deletes its own alone."""
    target = database("skills-of-two")
    ours = (replace(CARDS[0], description="Rye bread only."), *CARDS[1:3])
    one = ChromaBackend(STATIC, tmp_path / "one", target, owner="repo-one")
    two = ChromaBackend(STATIC, tmp_path / "two", target, owner="repo-two")
    one.index(CARDS)
    two.index(ours)

    def owners() -> dict[str, set[str]]:
        with ChromaReader(target) as reader:
            rows = [row["metadata"] for row in reader.get(collection_of("experts"))]
        names = {str(row["repo_id"]) for row in rows}
        return {
            name: {row["expert_id"] for row in rows if row["repo_id"] == name} for name in names
        }

    first = {card.id for card in CARDS}
    assert owners() == {
        "skills:experts@repo-one": first, "skills:experts@repo-two": {card.id for card in ours},
    }  # fmt: skip
    same_answers(one, CARDS)
    same_answers(two, ours)
    two.index(CARDS[:1])
    assert owners() == {"skills:experts@repo-one": first, "skills:experts@repo-two": {CARDS[0].id}}


def test_nothing_and_hostile_cards(tmp_path: Path) -> None:
    empty = SkillRetriever((), "chroma", folder=tmp_path)
    assert empty.route("bread").reason == "the registry has no cards"
    assert not (tmp_path / "chroma").exists()
    hostile = card("x.y", "\0\ud800'; DROP", "a" * 9_000, tags=["\x1b[31m", ""], body="\0")
    retriever = SkillRetriever([hostile, *CARDS], "chroma", embedder=STATIC)
    found = retriever.route("prune roses", 50, Options(everything=True))
    assert found.hits[0].card.id == "garden.roses"
    assert len(found.hits) <= len(CARDS) + 1


def test_a_store_without_a_folder_for_its_ledger() -> None:
    with pytest.raises(ValueError, match="needs a state_dir"):
        ChromaBackend(STATIC, None, Target("http", url="http://localhost:1"))


def test_the_sentence_model(tmp_path: Path) -> None:
    retriever = SkillRetriever(CARDS[:3], "chroma", folder=tmp_path)
    memory = SkillRetriever(CARDS[:3])
    for question in QUESTIONS[:2]:
        assert retriever.route(question) == memory.route(question)
