"""What linking remembers: which commits it looked at, and a cache that follows the memory."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.errors import Damaged, UsageError
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.treeobjects import Entries
from git_skillmesh.sessions.layout import Segment
from git_skillmesh.sessions.linking.cache import Cache
from git_skillmesh.sessions.linking.linker import link_commits
from git_skillmesh.sessions.reading import state_of
from git_skillmesh.sessions.records import State
from testing.linking import by_line, clock, commit, link, links_of, ran, remember, wrote
from testing.memory import open_memory
from testing.repos import Repo, make_repo

ONE = "def first_function():\n    return compute_first()\n"
TWO = "def second_function():\n    return compute_second()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path)
    commit(made, 0, {"a.py": "import re\n"}, "first")
    return made


def cache_path(repo: Repo) -> Path:
    return repo.state_dir / "linking.db"


def renewed(repo: Repo, *ranges: str, write: bool = True) -> dict[str, int]:
    """Link ranges again and return commit → number of links that were not there."""
    repository = repo.opened()
    outcome = link_commits(repository, load(repository, environ=os.environ), ranges, write=write)
    return {commit: len(links) for commit, links in outcome.links.items()}


def test_nothing_to_do_without_sessions_or_commits(tmp_path: Path) -> None:
    empty = make_repo(tmp_path)
    assert link(empty).looked == 0
    remember(empty, "s", wrote(1, "a.py", None, ONE))
    assert link(empty).looked == 0
    assert renewed(empty) == {}


def test_a_commit_is_looked_at_once(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    commit(repo, 2, {"a.py": f"import re\n{ONE}"})
    commit(repo, 3, {"b.py": "nobody = 1\n"})
    assert link(repo).looked == 2
    assert link(repo).looked == 0
    commit(repo, 4, {"b.py": "nobody = 2\n"})
    assert link(repo).looked == 1
    repo.git("checkout", "-q", "-b", "side", "HEAD~2")
    commit(repo, 5, {"c.py": "nobody = 3\n"})
    assert link(repo).looked == 1, "what another branch has in common was looked at"
    repo.git("checkout", "-q", "main")
    assert link(repo).looked == 0


def test_what_arrives_later_is_looked_for_in_older_commits(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    commit(repo, 2, {"a.py": f"import re\n{ONE}", "b.py": TWO})
    third = commit(repo, 9, {"c.py": "nobody = 1\n"})
    link(repo)
    assert by_line(repo, "a.py", "HEAD~1") == {2: "s-1 edit", 3: "s-1 edit"}
    remember(repo, "after", wrote(10, "c.py", None, "nobody = 1\n"))
    assert link(repo).looked == 0
    remember(repo, "between", wrote(5, "c.py", None, "nobody_knows = 1\n"))
    assert link(repo).looked == 1
    remember(repo, "early", wrote(1, "b.py", None, TWO))
    outcome = link(repo)
    assert outcome.looked == 2
    assert third not in outcome.links
    assert by_line(repo, "b.py", "HEAD~1") == {1: "early-1 edit", 2: "early-1 edit"}


def test_a_growing_exchange_does_not_bring_old_commits_back(repo: Repo) -> None:
    first = wrote(1, "a.py", None, ONE)
    remember(repo, "s", first)
    commit(repo, 2, {"a.py": f"import re\n{ONE}"})
    assert link(repo).looked == 1
    remember(repo, "s", first, wrote(3, "b.py", None, TWO))
    commit(repo, 4, {"b.py": TWO})
    assert link(repo).looked == 1
    assert by_line(repo, "b.py") == {1: "s-1 edit", 2: "s-1 edit"}


def test_an_older_first_session_reaches_further_back(repo: Repo) -> None:
    remember(repo, "late", wrote(5, "a.py", None, ONE))
    commit(repo, 2, {"b.py": TWO})
    commit(repo, 6, {"a.py": f"import re\n{ONE}"})
    assert link(repo).looked == 1
    remember(repo, "early", wrote(1, "b.py", None, TWO))
    assert link(repo).looked == 2
    assert by_line(repo, "b.py", "HEAD~1") == {1: "early-1 edit", 2: "early-1 edit"}


def test_the_cache_may_be_deleted_or_damaged(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    commit(repo, 2, {"a.py": f"import re\n{ONE}"})
    link(repo)
    before = links_of(repo)
    cache_path(repo).unlink()
    outcome = link(repo)
    assert (outcome.looked, outcome.links) == (1, {}), "nothing is written twice"
    cache_path(repo).write_bytes(b"no database at all, but long enough to look like one" * 20)
    assert link(repo).links == {}
    assert links_of(repo) == before
    data = bytearray(cache_path(repo).read_bytes())
    data[4096:8192] = b"\xff" * 4096
    cache_path(repo).write_bytes(data)
    for name in ("linking.db-wal", "linking.db-shm"):
        (repo.state_dir / name).unlink(missing_ok=True)
    commit(repo, 3, {"b.py": TWO})
    with pytest.raises(Damaged, match=r"the cache of links: .*\n?.*rm .*linking\.db"):
        link(repo)


def test_a_cache_of_another_version_is_made_anew(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    with Cache(repo.opened()) as cache:
        cache.update()
        cache.db.execute("PRAGMA user_version = 999")
    commit(repo, 2, {"a.py": f"import re\n{ONE}"})
    link(repo)
    assert by_line(repo, "a.py") == {2: "s-1 edit", 3: "s-1 edit"}


def test_a_forgotten_session_makes_no_more_links(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    remember(repo, "t", wrote(1, "b.py", None, TWO))
    with Cache(repo.opened()) as cache:
        cache.update()
    open_memory(repo).forget("s")
    commit(repo, 2, {"a.py": f"import re\n{ONE}", "b.py": TWO})
    link(repo)
    assert by_line(repo, "a.py") == {}
    assert by_line(repo, "b.py") == {1: "t-1 edit", 2: "t-1 edit"}
    with Cache(repo.opened()) as cache:
        cache.update()
        assert cache.db.execute("SELECT id FROM sessions").fetchall() == [("t",)]
        for table, count in {"exchanges": 1, "writings": 1, "lines": 2, "events": 0}.items():
            assert cache.db.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,), table


def test_only_what_is_new_is_read(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(db: ObjectDatabase, segments: Iterable[Segment], names: Entries) -> State:
        listed = list(segments)
        read.append(listed[0].name)
        return state_of(db, listed, names)

    for number in range(5):
        remember(repo, f"s{number}", wrote(1, "a.py", None, ONE))
    link(repo)
    monkeypatch.setattr("git_skillmesh.sessions.linking.cache.state_of", counted)
    remember(repo, "s3", wrote(2, "b.py", None, TWO), exchange="more")
    link(repo)
    assert len(read) == 1, "of six exchanges the one that is new"


def test_ranges_are_linked_anew(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE), wrote(3, "b.py", None, TWO))
    second = commit(repo, 2, {"a.py": f"import re\n{ONE}"})
    third = commit(repo, 4, {"b.py": TWO})
    assert renewed(repo, "HEAD~2..HEAD~1") == {second: 1}
    assert renewed(repo, third, "^HEAD~1", write=False) == {third: 1}
    assert renewed(repo) == {third: 1}
    assert renewed(repo) == {}
    repo.git("update-ref", "-d", "refs/notes/skillmesh")
    assert renewed(repo) == {second: 1, third: 1}


@pytest.mark.parametrize("text", ["nowhere", "a..b..c", "--all", "HEAD\nHEAD~1", "", "-n1"])
def test_what_is_no_range(repo: Repo, text: str) -> None:
    with pytest.raises(UsageError, match="not a range of commits"):
        renewed(repo, text)


def test_a_pulled_note_is_enough(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    commit(repo, 2, {"a.py": f"import re\n{ONE}"})
    link(repo)
    [before] = links_of(repo)
    cache_path(repo).unlink()
    remember(repo, "t", wrote(1.5, "a.py", None, ONE))
    assert link(repo).links == {}, "linked elsewhere, and not looked at here before"
    assert links_of(repo) == (before,)


def test_edits_older_than_the_limit_do_not_count(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, ONE))
    commit(repo, 2 * 24 * 60, {"a.py": f"import re\n{ONE}"})
    repository = repo.opened()
    config = load(repository, {"link.days": "1"}, environ=os.environ)
    assert link_commits(repository, config).links == {}
    assert len(link_commits(repository, load(repository, environ=os.environ)).links) == 1


def test_clock_is_what_git_says(repo: Repo) -> None:
    commit(repo, 61.5)
    assert repo.git("log", "-1", "--format=%cI") == clock(61.5).replace("Z", "+00:00")
    assert replace(ran(1, "x"), call_id="").time == "2024-03-01T12:01:00Z"
