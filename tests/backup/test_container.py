"""The file of a backup: what other programs make of it, and that not one byte may differ."""

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.backup import container
from git_skillmesh.errors import Damaged, UsageError
from testing.backups import MEMBERS, PROGRAMS, made, opened

WHOLE = made()
SMALL = made({"README.txt": b"read me\n", "settings.json": b"{}\n"})


def refused(data: bytes) -> str:
    with pytest.raises(Damaged) as caught:
        opened(data)
    return caught.value.what


def test_what_was_written_is_read() -> None:
    assert opened(WHOLE) == MEMBERS
    assert made() == WHOLE


def test_python_reads_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(WHOLE), errors="surrogateescape") as archive:
        found = archive.getmembers()
        assert [one.name for one in found] == ["manifest.json", "SHA256SUMS", *MEMBERS]
        assert all(one.isreg() for one in found)
        assert {one.name for one in found if one.mode & 0o100} == PROGRAMS
        assert {one.mode & 0o077 for one in found} == {0}
        for one in found[2:]:
            file = archive.extractfile(one)
            assert file is not None
            assert file.read() == MEMBERS[one.name]


def test_tar_and_sha256sum_read_it(tmp_path: Path) -> None:
    done = subprocess.run(["tar", "-x"], cwd=tmp_path, input=WHOLE, capture_output=True, check=True)
    assert done.stderr == b""
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=True
    )
    assert checked.stdout.count(b": OK\n") == len(MEMBERS) + 1
    assert (tmp_path / "files/.skillmesh/skills/wägen/run me").stat().st_mode & 0o777 == 0o700


def test_sizes_beyond_octal() -> None:
    size = 9 << 30
    header = container.header_of("memory.bundle", size)
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == size


def test_no_shorter_file_is_taken() -> None:
    for size in {*range(0, len(SMALL), 4), *range(len(SMALL) - 1030, len(SMALL))}:
        refused(SMALL[:size])
    boundaries = [size for size in range(0, len(WHOLE), 512) for size in (size, size + 1)]
    for size in boundaries:
        assert size >= len(WHOLE) or refused(WHOLE[:size])
    assert refused(WHOLE[:-1]) == f"b.tar cannot be used, it ends after {len(WHOLE) - 1:,} bytes"


def test_no_longer_file_is_taken() -> None:
    assert refused(WHOLE + b"\0") == "b.tar cannot be used, there is more behind its end"
    assert refused(WHOLE + WHOLE)


def test_no_byte_may_be_another() -> None:
    for place in {*range(0, len(SMALL), 3), *range(len(SMALL) - 1100, len(SMALL), 50)}:
        data = bytearray(SMALL)
        data[place] ^= 1 << place % 8
        refused(bytes(data))


@given(st.data())
def test_no_change_is_taken(data: Any) -> None:
    """Bits that flip, parts that are lost, doubled, swapped or zeroed."""
    text = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        kind = data.draw(st.sampled_from(["flip", "lose", "double", "zero", "reverse"]))
        if kind == "flip":
            text[start] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "lose":
            del text[start:end]
        elif kind == "double":
            text[start:start] = text[start:end]
        elif kind == "zero":
            text[start:end] = bytes(end - start)
        else:
            text[start:end] = text[start:end][::-1]
        if not text:
            break
    if bytes(text) != WHOLE:
        refused(bytes(text))


@pytest.mark.parametrize(
    "path",
    [
        "../escape", "/etc/passwd", "files/../../x", "files/.skillmesh/../../x", "files/x",
        "files/.skillmesh", "files/.skillmesh//x", "files/.skillmesh/.git/hooks/post-commit",
        "files/.skillmesh/a/.GIT/config", "files/.skillmesh/a\0b", "files/.skillmesh/./a",
        "files/.skillmesh/" + "a" * 4097, "other.txt", "collections/x.json", "refs/heads/main",
        "collections/../x.jsonl.gz", "collections/a/b.jsonl.gz", "training/a/b", "adapters", "",
        "adapters/../x", "memory.bundle/x", "files/.skillmesh/\ud800",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere(path: str) -> None:
    members = {"settings.json": b"{}"}
    document = [{"path": path, "size": 0, "sha256": "0" * 64}]
    assert "its manifest" in refused(made(members, members=document))


@pytest.mark.parametrize(
    "more",
    [
        {"format": "other"}, {"version": 0}, {"version": "1"}, {"members": {}}, {"members": [1]},
        {"members": [{"path": "README.txt", "size": -1, "sha256": "0" * 64}]},
        {"members": [{"path": "README.txt", "size": True, "sha256": "0" * 64}]},
        {"members": [{"path": "README.txt", "size": 1, "sha256": "x"}]},
        {"members": [{"path": "README.txt", "size": 1 << 70, "sha256": "0" * 64}]},
        {"members": [{"path": "README.txt", "size": 1, "sha256": "0" * 64, "executable": 1}]},
        {"members": [{"path": "README.txt", "size": 1, "sha256": "0" * 64}] * 2},
        {"refs": {"refs/heads/main": "0" * 40}}, {"refs": {"refs/skillmesh/memory": "x"}},
        {"refs": {"refs/skillmesh/memory": "0" * 40}}, {"created": 1}, {"memory": {"sessions": -1}},
        {"repository": {}}, {"collections": [{"name": "../x", "documents": 1, "model_id": ""}]},
        {"adapters": []}, {"left_out": {"x": 1}}, {"repository": []},
    ],
)  # fmt: skip
def test_manifests_that_nobody_wrote(more: dict[str, Any]) -> None:
    assert "its manifest" in refused(made({"README.txt": b"x"}, **more))


def test_a_file_that_is_a_folder() -> None:
    members = {"files/.skillmesh/a": b"", "files/.skillmesh/a/b": b""}
    assert "a file that is a folder too" in refused(made(members))


def test_a_newer_version_is_named() -> None:
    with pytest.raises(UsageError, match=r"b\.tar has format 2, this program knows 1: upgrade"):
        opened(made(version=2))


def test_links_and_folders_are_refused() -> None:
    """Other kinds of members have another header."""
    place = WHOLE.index(b"README.txt\0")
    for kind in b"1", b"2", b"5", b"7", b"x":
        with_kind = bytearray(WHOLE)
        with_kind[place + 156 : place + 157] = kind
        total = (
            sum(with_kind[place : place + 148]) + 8 * 32 + sum(with_kind[place + 156 : place + 512])
        )
        with_kind[place + 148 : place + 156] = b"%06o\0 " % total
        assert (
            refused(bytes(with_kind)) == "b.tar cannot be used, README.txt is not what was written"
        )


def test_what_changes_while_it_is_written() -> None:
    from git_skillmesh.backup.manifest import Member

    member = Member("README.txt", 3, "0" * 64)
    with pytest.raises(Damaged, match=r"README\.txt changed while it was backed up"):
        container.write(io.BytesIO(), b"{}", [member], [iter([b"abc"])])


def test_progress_ends_at_the_end() -> None:
    told: list[tuple[int, int]] = []
    container.read(
        io.BytesIO(WHOLE), "b.tar", progress=lambda done, total: told.append((done, total))
    )
    assert told[-1][1] == len(WHOLE)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
