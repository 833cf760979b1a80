"""`chat_history_v1` and `related_chat_ids` follow the memory and the links, both ways."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma.chats import exchange_rows
from git_skillmesh.chroma.codebase import mirror_codebase
from git_skillmesh.chroma.doctor import examine
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.pipe import WriterWhenNeeded
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.remembered import CHATS, mirror_remembered
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chroma.target import Target, target_of
from git_skillmesh.config import Config, load
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.identity import chat_id, repo_id
from git_skillmesh.index.update import update, update_provenance
from git_skillmesh.index.vectors import builtin_source
from git_skillmesh.sessions.events import Event
from git_skillmesh.sessions.links import Link, write_links
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.chroma_rows import stored
from testing.memory import open_memory
from testing.repos import Repo, make_repo

CODE = "def weigh(parcel):\n    return parcel.grams\n"
ASK = Exchange(
    "ask-1", "Add a function that weighs a parcel.", "I added `weigh`.", "2026-03-01T10:00:00Z",
    "2026-03-01T10:01:00Z", "model-7",
    (ToolCall("1", "Write", Act.EDIT, edits=(Edit("scales.py", None, CODE, whole=True),)),),
)  # fmt: skip
OTHER = Exchange("ask-2", "What does it return?", "Grams.", "2026-03-01T11:00:00Z")
TALK = Session("s-1", "codex", (ASK, OTHER), title="Weighing")


class Place:
    """A repository with both tiers."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.repository: Repository = discover(repo.path)
        self.config: Config = load(self.repository)
        target = target_of(self.config, self.repository)
        assert target is not None
        self.target: Target = target
        self.id = repo_id(self.repository, self.config)

    def mirror(self, writers: WriterWhenNeeded | None = None) -> Outcome | None:
        """Mirror both collections, by one writer of their own if none is given."""
        if writers is None:
            with self.writers() as one:
                return self.mirror(one)
        outcome = update(self.repository, self.config)
        update_provenance(self.repository, outcome)
        mirror_codebase(self.repository, self.config, self.target, writers=writers)
        return mirror_remembered(CHATS, self.repository, self.config, self.target, writers=writers)

    def writers(self) -> WriterWhenNeeded:
        """Return a writer that several mirrors share, each of which would start its own."""
        return WriterWhenNeeded(self.target, self.repository.state_dir)

    def stored(self, name: str) -> dict[str, dict[str, Any]]:
        """Return id → metadata."""
        return {key: record["metadata"] for key, record in stored(self.target, name).items()}

    def link(self) -> str:
        blob = self.repo.git("rev-parse", "HEAD:scales.py")
        made = Link("s-1", "ask-1", 0.9, "edit", "scales.py", blob, ((1, 2),))
        write_links(self.repository, {self.repo.head: [made]})
        return self.repo.head

    def findings(self) -> list[str]:
        with exchange_rows(self.repository, self.config) as rows:
            assert rows is not None
            state = self.repository.state_dir
            found = examine(rows, self.target, state, collection="chat_history_v1")
        return [finding.message for finding in found]


def about_scales(rows: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(key, row) for key, row in rows.items() if row["file_path"] == "scales.py"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    repo = make_repo(tmp_path, files={"README.md": "# Parcels\n"})
    repo.commit("weigh", {"scales.py": CODE})
    return Place(repo)


@pytest.fixture(scope="module")
def template(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a linked conversation, all of it mirrored; never changed."""
    repo = make_repo(tmp_path_factory.mktemp("mirrored"), files={"README.md": "# Parcels\n"})
    repo.commit("weigh", {"scales.py": CODE})
    open_memory(repo).add([TALK])
    made = Place(repo)
    made.link()
    assert made.mirror() == Outcome(upserted=2, deleted=0, rows=2)
    return repo


@pytest.fixture
def mirrored(template: Repo, tmp_path: Path) -> Place:
    """A copy of the mirrored repository."""
    repo = Repo(Path(shutil.copytree(template.path, tmp_path / "repo", symlinks=True)))
    made = Place(repo)
    with closing(sqlite3.connect(repo.state_dir / "mirror.db")) as ledger, ledger:
        ledger.execute("UPDATE mirror SET target=?", (made.target.fingerprint,))
    return made


def test_without_memory_there_is_nothing_to_mirror(place: Place) -> None:
    assert place.mirror() is None


def test_the_whole_row(mirrored: Place) -> None:
    place, commit = mirrored, mirrored.repo.head
    chats, code = place.stored("chat_history_v1"), place.stored("codebase_v1")
    row = chats[chat_id(place.id, "s-1", "ask-1")]
    assert set(row) - {"row_hash"} == set(COLLECTIONS["chat_history_v1"].fields) - {"row_hash"}
    ((chunk, about),) = about_scales(code)
    hashes = {row.pop(name) for name in ("row_hash", "raw_prompt_hash", "raw_response_hash")}
    assert len(hashes) == 3
    assert 0 < row.pop("confidence_score") <= 1
    assert "def weigh(parcel):" in row.pop("code_context")
    assert row == {
        "session_id": "s-1", "exchange_id": "ask-1", "timestamp": "2026-03-01T10:00:00Z",
        "prompt_summary": "Add a function that weighs a parcel.",
        "response_summary": "I added weigh.",
        "involved_entities": "scales.py,scales.py::weigh", "status": "captured",
        "diff_summary": "1 file, +2 −0: scales.py +2 −0",  # noqa: RUF001
        "tool_sequence": "edit",
        "modification_type": "feature", "agent": "codex", "model_version": "model-7",
        "repo_id": place.id, "commit_shas": commit, "related_code_chunks": chunk,
    }  # fmt: skip
    assert about["related_chat_ids"] == chat_id(place.id, "s-1", "ask-1")
    assert place.findings() == []


def test_only_what_changed_is_written(place: Place) -> None:
    memory = open_memory(place.repo)
    memory.add([TALK, Session("s-2", "gemini", (Exchange("x", "hello", "hi"),))])
    more = Session("s-2", "gemini", (Exchange("x", "hello", "hi"), Exchange("y", "a", "b")))
    with place.writers() as one:
        assert place.mirror(one) == Outcome(3, 0, 3)
        assert place.mirror(one) == Outcome(0, 0, 3)
        memory.add([more])
        assert place.mirror(one) == Outcome(1, 0, 4)
        place.link()
        assert place.mirror(one) == Outcome(1, 0, 4)
    ((_, code),) = about_scales(place.stored("codebase_v1"))
    assert code["related_chat_ids"] == chat_id(place.id, "s-1", "ask-1")
    memory.append_event("s-1", Event("status", "analyzed", "ask-2", "2026-03-02T00:00:00Z"))
    assert place.mirror() == Outcome(1, 0, 4)
    row = place.stored("chat_history_v1")[chat_id(place.id, "s-1", "ask-2")]
    assert row["status"] == "analyzed"


def test_what_a_person_changes_is_no_longer_related(mirrored: Place) -> None:
    place = mirrored
    place.repo.commit("by hand", {"scales.py": "def weigh(box):\n    return box.pounds\n"})
    place.mirror()
    ((_, code),) = about_scales(place.stored("codebase_v1"))
    assert code["related_chat_ids"] == ""
    row = place.stored("chat_history_v1")[chat_id(place.id, "s-1", "ask-1")]
    assert row["related_code_chunks"] == ""
    assert row["commit_shas"] != ""


def test_a_commit_that_was_rewritten_is_not_named(mirrored: Place) -> None:
    place = mirrored
    place.repo.git("commit", "--amend", "-qm", "other words")
    place.mirror()
    row = place.stored("chat_history_v1")[chat_id(place.id, "s-1", "ask-1")]
    assert row["commit_shas"] == ""


def test_a_linked_worktree_pulls_no_row_its_way(mirrored: Place, tmp_path: Path) -> None:
    place = mirrored
    before = place.stored("chat_history_v1")
    side = place.repo.worktree(tmp_path / "side", "side")
    side.git("reset", "-q", "--hard", "HEAD~1")
    mirror_remembered(CHATS, discover(side.path), place.config, place.target)
    assert place.stored("chat_history_v1") == before


def test_what_is_forgotten_leaves_the_collection(place: Place) -> None:
    memory = open_memory(place.repo)
    memory.add([TALK, Session("s-2", "gemini", (Exchange("x", "hello", "hi"),))])
    with place.writers() as one:
        place.mirror(one)
        # A ledger that was lost is read back from the store.
        for path in place.repository.state_dir.glob("mirror.db*"):
            path.unlink()
        place.mirror(one)
        memory.forget("s-1")
        assert place.mirror(one) == Outcome(0, 2, 1)
        memory.forget("s-2")
        assert place.mirror(one) == Outcome(0, 1, 0)
    assert place.stored("chat_history_v1") == {}
    assert place.findings() == []


def test_an_exchange_finds_itself(mirrored: Place) -> None:
    place = mirrored
    source = builtin_source()
    with ChromaReader(place.target) as reader:
        found = reader.query(
            "chat_history_v1", source.embed_query("weigh a parcel"), 1, {"repo_id": place.id},
            source.model_id,
        )  # fmt: skip
    assert [metadata["exchange_id"] for _, _, metadata in found] == ["ask-1"]
