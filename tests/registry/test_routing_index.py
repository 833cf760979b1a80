"""An index brought up to date equals a fresh one, whatever happened before; the file is a cache."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.git.repository import discover
from git_skillmesh.registry import storage
from git_skillmesh.registry.index import Index, empty, update
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.storage import cache_folder, index_file, load, save
from testing.cards import CARDS, card
from testing.examples import examples
from testing.repos import make_repo

MODEL = StaticEmbedder.load()
NOTHING = empty(MODEL.dimension)

words = st.sampled_from(
    ["bread", "kubernetes", "S3", "c++", "next.js", "", "\0", "\ud800", "数据", "a" * 200, "é", "-"]
)
texts = st.lists(words, max_size=4).map(" ".join)
cards = st.builds(
    lambda number, title, description, tags, body: card(
        f"d.n{number}", title, description, tags=tags, examples=tags[1:], body=body
    ),
    st.integers(0, 5), texts, texts, st.lists(texts, max_size=3), texts,
)  # fmt: skip
registries = st.lists(cards, max_size=5, unique_by=lambda one: one.id).map(
    lambda found: sorted(found, key=lambda one: one.id)
)


def built(found: Sequence[Card]) -> Index:
    return update(NOTHING, found, MODEL)


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(registries, min_size=2, max_size=4))
def test_updating_equals_building(versions: list[list[Card]]) -> None:
    index = NOTHING
    for version in versions:
        index = update(index, version, MODEL)
        assert index.equals(built(version))


def test_only_what_changed_is_read() -> None:
    class Counting:
        model_id, dimension = MODEL.model_id, MODEL.dimension
        texts = 0

        def embed_documents(self, texts: Sequence[str]) -> object:
            self.texts += len(texts)
            return MODEL.embed_documents(texts)

    model: object = Counting()
    index = update(NOTHING, CARDS, model)  # type: ignore[arg-type]
    before = model.texts  # type: ignore[attr-defined]
    assert update(index, CARDS, model) is index  # type: ignore[arg-type]
    changed = (replace(CARDS[0], examples=("my rye is sour",)), *CARDS[1:])
    again = update(index, changed, model)  # type: ignore[arg-type]
    assert again.equals(built(changed))
    assert before == len(index.rows)
    assert model.texts - before == 1  # type: ignore[attr-defined]


def test_an_index_is_stored_and_found_again(tmp_path: Path) -> None:
    path = index_file(tmp_path / "skills", "team/registry")
    assert path.name.startswith("team-registry-")
    save(built(CARDS), path, MODEL)
    assert load(path, MODEL).equals(built(CARDS))
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "missing"])
def test_a_damaged_file_is_done_without(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "shipped_index", lambda: tmp_path / "none")
    path = tmp_path / "x.routing"
    save(built(CARDS), path, MODEL)
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "cut": data[:-100],
                "flipped": data[:5_000] + bytes([data[5_000] ^ 1]) + data[5_001:],
                "empty": b"",
                "foreign": b"something else\n" * 10,
            }[damage]
        )
    assert len(load(path, MODEL)) == 0


def test_another_model_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        model_id, dimension = "other", MODEL.dimension
        embed_documents = MODEL.embed_documents

    monkeypatch.setattr(storage, "shipped_index", lambda: tmp_path / "none")
    path = tmp_path / "x.routing"
    save(built(CARDS), path, MODEL)
    other: object = Other()
    assert len(load(path, other)) == 0  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    save(built(CARDS), tmp_path / "skills" / "x.routing", MODEL)
    tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


def test_where_the_cache_is(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    assert cache_folder(discover(repo.path), {}) == repo.path / ".git" / "skillmesh" / "skills"
    home = {"HOME": "/home/ann"}
    assert str(cache_folder(None, home)) == "/home/ann/.cache/skillmesh/skills"
    assert str(cache_folder(None, {**home, "XDG_CACHE_HOME": "/c"})) == "/c/skillmesh/skills"
    # The specification says that a relative path is to be ignored.
    assert str(cache_folder(None, {**home, "XDG_CACHE_HOME": "c"})).startswith("/home/ann")


def test_an_index_of_nothing() -> None:
    assert len(update(built(CARDS), (), MODEL)) == 0
    assert update(NOTHING, (), MODEL) is NOTHING
    assert np.array_equal(built(()).starts, [0])
