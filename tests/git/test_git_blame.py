"""Blame of real files, and what is said of those that have no lines."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.errors import ConfigurationError, SkillmeshError, Unavailable, UsageError
from git_skillmesh.git.blame import BlamedLine, blame, check_file, parse_porcelain
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.quoting import unquoted
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo

NAMES = (
    "tab\there.txt",
    'quo"te\\.txt',
    "line\nfeed.txt",
    os.fsdecode(b"latin-\xe9.txt"),
    "'x'.txt",
)


def blamed(repo: Repo, path: str, *ranges: str, at: str = "") -> list[BlamedLine]:
    return list(blame(discover(repo.path), path, ranges, at))


def told(lines: list[BlamedLine]) -> list[tuple[int, str, str, int]]:
    return [(line.number, line.commit.summary, line.path, line.line) for line in lines]


def refusal(repo: Repo, path: str, commit: str = "") -> str:
    with (
        pytest.raises(UsageError) as refused,
        ObjectDatabase(discover(repo.path)) as db,
    ):
        check_file(db, path, commit)
    return str(refused.value)


def test_lines_and_their_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\ntwo\nthree\n"})
    repo.commit("second", {"a.txt": "zero\none\n2\nthree\n"})
    repo.write("a.txt", "zero\none\n2\nthree\nfour")
    lines = blamed(repo, "a.txt")
    assert told(lines) == [
        (1, "second", "a.txt", 1),
        (2, "first", "a.txt", 1),
        (3, "second", "a.txt", 3),
        (4, "first", "a.txt", 3),
        (5, "Version of a.txt from a.txt", "a.txt", 5),
    ]
    assert [line.commit.is_uncommitted for line in lines] == [False] * 4 + [True]
    assert [line.text for line in lines] == [b"zero", b"one", b"2", b"three", b"four"]
    commit = lines[0].commit
    assert (commit.oid, commit.boundary) == (repo.head, False)
    assert str(commit.time) == repo.git("log", "-1", "--format=%at")
    assert commit.author == repo.git("log", "-1", "--format=%an")


def test_ranges_as_git_takes_them(tmp_path: Path) -> None:
    text = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
    repo = make_repo(tmp_path, files={"a.py": text, ".gitattributes": "*.py diff=python\n"})
    assert [line.number for line in blamed(repo, "a.py", "2,3", "5,+1")] == [2, 3, 5]
    assert [line.number for line in blamed(repo, "a.py", ":b")] == [5, 6]
    assert [line.number for line in blamed(repo, "a.py", "/return 2/,+1")] == [6]
    assert [line.number for line in blamed(repo, "a.py", "5,99")] == [5, 6]


def test_white_space_takes_no_line(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "if x:\n  y()\n  z()\n"})
    repo.commit("reindent", {"a.py": "if x:\n    y()\n    z()\n"})
    repo.commit("line ends", {"a.py": "if x:\r\n    y()\r\n    z()\r\n"})
    repo.write("a.py", "if x:\r\n\ty()\r\n\tz()\r\n")
    assert told(blamed(repo, "a.py")) == [(n, "first", "a.py", n) for n in (1, 2, 3)]


def test_renames_are_followed(tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(30))
    repo = make_repo(tmp_path, files={"old/a.txt": text})
    repo.git("mv", "old", "new")
    repo.commit("move", {"new/a.txt": "head\n" + text})
    assert told(blamed(repo, "new/a.txt"))[:3] == [
        (1, "move", "new/a.txt", 1),
        (2, "first", "old/a.txt", 1),
        (3, "first", "old/a.txt", 2),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_paths_are_what_they_are(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path, files={name: "a\nb\nc\nd\ne\nf\n"})
    repo.git("mv", name, "plain.txt")
    repo.commit("move")
    assert {line.path for line in blamed(repo, "plain.txt")} == {name}
    repo.git("mv", "plain.txt", name)
    repo.commit("back")
    repo.write(name, "A\nb\nc\nd\ne\nf\n")
    assert [line.number for line in blamed(repo, name, "1,2")] == [1, 2]


def test_a_revision(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    first = repo.head
    repo.commit("second", {"a.txt": "two\n"})
    repo.write("a.txt", "three\n")
    assert told(blamed(repo, "a.txt", at=first)) == [(1, "first", "a.txt", 1)]
    bare = repo.clone(tmp_path / "bare.git", "--bare")
    assert told(blamed(bare, "a.txt", at="HEAD")) == [(1, "second", "a.txt", 1)]


def test_a_shallow_clone_ends_at_its_boundary(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    repo.commit("second", {"a.txt": "one\ntwo\n"})
    repo.commit("third", {"b.txt": ""})
    shallow = repo.clone(tmp_path / "shallow", "--depth=1")
    assert [line.commit.boundary for line in blamed(shallow, "a.txt")] == [True, True]
    assert [line.commit.boundary for line in blamed(repo, "a.txt")] == [False, False]


def test_revisions_that_the_user_ignores(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.js": "call( one )\ncall( two )\n"})
    reformat = repo.commit("reformat", {"a.js": "call('one');\ncall('two');\n"})
    assert {line.commit.summary for line in blamed(repo, "a.js")} == {"reformat"}
    repo.write(".ignore-revs", f"{reformat}\n")
    repo.git("config", "blame.ignoreRevsFile", ".ignore-revs")
    assert told(blamed(repo, "a.js")) == [(1, "first", "a.js", 1), (2, "first", "a.js", 2)]
    (repo.path / ".ignore-revs").unlink()
    with pytest.raises(ConfigurationError, match=r"cannot read \.ignore-revs, which blame"):
        blamed(repo, "a.js")


def test_settings_for_people_change_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n", ".gitattributes": "*.txt diff=up\n"})
    before = blamed(repo, "a.txt")
    for name, value in (
        ("blame.showEmail", "true"), ("blame.date", "relative"), ("blame.blankBoundary", "true"),
        ("blame.coloring", "highlightRecent"), ("color.ui", "always"), ("core.abbrev", "4"),
        ("diff.up.textconv", "tr a-z A-Z <"), ("core.quotePath", "false"),
        ("i18n.logOutputEncoding", "latin1"), ("blame.markUnblamableLines", "true"),
    ):  # fmt: skip
        repo.git("config", name, value)
    assert blamed(repo, "a.txt") == before


def test_what_has_no_lines(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"d/a.txt": "one\n", "b.bin": b"a\0b\n"})
    (repo.path / "link").symlink_to("d/a.txt")
    repo.commit("link")
    other = make_repo(tmp_path, "other", files={"x.txt": "x\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "sub")
    repo.commit("sub")
    repo.write("new.txt", "new\n")
    for commit in ("", "HEAD"):
        assert refusal(repo, "d", commit) == "d is a folder: name a file in it"
        assert refusal(repo, "", commit) == "this is a folder: name a file in it"
        assert refusal(repo, "b.bin", commit) == "b.bin is a binary file: it has no lines"
        assert refusal(repo, "link", commit) == (
            "link is a symbolic link: name the file that it leads to"
        )
        assert refusal(repo, "sub", commit) == (
            "sub is a submodule, a repository of its own: ask there: git -C sub skillmesh"
        )
    assert refusal(repo, "sub/none", "HEAD").startswith("sub is a submodule")
    assert refusal(repo, "none") == "no such file: none"
    assert refusal(repo, "b.bin/none") == "no such file: b.bin/none"
    assert refusal(repo, "none", "HEAD") == "none is not in HEAD"
    assert refusal(repo, "none", repo.head) == f"none is not in {repo.head[:12]}"
    (repo.path / "d" / "a.txt").unlink()
    assert refusal(repo, "d/a.txt") == (
        "d/a.txt is not in the working tree, only in HEAD: ask with --at HEAD"
    )
    with pytest.raises(UsageError, match=r"^new\.txt is not tracked by git: no commit has it$"):
        blamed(repo, "new.txt")


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (["3,4"], "a.txt has 2 lines: there is none as asked"),
        (["0,1"], "no such lines in a.txt: 0,1: -L invalid line number: 0"),
        ([":zz"], "no such lines in a.txt: :zz: -L parameter 'zz' starting at line 1: no match"),
        (["x"], "no such lines in a.txt: x: 3, 3,7, 3,+5, /RE/ or :NAME"),
    ],
)
def test_ranges_that_are_none(tmp_path: Path, ranges: list[str], message: str) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\ntwo\n"})
    with pytest.raises(UsageError) as refused:
        blamed(repo, "a.txt", *ranges)
    assert str(refused.value) == message


def test_an_empty_repository_and_an_empty_file(tmp_path: Path) -> None:
    empty = make_repo(tmp_path, "empty")
    assert refusal(empty, "a.txt") == "no such file: a.txt"
    bare = make_repo(tmp_path, "bare", bare=True)
    assert refusal(bare, "a.txt") == "this repository has no commits yet"
    empty.write("a.txt", "one\n")
    with pytest.raises(SkillmeshError):
        blamed(empty, "a.txt")
    empty.commit("first", {"a.txt": ""})
    assert blamed(empty, "a.txt") == []


def test_a_partial_clone_says_what_it_lacks(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.commit("second", {"a.txt": "one\ntwo\n"})
    partial = repo.clone(tmp_path / "partial", "--filter=blob:none")
    with pytest.raises(Unavailable, match=r"^this clone lacks versions of a\.txt: git fetch "):
        blamed(partial, "a.txt")


def test_a_sha256_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, object_format="sha256", files={"a.txt": "one\n"})
    repo.write("a.txt", "one\ntwo\n")
    lines = blamed(repo, "a.txt")
    assert [line.commit.oid for line in lines] == [repo.head, "0" * 64]


def test_headers_of_later_versions_are_passed_over() -> None:
    oid = b"a" * 40
    text = b"%b 1 1 1\nauthor A\nauthor-time 5\nsummary s\nignored\nunblamable\nnew thing\n" % oid
    text += b"filename f\n\tone\n%b 7 2\n\ttwo\n" % oid
    assert [line[:2] + line[3:] for line in parse_porcelain(text.split(b"\n"))] == [
        (1, b"one", "f", 1),
        (2, b"two", "f", 7),
    ]


@given(
    st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name and b"/" not in name)
)
def test_quoting_is_undone(name: bytes) -> None:
    special = {
        7: b"a",
        8: b"b",
        9: b"t",
        10: b"n",
        11: b"v",
        12: b"f",
        13: b"r",
        34: b'"',
        92: b"\\",
    }
    quoted = b"".join(
        b"\\" + special[byte] if byte in special
        else b"\\%03o" % byte if byte < 32 or byte > 126
        else bytes([byte])
        for byte in name
    )  # fmt: skip
    assert unquoted(b'"' + quoted + b'"') == name
    if not name.startswith(b'"'):
        assert unquoted(name) == name
