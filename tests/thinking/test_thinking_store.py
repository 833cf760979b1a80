"""Thoughts are numbered, branched and revised, redacted, and kept by whoever records them."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.layout import key_of, thinking_key
from git_skillmesh.thinking.history import History
from git_skillmesh.thinking.model import Thought, just_after
from git_skillmesh.thinking.store import ThoughtStore
from testing.memory import make_session, open_memory, tree_of
from testing.repos import Repo, make_repo
from testing.thoughts import open_thoughts


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path)


@pytest.fixture
def store(repo: Repo) -> ThoughtStore:
    return open_thoughts(repo)


def said(found: History) -> dict[tuple[str, int], list[str]]:
    return {(s.branch, s.number): [one.text for one in s.versions] for s in found.steps}


def test_numbers_are_given_or_the_next_and_the_same_again_is_nothing_new(
    store: ThoughtStore,
) -> None:
    first = store.record(Thought("", 0, "What is slow?", total=3))
    name = first.thought.session_id
    assert (first.fate, first.thought.number, first.thoughts) == ("new", 1, 1)
    assert name.startswith("think-")
    tip = store.repository.git.run("rev-parse", store.ref)
    for again in (Thought(name, 0, "What is slow?"), Thought(name, 1, "What is slow?", total=3)):
        assert (store.record(again).fate, store.record(again).thought.number) == ("known", 1)
    assert store.repository.git.run("rev-parse", store.ref) == tip
    assert store.record(Thought(name, 0, "The cache.")).thought.number == 2
    assert store.record(Thought(name, 9, "Later.")).thought.number == 9
    assert store.record(Thought(name, 0, "Last.")).thought.number == 10


def test_the_same_number_is_a_revision_and_never_an_overwrite(store: ThoughtStore) -> None:
    for text in ("red", "blue", "red", "green"):
        last = store.record(Thought("s", 1, text))
    assert (last.fate, last.thought.revision, last.thoughts) == ("revision", 2, 1)
    assert said(store.history("s")) == {("", 1): ["red", "blue", "green"]}
    # Who says that he revises comes back to what was said before, once.
    for _ in range(2):
        store.record(Thought("s", 0, "red", revises=1))
    assert said(store.history("s")) == {("", 1): ["red", "blue", "green", "red"]}
    assert store.record(Thought("s", 1, "red", revises=1)).fate == "known"


def test_branches_count_for_themselves(store: ThoughtStore) -> None:
    for text in ("one", "two", "three"):
        store.record(Thought("s", 0, text))
    on_branch = store.record(Thought("s", 0, "other", branch="b", branched_from=1))
    assert (on_branch.thought.number, on_branch.branches) == (2, ("b",))
    assert store.record(Thought("s", 0, "and more", branch="b")).thought.number == 3
    made = store.record(Thought("s", 0, "a third way", branched_from=3))
    again = store.record(Thought("s", 0, "a third way", branched_from=3))
    assert (again.fate, again.thought) == ("known", made.thought)
    assert store.record(Thought("s", 2, "other, better", branch="b")).thought.revision == 1
    late = store.record(Thought("s", 0, "from where we are", branch="late")).thought
    assert (late.branched_from, late.number) == (3, 4)
    found = store.history("s")
    assert [(line.name, line.branched_from) for line in found.lines] == [
        ("", 0), ("b", 1), (made.thought.branch, 3), ("late", 3),
    ]  # fmt: skip
    assert said(found)["b", 2] == ["other", "other, better"]
    assert said(found)["", 2] == ["two"]
    assert found.session().revisions == 1


def test_a_thought_may_correct_an_earlier_one(store: ThoughtStore) -> None:
    for text in ("one", "two"):
        store.record(Thought("s", 0, text))
    store.record(Thought("s", 3, "two was wrong", revises=2))
    store.record(Thought("s", 2, "branch", branch="b", branched_from=1))
    store.record(Thought("s", 3, "branch was wrong", branch="b", revises=2))
    found = store.history("s")
    by = {(s.branch, s.number): [(o.branch, o.number) for o in found.revised_by(s)]
          for s in found.steps}  # fmt: skip
    assert {place: others for place, others in by.items() if others} == {
        ("", 2): [("", 3)], ("b", 2): [("b", 3)],
    }  # fmt: skip
    assert found.revisions == 2


def test_a_session_closes_and_opens_again(store: ThoughtStore) -> None:
    store.record(Thought("s", 1, "one"))
    assert store.history("s").is_open
    closing = store.record(Thought("s", 1, "one", needs_more=False))
    assert (closing.fate, said(store.history("s"))) == ("new", {("", 1): ["one"]})
    assert not store.history("s").is_open
    store.record(Thought("s", 0, "but"))
    assert store.history("s").is_open
    (session,) = store.sessions()
    assert (session.thoughts, session.first, session.is_open) == (2, "one", True)


def test_the_files(repo: Repo, store: ThoughtStore) -> None:
    store.record(Thought("s", 2, "caf\u00e9", branch="b", time="2026-03-01T10:00:00+01:00"))
    key = thinking_key("s")
    ((path, text),) = tree_of(repo).items()
    assert path.startswith(f"thoughts/{key[0]}/{key[1]}/{key}/0002-")
    assert json.loads(text) == {
        "schema": 1, "session_id": "s", "number": 2, "branch": "b",
        "time": "2026-03-01T09:00:00.000000Z", "text": "caf\u00e9",
    }  # fmt: skip
    assert repo.git("log", "--format=%cn: %s", "refs/skillmesh/memory") == (
        "git skillmesh: thoughts: 1 recorded"
    )


def test_secrets_are_taken_out_before_anything_is_written(repo: Repo) -> None:
    def redact(text: str) -> str:
        return text.replace("hunter2", "[password]")

    store = ThoughtStore(discover(repo.path), redact)
    store.record(Thought("s", 1, "log in with hunter2"))
    assert store.record(Thought("s", 1, "log in with hunter2")).fate == "known"
    everything = repo.git("cat-file", "--batch-check=%(objectname)", "--batch-all-objects")
    for name in everything.splitlines():
        assert "hunter2" not in repo.git("cat-file", "-p", name)


@pytest.mark.parametrize(
    ("thought", "complaint"),
    [
        (Thought("s", 1, " \n"), "the thought is empty"),
        (Thought("s", 1, "\u00e9" * 50_001), "the thought has 100,002 bytes, more than 100,000"),
        (Thought("s" * 201, 1, "x"), "a session id has 201 characters, more than 200"),
        (Thought("a\x1b[31mb", 1, "x"), "a session id has control characters"),
        (Thought("s", 1, "x", branch="a\nb"), "a branch id has control characters"),
        (Thought("s", -1, "x"), "a thought number cannot be -1: it is from 1 to 1,000,000"),
        (Thought("s", 1, "x", total=10**9), "the total of thoughts cannot be 1000000000"),
        (Thought("s", 1, "x", time="soon"), "not a time: 'soon'"),
    ],
)
def test_what_is_refused(store: ThoughtStore, thought: Thought, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        store.record(thought)
    assert str(error.value).startswith(complaint)
    assert store.sessions() == []


def test_the_longest_that_is_taken_passes_every_check(store: ThoughtStore, repo: Repo) -> None:
    store.record(Thought("s" * 200, 1, "\x01" * 100_000))
    assert store.history("s" * 200).last.text == "\x01" * 100_000
    assert all(len(text) < 1_048_576 for text in tree_of(repo).values())


def test_a_forgotten_session_stays_away_and_a_conversation_of_its_name_stays(
    repo: Repo, store: ThoughtStore
) -> None:
    memory = open_memory(repo)
    memory.add([make_session("s", 1)])
    store.record(Thought("s", 1, "to be forgotten"))
    store.record(Thought("t", 1, "to be kept"))
    memory.add([make_session("other", 1)])
    done = store.forget("s")
    assert done.sessions == ("s",)
    assert thinking_key("s") not in repo.git("rev-list", "--objects", store.ref).replace(
        f"{thinking_key('s')}.json", ""
    )
    assert [one.session_id for one in store.sessions()] == ["t"]
    assert {one.head.session_id for one in memory.sessions()} == {"s", "other"}
    with pytest.raises(UsageError, match="session s was forgotten and stays away"):
        store.record(Thought("s", 1, "again"))
    memory.forget("s")
    assert not store.is_forgotten("t")
    assert key_of("s") != thinking_key("s")
    with pytest.raises(UsageError, match="no such session: never"):
        store.forget("never")


def test_sessions_are_found_by_their_beginning(store: ThoughtStore) -> None:
    with pytest.raises(UsageError, match="no thoughts are recorded yet"):
        store.find("")
    for name in ("apple", "apricot", "ap"):
        store.record(Thought(name, 1, f"about {name}"))
    assert store.find("app").session_id == "apple"
    assert store.find("ap").session_id == "ap"
    assert store.find("").session_id == "ap"  # the latest
    with pytest.raises(UsageError, match="a is the beginning of several sessions"):
        store.find("a")
    with pytest.raises(UsageError, match="no such session of thoughts: pear"):
        store.find("pear")


def test_several_that_record_at_once_keep_everything(repo: Repo) -> None:
    def record(worker: int) -> list[int]:
        store = open_thoughts(repo)
        return [store.record(Thought("s", 0, f"{worker}/{n}")).thought.number for n in range(4)]

    with ThreadPoolExecutor(3) as pool:
        numbers = [number for found in pool.map(record, range(3)) for number in found]
    assert sorted(numbers) == list(range(1, 13))
    found = said(open_thoughts(repo).history("s"))
    assert sorted(text for texts in found.values() for text in texts) == sorted(
        f"{worker}/{n}" for worker in range(3) for n in range(4)
    )


def test_one_that_is_killed_leaves_nothing_half(repo: Repo) -> None:
    store = open_thoughts(repo)
    store.record(Thought("s", 1, "first"))
    child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        for number in range(10_000):
            store.record(Thought("s", 0, f"more {number}"))
        os._exit(0)
    time.sleep(0.15)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    repo.git("fsck", "--strict", "--no-dangling")
    lock = repo.git_dir / "refs/skillmesh/memory.lock"
    lock.unlink(missing_ok=True)  # git's own, if it was killed just then
    count = store.record(Thought("s", 0, "last")).thoughts
    assert [step.number for step in store.history("s").steps] == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("time", "after"),
    [
        ("2026-03-01T09:00:00.000001Z", "2026-03-01T09:00:00.000002Z"),
        ("2026-03-01T09:59:59.999999Z", "2026-03-01T10:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", ""),
        ("", ""),
        ("2026", ""),
    ],
)
def test_the_next_moment(time: str, after: str) -> None:
    assert just_after(time) == after


def test_what_strangers_wrote_is_left_out(repo: Repo, store: ThoughtStore) -> None:
    store.record(Thought("s", 1, "mine"))
    key = thinking_key("s")
    folder = f"thoughts/{key[0]}/{key[1]}/{key}"
    index = {"GIT_INDEX_FILE": f"{repo.git_dir}/other-index"}
    repo.git("read-tree", store.ref, env=index)
    documents = [
        "no json", "[]", '{"session_id": "s", "number": 2, "text": 5}',
        '{"session_id": "other", "number": 2, "text": "of another session"}',
        '{"session_id": "s", "number": 0, "text": "without a number"}',
        '{"session_id": "s", "number": 2, "branch": "\\u001b", "text": "x"}',
        '{"session_id": "s", "number": 2, "time": "9999", "text": "no time", "more": 1}',
    ]  # fmt: skip
    for number, text in enumerate(documents):
        blob = repo.git("hash-object", "-w", "--stdin", stdin=text)
        path = f"{folder}/0002-{'0' * 16}-{number:016}.json"
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=index)
    tree = repo.git("write-tree", env=index)
    repo.git("update-ref", store.ref, repo.git("commit-tree", tree, "-p", store.ref, "-m", "x"))
    assert said(store.history("s")) == {("", 1): ["mine"], ("", 2): ["no time"]}
    assert [one.session_id for one in store.sessions()] == ["s"]
    assert store.record(Thought("s", 0, "next")).thought.number == 3
