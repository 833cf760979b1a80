"""The index of exchanges follows the memory."""

import shutil
from pathlib import Path

import pytest

from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.exchange_view import open_exchanges
from git_skillmesh.index.exchanges import ExchangesReport, exchange_store, sync_exchanges
from git_skillmesh.index.vectors import builtin_source
from git_skillmesh.index.view import NoIndexError
from git_skillmesh.sessions.layout import REF
from git_skillmesh.sessions.model import Exchange, Session
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo

SOURCE = builtin_source()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a.py": "x = 1\n"})


def searched(repository: Repository) -> list[str]:
    """Return "session exchange" of all that a query sees."""
    view = open_exchanges(repository, SOURCE)
    try:
        return sorted(f"{info.session} {info.exchange}" for info in view.live_infos())
    finally:
        view.close()


def talk(name: str, *said: str, title: str = "") -> Session:
    exchanges = (Exchange(f"{name}-{n}", text, "fine") for n, text in enumerate(said, 1))
    return Session(name, "codex", tuple(exchanges), title=title)


def test_only_what_is_new_is_read(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    assert sync_exchanges(repository, SOURCE) == ExchangesReport()
    assert not exchange_store(repository).folder.exists()
    memory.add([make_session("a", 3), make_session("b", 2)])
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=5, exchanges=5)
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(exchanges=5)
    memory.add([make_session("b", 4)])
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=2, exchanges=7)
    assert searched(repository) == [f"a a-{n}" for n in (1, 2, 3)] + [
        f"b b-{n}" for n in (1, 2, 3, 4)
    ]


def test_an_exchange_that_grew_is_there_once(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([talk("s", "retry lost scans")])
    sync_exchanges(repository, SOURCE)
    memory.add([Session("s", "codex", (Exchange("s-1", "retry lost scans", "fine, done"),))])
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=1, removed=1, exchanges=1)
    assert searched(repository) == ["s s-1"]


def test_another_title_is_read_anew(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([talk("s", "one", "two")])
    sync_exchanges(repository, SOURCE)
    memory.add([talk("s", "one", "two", title="Counting")])
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=2, removed=2, exchanges=2)


def test_what_is_forgotten_leaves_the_files_of_the_index(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([talk("gone", "the password of xylophone"), talk("kept", "retry lost scans")])
    sync_exchanges(repository, SOURCE)
    store = exchange_store(repository)
    before = {path.name: path.read_bytes() for path in store.segments_folder.iterdir()}
    memory.forget("gone")
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(removed=1, exchanges=1)
    assert searched(repository) == ["kept kept-1"]
    assert not set(before) & {path.name for path in store.segments_folder.iterdir()}
    catalogue = store.reader()
    assert catalogue.rows("SELECT session FROM exchanges") == [("kept",)]
    assert [row[0] for row in catalogue.rows("SELECT symbol FROM chunks")] == [
        "retry lost scans", "",
    ]  # fmt: skip
    catalogue.close()


def test_a_deleted_index_is_made_again_from_git(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("a", 3), make_session("b", 2)])
    before = searched(repository)
    shutil.rmtree(repository.state_dir)
    assert searched(repository) == before
    assert len(before) == 5


def test_a_memory_without_its_former_tree_is_listed_whole(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("a", 2), make_session("b", 2)])
    sync_exchanges(repository, SOURCE)
    memory.forget("a")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(removed=2, exchanges=2)
    assert searched(repository) == ["b b-1", "b b-2"]


def test_a_name_that_is_no_text_is_in_nobodys_way(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("half \ud800", 1), make_session("b", 1)])
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=2, exchanges=2)
    assert searched(repository) == ["b b-1", "half \\ud800 half \\ud800-1"]


def test_a_memory_that_was_gone_is_read_anew(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("a", 2), make_session("b", 2)])
    sync_exchanges(repository, SOURCE)
    there = repo.git("rev-parse", REF)
    repo.git("update-ref", "-d", REF)
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(removed=4)
    repo.git("update-ref", REF, there)
    open_memory(repo).add([make_session("b", 3)])
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=5, exchanges=5)


def test_a_broken_exchange_costs_only_itself(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("a", 2)])
    path = next(
        line
        for line in repo.git("ls-tree", "-r", "--name-only", memory.ref).splitlines()
        if "/exchanges/0001-" in line
    )
    blob = repo.git("hash-object", "-w", "--stdin", stdin="{broken\n").strip()
    index = str(repo.path / ".git" / "broken-index")
    env = {"GIT_INDEX_FILE": index}
    repo.git("read-tree", memory.ref, env=env)
    repo.git("update-index", "--cacheinfo", f"100644,{blob},{path}", env=env)
    tree = repo.git("write-tree", env=env).strip()
    commit = repo.git("commit-tree", "-m", "break", tree).strip()
    repo.git("update-ref", memory.ref, commit)
    report = sync_exchanges(repository, SOURCE)
    assert report == ExchangesReport(read=1, unreadable=1, exchanges=1)
    assert searched(repository) == ["a a-2"]


def test_another_model_is_a_new_index(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("a", 2)])
    sync_exchanges(repository, None)
    assert sync_exchanges(repository, None) == ExchangesReport(exchanges=2)
    assert sync_exchanges(repository, SOURCE) == ExchangesReport(read=2, exchanges=2)


def test_too_much_to_read_on_the_way(repo: Repo) -> None:
    repository, memory = discover(repo.path), open_memory(repo)
    memory.add([make_session("a", 5)])
    with pytest.raises(NoIndexError):
        open_exchanges(repository, SOURCE, most=4)
    sync_exchanges(repository, SOURCE)
    memory.add([make_session("b", 5)])
    view = open_exchanges(repository, SOURCE, most=4)
    assert (view.behind, len(view.live_infos())) == (1, 5)
    view.close()
