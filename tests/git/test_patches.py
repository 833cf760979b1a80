"""Commits as people read them: diffs for each file, bounded, whatever the names and kinds."""

from pathlib import Path

from git_skillmesh.git.commitlog import headlines, logged
from git_skillmesh.git.patches import Patch, patches
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo


def of(repo: Repo, most_of_file: int = 10_000, most: int = 100_000) -> list[Patch]:
    parents = repo.git("rev-parse", "HEAD^@").split()
    return patches(discover(repo.path), repo.head, parents, most_of_file, most)


def test_all_kinds_of_changes(tmp_path: Path) -> None:
    text = "".join(f"{n}\n" for n in range(12))
    repo = make_repo(
        tmp_path,
        files={"changed": text, "gone": "x\n", "old name": text + "more\n", "kind": "x\n",
               "bin": b"\0a", "mode": "x\n"},
    )  # fmt: skip
    (repo.path / "kind").unlink()
    (repo.path / "kind").symlink_to("changed")
    (repo.path / "mode").chmod(0o755)
    repo.git("mv", "old name", "new\nname")
    repo.commit(
        "all",
        {"changed": text.replace("5\n", "five\ndiff --git a/x b/x\n"), "gone": None,
         "bin": b"\0b", "\udcff</script>": "no end"},
    )  # fmt: skip
    found = {one.path: one for one in of(repo)}
    assert found["changed"] == Patch(
        "changed", "", "modified", 2, 1,
        "@@ -3,7 +3,8 @@\n 2\n 3\n 4\n-5\n+five\n+diff --git a/x b/x\n 6\n 7\n 8\n",
    )  # fmt: skip
    assert found["gone"] == Patch("gone", "", "deleted", 0, 1, "@@ -1 +0,0 @@\n-x\n")
    assert found["new\nname"] == Patch("new\nname", "old name", "renamed", 0, 0, "")
    assert found["bin"] == Patch("bin", "", "modified")
    assert found["mode"] == Patch("mode", "", "modified", 0, 0, "")
    assert (found["kind"].status, found["kind"].added, found["kind"].removed) == (
        "type changed", 1, 1,
    )  # fmt: skip
    assert found["\udcff</script>"].text == "@@ -0,0 +1 @@\n+no end\n\\ No newline at end of file\n"
    assert len(found) == 7


def test_the_first_commit_and_a_merge(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    assert [(one.path, one.status) for one in of(repo)] == [("a", "added")]
    repo.git("switch", "--quiet", "-c", "side")
    repo.commit("side", {"b": "2\n"})
    repo.git("switch", "--quiet", "main")
    repo.commit("main", {"c": "3\n"})
    repo.git("merge", "--quiet", "--no-edit", "side")
    assert [one.path for one in of(repo)] == ["b"]


def test_what_is_long_is_left_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.commit("long", {name: "x\n" * size for name, size in zip("bcdef", (9, 900, 9, 9, 9),
                                                                   strict=True)})  # fmt: skip
    told = [(one.path, one.text is not None, one.added) for one in of(repo, 200, 60)]
    assert told == [("b", True, 9), ("c", False, 900), ("d", False, 9), ("e", False, 9),
                    ("f", False, 9)]  # fmt: skip


def test_lists_of_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    first = repo.head
    second = repo.commit("two\nlines\n\nand a body", {"a": "1\n2\n"})
    repository = discover(repo.path)
    assert [(one.oid, one.parents, one.summary) for one in headlines(repository, second)] == [
        (second, (first,), "two lines"), (first, (), "first"),
    ]  # fmt: skip
    assert [(one.oid, one.added) for one in logged(repository, [first, "0" * 40, second])] == [
        (first, 1), (second, 1),
    ]  # fmt: skip
    assert logged(repository, []) == []
