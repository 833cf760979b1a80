"""`derived_learnings_v1` equals the files of learnings that HEAD has."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.codebase import mirror_codebase
from git_skillmesh.chroma.collections import check_collections
from git_skillmesh.chroma.doctor import examine, repair
from git_skillmesh.chroma.learnings import COLLECTION, learning_rows
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.pipe import WriterWhenNeeded
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.remembered import LEARNINGS, mirror_remembered
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chroma.target import Target, target_of
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.identity import learning_key, repo_id
from git_skillmesh.index.vectors import sentence_source
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

    def mirror(self, writers: WriterWhenNeeded | None = None) -> Outcome | None:
        return mirror_remembered(
            LEARNINGS, self.repository, self.config, self.target, writers=writers
        )

    def writers(self) -> WriterWhenNeeded:
        """Return a writer that several mirrors share, each of which would start its own."""
        return WriterWhenNeeded(self.target, self.repository.state_dir)

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


@pytest.fixture(scope="module")
def template(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with learnings, all of them mirrored; never changed."""
    repo = make_repo(tmp_path_factory.mktemp("mirrored"), files=files())
    repo.git("config", "skillmesh.repoid", "parcels")  # the derived one is made of the first commit
    assert Place(repo).mirror() == Outcome(upserted=2, deleted=0, rows=2)
    return repo


@pytest.fixture
def mirrored(template: Repo, tmp_path: Path) -> Place:
    """A copy of the mirrored repository."""
    repo = Repo(Path(shutil.copytree(template.path, tmp_path / "repo", symlinks=True)))
    made = Place(repo)
    with closing(sqlite3.connect(repo.state_dir / "mirror.db")) as ledger, ledger:
        ledger.execute("UPDATE mirror SET target=?", (made.target.fingerprint,))
    return made


def test_without_learnings_there_is_nothing_to_mirror(tmp_path: Path) -> None:
    assert Place(make_repo(tmp_path, files={"a.py": "x = 1\n"})).mirror() is None


def test_the_whole_row(mirrored: Place) -> None:
    place = mirrored
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


def test_collections_share_one_writer_that_starts_when_something_is_to_be_written(
    place: Place,
) -> None:
    state = place.repository.state_dir
    with WriterWhenNeeded(place.target, state) as one:
        code = mirror_codebase(place.repository, place.config, place.target, writers=one)
        first = one.writer().pid
        learned = mirror_remembered(
            LEARNINGS, place.repository, place.config, place.target, writers=one
        )
        assert one.writer().pid == first
    assert learned == Outcome(2, 0, 2)
    assert code.rows == len(stored(place.target, "codebase_v1")) > 0
    assert len(stored(place.target, COLLECTION)) == 2
    # The lock was let go, and nothing is left to do: no process need be started for that.
    with WriterWhenNeeded(Target("http", url="http://127.0.0.1:9"), state) as never:
        assert mirror_remembered(
            LEARNINGS, place.repository, place.config, place.target, writers=never
        ) == Outcome(0, 0, 2)


def test_only_what_is_committed_and_changed_is_written(mirrored: Place) -> None:
    place = mirrored
    assert place.mirror() == Outcome(0, 0, 2)
    place.repo.write(PAUSE.path, write_learning(replace(PAUSE, state=State.BLOCK)))
    assert place.mirror() == Outcome(0, 0, 2)
    place.repo.commit("block")
    assert place.mirror() == Outcome(1, 0, 2)
    assert place.rows()["no-pause"]["state"] == "block"
    with place.writers() as one:
        place.repo.commit("gone", {MONEY.path: None})
        assert place.mirror(one) == Outcome(0, 1, 1)
        place.repo.commit("none", {PAUSE.path: None})
        assert place.mirror(one) == Outcome(0, 1, 0)
    assert place.findings() == []


def test_a_broken_file_has_no_row_until_it_is_mended(mirrored: Place) -> None:
    place = mirrored
    place.repo.commit("break", {MONEY.path: write_learning(MONEY) + "colour: red\n"})
    assert place.mirror() == Outcome(0, 1, 1)
    assert place.findings() == []
    place.repo.commit("mend", {MONEY.path: write_learning(MONEY)})
    assert place.mirror() == Outcome(1, 0, 2)


def test_history_that_git_no_longer_has_is_compared_whole(mirrored: Place) -> None:
    place = mirrored
    place.repo.commit("gone", {MONEY.path: None})
    place.repo.git("checkout", "-q", "--orphan", "anew")
    place.repo.git("commit", "-q", "-m", "anew")
    place.repo.git("branch", "-D", "main")
    place.repo.git("reflog", "expire", "--expire=now", "--all")
    place.repo.git("gc", "-q", "--prune=now")
    assert place.mirror() == Outcome(0, 1, 1)


def test_a_linked_worktree_pulls_no_row_its_way(mirrored: Place, tmp_path: Path) -> None:
    place = mirrored
    before = place.rows()
    side = place.repo.worktree(tmp_path / "side", "side")
    side.commit("gone", {MONEY.path: None})
    mirror_remembered(LEARNINGS, discover(side.path), place.config, place.target)
    assert place.rows() == before


def test_what_somebody_changed_in_the_store_is_found_and_mended(mirrored: Place) -> None:
    place = mirrored
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


def test_a_learning_is_found_by_its_meaning(mirrored: Place) -> None:
    place = mirrored
    source = sentence_source()
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
