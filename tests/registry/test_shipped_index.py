"""What is shipped for routing is up to date, and good for what it is for."""

import subprocess
import sys
from pathlib import Path

import pytest

from git_skillmesh.embedding.sentence import SentenceEmbedder
from git_skillmesh.registry.elsewhere import is_made_by, questions
from git_skillmesh.registry.everyday import entries, phrases_for
from git_skillmesh.registry.index import digests_of
from git_skillmesh.registry.retriever import SkillRetriever
from git_skillmesh.registry.storage import SHIPPED, load
from testing.registries import own_registry

ROOT = Path(__file__).parents[2]
NEAR = {"cloud", "cv", "data", "dl", "ml", "viz"}  # the areas of the questions below
REBUILD = "python scripts/routing_index.py"


@pytest.fixture(scope="module")
def retrievers() -> tuple[SkillRetriever, SkillRetriever]:
    """One for each backend; to Chroma, which takes its time, go all cards that are near."""
    cards = own_registry().cards
    near = [card for card in cards if card.id.partition(".")[0] in NEAR]
    assert 20 < len(near) < len(cards)
    return SkillRetriever(cards), SkillRetriever(near, "chroma")


def test_the_shipped_index_is_of_the_shipped_cards() -> None:
    cards = own_registry().cards
    held = {
        row.tobytes() for row in load(ROOT / "registry" / SHIPPED, SentenceEmbedder.load()).digests
    }
    stale = [
        card.id
        for card, row in zip(cards, digests_of(cards), strict=True)
        if row.tobytes() not in held
    ]
    assert not stale, REBUILD
    assert is_made_by(SentenceEmbedder.load()), REBUILD


def test_every_card_has_everyday_phrases_of_its_own() -> None:
    owners: dict[str, list[str]] = {}
    for card in own_registry().cards:
        phrases = phrases_for((card.id, card.title))
        assert len(phrases) > 20, card.id
        owners.setdefault(phrases[0], []).append(card.id)
    assert [ids for ids in owners.values() if len(ids) > 1] == []


def test_the_lists_are_clean() -> None:
    phrases = [phrase for _, told in entries() for phrase in told]
    for text in (*phrases, *questions()):
        assert text, "an empty phrase"
        assert len(text) < 140, text


@pytest.mark.parametrize(
    ("question", "card"),
    [
        ("build matplotlib seaborn heatmap", "viz.matplotlib-seaborn"),
        ("sklearn pipeline cross validation leakage safe", "ml.sklearn-modeling"),
        ("pytorch training loop cuda mixed precision checkpoint", "dl.pytorch-training"),
        ("create s3 bucket with lifecycle and presigned urls", "cloud.aws-s3"),
        ("kubernetes deployment with rbac and resource limits", "cloud.kubernetes"),
        ("terraform state management modules and drift detection", "cloud.terraform"),
        ("opencv contour detection", "cv.opencv-image-processing"),
    ],
)
def test_the_seven_of_the_issue(
    retrievers: tuple[SkillRetriever, SkillRetriever], question: str, card: str
) -> None:
    for backend in retrievers:
        assert backend.route(question).hits[0].card.id == card


def test_the_check_of_the_script() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "routing_index.py"), "--check"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
