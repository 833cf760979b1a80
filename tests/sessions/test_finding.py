"""Sessions, exchanges and commits by what a user types."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.finding import (
    Found,
    find_any,
    find_exchange,
    find_session,
    short_ids,
)
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.reading import MemoryReader
from testing.conversations import remember
from testing.repos import Repo, make_repo

IDS = (
    "3f9c1d52-7a40",
    "3f9c1d52-9999",
    "b81e04c7-2f6d",
    "rollout-2026-01-01",
    "rollout-2026-01-02",
)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    exchanges = [Exchange(f"ask-{n}", f"prompt {n}", "") for n in (1, 2)]
    made = [
        Session(
            name,
            "codex",
            tuple(Exchange(f"{name}#{e.exchange_id}", e.prompt, "") for e in exchanges),
        )
        for name in IDS
    ]
    sub = Session("b81e04c7-2f6d-a1b2c3", "codex", (Exchange("deep", "p", ""),), parent=IDS[2])
    remember(repo, *made, sub)
    return repo


def reader(repo: Repo) -> MemoryReader:
    return MemoryReader(discover(repo.path))


def refusal(repo: Repo, text: str, find: object = find_session) -> str:
    with pytest.raises(UsageError) as refused:
        find(reader(repo), text)  # type: ignore[operator]
    return str(refused.value)


def test_a_session_by_its_beginning(repo: Repo) -> None:
    found = {text: find_session(reader(repo), text) for text in (
        "3f9c1d52-7", "3f9c1d52-7a40", "b", "b81e04c7-2f6d", "b81e04c7-2f6d-a", "a1b2",
        "rollout-2026-01-02",
    )}  # fmt: skip
    assert found == {
        "3f9c1d52-7": IDS[0],
        "3f9c1d52-7a40": IDS[0],
        "b": IDS[2],  # and not the subagent, whose id begins with the same
        "b81e04c7-2f6d": IDS[2],
        "b81e04c7-2f6d-a": "b81e04c7-2f6d-a1b2c3",
        "a1b2": "b81e04c7-2f6d-a1b2c3",
        "rollout-2026-01-02": IDS[4],
    }


def test_what_is_no_session(repo: Repo) -> None:
    assert refusal(repo, "3f9c") == (
        "3f9c is the beginning of several sessions: 3f9c1d52-7a40, 3f9c1d52-9999"
    )
    assert refusal(repo, "zz") == "no such session: zz: git skillmesh sessions lists them"
    assert refusal(repo, "") == "no such session: : git skillmesh sessions lists them"
    assert refusal(repo, "b81f04c7") == "no such session: b81f04c7: did you mean b81e04c7-2f6d?"


def test_many_candidates_are_counted(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    remember(repo, *(Session(f"s{n}", "codex", (Exchange("e", "p", ""),)) for n in range(8)))
    assert refusal(repo, "s") == (
        "s is the beginning of several sessions: s0, s1, s2, s3, s4 and 3 more"
    )


def test_without_a_memory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    wanted = "no conversations are stored in this repository yet: git skillmesh import"
    assert refusal(repo, "s") == refusal(repo, "s", find_exchange) == wanted


def test_a_forgotten_session(repo: Repo) -> None:
    from testing.memory import open_memory

    open_memory(repo).forget(IDS[0])
    assert refusal(repo, IDS[0]) == f"session {IDS[0]} was forgotten"
    assert refusal(repo, IDS[0], find_any) == f"session {IDS[0]} was forgotten"
    assert find_session(reader(repo), "3f9c") == IDS[1]


def test_an_exchange(repo: Repo) -> None:
    def find(text: str) -> tuple[str, str]:
        return find_exchange(reader(repo), text)

    first, second = (f"{IDS[0]}#ask-{n}" for n in (1, 2))
    assert find("3f9c1d52-7/1") == (IDS[0], first)
    assert find("3f9c1d52-7/2") == (IDS[0], second)
    assert find(f"{IDS[0]}/{second}") == (IDS[0], second)
    assert find("a1b2/deep") == find("a1b2/1") == ("b81e04c7-2f6d-a1b2c3", "deep")
    assert find(second) == (IDS[0], second)
    assert find("de") == ("b81e04c7-2f6d-a1b2c3", "deep")
    assert refusal(repo, "3f9c/1", find_exchange) == (
        "3f9c is the beginning of several sessions: 3f9c1d52-7a40, 3f9c1d52-9999"
    )
    assert refusal(repo, "a1b2/2", find_exchange) == (
        "session b81e04c7-2f6d-a1b2c3 has no exchange 2: it has 1 to 1"
    )
    assert refusal(repo, f"{IDS[0]}#", find_exchange) == (
        f"{IDS[0]}# is the beginning of several exchanges: {IDS[0]}/{first}, {IDS[0]}/{second}"
    )
    assert refusal(repo, "none", find_exchange) == (
        "no such exchange: none: git skillmesh sessions lists them"
    )


def test_anything(repo: Repo) -> None:
    def find(text: str) -> Found:
        return find_any(reader(repo), text)

    assert find("HEAD") == find(repo.head[:10]) == Found(commit=repo.head)
    assert find("b81e") == Found(session=IDS[2])
    assert find("b81e/2") == Found(IDS[2], f"{IDS[2]}#ask-2")
    assert find("deep") == Found("b81e04c7-2f6d-a1b2c3", "deep")
    repo.git("branch", "b81e")
    assert refusal(repo, "b81e", find_any) == (
        f"b81e is the beginning of several names: {IDS[2]}, {repo.head} (a commit)"
    )
    repo.git("branch", IDS[2])
    assert find(IDS[2]) == Found(session=IDS[2])
    for text in ("none", "none/1", "-x", "a\nb", "", "HEAD:a.txt"):
        assert refusal(repo, text, find_any).startswith(
            f"no such session, exchange or commit: {text}"
        )


@given(st.dictionaries(st.text("ab-/", min_size=1, max_size=12), st.just(""), max_size=20))
def test_short_forms_are_unique_beginnings(sessions: dict[str, str]) -> None:
    short = short_ids(sessions)
    assert len(set(short.values())) == len(sessions)
    for session, name in short.items():
        assert session.startswith(name)
        assert len(name) >= min(8, len(session))


def test_the_short_form_of_a_subagent() -> None:
    assert short_ids({"aaaabbbbcccc": "", "aaaabbbbcccc-x1": "aaaabbbbcccc"}) == {
        "aaaabbbbcccc": "aaaabbbb",
        "aaaabbbbcccc-x1": "x1",
    }
