"""Patches that people pipe in: of git in all its spellings, of diff(1), cut off, none at all."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.git.diffs import FileChange, Hunk, patch_files
from testing.repos import make_repo

BEFORE = "one\n-- two\n+++ three\nfour\n" + "same\n" * 20 + "last\n"
AFTER = "one\n++ two\n--- three\nfour\n" + "same\n" * 20 + "last line\nand more\n"
FILE = FileChange(
    "a b.txt", "a b.txt", "", "",
    (
        Hunk(2, (b"-- two", b"+++ three"), 2, (b"++ two", b"--- three")),
        Hunk(25, (b"last",), 25, (b"last line", b"and more")),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [(), ("--no-prefix",), ("-U0",), ("--src-prefix=i/", "--dst-prefix=w/"), ("--word-diff=none",)],
)
def test_what_git_writes_reads_back(tmp_path: Path, options: tuple[str, ...]) -> None:
    repo = make_repo(tmp_path, files={"a b.txt": BEFORE, "gone": "x\n", "ü\t": "1\n"})
    repo.write("a b.txt", AFTER)
    repo.write("new", "fresh\n")
    repo.write("ü\t", "2\n")
    repo.git("rm", "-q", "gone")
    repo.git("add", "-A")
    text = "From: somebody\n\nhello\n---\n" + repo.git("diff", "--cached", *options) + "\n"
    assert patch_files(text.encode()) == [
        FILE,
        FileChange("gone", "", "", "", (Hunk(1, (b"x",), 0, ()),)),
        FileChange("", "new", "", "", (Hunk(0, (), 1, (b"fresh",)),)),
        FileChange("ü\t", "ü\t", "", "", (Hunk(1, (b"1",), 1, (b"2",)),)),
    ]


def test_what_diff_writes_has_dates_and_may_have_crlf() -> None:
    text = "--- x.py\t2020-01-01 00:00\n+++ x.py\t2021-01-01\n@@ -1 +1 @@\n-a\n+b\n"
    wanted = [FileChange("x.py", "x.py", "", "", (Hunk(1, (b"a",), 1, (b"b",)),))]
    assert patch_files(text.encode()) == wanted
    assert patch_files(text.replace("\n", "\r\n").encode()) == wanted


def test_what_is_no_patch_has_no_files_and_half_a_one_is_refused() -> None:
    assert patch_files(b"") == patch_files(b"just text\n--- a\nno\n") == []
    with pytest.raises(UsageError, match="ends in the middle"):
        patch_files(b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-a\n+b\n")


@given(st.binary(max_size=300))
def test_any_bytes_are_files_or_refused(data: bytes) -> None:
    for start in (b"", b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n"):
        with suppress(UsageError):
            assert isinstance(patch_files(start + data), list)
