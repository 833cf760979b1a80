"""`thinking_sessions_v1` equals the thoughts of the memory, and doctor mends what does not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.doctor import examine, repair
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.pipe import WriterWhenNeeded
from git_skillmesh.chroma.remembered import THOUGHTS, mirror_remembered
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chroma.target import target_of
from git_skillmesh.chroma.thoughts import COLLECTION, thought_rows
from git_skillmesh.config import load
from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.git.repository import discover
from git_skillmesh.index.identity import repo_id
from git_skillmesh.sessions.layout import thinking_key
from git_skillmesh.thinking.model import Thought
from git_skillmesh.thinking.search import cache_path
from testing.chroma_rows import stored
from testing.repos import Repo, make_repo
from testing.thoughts import open_thoughts


class Place:
    """A repository with thoughts, and where they are mirrored."""

    def __init__(self, repo: Repo) -> None:
        self.store = open_thoughts(repo)
        self.repository = discover(repo.path)
        self.config = load(self.repository)
        target = target_of(self.config, self.repository)
        assert target is not None
        self.target = target

    def mirror(self, writers: WriterWhenNeeded | None = None) -> Outcome | None:
        return mirror_remembered(
            THOUGHTS, self.repository, self.config, self.target, writers=writers
        )

    def rows(self) -> dict[tuple[str, str, int, int], dict[str, Any]]:
        """Return (session, branch, number, revision) → record."""
        found = {}
        for row in stored(self.target, COLLECTION).values():
            facts = row["metadata"]
            place = (facts["session_id"], facts["branch_id"])
            found[*place, facts["thought_number"], facts["revision"]] = row
        return found

    def findings(self) -> list[str]:
        with thought_rows(self.repository, self.config) as rows:
            assert rows is not None
            found = examine(rows, self.target, self.repository.state_dir, 20, COLLECTION)
            return [one.kind for one in found]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(make_repo(tmp_path, files={"a": "b"}))


def test_the_collection_follows_the_thoughts(place: Place) -> None:
    assert place.mirror() is None
    store, time = place.store, "2026-03-01T09:00:00.000000Z"
    store.record(Thought("s", 1, "Light the shed.", total=2, time=time))
    store.record(Thought("s", 1, "Light the shed with a lamp."))
    store.record(Thought("s", 2, "A candle?", branch="b", branched_from=1, needs_more=False))
    store.record(Thought("t", 1, "Something else."))
    with WriterWhenNeeded(place.target, place.repository.state_dir) as one:
        assert place.mirror(one) == Outcome(upserted=4, deleted=0, rows=4)
        store.record(Thought("t", 2, "And more."))
        assert place.mirror(one) == Outcome(upserted=1, deleted=0, rows=5)
        assert place.mirror(one) == Outcome(upserted=0, deleted=0, rows=5)
        assert store.forget("t").sessions == ("t",)
        assert place.mirror(one) == Outcome(upserted=0, deleted=2, rows=3)
    rows = place.rows()
    assert set(rows) == {
        ("s", "", 1, 0), ("s", "", 1, 1), ("s", "b", 2, 0),
    }  # fmt: skip
    facts = rows["s", "", 1, 0]["metadata"]
    assert set(facts) - {"row_hash"} == set(COLLECTIONS[COLLECTION].fields)
    assert {name: value for name, value in facts.items() if name != "row_hash"} == {
        "session_id": "s", "thought_number": 1, "total_thoughts": 2, "branch_id": "",
        "branch_from_thought": 0, "revision": 0, "revises_thought": 0, "timestamp": time,
        "next_thought_needed": True, "repo_id": repo_id(place.repository, place.config),
    }  # fmt: skip
    wanted = StaticEmbedder.load().embed_query("A candle?")
    assert float(np.dot(rows["s", "b", 2, 0]["embedding"], wanted)) > 0.999


def test_what_changed_and_what_is_gone(place: Place) -> None:
    def changes(since: str | None) -> tuple[str, bool, list[str]]:
        with thought_rows(place.repository, place.config) as rows:
            assert rows is not None
            return (rows.state, *rows.changes(since))

    one, two = map(thinking_key, ("one", "two"))
    place.store.record(Thought("one", 1, "Light the shed."))
    first, everything, keys = changes(None)
    assert (everything, keys) == (True, [one])
    assert changes(first)[1:] == (False, [])
    place.store.record(Thought("two", 1, "With a lamp."))
    second, everything, keys = changes(first)
    assert (everything, keys) == (False, [two])
    place.store.forget("two")
    place.store.forget("one")
    assert changes(second)[1:] == (False, sorted([one, two]))
    assert changes("junk")[1:] == (True, [])


def test_doctor_sees_and_mends_what_is_missing(place: Place) -> None:
    place.store.record(Thought("s", 1, "Light the shed."))
    place.store.record(Thought("s", 2, "With a lamp."))
    assert place.mirror() == Outcome(upserted=2, deleted=0, rows=2)
    gone = next(iter(stored(place.target, COLLECTION)))
    client = clients.open_client(place.target, 20)
    client.get_collection(COLLECTION, embedding_function=None).delete(ids=[gone])
    clients.close(client)
    assert place.findings() == ["missing"]
    cache_path(place.repository).unlink()
    with thought_rows(place.repository, place.config) as rows:
        assert rows is not None
        done = repair(rows, place.target, place.repository.state_dir, COLLECTION)
    assert (done.upserted, len(place.rows())) == (1, 2)
