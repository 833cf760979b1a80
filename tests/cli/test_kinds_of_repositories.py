"""Index and query in every kind of repository, from wherever the user stands."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from testing.commands import call
from testing.repos import Repo, Result, make_repo
from testing.rights import read_only, run_respecting_permissions

CODE = "def wait_before_retry(attempt):\n    return 2 ** attempt\n"
OTHER = "def parse_header(line):\n    return line.split(':')\n"
FILES: dict[str, str | bytes | None] = {"util/backoff.py": CODE, "http/header.py": OTHER}
ODD_NAMES = (
    "with space.py", "quo\"te'.py", "new\nline.py", "tab\t.py", "back\\slash.py", "-dash.py",
    ":colon.py", "*.py", "ünï.py", os.fsdecode(b"latin-\xe9.py"), "\u202ertl.py", "$(x).py",
    "%41.py",
)  # fmt: skip


def index(folder: Path, *args: str) -> Result:
    return call(folder, "index", "--chroma", "off", "-q", *args)


def paths(folder: Path, *args: str) -> list[str]:
    said = call(folder, "query", "--json", "-n", "99", *args)
    assert said.stderr == ""
    return [result["path"] for result in json.loads(said.stdout)["results"]]


def status(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(call(folder, "status", "--json").stdout)
    return document


def test_bare(tmp_path: Path) -> None:
    bare = make_repo(tmp_path, files=FILES).clone(tmp_path / "hub.git", "--bare")
    assert paths(bare.path, "wait_before_retry")[0] == "util/backoff.py"
    assert index(bare.path) == Result(0, "", "")
    said = json.loads(call(bare.path, "query", "--json", "wait_before_retry").stdout)
    assert said["index"]["scope"] == "committed"
    assert (bare.path / "skillmesh").is_dir()
    assert status(bare.path)["hooks"] == []
    assert status(bare.path)["index"]["behind"] == 0
    shown = call(bare.path, "query", "--full", "-n", "1", "wait_before_retry").stdout
    assert "return 2 ** attempt" in shown


def test_shallow(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin", files=FILES)
    origin.commit("second", {"util/backoff.py": CODE * 2})
    shallow = origin.clone(tmp_path / "shallow", "--depth=1")
    assert index(shallow.path) == Result(0, "", "")
    results = json.loads(call(shallow.path, "query", "--json", "parse_header").stdout)["results"]
    assert (results[0]["path"], results[0]["commit"]) == ("http/header.py", origin.head)


@pytest.fixture
def partial(tmp_path: Path) -> Repo:
    """A partial clone with one of two blobs, whose remote has vanished."""
    origin = make_repo(
        tmp_path, "origin", files={**FILES, ".gitattributes": "vendor/** linguist-vendored\n"}
    )
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    clone.git("cat-file", "-e", "HEAD:util/backoff.py")
    shutil.rmtree(origin.path)
    return clone


def test_partial_without_its_remote(partial: Repo) -> None:
    said = call(partial.path, "index", "--chroma", "off")
    assert (said.returncode, said.stdout) == (7, "")
    first, second = said.stderr.splitlines()
    assert first.startswith("indexed 1 file, 1 chunk in ")
    assert second == "2 files are not in this partial clone: git fetch them first"
    again = call(partial.path, "index", "--chroma", "off")
    assert again.stderr.splitlines()[0] == "the index is up to date"
    for scope in (["--committed"], ["--at", "HEAD"], ["--at", "HEAD^{tree}"]):
        assert paths(partial.path, *scope, "wait_before_retry") == ["util/backoff.py"]
    assert status(partial.path)["index"]["behind"] == 2
    assert call(partial.path, "doctor").returncode == 8
    assert call(partial.path, "status", "--skipped").returncode == 0


def test_partial_that_got_its_blobs_later(tmp_path: Path) -> None:
    origin = make_repo(
        tmp_path, "origin", files={**FILES, ".gitattributes": "http/** linguist-vendored\n"}
    )
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    assert index(clone.path).returncode == 7
    clone.git("checkout", "--quiet", "main")
    assert index(clone.path) == Result(0, "", "")
    assert paths(clone.path, "parse_header wait_before_retry") == ["util/backoff.py"]


def test_without_trees_is_one_line(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin", files=FILES)
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "partial", "--filter=tree:0", "--no-checkout")
    shutil.rmtree(origin.path)
    for command in (["index", "--chroma", "off"], ["query", "x"], ["status"]):
        said = call(clone.path, *command)
        assert said == Result(
            8,
            "",
            f"git-skillmesh: git cannot read the tree of {clone.head[:12]}: "
            "git fetch, or: git fsck\n",
        )


def test_empty(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    assert index(repo.path) == Result(0, "", "")
    assert call(repo.path, "query", "anything") == Result(
        1,
        "",
        "nothing found for 'anything' in 0 files\n"
        "try other words, fewer filters, or: git skillmesh status --skipped\n",
    )
    assert call(repo.path, "doctor").returncode == 0
    assert "no commit yet" in call(repo.path, "status").stdout
    repo.write("a.py", CODE)
    assert paths(repo.path, "wait_before_retry") == ["a.py"]
    assert paths(repo.path, "--committed", "wait_before_retry") == []


def test_detached_head(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    repo.commit("second", {"util/backoff.py": None})
    repo.git("checkout", "--quiet", "--detach", "HEAD~1")
    assert index(repo.path) == Result(0, "", "")
    assert paths(repo.path, "wait_before_retry")[0] == "util/backoff.py"
    assert status(repo.path)["repository"]["branch"] is None
    assert " detached HEAD " in call(repo.path, "status").stdout


def test_submodules(tmp_path: Path) -> None:
    library = make_repo(tmp_path, "library", files={"lib.py": OTHER})
    outer = make_repo(tmp_path, "outer", files={"a.py": CODE})
    inner = outer.submodule(library, "deps/lib")
    assert index(outer.path) == Result(0, "", "")
    assert index(inner.path) == Result(0, "", "")
    assert set(paths(outer.path, "wait_before_retry parse_header lib")) == {"a.py", ".gitmodules"}
    assert paths(inner.path, "parse_header") == ["lib.py"]
    assert (outer.path / ".git/modules/deps/lib/skillmesh").is_dir()
    inner.write("new.py", CODE)
    assert "new.py" in paths(inner.path, "wait_before_retry")
    assert "deps/lib/new.py" not in paths(outer.path, "wait_before_retry")


def test_worktrees_share_the_index_and_see_their_own_files(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    tree = repo.worktree(tmp_path / "linked", "topic")
    assert index(repo.path) == Result(0, "", "")
    assert call(tree.path, "index", "--chroma", "off").stderr == "the index is up to date\n"
    assert not (tree.git_dir / "skillmesh").exists()
    tree.write("mine.py", "def only_here():\n    pass\n")
    tree.commit("topic", {"http/header.py": None})
    assert paths(tree.path, "only_here")[0] == "mine.py"
    assert "mine.py" not in paths(repo.path, "only_here")
    assert paths(repo.path, "parse_header")[0] == "http/header.py"
    assert "http/header.py" not in paths(tree.path, "parse_header")


def test_sha256(tmp_path: Path) -> None:
    repo = make_repo(
        tmp_path, object_format="sha256", files={**FILES, ".gitattributes": "* text\n"}
    )
    assert index(repo.path) == Result(0, "", "")
    repo.commit("second", {"new.py": "def brand_new():\n    pass\n"})
    repo.write("draft.py", "def a_draft():\n    pass\n")
    assert index(repo.path) == Result(0, "", "")
    results = json.loads(call(repo.path, "query", "--json", "brand_new").stdout)["results"]
    assert (results[0]["path"], results[0]["commit"]) == ("new.py", repo.head)
    assert paths(repo.path, "a_draft")[0] == "draft.py"
    assert paths(repo.path, "--at", "HEAD~1", "wait_before_retry")[0] == "util/backoff.py"
    assert call(repo.path, "doctor").returncode == 0


def test_odd_names_of_files_and_folders(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, "odd\nfolder 'x' \"y\"", files=FILES)
    for name in ODD_NAMES:
        repo.write(f"d {name}/{name}", CODE)
    wanted = {f"d {name}/{name}" for name in ODD_NAMES} | {"util/backoff.py"}
    for _ in range(2):
        assert set(paths(repo.path, "wait_before_retry")) - {"http/header.py"} == wanted
        shown = call(repo.path, "query", "-n", "99", "--full", "wait_before_retry").stdout
        assert shown.count("return 2 ** attempt") == len(wanted)
        repo.commit("second")
        assert index(repo.path) == Result(0, "", "")
    assert call(repo.path, "doctor").returncode == 0
    for name in ODD_NAMES:
        assert call(repo.path / f"d {name}", "query", "wait_before_retry").returncode == 0
    for name in ODD_NAMES:
        (repo.path / f"d {name}/{name}").unlink()
    assert set(paths(repo.path, "wait_before_retry")) - {"http/header.py"} == {"util/backoff.py"}


def test_hooks_path_and_a_subdirectory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    repo.git("config", "core.hooksPath", ".githooks")
    assert index(repo.path / "http") == Result(0, "", "")
    lines = call(repo.path / "http", "status").stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("hooks")]
    assert line == "hooks       not installed: git skillmesh init"
    assert paths(repo.path / "http", "wait_before_retry")[0] == "util/backoff.py"


def test_replaced_objects_and_grafts_do_not_confuse(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    new = repo.git("hash-object", "-w", "--stdin", stdin="def replaced_text():\n    pass\n")
    assert index(repo.path) == Result(0, "", "")
    repo.git("replace", repo.git("rev-parse", "HEAD:util/backoff.py"), new)
    for command in (["query", "wait_before_retry"], ["status"], ["index", "--chroma", "off"]):
        said = call(repo.path, *command)
        assert (said.returncode, "error" in said.stderr) == (0, False)


def test_a_read_only_disk_with_an_index(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    assert index(repo.path) == Result(0, "", "")
    run = run_respecting_permissions
    with read_only(repo.path):
        answer = run(repo.path, "query", "--json", "wait_before_retry")
        assert run(repo.path, "status").returncode == 0
        assert run(repo.path, "doctor").returncode == 0
        said = run(repo.path, "index", "--chroma", "off")
        assert (said.returncode, said.stdout) == (9, "")
        assert said.stderr == (
            f"git-skillmesh: cannot write {repo.state_dir}/index/index.lock: Permission denied\n"
        )
        assert run(repo.path, "prune").returncode == 9
    assert answer == call(repo.path, "query", "--json", "wait_before_retry")


def test_a_read_only_disk_with_an_index_that_is_behind(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    assert index(repo.path) == Result(0, "", "")
    repo.commit("second", {"late.py": "def arrived_late():\n    pass\n", "http/header.py": None})
    repo.write("draft.py", "def a_draft():\n    pass\n")
    with read_only(repo.path):
        for name, path in (("arrived_late", "late.py"), ("a_draft", "draft.py")):
            said = run_respecting_permissions(repo.path, "query", "-n", "1", name)
            assert (said.returncode, said.stderr) == (0, "")
            assert said.stdout.startswith(f" 1. {path}:1  {name}  function")
        gone = run_respecting_permissions(repo.path, "query", "--json", "parse_header")
        assert "http/header.py" not in gone.stdout


def test_a_read_only_disk_without_an_index(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    with read_only(repo.path):
        said = run_respecting_permissions(repo.path, "query", "-n", "1", "wait_before_retry")
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith(" 1. util/backoff.py:1  wait_before_retry  function")
        assert run_respecting_permissions(repo.path, "status").returncode == 0
        assert run_respecting_permissions(repo.path, "doctor").returncode == 8
        indexed = run_respecting_permissions(repo.path, "index", "--chroma", "off")
        assert (indexed.returncode, indexed.stderr.count("\n")) == (9, 1)
    repo.commit("many", {f"f{n}.py": CODE for n in range(250)})
    with read_only(repo.path):
        said = run_respecting_permissions(repo.path, "query", "wait_before_retry")
        assert (said.returncode, said.stdout) == (9, "")
        assert said.stderr.splitlines()[0] == "no index yet: making one (next time this is quick)"
        assert said.stderr.splitlines()[1].startswith("git-skillmesh: cannot write ")


def test_a_file_in_the_place_of_the_state(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    repo.state_dir.write_text("not a folder\n")
    assert paths(repo.path, "wait_before_retry")[0] == "util/backoff.py"
    said = call(repo.path, "index", "--chroma", "off")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (9, "", 1)
    assert said.stderr.startswith(f"git-skillmesh: cannot write {repo.state_dir}/index/index.lock:")
    assert repo.state_dir.read_text() == "not a folder\n"
