"""The log: commits, files, blobs and counts as git has them."""

import os
from pathlib import Path

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.git.commitlog import LoggedCommit, commit_log, is_revision
from git_skillmesh.git.dates import time_of
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo

ODD = os.fsdecode(b'd/tab\t"line\nlatin-\xe9.txt')


def logged(
    repo: Repo, *revisions: str, paths: tuple[str, ...] = (), limit: int = -1
) -> list[LoggedCommit]:
    return list(commit_log(discover(repo.path), revisions, paths, limit))


def test_files_blobs_and_counts(tmp_path: Path) -> None:
    text = "".join(f"{n}\n" for n in range(20))
    repo = make_repo(tmp_path, files={ODD: text, "b.bin": b"\0\1", "gone.txt": "x\n"})
    repo.git("mv", ODD, "moved.txt")
    repo.commit("sub: move\n\nbody", {"moved.txt": text + "more\n", "gone.txt": None, "e": ""})
    second, first = logged(repo)
    assert (second.summary, second.oid, first.summary) == ("sub: move", repo.head, "first")
    assert {f.path: (f.blob, f.added, f.removed) for f in second.files} == {
        "moved.txt": (repo.git("rev-parse", "HEAD:moved.txt"), 1, 0),
        "gone.txt": ("", 0, 1),
        "e": (repo.git("rev-parse", "HEAD:e"), 0, 0),
    }
    assert {f.path: (f.added, f.removed) for f in first.files} == {
        ODD: (20, 0), "b.bin": (0, 0), "gone.txt": (1, 0),
    }  # fmt: skip
    assert (second.added, first.added) == (1, 21)
    assert str(first.time) == repo.git("log", "-1", "--format=%at", "HEAD~1")


def test_revisions_paths_and_limits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", "[b].txt": "1\n"})
    repo.commit("second", {"a.txt": "2\n"})
    repo.commit("third", {"[b].txt": "2\n"})
    subjects = [[c.summary for c in logged(repo, *r, paths=p, limit=n)] for r, p, n in (
        (("HEAD~2..HEAD",), (), -1), (("HEAD",), (), 1), ((), ("[b].txt",), -1), ((), ("b*",), -1),
    )]  # fmt: skip
    assert subjects == [["third", "second"], ["third"], ["third", "first"], []]
    (only,) = logged(repo, "HEAD~1", limit=1)
    assert [file.path for file in only.files] == ["a.txt"]


def test_settings_of_the_user_do_not_matter(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.commit("second \u2603", {"b.txt": "2\n"})
    before = logged(repo)
    assert before[0].summary == "second \u2603"
    for name, value in (
        ("log.showRoot", "false"), ("log.decorate", "full"), ("diff.renames", "copies"),
        ("diff.noprefix", "true"), ("color.ui", "always"), ("format.pretty", "oneline"),
        ("log.showSignature", "true"), ("i18n.logOutputEncoding", "latin1"),
        ("notes.displayRef", "refs/notes/*"), ("diff.orderFile", "/nowhere"),
        ("log.follow", "true"),
    ):  # fmt: skip
        repo.git("config", name, value)
    repo.git("notes", "add", "-m", "a note")
    assert logged(repo) == before


def test_a_merge_has_no_files(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side", {"b.txt": "1\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("main", {"c.txt": "1\n"})
    repo.git("merge", "-q", "--no-edit", "side")
    assert logged(repo)[0].files == ()
    assert len(logged(repo)) == 4


def test_what_a_revision_is(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.commit("second")
    found = {
        text: is_revision(discover(repo.path), text)
        for text in ("HEAD", "main", "HEAD~1..main", "^HEAD", "a.txt", "nope", "--all", "", "-1")
    }
    assert [text for text, known in found.items() if known] == [
        "HEAD", "main", "HEAD~1..main", "^HEAD",
    ]  # fmt: skip


def test_dates_as_git_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = discover(make_repo(tmp_path, files={}).path)
    monkeypatch.setenv("TZ", "UTC")
    assert time_of(repository, "2026-02-21") == "2026-02-21T00:00:00Z"
    assert time_of(repository, "2026-02-21", end=True) == "2026-02-21T23:59:59Z"
    assert time_of(repository, "2026-02-21 10:00:00 +0200") == "2026-02-21T08:00:00Z"
    assert time_of(repository, "2 weeks ago") < time_of(repository, "yesterday")
    with pytest.raises(UsageError, match="not a date"):
        time_of(repository, "2026-02-21\0")
