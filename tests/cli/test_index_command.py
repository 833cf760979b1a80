"""`git skillmesh index`: the first run and every later one are the same operation."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.writing import write_learning
from testing.commands import call
from testing.indexing import documents, dump
from testing.learnings import learning
from testing.repos import Repo, Result, make_repo


def numbered(*numbers: int) -> dict[str, str | bytes | None]:
    return {f"f{n}.py": f"def number_{n}():\n    return {n}\n" for n in numbers}


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("original"), files=numbered(1, 2, 3))


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def index(repo: Repo, *args: str) -> dict[str, Any]:
    said = call(repo.path, "index", "--chroma", "off", "--json", *args)
    assert (said.returncode, said.stderr) == (0, "")
    document: dict[str, Any] = json.loads(said.stdout)
    del document["seconds"]
    return document


def done(repo: Repo, revision: str = "HEAD", **changes: object) -> dict[str, Any]:
    expected: dict[str, Any] = {
        "tree": repo.git("rev-parse", f"{revision}^{{tree}}"),
        "commit": repo.git("rev-parse", revision),
        "files_read": 0,
        "chunks_made": 0,
        "missing_in_clone": 0,
        "embedded_again": 0,
        "pruned": 0,
        "note": "",
    }
    return {**expected, **changes}


def places(repo: Repo, *args: str) -> set[str]:
    said = call(repo.path, "query", "--json", "-n", "99", *args)
    return {result["path"] for result in json.loads(said.stdout)["results"]}


def test_what_people_see(repo: Repo) -> None:
    said = call(repo.path, "index", "--chroma", "off")
    assert said == Result(0, "", said.stderr)
    assert said.stderr.startswith("indexed 3 files, 3 chunks in ")
    assert said.stderr.count("\n") == 1
    assert call(repo.path, "index", "--chroma", "off") == Result(0, "", "the index is up to date\n")
    assert call(repo.path, "index", "--chroma", "off", "-q") == Result(0, "", "")


def test_only_what_is_new_is_read(repo: Repo) -> None:
    assert index(repo) == done(repo, files_read=3, chunks_made=3)
    assert index(repo) == done(repo)
    repo.commit("second", {**numbered(4), "f1.py": None, "f2.py": "def changed():\n    return 0\n"})
    assert index(repo) == done(repo, files_read=2, chunks_made=2)
    repo.git("mv", "f3.py", "moved.py")
    repo.commit("third")
    assert index(repo) == done(repo, files_read=1, chunks_made=1)
    repo.git("checkout", "--quiet", "HEAD~2")
    assert index(repo) == done(repo)
    assert places(repo, "number") == {"f1.py", "f2.py", "f3.py"}


def test_a_revision_and_a_branch(repo: Repo) -> None:
    first = repo.head
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("second", numbered(4))
    assert index(repo, "--rev", first) == done(repo, first, files_read=3, chunks_made=3)
    assert index(repo, "--rev", "topic") == done(repo, files_read=1, chunks_made=1)
    assert index(repo) == done(repo)


def test_every_branch_and_worktree(repo: Repo, tmp_path: Path) -> None:
    for name, number in (("one", 11), ("two", 12)):
        repo.git("checkout", "--quiet", "-b", name, "main")
        repo.commit(name, numbered(number))
    repo.git("checkout", "--quiet", "--detach", "main")
    repo.commit("on no branch", numbered(13))
    tree = repo.worktree(tmp_path / "tree", "three")
    tree.commit("in a worktree", numbered(14))
    tree.git("checkout", "--quiet", "--detach")
    tree.git("branch", "-D", "three")
    said = call(repo.path, "index", "--all", "--chroma", "off", "-q")
    assert said == Result(0, "", "")
    for revision in ("one", "two", "HEAD", tree.head):
        assert index(repo, "--rev", revision) == done(repo, revision)


def test_changed_files_only(repo: Repo) -> None:
    index(repo)
    repo.write("f1.py", "def altered():\n    return 1\n")
    repo.write("new.py", "def untracked():\n    return 1\n")
    said = call(repo.path, "index", "--changed", "--chroma", "off")
    assert said.returncode == 0
    assert "Traceback" not in said.stderr
    assert places(repo, "altered untracked") >= {"f1.py", "new.py"}
    before = json.loads(call(repo.path, "status", "--json").stdout)["index"]
    repo.commit("second")
    assert index(repo)["files_read"] == 0, "what was read from disk is known by its content"
    assert before["behind"] == 0


def test_rebuild_and_deletion_give_the_same_index(repo: Repo) -> None:
    repo.commit("second", {"f1.py": "def changed():\n    return 0\n", **numbered(*range(4, 30))})
    index(repo)
    rules = (learning("whole", "Numbers are whole"), learning("none", "Never return None"))
    repo.commit("third", {"f2.py": None, **{one.path: write_learning(one) for one in rules}})
    index(repo)

    def answers() -> object:
        learned = call(repo.path, "query", "--in", "learnings", "--json", "return whole numbers")
        return (
            dump(repo),
            documents(repo, "number_7", "changed", "return a number"),
            json.loads(learned.stdout),
        )

    before = answers()
    assert len(dump(repo)) == 30
    assert index(repo, "--rebuild")["files_read"] == 30
    assert answers() == before
    shutil.rmtree(repo.state_dir)
    said = repo.skillmesh("index", "--chroma", "off")
    assert said.returncode == 0
    assert "indexed 2 learnings\n" in said.stderr
    assert answers() == before


def test_a_stash_a_rebase_and_an_amend(repo: Repo) -> None:
    index(repo)
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("topic", numbered(5))
    repo.git("checkout", "--quiet", "main")
    repo.commit("main", numbered(6))
    index(repo)
    repo.git("checkout", "--quiet", "topic")
    repo.git("rebase", "--quiet", "main")
    repo.write("f5.py", "def stashed():\n    return 5\n")
    assert "f5.py" in places(repo, "stashed")
    repo.git("stash", "--quiet")
    assert places(repo, "number") == {f"f{n}.py" for n in (1, 2, 3, 5, 6)}
    repo.git("commit", "--quiet", "--amend", "-m", "amended")
    index(repo)
    document = json.loads(call(repo.path, "query", "--json", "number_5").stdout)
    assert document["results"][0]["commit"] == repo.head
    anew = repo.clone(repo.path.parent / "anew")
    index(anew)
    assert dump(anew) == dump(repo)


def test_a_second_run_waits_for_the_first(repo: Repo) -> None:
    repo.commit("second", numbered(*range(4, 60)))
    command = [sys.executable, "-m", "git_skillmesh", "index", "--chroma", "off", "--json"]
    running = [
        subprocess.Popen(command, cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert [errors for _, errors in said] == [b"", b"", b""]
    assert sorted(json.loads(out)["files_read"] for out, _ in said) == [0, 0, 59]
    assert json.loads(call(repo.path, "doctor", "--json").stdout)["ok"]


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    assert index(repo) == {
        **done(make_repo(tmp_path, "other", files={"a.txt": "1\n"})),
        "tree": discover(repo.path).empty_tree,
        "commit": None,
    }
    repo.write("a.py", "def untracked():\n    return 1\n")
    assert places(repo, "untracked") == {"a.py"}


def test_progress_is_for_terminals_only(repo: Repo) -> None:
    said = repo.skillmesh("index", "--chroma", "off", env={"TERM": "xterm-256color"})
    assert "\x1b" not in said.stderr
    assert said.stderr.count("\n") == 1
