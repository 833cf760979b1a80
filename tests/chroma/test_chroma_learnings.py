"""`derived_learnings_v1` equals the files of learnings that HEAD has."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.collections import check_collections
from git_skillmesh.chroma.doctor import examine, repair
from git_skillmesh.chroma.learnings import COLLECTION, learning_rows, mirror_learnings
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chroma.target import Target, target_of
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.identity import learning_key, repo_id
from git_skillmesh.index.vectors import builtin_source
from git_skillmesh.learnings.model import Fix, Severity, State
from git_skillmesh.learnings.writing import write_learning
from testing.chroma_rows import stored
from testing.learnings import learning
from testing.repos import Repo, make_repo

PAUSE = learning(
    "no-pause", "Do not pause in tests", severity=Severity.ERROR, category="tests",
    tags=("slow", "flaky"), languages=("python",), pattern="a call of sleep", fix=Fix("Poll."),
    source_chat_id="s-1/2", example_code_reference="c" * 32, confidence=0.75,
)  # fmt: skip
MONEY = learning("money", "Amounts are Decimal")


class Place:
    """A repository with learnings, and where they are mirrored."""

    def __init__(self, repo: Repo, target: Target | None = None) -> None:
        self.repo = repo
        self.repository = discover(repo.path)
        self.config = load(self.repository)
        found = target or target_of(self.config, self.repository)
        assert found is not None
        self.target = found
        self.id = repo_id(self.repository, self.config)

    def mirror(self) -> Outcome | None:
        return mirror_learnings(self.repository, self.config, self.target)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return id of the learning → metadata."""
        rows = stored(self.target, COLLECTION).values()
        return {row["metadata"]["learning_id"]: row["metadata"] for row in rows}

    def findings(self) -> list[str]:
        with learning_rows(self.repository, self.config) as rows:
            assert rows is not None
            state = self.repository.state_dir
            return [one.kind for one in examine(rows, self.target, state, 20, COLLECTION)]


def files() -> dict[str, str | bytes | None]:
    return {one.path: write_learning(one) for one in (PAUSE, MONEY)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(make_repo(tmp_path, files=files()))


def test_without_learnings_there_is_nothing_to_mirror(tmp_path: Path) -> None:
    assert Place(make_repo(tmp_path, files={"a.py": "x = 1\n"})).mirror() is None


def test_the_whole_row(place: Place) -> None:
    assert place.mirror() == Outcome(upserted=2, deleted=0, rows=2)
    assert set(stored(place.target, COLLECTION)) == {
        learning_key(place.id, name) for name in ("no-pause", "money")
    }
    row = place.rows()["no-pause"]
    assert set(row) - {"row_hash"} == set(COLLECTIONS[COLLECTION].fields)
    del row["row_hash"]
    assert row == {
        "learning_id": "no-pause", "title": "Do not pause in tests", "source_chat_id": "s-1/2",
        "description": "Do not pause in tests, because it went wrong once.",
        "pattern": "a call of sleep", "example_code_reference": "c" * 32, "tags": "slow,flaky",
        "category": "tests", "confidence": 0.75, "state": "warn", "severity": "error",
        "languages": "python", "path": PAUSE.path, "repo_id": place.id,
        "blob": place.repo.git("rev-parse", f"HEAD:{PAUSE.path}"),
    }  # fmt: skip
    assert place.rows()["money"]["confidence"] == -1.0
    assert place.findings() == []
    reports = check_collections(place.target, place.repository.state_dir)
    assert [(r.status, r.rows) for r in reports if r.name == COLLECTION] == [("ok", 2)]


def test_only_what_is_committed_and_changed_is_written(place: Place) -> None:
    place.mirror()
    assert place.mirror() == Outcome(0, 0, 2)
    place.repo.write(PAUSE.path, write_learning(replace(PAUSE, state=State.BLOCK)))
    assert place.mirror() == Outcome(0, 0, 2)
    place.repo.commit("block")
    assert place.mirror() == Outcome(1, 0, 2)
    assert place.rows()["no-pause"]["state"] == "block"
    place.repo.commit("gone", {MONEY.path: None})
    assert place.mirror() == Outcome(0, 1, 1)
    place.repo.commit("none", {PAUSE.path: None})
    assert place.mirror() == Outcome(0, 1, 0)
    assert place.findings() == []


def test_a_broken_file_has_no_row_until_it_is_mended(place: Place) -> None:
    place.mirror()
    place.repo.commit("break", {MONEY.path: write_learning(MONEY) + "colour: red\n"})
    assert place.mirror() == Outcome(0, 1, 1)
    assert place.findings() == []
    place.repo.commit("mend", {MONEY.path: write_learning(MONEY)})
    assert place.mirror() == Outcome(1, 0, 2)


def test_history_that_git_no_longer_has_is_compared_whole(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=files())
    repo.git("config", "skillmesh.repoid", "parcels")  # the derived one is made of the first commit
    place = Place(repo)
    place.mirror()
    place.repo.commit("gone", {MONEY.path: None})
    place.repo.git("checkout", "-q", "--orphan", "anew")
    place.repo.git("commit", "-q", "-m", "anew")
    place.repo.git("branch", "-D", "main")
    place.repo.git("reflog", "expire", "--expire=now", "--all")
    place.repo.git("gc", "-q", "--prune=now")
    assert place.mirror() == Outcome(0, 1, 1)


def test_a_linked_worktree_pulls_no_row_its_way(place: Place, tmp_path: Path) -> None:
    place.mirror()
    before = place.rows()
    side = place.repo.worktree(tmp_path / "side", "side")
    side.commit("gone", {MONEY.path: None})
    mirror_learnings(discover(side.path), place.config, place.target)
    assert place.rows() == before


def test_what_somebody_changed_in_the_store_is_found_and_mended(place: Place) -> None:
    place.mirror()
    client = clients.open_client(place.target, 20)
    collection = client.get_collection(COLLECTION, embedding_function=None)
    collection.update([learning_key(place.id, "money")], metadatas=[{"state": "block"}])
    clients.close(client)
    assert place.findings() == ["metadata"]
    with learning_rows(place.repository, place.config) as rows:
        assert rows is not None
        done = repair(rows, place.target, place.repository.state_dir, COLLECTION)
    assert (done.upserted, done.rows) == (1, 2)
    assert place.findings() == []
    assert place.rows()["money"]["state"] == "warn"


def test_a_learning_is_found_by_its_meaning(place: Place) -> None:
    place.mirror()
    source = builtin_source()
    with ChromaReader(place.target) as reader:
        found = reader.query(
            COLLECTION, source.embed_query("price in cents"), 1, {"state": "warn"}, source.model_id
        )
    assert [metadata["learning_id"] for _, _, metadata in found] == ["money"]


def test_on_a_server_the_text_is_kept(tmp_path: Path, database: Callable[[str], Target]) -> None:
    place = Place(make_repo(tmp_path, files=files()), database("learnings"))
    assert place.mirror() == Outcome(2, 0, 2)
    documents = {row["document"] for row in stored(place.target, COLLECTION).values()}
    assert documents == {f"{one.title}\n{one.description}" for one in (PAUSE, MONEY)}
    assert place.findings() == []
