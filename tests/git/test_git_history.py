"""Which commit brought a version of a file to its path."""

import os
import shutil
from pathlib import Path

from git_skillmesh.git.history import introductions
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo


def told(repo: Repo, new: str = "HEAD", *known: str, limit: int = 99) -> list[tuple[str, str, str]]:
    """Return (path, content, subject of the commit), newest first."""
    found = introductions(discover(repo.path), new, known, limit)
    return [
        (path, repo.git("cat-file", "blob", blob), repo.git("log", "-1", "--format=%s", commit))
        for path, blob, commit, _ in found
    ]


def dated(repo: Repo, second: int, message: str, files: dict[str, str | bytes | None]) -> str:
    for name, content in files.items():
        if content is None:
            (repo.path / name).unlink()
        else:
            repo.write(name, content)
    date = {"GIT_COMMITTER_DATE": f"2024-03-01T12:00:{second:02}+00:00"}
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--allow-empty", "-m", message, env=date)
    return repo.head


def test_a_line_of_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 1, "one", {"a.py": "1", "d/b.py": "1"})
    second = dated(repo, 2, "two", {"a.py": "2"})
    dated(repo, 3, "three", {"d/b.py": None, "c.py": "1"})
    dated(repo, 4, "four", {})
    dated(repo, 5, "five", {"a.py": "1"})
    everything = [
        ("a.py", "1", "five"),
        ("c.py", "1", "three"),
        ("a.py", "2", "two"),
        ("a.py", "1", "one"),
        ("d/b.py", "1", "one"),
    ]
    assert told(repo) == everything
    assert told(repo, "HEAD", second) == everything[:2]
    assert told(repo, second) == everything[2:]
    assert told(repo, "HEAD", "HEAD") == []
    assert told(repo, limit=1) == everything[:1]


def test_a_rename_brings_the_version_to_its_new_path(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 1, "one", {"old.py": "same\n" * 9})
    dated(repo, 2, "two", {"old.py": None, "new.py": "same\n" * 9})
    assert [(path, subject) for path, _, subject in told(repo)] == [
        ("new.py", "two"), ("old.py", "one"),
    ]  # fmt: skip


def test_a_merge_brings_only_what_no_parent_had(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 1, "base", {"a.py": "base", "kept.py": "base"})
    repo.git("checkout", "--quiet", "-b", "topic")
    dated(repo, 2, "topic", {"a.py": "topic", "t.py": "topic"})
    repo.git("checkout", "--quiet", "main")
    dated(repo, 3, "main", {"a.py": "main", "m.py": "main"})
    assert repo.run("merge", "--no-commit", "topic").returncode == 1
    dated(repo, 4, "merge", {"a.py": "resolved", "evil.py": "only here"})
    assert told(repo) == [
        ("a.py", "resolved", "merge"),
        ("evil.py", "only here", "merge"),
        ("a.py", "main", "main"),
        ("m.py", "main", "main"),
        ("a.py", "topic", "topic"),
        ("t.py", "topic", "topic"),
        ("a.py", "base", "base"),
        ("kept.py", "base", "base"),
    ]
    assert told(repo, "HEAD", "HEAD^1") == [
        ("a.py", "resolved", "merge"),
        ("evil.py", "only here", "merge"),
        ("a.py", "topic", "topic"),
        ("t.py", "topic", "topic"),
    ]


def test_an_octopus_merge(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 1, "base", {"a.py": "base"})
    for number, name in enumerate(("x", "y", "z"), 2):
        repo.git("checkout", "--quiet", "-b", name, "main")
        dated(repo, number, name, {f"{name}.py": name})
    repo.git("checkout", "--quiet", "main")
    date = {"GIT_COMMITTER_DATE": "2024-03-01T12:00:09+00:00"}
    repo.git("merge", "--quiet", "--no-ff", "-m", "all", "x", "y", "z", env=date)
    repo.write("evil.py", "evil")
    repo.git("add", "evil.py")
    repo.git("commit", "--quiet", "--amend", "--no-edit", env=date)
    assert told(repo) == [
        ("evil.py", "evil", "all"),
        ("z.py", "z", "z"),
        ("y.py", "y", "y"),
        ("x.py", "x", "x"),
        ("a.py", "base", "base"),
    ]


def test_a_revert_brings_the_old_version_back(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 1, "good", {"a.py": "good"})
    dated(repo, 2, "bad", {"a.py": "bad"})
    repo.git("revert", "--no-edit", "HEAD", env={"GIT_COMMITTER_DATE": "2024-03-01T12:00:03+00:00"})
    assert told(repo) == [
        ("a.py", "good", 'Revert "bad"'), ("a.py", "bad", "bad"), ("a.py", "good", "good"),
    ]  # fmt: skip


def test_a_shallow_clone_knows_its_boundary_and_no_more(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin")
    for number in range(1, 4):
        dated(origin, number, f"commit {number}", {"a.py": str(number), f"{number}.py": "x"})
    shallow = origin.clone(tmp_path / "shallow", "--depth=2")
    assert told(shallow) == [
        ("3.py", "x", "commit 3"),
        ("a.py", "3", "commit 3"),
        ("1.py", "x", "commit 2"),
        ("2.py", "x", "commit 2"),
        ("a.py", "2", "commit 2"),
    ]


def test_odd_names_links_and_the_users_settings(tmp_path: Path) -> None:
    odd = ["commit x", ":colon", 'q"t', "new\nline", os.fsdecode(b"\xe9"), "ü"]
    repo = make_repo(tmp_path)
    dated(repo, 1, "one", dict.fromkeys(odd, "x"))
    repo.git("tag", "main-tag")
    for setting in (
        "color.ui=always", "log.showRoot=false", "log.showSignature=true", "log.abbrevCommit=true",
        "log.diffMerges=off", "log.decorate=full", "format.pretty=oneline", "diff.renames=copies",
        "diff.orderFile=/nowhere", "diff.relative=true", "log.follow=true", "diff.noprefix=true",
        "core.abbrev=4", "log.initialDecorationSet=all", "diff.external=false",
    ):  # fmt: skip
        repo.git("config", *setting.split("="))
    assert sorted(told(repo)) == sorted((name, "x", "one") for name in odd)


def test_a_branch_called_like_a_file(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 1, "one", {"main": "x"})
    assert told(repo, "main") == [("main", "x", "one")]


def test_the_time_is_the_committers(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    dated(repo, 7, "one", {"a.py": "1"})
    (found,) = introductions(discover(repo.path), "HEAD")
    assert (found.commit, found.time) == (repo.head, 1_709_294_407)


def test_leaving_early_stops_git(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@example.org> {number} +0000\ndata 1\nx\n"
        f"M 100644 inline a.py\ndata {len(str(number))}\n{number}\n"
        for number in range(3_000)
    )
    repo.git("fast-import", "--quiet", stdin=stream)
    walk = introductions(discover(repo.path), "HEAD")
    assert next(walk)[0] == "a.py"
    walk.close()
    assert len(list(introductions(discover(repo.path), "HEAD"))) == 3_000


def test_a_partial_clone_without_its_remote(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin")
    dated(origin, 1, "one", {"a.py": "1"})
    dated(origin, 2, "two", {"a.py": "2"})
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    shutil.rmtree(origin.path)
    walked = list(introductions(discover(clone.path), "HEAD"))
    assert [(path, commit) for path, _, commit, _ in walked] == [
        ("a.py", clone.head), ("a.py", clone.git("rev-parse", "HEAD~1")),
    ]  # fmt: skip


def test_a_revision_that_does_not_exist_gives_nothing(tmp_path: Path) -> None:
    assert list(introductions(discover(make_repo(tmp_path).path), "HEAD")) == []
