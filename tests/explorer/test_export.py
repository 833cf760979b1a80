"""The explorer as a folder: complete, bounded, the same each time, and careful with the disk."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.errors import ReadOnly, UsageError
from git_skillmesh.explorer.export import MARKER, export
from git_skillmesh.explorer.static import assets
from testing.commands import call
from testing.contract import misfits
from testing.explorer import Asked
from testing.repos import Repo, make_repo


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def given(data: bytes) -> tuple[str, Any]:
    text = data.decode("ascii").removeprefix("skillmesh_give(").removesuffix(");\n")
    path, _, document = text.partition(", ")
    return json.loads(path), json.loads(document)


@pytest.fixture(scope="module")
def written(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "page"
    export(asked.stores, folder, 20_000)
    return folder


def test_all_documents_are_there_as_the_server_gives_them(asked: Asked, written: Path) -> None:
    files = contents(written)
    for path, document in asked.everything():
        name, found = given(files.pop(f"data/{path}.js"))
        assert name == path
        if path not in ("overview", "learning/use-the-shared-client"):
            assert found == document
    name, index = given(files.pop("data/search.js"))
    assert misfits("SearchIndex", index) == []
    assert len(index["exchanges"]) == 5
    for name, asset in assets().items():
        served = files.pop(name)
        assert served == asset.data.replace(b'data-mode="serve"', b'data-mode="export"')
    assert set(files) == {MARKER, ".nojekyll"}
    overview = given((written / "data/overview.js").read_bytes())[1]
    assert misfits("Overview", overview) == []
    assert (overview["mode"], overview["left_out"]) == ("export", [])
    learning = given((written / "data/learning/use-the-shared-client.js").read_bytes())[1]
    assert learning["backtest"]["points"]


def test_the_same_state_gives_the_same_bytes_in_any_clone(
    story: Repo, written: Path, tmp_path: Path
) -> None:
    other = Repo(tmp_path / story.path.name)  # without an address that names it
    shutil.copytree(story.path, other.path)
    for path in (other.path / ".skillmesh").rglob("*.yaml"):
        os.utime(path, (1, 1))
    asked = Asked(other.path)
    shutil.copytree(written, tmp_path / "page")
    (tmp_path / "page/data/old.js").write_text("left from an export of before")
    export(asked.stores, tmp_path / "page", 20_000)
    asked.stores.close()
    assert contents(tmp_path / "page") == contents(written)
    assert {path.name for path in tmp_path.iterdir()} == {"page", other.path.name}


def test_a_small_one_says_what_it_leaves_out(asked: Asked, tmp_path: Path) -> None:
    done = export(asked.stores, tmp_path / "page", 22)
    overview = given((tmp_path / "page/data/overview.js").read_bytes())[1]
    assert overview["left_out"] == list(done.left_out)
    assert len(done.left_out) == 3
    assert done.files == len(contents(tmp_path / "page"))
    assert done.left_out[0].endswith("conversations of 3: --max-files 22")
    index = given((tmp_path / "page/data/search.js").read_bytes())[1]
    for one in index["files"]:
        assert (tmp_path / f"page/data/file/{one['key']}.js").is_file()


def test_other_files_are_left_alone(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("x")
    with pytest.raises(UsageError, match="holds other files"):
        export(asked.stores, tmp_path / "mine", 10)
    with pytest.raises(UsageError, match="is no folder"):
        export(asked.stores, tmp_path / "mine/file", 10)
    assert contents(tmp_path) == {"mine/file": b"x"}


def test_what_fails_leaves_the_old_one(
    asked: Asked, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(written, tmp_path / "page")
    left = tmp_path / ".page.4194305-killed"  # no process has such a number
    left.mkdir()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("git_skillmesh.explorer.export._put", full)
    with pytest.raises(OSError, match="No space"):
        export(asked.stores, tmp_path / "page", 20_000)
    assert [path.name for path in tmp_path.iterdir()] == ["page"]
    assert contents(tmp_path / "page") == contents(written)


def test_a_place_that_cannot_be_written(asked: Asked) -> None:
    with pytest.raises(ReadOnly):
        export(asked.stores, Path("/proc/nothing/page"), 10)


def test_names_that_the_disk_cannot_hold_are_left_out(tmp_path: Path) -> None:
    """A file and a folder whose scripts would have one name; a path longer than any."""
    deep = "/".join(["d" * 100] * 12)
    repo = make_repo(tmp_path, files={"a": "x\n", "a.js/b": "x\n"})
    for depth in (deep,):
        repo.commit("deep", {f"{depth}/f": "x\n"})
    asked = Asked(repo.path)
    done = export(asked.stores, tmp_path / "page", 1_000)
    asked.stores.close()
    assert "1 document whose names the disk cannot hold" in done.left_out
    assert sorted(
        path.name for path in (tmp_path / "page/data/file").iterdir()
    ) in (["a.js", "d" * 100], ["a.js"])  # fmt: skip


def test_the_command(story: Repo, tmp_path: Path) -> None:
    done = call(story.path, "explore", "--out", str(tmp_path / "x y"), "--max-files", "30")
    page = tmp_path / "x y" / "index.html"
    first, *rest = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (0, f"{page}\n")
    assert first.endswith(" MB")
    assert rest[0].startswith("left out: ")
    assert rest[-1] == "whoever can read this folder can read the conversations in it"
    assert b'data-mode="export"' in page.read_bytes()
    again = call(
        story.path, "explore", "--out", str(tmp_path / "x y"), "--max-files", "1", "--json"
    )
    found = json.loads(again.stdout)
    assert (found["schema"], found["page"], len(found["left_out"])) == (1, str(page), 3)
    assert found["files"] == len(contents(tmp_path / "x y"))
    assert found["bytes"] == sum(map(len, contents(tmp_path / "x y").values()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", ""], "--out needs the name of a folder"),
        (["--out", "x", "--serve"], "argument --serve: not allowed with argument --out"),
        (["--out", "x", "--port", "1"], "--port is for serving"),
        (["--max-files", "3"], "--max-files is for a folder"),
        (["--out", "x", "--max-files", "0"], "--max-files takes a number from 1 on"),
        (["--port", "70000"], "--port takes a number from 0 to 65535"),
        (["--out", "src"], "src holds other files"),
    ],
)
def test_mistakes_are_told_in_a_line(story: Repo, arguments: list[str], said: str) -> None:
    done = call(story.path, "explore", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
