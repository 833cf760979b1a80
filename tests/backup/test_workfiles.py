"""Files below a folder: no link is followed, and none is there in part."""

import os
from pathlib import Path

import pytest

from git_skillmesh.backup.workfiles import Found, listing, open_file, write_file
from git_skillmesh.errors import ReadOnly


def written(folder: Path, path: str, data: bytes, executable: bool = False) -> None:
    source = folder.parent / "source"
    source.write_bytes(data)
    with source.open("rb") as file:
        write_file(folder, path, file.fileno(), executable)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


def test_files_are_found_and_the_rest_is_told(top: Path) -> None:
    written(top, "home/b/c", b"1")
    written(top, "home/a", b"2", executable=True)
    written(top, "home/.git/config", b"3")
    written(top, "elsewhere", b"4")
    (top / "home/link").symlink_to("/etc/passwd")
    (top / "home/folder").symlink_to("/etc")
    os.mkfifo(top / "home/pipe")
    assert listing(top, "home") == (
        [Found("home/a", True), Found("home/b/c", False)],
        {"home/link": "a link", "home/folder": "a link", "home/pipe": "no plain file"},
    )
    (top / "other").symlink_to(top / "home")
    assert listing(top, "other") == ([], {"other": "a link"})
    assert listing(top, "none") == ([], {})


def test_a_file_replaces_one_as_a_whole(top: Path) -> None:
    written(top, "a/b", b"old")
    before = (top / "a/b").stat().st_ino
    written(top, "a/b", b"new", executable=True)
    assert (top / "a/b").read_bytes() == b"new"
    assert (top / "a/b").stat().st_ino != before
    assert os.access(top / "a/b", os.X_OK)
    assert [path.name for path in (top / "a").iterdir()] == ["b"]


def test_links_lead_nowhere(top: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (top / "way").symlink_to(outside)
    with pytest.raises(ReadOnly, match="a link or a file is in its way"):
        written(top, "way/file", b"x")
    (top / "file").symlink_to(outside / "file")
    written(top, "file", b"x")
    assert not (top / "file").is_symlink()
    assert list(outside.iterdir()) == []
    (top / "file").unlink()
    (top / "file").symlink_to(tmp_path / "source")
    with pytest.raises(OSError, match="symbolic links"):
        open_file(top, "file")
    os.mkfifo(top / "pipe")
    with pytest.raises(OSError, match="no plain file"):
        open_file(top, "pipe")


def test_a_folder_is_no_place_for_a_file(top: Path) -> None:
    (top / "a").mkdir()
    with pytest.raises(ReadOnly):
        written(top, "a", b"x")
    written(top, "b", b"x")
    with pytest.raises(ReadOnly, match="a link or a file is in its way"):
        written(top, "b/c", b"x")
    assert sorted(path.name for path in top.iterdir()) == ["a", "b"]
