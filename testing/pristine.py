"""Repositories that git has made once already, made again without starting git.

In: an empty folder, what `git init` was told, files. Out: what git made of that the first time,
file by file; only what the index says of the files on disk (inodes, times) is brought up to date.
Where git would see another environment than the sealed one, git makes it.
"""

import hashlib
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from .environment import COMMIT_DATE, GIT_CONFIG

_Made = dict[str, bytes | None]  # name → content, None for a folder
_made: dict[tuple[object, ...], _Made] = {}
_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
# Of a file: changed and modified (seconds, nanoseconds), device, inode, mode, user, group, size.
_ENTRY = struct.Struct(">10I")


def make(
    path: Path,
    bare: bool,
    object_format: str,
    files: Mapping[str, str | bytes | None] | None,
    by_git: Callable[[], None],
) -> None:
    """Make a repository in the empty folder `path`: by git unless it has made the same before."""
    if not _sees_the_usual() or (bare and files is not None):
        by_git()
        return
    key = (bare, object_format, files is None, *sorted((files or {}).items()))
    if key in _made:
        _write(os.fspath(path), _made[key], object_format)
    else:
        by_git()
        _made[key] = _read(path)


def _sees_the_usual() -> bool:
    """Whether git sees the configuration, the people and the time of the sealed environment."""
    told = {name: value for name, value in os.environ.items() if name.startswith("GIT_")}
    usual = {
        "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true", "GIT_SEQUENCE_EDITOR": "true", "GIT_PAGER": "cat",
    }  # fmt: skip
    for who in ("AUTHOR", "COMMITTER"):
        usual[f"GIT_{who}_NAME"] = "Ada Example"
        usual[f"GIT_{who}_EMAIL"] = "ada@example.org"
        usual[f"GIT_{who}_DATE"] = COMMIT_DATE
    config = told.pop("GIT_CONFIG_GLOBAL", "")
    told.pop("GIT_CEILING_DIRECTORIES", "")
    return told == usual and Path(config).is_file() and Path(config).read_text() == GIT_CONFIG


def _read(path: Path) -> _Made:
    found = sorted(path.rglob("*"))
    return {
        os.fspath(each.relative_to(path)): None if each.is_dir() else each.read_bytes()
        for each in found
    }


def _write(top: str, made: Mapping[str, bytes | None], object_format: str) -> None:
    objects = ".git/objects/" if ".git" in made else "objects/"
    for name, content in made.items():
        place = f"{top}/{name}"
        if content is None:
            os.mkdir(place)  # noqa: PTH102  # thousands of times
            continue
        if name == ".git/index":  # last, since it tells of the others
            continue
        mode = 0o444 if name.startswith(objects) else 0o666
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        os.write(descriptor, content)
        os.close(descriptor)
    index = made.get(".git/index")
    if index is not None:
        Path(top, ".git/index").write_bytes(_with_files_of(top, index, object_format))


def _with_files_of(top: str, index: bytes, object_format: str) -> bytes:
    """Return an index that knows the files below `top` as they lie there."""
    digest = _DIGESTS[object_format]
    size = digest().digest_size
    fresh = bytearray(index[:-size])
    (count,) = struct.unpack_from(">I", fresh, 8)
    start = 12
    for _ in range(count):
        name = start + _ENTRY.size + size + 2
        end = fresh.index(b"\0", name)
        told = os.lstat(os.path.join(os.fsencode(top), bytes(fresh[name:end])))  # noqa: PTH118
        mode = _ENTRY.unpack_from(fresh, start)[6]
        _ENTRY.pack_into(
            fresh, start,
            *divmod(told.st_ctime_ns, 10**9), *divmod(told.st_mtime_ns, 10**9),
            told.st_dev & 0xFFFFFFFF, told.st_ino & 0xFFFFFFFF, mode,
            told.st_uid, told.st_gid, told.st_size,
        )  # fmt: skip
        start += (end - start + 8) // 8 * 8
    return bytes(fresh) + digest(fresh).digest()
