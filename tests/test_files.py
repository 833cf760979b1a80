"""A file takes the place of another whole, or the other one stays."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_skillmesh.files import expanded, replace_file, replacing, rewrite_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a"
    replace_file(path, b"old")
    replace_file(path, b"new", 0o600)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path.parent) == ["a"]


def test_what_fails_midway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace_file(path, b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half of the n", "ever bytes"])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_what_a_process_of_the_same_number_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "a"
    other = tmp_path / "other"
    other.write_bytes(b"not ours")
    (tmp_path / f".a.{os.getpid()}.part").symlink_to(other)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert other.read_bytes() == b"not ours"
    assert names(tmp_path) == ["a", "other"]


def test_a_file_of_the_user_keeps_its_rights_and_no_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    rewrite_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(FileNotFoundError):
        rewrite_file(tmp_path / "slip" / "a", b"new")
    assert names(tmp_path) == ["a"]


def test_threads_that_write_the_same_file_leave_one_of_theirs(tmp_path: Path) -> None:
    path = tmp_path / "a"
    written = [bytes([65 + number]) * 100_000 for number in range(4)]

    def write(data: bytes) -> None:
        for _ in range(25):
            replace_file(path, data, durable=False)

    with ThreadPoolExecutor(len(written)) as pool:
        list(pool.map(write, written))
    assert path.read_bytes() in written
    assert names(tmp_path) == ["a"]


def test_a_home_that_nobody_has_is_a_path_like_others() -> None:
    assert expanded("~/a") == Path.home() / "a"
    assert expanded("~nobody-of-that-name/a") == Path("~nobody-of-that-name/a")
