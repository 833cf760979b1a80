"""What differs: renames, added lines, and that nothing in the repository hides any of it."""

from pathlib import Path

import pytest

from git_skillmesh.git import changes
from git_skillmesh.git.changes import ChangedFile, Hunk, staged_changes, tree_changes
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo

TEN = "".join(f"line {n}\n" for n in range(1, 11))


def staged(repo: Repo) -> dict[str, ChangedFile]:
    repo.git("add", "--all")
    return {file.path: file for file in staged_changes(discover(repo.path), "HEAD")}


def test_kinds_of_changes(tmp_path: Path) -> None:
    names = ["edited.txt", "gone.txt", "moved.txt", "mode.txt", "to-link.txt"]
    repo = make_repo(tmp_path, files={name: f"{name}\n{TEN}" for name in names})
    repo.write("edited.txt", f"edited.txt\n{TEN}".replace("line 3\n", "line 3\nnew\nnew\n"))
    (repo.path / "gone.txt").unlink()
    (repo.path / "moved.txt").rename(repo.path / "away.txt")
    repo.write("away.txt", f"moved.txt\n{TEN}last\n")
    (repo.path / "mode.txt").chmod(0o755)
    (repo.path / "to-link.txt").unlink()
    (repo.path / "to-link.txt").symlink_to("edited.txt")
    repo.write("new.txt", "a\nb\n")
    found = staged(repo)
    told = {
        path: (file.old_path, file.deleted, file.renamed, file.has_text, file.hunks)
        for path, file in found.items()
    }
    assert told == {
        "edited.txt": ("edited.txt", False, False, True, (Hunk(4, 0, 5, 2),)),
        "gone.txt": ("gone.txt", True, False, False, None),
        "away.txt": ("moved.txt", False, True, True, (Hunk(11, 0, 12, 1),)),
        "mode.txt": ("mode.txt", False, False, True, ()),
        "to-link.txt": ("to-link.txt", False, False, False, None),
        "new.txt": ("", False, False, True, None),
    }
    assert (found["new.txt"].size, found["gone.txt"].old_size) == (4, 9 + len(TEN))
    assert found["edited.txt"].added() == frozenset({5, 6})
    assert found["new.txt"].added() is None


@pytest.mark.parametrize(
    "attributes", ["* -diff\n", "* binary\n", "* diff=nothing\n", "* -text -diff\n"]
)
def test_no_attribute_and_no_setting_hides_lines(tmp_path: Path, attributes: str) -> None:
    repo = make_repo(tmp_path, files={"a.py": TEN, ".gitattributes": attributes})
    for name, value in {
        "diff.nothing.textconv": "true", "diff.nothing.command": "true", "diff.external": "true",
        "diff.renames": "false", "diff.renameLimit": "1", "diff.noprefix": "true",
        "diff.context": "5", "diff.interHunkContext": "9", "core.quotePath": "true",
        "diff.algorithm": "patience", "diff.orderFile": "order", "diff.ignoreSubmodules": "all",
    }.items():  # fmt: skip
        repo.git("config", name, value)
    repo.write("a.py", TEN + "added\n")
    repo.write(".git/info/attributes", attributes)
    assert staged(repo)["a.py"].hunks == (Hunk(10, 0, 11, 1),)


def test_names_with_anything_in_them(tmp_path: Path) -> None:
    names = ['q"uo\\te.txt', "new\nline.txt", "tab\there.txt", "wörter 日本.txt", " spaces .txt"]
    repo = make_repo(tmp_path, files={name: f"{name}{TEN}" for name in names})
    for name in names:
        repo.write(name, f"{name}{TEN}more\n")
    found = staged(repo)
    last = {name: name.count("\n") + 11 for name in names}
    assert {path: file.added() for path, file in found.items()} == {
        name: frozenset({last[name]}) for name in names
    }


def test_content_that_looks_like_a_patch(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.diff": TEN, "b.txt": TEN})
    fake = "++ b/b.txt\n-- a/b.txt\n@@ -1 +1,99 @@\ndiff --git a/x b/x\n"
    repo.write("a.diff", TEN + fake)
    repo.write("b.txt", "top\n" + TEN)
    found = staged(repo)
    assert found["a.diff"].added() == frozenset({11, 12, 13, 14})
    assert found["b.txt"].added() == frozenset({1})


def test_more_renames_than_git_would_look_for(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={f"old/{n}.txt": f"{n}\n" * 20 + f"{TEN}" for n in range(40)})
    repo.git("config", "diff.renameLimit", "2")
    for n in range(40):
        (repo.path / "old" / f"{n}.txt").unlink()
        repo.write(f"new/f{n}.txt", f"{n}\n" * 20 + f"{TEN}{n} is new\n")
    found = staged(repo)
    assert {file.old_path for file in found.values()} == {f"old/{n}.txt" for n in range(40)}
    assert {file.hunks for file in found.values()} == {(Hunk(30, 0, 31, 1),)}


def test_large_files_are_not_compared_and_change_nothing_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LARGEST", 500)
    repo = make_repo(tmp_path, files={"large.txt": "x" * 600, "small.txt": TEN})
    repo.write("large.txt", "y" * 600)
    repo.write("small.txt", TEN + "more\n")
    found = staged(repo)
    assert (found["large.txt"].compared, found["large.txt"].added()) == (False, frozenset())
    assert (found["small.txt"].compared, found["small.txt"].added()) == (True, frozenset({11}))


def test_where_an_unchanged_line_stood(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": TEN})
    new = "top\n" + TEN.replace("line 4\nline 5\n", "").replace("line 8\n", "other\nand\n")
    repo.write("a.txt", new)
    file = staged(repo)["a.txt"]
    added = file.added()
    assert added == frozenset({1, 7, 8})
    old = TEN.splitlines()
    for number, text in enumerate(new.splitlines(), 1):
        if number not in added:
            assert old[file.old_line(number) - 1] == text


def test_between_trees_and_from_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": TEN})
    repo.commit("second", {"a.txt": TEN + "more\n"})
    repository = discover(repo.path)
    (file,) = tree_changes(repository, "HEAD~1", "HEAD")
    assert file.added() == frozenset({11})
    (file,) = tree_changes(repository, repository.empty_tree, "HEAD")
    assert (file.old_path, file.added()) == ("", None)
