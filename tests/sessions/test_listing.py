"""Lists of sessions: order, filters, titles, what they made."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.events import Event, Status
from git_skillmesh.sessions.listing import Filter, Row, furthest, list_sessions, paths_of
from git_skillmesh.sessions.lookup import beginning_of
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.openings import drop_openings, titles
from git_skillmesh.sessions.reading import MemoryReader
from testing.conversations import edit_call, link, remember
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"a.txt": "one\ntwo\n", "d/b.txt": "x\n"})
    docs = Exchange("d1", "Write the docs", "", "2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z",
                    tools=(edit_call(1, "docs/a.md", "text\n"),))  # fmt: skip
    remember(
        repo,
        make_session("old", exchanges=2),
        Session("new", "codex", (docs, replace(docs, exchange_id="d2", tools=())), title=""),
        Session("new-x1", "codex", (replace(docs, exchange_id="d3"),), parent="new"),
    )
    return repo


def rows(repo: Repo, wanted: Filter = Filter(), limit: int = 0) -> list[Row]:  # noqa: B008
    listed = list_sessions(MemoryReader(discover(repo.path)), wanted, limit)
    assert listed.unreadable == []
    return listed.rows


def names(repo: Repo, wanted: Filter, limit: int = 0) -> dict[str, tuple[int, ...]]:
    return {row.head.session_id: row.fitting for row in rows(repo, wanted, limit)}


def starts(folder: str) -> Callable[[str], bool]:
    return lambda path: path.startswith(folder)


def test_newest_first_with_what_they_made(repo: Repo) -> None:
    link(repo, "HEAD", "a.txt", [1], "new", "d1")
    link(repo, "HEAD", "d/b.txt", [1], "new", "d2")
    repo.commit("more", {"a.txt": "one\ntwo\nthree\n"})
    link(repo, "HEAD", "a.txt", [3], "new", "d2")
    new, old = rows(repo)
    assert (new.head.session_id, new.exchanges, new.title, new.files, new.commits) == (
        "new", 2, "Write the docs", 2, 2,
    )  # fmt: skip
    assert (old.head.session_id, old.exchanges, old.title, old.files, old.commits) == (
        "old", 2, "Title of old", 0, 0,
    )  # fmt: skip


def test_filters(repo: Repo) -> None:
    assert list(names(repo, Filter(agents=frozenset({"codex"})))) == ["new"]
    assert list(names(repo, Filter(subagents=True))) == ["new-x1", "new", "old"]
    assert list(names(repo, Filter(subagents=True), 2)) == ["new-x1", "new"]
    assert list(names(repo, Filter(since="2024-04-01T00:00:00Z"))) == ["new"]
    assert list(names(repo, Filter(until="2024-04-01T00:00:00Z"))) == ["old"]
    assert list(
        names(repo, Filter(since="2024-05-01T10:30:00Z", until="2024-05-01T10:40:00Z"))
    ) == ["new"]
    assert names(repo, Filter(path=starts("docs/"))) == {"new-x1": (1,), "new": (1,)}
    assert names(repo, Filter(path=starts("src/"))) == {"old": (1, 2)}
    assert names(repo, Filter(path=starts("d/"))) == {}
    link(repo, "HEAD", "d/b.txt", [1], "old", "old-2")
    assert names(repo, Filter(path=starts("d/"))) == {"old": (1, 2)}
    assert names(repo, Filter(path=starts("d"), agents=frozenset({"claude-code"}))) == {
        "old": (1, 2)
    }


def test_statuses(repo: Repo) -> None:
    open_memory(repo).append_events(
        "old", [Event("status", "analyzed", "old-1", "2024-06-01T00:00:00Z")]
    )
    assert list(names(repo, Filter(statuses=frozenset({"analyzed"})))) == ["old"]
    assert list(names(repo, Filter(statuses=frozenset({"captured"})))) == ["new-x1", "new", "old"]
    assert names(repo, Filter(statuses=frozenset({"analyzed"}), path=starts("src/"))) == {
        "old": (1,)
    }
    assert [row.status for row in rows(repo)] == [Status.CAPTURED, Status.ANALYZED]
    assert furthest([Status.EXPORTED, Status.ANALYZED]) is Status.EXPORTED
    assert furthest([]) is Status.CAPTURED


def test_paths_of_an_exchange() -> None:
    assert paths_of(make_session("s").exchanges[0]) == {"src/f0.py", "src/f1.py"}


def test_openings_are_read_once(repo: Repo) -> None:
    repository = discover(repo.path)
    cache = repo.state_dir / "openings.json"
    summaries = MemoryReader(repository).sessions()
    assert titles(repository, summaries) == {
        "old": "Title of old", "new": "Write the docs", "new-x1": "Write the docs",
    }  # fmt: skip
    stored = json.loads(cache.read_text())
    assert list(stored["prompts"].values()) == ["Write the docs"] * 2
    first = next(iter(stored["prompts"]))
    stored["prompts"][first] = "from the cache"
    cache.write_text(json.dumps(stored))
    assert "from the cache" in titles(repository, summaries).values()
    for broken in ("{", "[]", '{"schema": 2, "prompts": {}}', '{"schema": 1, "prompts": [7]}'):
        cache.write_text(broken)
        assert titles(repository, summaries)["new"] == "Write the docs"
    drop_openings(repository)
    assert not cache.exists()
    drop_openings(repository)


def test_what_a_segment_begins_with() -> None:
    assert beginning_of(b'{"exchange_id":"e","prompt":"a \\"b\\"","response":""}\n') == (
        "e",
        'a "b"',
    )
    assert beginning_of(b'{"exchange_id":"e","prompt":"a\\u00') == ("e", "a")
    long = beginning_of(b'{"exchange_id":"e","prompt":"' + b"x" * 100_000)
    assert long == ("e", "x" * 4000)
    for other in (b"", b"[]", b'{"base":"x"}', b'{"prompt":"a"}', None):
        assert beginning_of(other) == ("", "")


def test_a_long_prompt_of_umlauts_is_cut_between_characters(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    remember(
        repo, Session("s", "codex", (Exchange("e", "x" + "\u00e4\u6f22\U0001f600" * 3000, ""),))
    )
    (title,) = titles(discover(repo.path), MemoryReader(discover(repo.path)).sessions()).values()
    assert set(title) <= set("x\u00e4\u6f22\U0001f600 \u2026")


def test_empty(tmp_path: Path) -> None:
    assert rows(make_repo(tmp_path)) == []
