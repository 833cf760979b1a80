"""Two clones record, unite and forget in any order, and both end with the same and with all."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.difference import memory_difference
from git_skillmesh.sessions.store import MemoryStore
from git_skillmesh.thinking.model import Thought
from testing.examples import examples
from testing.memory import open_memory
from testing.repos import Repo, make_repo
from testing.thoughts import open_thoughts

REFS = ("refs/skillmesh/one", "refs/skillmesh/two")
texts = st.sampled_from(["red", "green", "blue"])
thoughts = st.builds(
    Thought, st.sampled_from("st"), st.integers(0, 3), texts, branch=st.sampled_from(["", "b"]),
    revises=st.integers(0, 2), needs_more=st.booleans(),
)  # fmt: skip
steps = st.lists(st.tuples(st.integers(0, 1), thoughts | st.just("merge")), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def shared(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """One repository with two memories, as two clones would have them."""
    return make_repo(tmp_path_factory.mktemp("two"))


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_any_interleaving_gives_the_same_tree_and_all_thoughts(
    shared: Repo, steps: list[tuple[int, Thought | str]]
) -> None:
    for ref in REFS:
        shared.git("update-ref", "-d", ref)
    stores = [open_thoughts(shared, ref) for ref in REFS]
    memories = [open_memory(shared, ref) for ref in REFS]
    told: set[tuple[str, str, int, str]] = set()
    for where, what in steps:
        if isinstance(what, Thought):
            stored = stores[where].record(what).thought
            told.add((stored.session_id, stored.branch, stored.number, stored.text))
        else:
            _merge(shared, memories[where], REFS[1 - where])
    for where in (0, 1):
        _merge(shared, memories[where], REFS[1 - where])
    tips = [shared.run("rev-parse", "--verify", "-q", f"{ref}^{{tree}}").stdout for ref in REFS]
    assert tips[0] == tips[1]
    for store in stores:
        kept = {
            (found.session_id, step.branch, step.number, one.text)
            for found in store.histories()
            for step in found.steps
            for one in step.versions
        }
        assert kept == told


def _merge(repo: Repo, memory: MemoryStore, other: str) -> None:
    tip = repo.run("rev-parse", "--verify", "-q", other).stdout.strip()
    if tip:
        memory.merge(tip)


def test_what_one_forgot_leaves_the_other_too(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    one, two = (open_thoughts(repo, ref) for ref in REFS)
    one.record(Thought("secret", 1, "a"))
    one.record(Thought("kept", 1, "b"))
    memories = [open_memory(repo, ref) for ref in REFS]
    memories[1].merge(repo.git("rev-parse", REFS[0]))
    two.record(Thought("secret", 2, "more"))
    before = repo.git("rev-parse", REFS[1])
    one.forget("secret")
    for where in (1, 0):
        memories[where].merge(repo.git("rev-parse", REFS[1 - where]))
    assert repo.git("rev-parse", REFS[0]) == repo.git("rev-parse", REFS[1])
    assert [found.session_id for found in two.sessions()] == ["kept"]
    with ObjectDatabase(discover(repo.path)) as db:
        difference = memory_difference(db, before, repo.git("rev-parse", REFS[1]))
    assert str(difference) == "1 session forgotten"


def test_a_difference_counts_thoughts(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    store = open_thoughts(repo)
    store.record(Thought("s", 1, "a"))
    first = repo.git("rev-parse", store.ref)
    store.record_all([Thought("s", 2, "b"), Thought("t", 1, "c"), Thought("s", 1, "d")])
    with ObjectDatabase(discover(repo.path)) as db:
        assert str(memory_difference(db, first, store.ref)) == "3 thoughts"
        assert str(memory_difference(db, None, store.ref)) == "4 thoughts"
