"""An answer is never older than its question, whoever has changed what since the last one."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from git_skillmesh.git import watching
from git_skillmesh.index.catalogue import FileRow
from git_skillmesh.index.view import View
from git_skillmesh.mcp.engine import Engine, Wanted
from git_skillmesh.mcp.host import Host
from git_skillmesh.retrieval import search
from testing.commands import call
from testing.conversations import remember
from testing.learnings import files_of, literal
from testing.memory import make_session
from testing.repos import Repo, make_repo

FILES = {f"src/f{n}.py": f"def number_{n}(value):\n    return value + {n}\n" for n in range(5)}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with a linked worktree beside it."""
    made = make_repo(tmp_path, files={**FILES, ".gitignore": "*.log\n"})
    made.git("branch", "other")
    return made


@pytest.fixture(params=["watched", "looked at"])
def engine(
    repo: Repo, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An engine that has answered once, with and without help from the kernel."""
    if request.param == "looked at":
        monkeypatch.setattr(watching, "only_written_here", lambda folder: False)
    host = Host(repo.path)
    assert paths(host.engine, "number_3") == ["src/f3.py"]
    assert bool(host.engine.watched()) == (request.param == "looked at")
    yield host.engine
    host.close()


def paths(engine: Engine, query: str, revision: str = "") -> list[str]:
    """Return the paths of the code that defines a name."""
    found = engine.search(Wanted(query, ("code",), revision=revision))
    return sorted(one.hit.path for one in found.hits if query in one.hit.text)  # type: ignore[attr-defined]


def in_chats(engine: Engine, query: str) -> list[str]:
    """Return the sessions that are found."""
    hits = engine.search(Wanted(query, ("chats",))).hits
    return sorted({one.hit.session for one in hits})  # type: ignore[attr-defined]


def in_learnings(engine: Engine, query: str) -> list[str]:
    """Return the learnings that are found."""
    hits = engine.search(Wanted(query, ("learnings",))).hits
    return sorted(one.hit.learning.learning_id for one in hits)  # type: ignore[attr-defined]


def test_each_change_of_the_code_is_in_the_very_next_answer(
    repo: Repo, engine: Engine, tmp_path: Path
) -> None:
    repo.write("src/f3.py", "def gone_elsewhere():\n    pass\n")
    assert paths(engine, "number_3") == []
    assert paths(engine, "gone_elsewhere") == ["src/f3.py"]

    repo.write("a b/new \u00fc.py", "def fresh_one():\n    pass\n")
    assert paths(engine, "fresh_one") == ["a b/new \u00fc.py"]

    repo.commit("both")
    assert paths(engine, "fresh_one") == ["a b/new \u00fc.py"]
    assert paths(engine, "fresh_one", "HEAD~1") == []

    repo.git("checkout", "--quiet", "other")
    assert paths(engine, "fresh_one") == []
    assert paths(engine, "number_3") == ["src/f3.py"]

    (repo.path / "src/f3.py").unlink()
    assert paths(engine, "number_3") == []
    repo.git("checkout", "--quiet", "--", ".")
    assert paths(engine, "number_3") == ["src/f3.py"]

    repo.write("note.log", "ignored_word = 1\n")
    assert paths(engine, "ignored_word") == []
    repo.write(".gitignore", "")
    assert paths(engine, "ignored_word") == ["note.log"]
    repo.git("config", "skillmesh.index.exclude", "*.log")
    assert paths(engine, "ignored_word") == []

    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "third")
    linked = Repo(tmp_path / "linked")
    linked.commit("theirs", {"src/linked.py": "def of_the_other_tree():\n    pass\n"})
    assert paths(engine, "of_the_other_tree") == []
    assert paths(engine, "of_the_other_tree", "third") == ["src/linked.py"]
    repo.git("stash", "--quiet")
    repo.git("merge", "--quiet", "third")
    assert paths(engine, "of_the_other_tree") == ["src/linked.py"]


def test_what_other_processes_do_to_the_index_is_noticed(repo: Repo, engine: Engine) -> None:
    assert call(repo.path, "index").returncode == 0
    assert paths(engine, "number_2") == ["src/f2.py"]
    assert call(repo.path, "index", "--rebuild").returncode == 0
    assert paths(engine, "number_2") == ["src/f2.py"]
    assert call(repo.path, "prune").returncode == 0
    assert paths(engine, "number_2") == ["src/f2.py"]
    _remove(repo.state_dir)
    assert paths(engine, "number_2") == ["src/f2.py"]


def test_conversations_that_other_processes_store_are_in_the_very_next_answer(
    repo: Repo, engine: Engine
) -> None:
    assert in_chats(engine, "change") == []
    remember(repo, make_session("one"))
    assert in_chats(engine, "change") == ["one"]
    remember(repo, make_session("two"))
    assert in_chats(engine, "change") == ["one", "two"]
    assert call(repo.path, "forget", "one", "--yes").returncode == 0
    assert in_chats(engine, "change") == ["two"]


def test_learnings_as_they_are_on_disk_are_in_the_very_next_answer(
    repo: Repo, engine: Engine
) -> None:
    first, second = literal("weigh-parcels", "weigh("), literal("count-barrels", "count(")
    assert in_learnings(engine, "about weigh-parcels") == []
    for path, data in files_of(first).items():
        repo.write(path, data or "")
    assert in_learnings(engine, "about weigh-parcels") == ["weigh-parcels"]
    repo.commit("learn", files_of(second))
    assert "count-barrels" in in_learnings(engine, "about count-barrels")
    for path in files_of(first):
        (repo.path / path).unlink()
    assert "weigh-parcels" not in in_learnings(engine, "about weigh-parcels")


def test_a_repository_that_is_thrown_away_and_made_anew_is_another_one(
    repo: Repo, engine: Engine
) -> None:
    _remove(repo.path)
    make_repo(repo.path.parent, files={"other.py": "def anew():\n    pass\n"})
    assert paths(engine, "anew") == ["other.py"]
    assert paths(engine, "number_3") == []


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)


CHANGES: list[Callable[[Repo], object]] = [
    lambda repo: repo.write("src/f1.py", "def number_1_again():\n    pass\n"),
    lambda repo: repo.commit("nothing"),
    lambda repo: repo.git("gc", "--quiet", "--prune=now"),
    lambda repo: repo.git("pack-refs", "--all"),
    lambda repo: repo.commit("one more", {"src/g.py": "def number_1_again():\n    pass\n"}),
]


def test_git_may_tidy_up_beneath_it(repo: Repo, engine: Engine) -> None:
    for change in CHANGES:
        change(repo)
        assert paths(engine, "number_2") == ["src/f2.py"]
    assert paths(engine, "number_1_again") == ["src/f1.py", "src/g.py"]


def test_files_are_read_ahead_after_the_second_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("apple", "birch", "cedar", "dogwood", "elm")
    repo = make_repo(tmp_path, files={f"{word}.py": f"{word} = '{word}'\n" for word in words})
    monkeypatch.setattr(search, "_AHEAD", 2)
    asked: set[int] = set()
    files = View.files

    def counted(view: View, ids: Iterable[int]) -> dict[int, FileRow]:
        wanted = list(ids)
        asked.update(wanted)
        return files(view, wanted)

    monkeypatch.setattr(View, "files", counted)
    host = Host(repo.path)
    for _ in range(2):
        assert paths(host.engine, "apple") == ["apple.py"]
    asked.clear()
    end = monotonic() + 10
    while len(asked) < len(words) - 1 and monotonic() < end:
        assert paths(host.engine, "apple") == ["apple.py"]
    for _ in words:  # each behind what is being read
        assert paths(host.engine, "apple") == ["apple.py"]
    asked.clear()
    assert [paths(host.engine, word) for word in words] == [[f"{word}.py"] for word in words]
    assert asked == set()
    host.close()
