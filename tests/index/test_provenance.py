"""Which exchanges made the lines of each chunk."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.provenance import chunks_of_session, commits_of_session, origins_of
from git_skillmesh.index.store import Store
from git_skillmesh.index.update import update, update_provenance
from git_skillmesh.sessions.links import Link, write_links
from testing.repos import Repo, make_repo

FIRST = "def weigh(parcel):\n    return parcel.grams\n"
SECOND = "\n\ndef label(parcel):\n    text = parcel.name\n    return text.upper()\n"
# Chunks take in what is small: these two are not.
BULK = "".join(f"    value_{n} = compute_something(value_{n - 1}, {n})\n" for n in range(1, 40))


def blob(repo: Repo, path: str) -> str:
    return repo.git("rev-parse", f"HEAD:{path}").strip()


def head(repo: Repo) -> str:
    return repo.git("rev-parse", "HEAD").strip()


def link(repo: Repo, path: str, first: int, last: int, exchange: str, session: str = "s") -> None:
    made = Link(session, exchange, 0.9, "edit", path, blob(repo, path), ((first, last),))
    write_links(discover(repo.path), {head(repo): [made]})


def trace(repo: Repo) -> int:
    repository = discover(repo.path)
    return update_provenance(repository, update(repository, load(repository)))


def origins(repo: Repo, path: str) -> dict[str, list[tuple[str, int]]]:
    """Return symbol of the chunk → (exchange, lines)."""
    repository = discover(repo.path)
    catalogue = Store(repository).reader()
    try:
        number = catalogue.file_id(path, blob(repo, path), _reading(catalogue))
        assert number is not None
        found = origins_of(catalogue, number)
        chunks = {chunk.ordinal: chunk.symbol for chunk in catalogue.chunks(number)}
        lines: dict[str, Counter[str]] = {}
        for number, each in found.items():  # a large function is several chunks
            for origin in each:
                lines.setdefault(chunks[number], Counter())[origin.exchange] += origin.lines
        return {symbol: sorted(counts.items()) for symbol, counts in lines.items()}
    finally:
        catalogue.close()


def _reading(catalogue: object) -> str:
    rows = catalogue.rows("SELECT reading FROM files LIMIT 1")  # type: ignore[attr-defined]
    return str(rows[0][0])


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a.py": FIRST, "b.py": "y = 1\n"})


def test_nothing_is_blamed_without_links(repo: Repo) -> None:
    assert trace(repo) == 0
    assert origins(repo, "a.py") == {}


def test_lines_count_for_the_chunk_they_are_in(repo: Repo) -> None:
    link(repo, "a.py", 1, 2, "ask-1")
    assert trace(repo) == 1
    assert trace(repo) == 0
    assert origins(repo, "a.py") == {"weigh": [("ask-1", 2)]}
    big = f"def first():\n{BULK}\n\ndef second():\n{BULK}"
    repo.commit("more", {"a.py": FIRST + "\n\n" + big})
    link(repo, "a.py", 5, 44, "ask-2")
    assert trace(repo) == 1
    found = origins(repo, "a.py")
    assert found["weigh"] == [("ask-1", 2)]
    assert found["first"] == [("ask-2", 40)]
    assert "second" not in found


def test_what_a_person_changes_is_no_longer_the_agents(repo: Repo) -> None:
    link(repo, "a.py", 1, 2, "ask-1")
    trace(repo)
    repo.commit("kilograms", {"a.py": FIRST.replace("grams", "kilograms")})
    assert trace(repo) == 1
    assert origins(repo, "a.py") == {"weigh": [("ask-1", 1)]}


def test_a_renamed_file_keeps_its_conversations(repo: Repo) -> None:
    link(repo, "a.py", 1, 2, "ask-1")
    trace(repo)
    repo.git("mv", "a.py", "scales.py")
    repo.git("commit", "-qm", "rename")
    assert trace(repo) == 1
    assert origins(repo, "scales.py") == {"weigh": [("ask-1", 2)]}
    repo.git("mv", "scales.py", "weight.py")
    repo.git("commit", "-qm", "rename again")
    repo.commit("else", {"b.py": "y = 2\n"})
    assert trace(repo) == 1
    assert origins(repo, "weight.py") == {"weigh": [("ask-1", 2)]}


def test_links_that_come_later_are_seen_through_renames(repo: Repo) -> None:
    first = head(repo)
    first_blob = blob(repo, "a.py")
    trace(repo)
    repo.git("mv", "a.py", "scales.py")
    repo.git("commit", "-qm", "rename")
    assert trace(repo) == 0
    late = Link("s", "ask-1", 0.9, "edit", "a.py", first_blob, ((1, 2),))
    write_links(discover(repo.path), {first: [late]})
    assert trace(repo) == 1
    assert origins(repo, "scales.py") == {"weigh": [("ask-1", 2)]}


def test_both_ways(repo: Repo) -> None:
    link(repo, "a.py", 1, 2, "ask-1")
    repo.commit("label", {"a.py": FIRST + SECOND})
    link(repo, "a.py", 5, 7, "ask-2")
    trace(repo)
    catalogue = Store(discover(repo.path)).reader()
    commits = repo.git("rev-list", "--reverse", "HEAD").split()
    assert commits_of_session(catalogue, "s") == [
        ("ask-1", commits[0], 2),
        ("ask-2", commits[1], 3),
    ]
    rows = chunks_of_session(catalogue, "s")
    assert [(exchange, ordinal, lines) for exchange, _, ordinal, lines in rows] == [
        ("ask-1", 0, 2),
        ("ask-2", 0, 3),
    ]
    assert commits_of_session(catalogue, "other") == []
    assert chunks_of_session(catalogue, "other") == []
    catalogue.close()


def test_a_link_that_is_taken_back_is_gone(repo: Repo) -> None:
    link(repo, "a.py", 1, 2, "ask-1")
    trace(repo)
    repo.git("notes", "--ref=skillmesh", "remove", head(repo))
    trace(repo)
    catalogue = Store(discover(repo.path)).reader()
    assert commits_of_session(catalogue, "s") == []
    catalogue.close()


def test_an_index_of_an_older_version_is_upgraded_by_a_reader(repo: Repo) -> None:
    trace(repo)
    path = repo.path / ".git" / "skillmesh" / "index" / "catalogue.db"
    with sqlite3.connect(path) as connection:
        for table in ("linked_paths", "links", "traced", "origins"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    catalogue = Store(discover(repo.path)).reader()
    assert commits_of_session(catalogue, "s") == []
    catalogue.close()
