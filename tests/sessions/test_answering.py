"""Lines, their links, and what the memory tells: joined."""

from pathlib import Path

import pytest

from git_skillmesh.git.blame import blame
from git_skillmesh.git.commitlog import commit_log
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.sessions.answering import (
    Line,
    Made,
    Missing,
    Pair,
    Told,
    attribute,
    grouped,
    made_of,
    tell,
    tell_pairs,
)
from git_skillmesh.sessions.finding import find_exchange
from git_skillmesh.sessions.links import read_links
from git_skillmesh.sessions.lookup import Lookup
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.reading import MemoryReader
from git_skillmesh.sessions.wording import names
from testing.conversations import damage, link, remember
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo

ONE = ("s", "s-1")


def joined(repo: Repo, path: str, at: str = "") -> tuple[Line, ...]:
    repository = repo.opened()
    with ObjectDatabase(repository) as db:
        return attribute(db, blame(repository, path, (), at))


def owners(lines: tuple[Line, ...]) -> list[str]:
    return [line.link.exchange if line.link else "-" for line in lines]


def what_is_told(repo: Repo, lines: tuple[Line, ...]) -> dict[Pair, Told]:
    with ObjectDatabase(repo.opened()) as db:
        return tell(db, (line.link for line in lines), "all")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"a.txt": "one\ntwo\nthree\nfour\n"})
    remember(repo, make_session("s"))
    return repo


def test_lines_keep_their_exchange_through_later_commits(repo: Repo) -> None:
    link(repo, "HEAD", "a.txt", [2, 3], exchange="s-2")
    repo.commit("more", {"a.txt": "zero\none\n  two\nthree\nfour\n"})
    link(repo, "HEAD", "a.txt", [1], exchange="s-1")
    repo.git("mv", "a.txt", "b.txt")
    repo.commit("move")
    repo.write("b.txt", "zero\none\n  two\nTHREE\nfour\nfive\n")
    lines = joined(repo, "b.txt")
    assert owners(lines) == ["s-1", "-", "s-2", "-", "-", "-"]
    # Only what is in a commit that has links in this file was looked at by whoever linked it.
    assert [line.examined for line in lines] == [True, True, True, False, True, False]


def test_a_stale_link_is_left_out(repo: Repo) -> None:
    first = repo.head
    link(repo, "HEAD", "a.txt", [1, 2])
    repo.git("config", "notes.rewriteRef", "refs/notes/*")
    repo.write("a.txt", "ZERO\nONE\ntwo\nthree\nfour\n")
    repo.git("commit", "-q", "-a", "--amend", "-m", "amended")
    assert len(read_links(repo.opened(), [repo.head])[repo.head]) == 1
    assert owners(joined(repo, "a.txt")) == ["-"] * 5
    assert owners(joined(repo, "a.txt", first)) == ["s-1", "s-1", "-", "-"]
    link(repo, "HEAD", "a.txt", [3], via=(first,))
    assert owners(joined(repo, "a.txt")) == ["-", "-", "s-1", "-", "-"]
    assert joined(repo, "a.txt")[2].link is not None


def test_the_most_confident_link_counts(repo: Repo) -> None:
    link(repo, "HEAD", "a.txt", [1, 2], exchange="s-1", confidence=0.4, evidence="files")
    link(repo, "HEAD", "a.txt", [2, 3], exchange="s-2", confidence=0.9)
    assert owners(joined(repo, "a.txt")) == ["s-1", "s-2", "s-2", "-"]


def test_groups(repo: Repo) -> None:
    link(repo, "HEAD", "a.txt", [1, 4], confidence=0.5, evidence="content")
    link(repo, "HEAD", "a.txt", [3], confidence=0.7)
    repo.commit("more", {"a.txt": "one\ntwo\nthree\nfour\nfive\n"})
    link(repo, "HEAD", "a.txt", [5])
    lines = joined(repo, "a.txt")
    told = what_is_told(repo, lines)
    groups = grouped(lines, told)
    assert [[line.blamed.number for line in group.lines] for group in groups] == [[1, 3, 4, 5], [2]]
    assert [link.confidence for link in groups[0].links] == [0.9, 0.7, 0.5]
    assert [commit.summary for commit in groups[0].commits] == ["more", "first"]
    assert (groups[0].told, groups[1].told) == (told[ONE], None)


def test_what_the_memory_tells(repo: Repo) -> None:
    link(repo, "HEAD", "a.txt", [1], exchange="s-2")
    ((pair, told),) = what_is_told(repo, joined(repo, "a.txt")).items()
    assert (pair, told.number, told.agent, told.title, told.missing) == (
        ("s", "s-2"), 2, "claude-code", "Title of s", None,
    )  # fmt: skip
    assert told.exchange == make_session("s").exchanges[1]


def test_what_is_missing_says_why(repo: Repo) -> None:
    remember(repo, make_session("gone"), make_session("broken"), make_session("headless"))
    open_memory(repo).forget("gone")
    damage(repo, "broken", "exchanges")
    damage(repo, "headless", "session.json")
    for line, name in enumerate(("gone", "broken", "headless", "never"), 1):
        link(repo, "HEAD", "a.txt", [line], name, f"{name}-1")
    told = what_is_told(repo, joined(repo, "a.txt"))
    assert {pair[0]: one.missing for pair, one in told.items()} == {
        "gone": Missing.FORGOTTEN,
        "broken": Missing.BROKEN,
        "headless": Missing.BROKEN,
        "never": Missing.ABSENT,
    }
    assert all(one.exchange is None for name, one in told.items() if name[0] != "headless")


def test_what_made_a_commit(repo: Repo) -> None:
    repo.commit("more", {"a.txt": "one\n2\n3\nfour\n", "b.txt": "x\ny\n"})
    sure = link(repo, "HEAD", "a.txt", [2], exchange="s-1", confidence=0.8)
    other = link(repo, "HEAD", "b.txt", [1, 2], exchange="s-2", confidence=0.6)
    less = link(repo, "HEAD", "a.txt", [2, 3], exchange="s-2", confidence=0.3, evidence="files")
    taken = link(repo, "HEAD", "a.txt", [], exchange="s-3")
    link(repo, "HEAD", "a.txt", [1], exchange="s-3", blob="0" * 40)
    repository = repo.opened()
    (commit,) = commit_log(repository, ["HEAD"], [], 1)
    made = made_of(commit, read_links(repository, [repo.head])[repo.head])
    by_text = {pair: {link.to_line() for link in one.links} for pair, one in made.items()}
    assert {pair: one.files for pair, one in made.items()} == {
        ("s", "s-2"): {"a.txt": (3,), "b.txt": (1, 2)},
        ("s", "s-1"): {"a.txt": (2,)},
        ("s", "s-3"): {"a.txt": ()},
    }
    assert list(made) == [("s", "s-2"), ("s", "s-1"), ("s", "s-3")]
    assert by_text == {
        ("s", "s-2"): {other.to_line(), less.to_line()},
        ("s", "s-1"): {sure.to_line()},
        ("s", "s-3"): {taken.to_line()},
    }
    assert [one.lines for one in made.values()] == [3, 1, 0]
    assert [one.confidence for one in made.values()] == [0.6, 0.8, 0.9]


def test_a_link_to_the_commit_as_a_whole_is_told(repo: Repo) -> None:
    from git_skillmesh.sessions.links import Link

    repository = repo.opened()
    (commit,) = commit_log(repository, ["HEAD"], [], 1)
    whole = Link("s", "s-1", 0.9, "quoted")
    assert made_of(commit, [whole]) == {ONE: Made({}, (whole,))}


def test_what_is_shown_as_a_name_leads_back(repo: Repo) -> None:
    # One source knows the end of a session, another its beginning, and then it goes on.
    for ids in (("late-1", "late-2"), ("early-1", "late-1"), ("late-1", "late-2", "late-3")):
        remember(repo, Session("t", "a", tuple(Exchange(one, f"ask {one}", "") for one in ids)))
    every = ("late-1", "late-2", "early-1", "late-3")
    repository = repo.opened()
    with ObjectDatabase(repository) as db:
        told = tell_pairs(Lookup(db), [("t", one) for one in every], "all")
    called = names(told.values())
    assert list(called.values()) == ["t/1", "t/2", "t/early-1", "t/late-3"]
    reader = MemoryReader(repository)
    assert [find_exchange(reader, name) for name in called.values()] == list(called)
