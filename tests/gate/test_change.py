"""Which change is checked: the index that git means, working trees, ranges, merges."""

from pathlib import Path

import pytest

from git_skillmesh.errors import SkillmeshError, UsageError
from git_skillmesh.gate import change
from git_skillmesh.gate.change import Change
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo


def added(found: Change) -> dict[str, list[int] | None]:
    lines = {file.path: file.added() for file in found.files}
    return {path: None if n is None else sorted(n) for path, n in lines.items()}


def staged(repo: Repo, **environ: str) -> Change:
    return change.staged(discover(repo.path), environ)


def test_staged_is_the_index_against_head(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", "b.txt": "1\n"})
    repo.write("a.txt", "1\n2\n")
    repo.git("add", "a.txt")
    repo.write("a.txt", "1\n2\n3\n")
    repo.write("b.txt", "1\n2\n")
    repo.write("meant.txt", "later\n")
    repo.git("add", "--intent-to-add", "meant.txt")
    found = staged(repo)
    assert added(found) == {"a.txt": [2]}
    assert (found.base, found.head) == (repo.head, "")


def test_before_the_first_commit_all_is_new(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    assert added(staged(repo)) == {}
    repo.write("a.txt", "1\n")
    repo.git("add", "a.txt")
    assert added(staged(repo)) == {"a.txt": None}


def test_the_index_that_git_names_to_a_hook(tmp_path: Path) -> None:
    """For `git commit -a` and `git commit FILE` that is another one than the repository's."""
    repo = make_repo(tmp_path, files={"a.txt": "1\n", "b.txt": "1\n"})
    repo.hook("pre-commit", '#!/bin/sh\ncp "$GIT_INDEX_FILE" kept\nprintf %s "$GIT_INDEX_FILE"\n')
    repo.write("a.txt", "1\n2\n")
    repo.write("b.txt", "1\n2\n")
    repo.git("add", "b.txt")
    base = repo.head
    repo.git("commit", "-q", "-m", "only a", "a.txt")
    repo.git("reset", "-q", "--soft", base)
    assert added(staged(repo, GIT_INDEX_FILE="kept")) == {"a.txt": [2]}
    assert added(staged(repo)) == {"a.txt": [2], "b.txt": [2]}


def test_a_merge_in_progress_adds_only_what_neither_side_has(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", "b.txt": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side", {"a.txt": "side\n", "b.txt": "1\nside\n", "new.txt": "x\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("main", {"a.txt": "main\n"})
    assert repo.run("merge", "-q", "side").returncode == 1
    conflicts = [file.path for file in staged(repo).files if file.conflict]
    assert conflicts == ["a.txt"]
    repo.write("a.txt", "side\nmain\nboth\n")
    repo.git("add", "a.txt")
    assert added(staged(repo)) == {"a.txt": [3]}


def test_the_working_tree_and_nothing_is_left_behind(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", ".gitignore": "*.log\n", "gone": "x\n"})
    repo.write("a.txt", "1\n2\n")
    repo.write("new é.txt", "1\n")
    repo.write("x.log", "1\n")
    (repo.path / "gone").unlink()
    before = sorted(path for path in repo.git_dir.rglob("*") if path.is_file())
    index = (repo.git_dir / "index").read_bytes()
    with change.worktree(discover(repo.path), {}) as found:
        assert added(found) == {"a.txt": [2], "new é.txt": None, "gone": None}
        new = next(file for file in found.files if file.path == "new é.txt")
        assert found.repository.git.run("cat-file", "blob", new.blob) == b"1\n"
    assert sorted(path for path in repo.git_dir.rglob("*") if path.is_file()) == before
    assert (repo.git_dir / "index").read_bytes() == index


def test_a_linked_worktree_has_changes_of_its_own(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    other = repo.worktree(tmp_path / "other", "side")
    other.write("a.txt", "1\n2\n")
    other.git("add", "a.txt")
    assert (added(staged(other)), added(staged(repo))) == ({"a.txt": [2]}, {})


def test_a_range_begins_where_the_sides_parted(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    base = repo.head
    repo.git("checkout", "-q", "-b", "side")
    head = repo.commit("side", {"a.txt": "1\n2\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("main", {"b.txt": "1\n"})
    found = change.between(discover(repo.path), "main", "side")
    assert (found.base, found.head, added(found)) == (base, head, {"a.txt": [2]})
    assert [(one.text, one.merge) for one in change.messages(found)] == [("side\n", False)]
    repo.git("merge", "-q", "-m", "joined", "side")
    for merged in (
        change.merge(discover(repo.path)),
        change.between(discover(repo.path), "HEAD^1", "HEAD"),
    ):
        assert added(merged) == {"a.txt": [2]}
        assert [(one.text, one.merge) for one in change.messages(merged)] == [
            ("joined\n", True),
            ("side\n", False),
        ]


def test_messages_of_any_kind(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    texts = ["one\n\nbody\n\x01 odd", "dröi", ""]
    for text in texts:
        repo.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", text)
    found = change.between(discover(repo.path), "HEAD~3", "HEAD")
    assert [one.text.strip() for one in change.messages(found)] == [*reversed(texts)]


def refusal(make: object) -> str:
    with pytest.raises(SkillmeshError) as raised:
        make()  # type: ignore[operator]
    assert isinstance(raised.value, UsageError)
    return str(raised.value)


def test_what_there_is_not_is_one_line(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("other root")
    here = discover(repo.path)
    bare = discover(repo.clone(tmp_path / "bare", "--bare").path)
    assert [
        refusal(lambda: change.between(here, "main", "other")),
        refusal(lambda: change.between(here, "nope", "HEAD")),
        refusal(lambda: change.between(here, "--all", "HEAD")),
        refusal(lambda: change.merge(here)),
        refusal(lambda: change.staged(bare, {})),
    ] == [
        "main and other have no common commit here: name a base that they share",
        "not a commit of this repository: nope",
        "not a commit of this repository: --all",
        "HEAD is no merge here, it has one parent: use BASE..HEAD",
        "a bare repository has nothing staged: check a range: BASE..HEAD",
    ]
    assert change.between(bare, "main", "main").files == ()


def test_a_shallow_clone(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    for number in range(3):
        repo.commit(f"side {number}", {"a.txt": f"1\n{number}\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "joined", "side")
    one = discover(repo.clone(tmp_path / "one", "--depth=1").path)
    assert refusal(lambda: change.merge(one)) == (
        "HEAD is no merge here, its parents are not here: in CI: fetch-depth: 2"
    )
    two = discover(repo.clone(tmp_path / "two", "--depth=2").path)
    found = change.merge(two)
    assert added(found) == {"a.txt": [2]}
    assert change.cut_off(found)
    assert not change.cut_off(change.merge(discover(repo.path)))


PATCH = b"""\
--- a/a.txt
+++ b/a.txt
@@ -1,2 +1,3 @@
 1
+new
 2
"""


def patched(repo: Repo, patch: bytes) -> dict[str, list[int] | None]:
    with change.patched(discover(repo.path), patch) as found:
        assert (found.base, found.head) == (repo.head, "")
        return added(found)


def rejected(repo: Repo, patch: bytes) -> str:
    with pytest.raises(UsageError) as error, change.patched(discover(repo.path), patch):
        pass
    return str(error.value).removeprefix("the patch cannot be applied: ")


def test_a_patch_that_nobody_has_applied(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n2\n3\n4\n", "b c.txt": "1\n"})
    before = sorted(path for path in repo.path.rglob("*"))
    assert patched(repo, PATCH) == {"a.txt": [2]}
    for lenient in (
        PATCH.replace(b"1,2 +1,3", b"1,9 +1,1"),  # miscounted
        PATCH.replace(b" 2\n", b"").replace(b"1,2 +1,3", b"1,1 +1,2"),  # no context behind
        PATCH.replace(b"a/a", b"a").replace(b"b/a", b"a"),  # no prefixes
        b"From: x\n\n" + PATCH + b"-- \n2.39.5\n",  # as git format-patch writes it
        b"diff --git a/a.txt b/a.txt\n" + PATCH,
        b"```diff\n" + PATCH + b"```\n",
        PATCH + b"\n\n",
    ):
        assert patched(repo, lenient) == {"a.txt": [2]}
    assert patched(repo, PATCH + b"--- /dev/null\n+++ b/n/e w.txt\n@@ -0,0 +1 @@\n+x\n") == {
        "a.txt": [2], "n/e w.txt": None,
    }  # fmt: skip
    assert sorted(path for path in repo.path.rglob("*")) == before


def test_a_patch_of_the_files_on_disk(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n2\n"})
    repo.write("a.txt", "0\n1\n2\n")
    repo.write("new.txt", "1\n")
    on_disk = PATCH.replace(b" 1\n", b" 0\n 1\n").replace(b"1,2 +1,3", b"1,3 +1,4")
    assert patched(repo, on_disk) == {"a.txt": [3]}
    assert patched(repo, PATCH) == {"a.txt": [2]}
    assert patched(repo, PATCH.replace(b"a.txt", b"new.txt").replace(b" 2\n", b"")) == {
        "new.txt": [2]
    }


def test_a_patch_that_fits_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n2\n"})
    assert rejected(repo, PATCH.replace(b" 2", b" 3")) == "patch failed: a.txt:1"
    assert rejected(repo, PATCH.replace(b"a.txt", b"b.txt")) == "b.txt: does not exist in index"
    assert (
        rejected(repo, PATCH.replace(b"a.txt", b"../a.txt")) == "../a.txt: does not exist in index"
    )
    for nothing in (b"", b"+one\n", b"\0\xff"):
        assert rejected(repo, nothing) == "this is no diff"
    more = PATCH.replace(b" 2\n", b" 3\n+4\n")
    assert rejected(repo, more) == "patch failed: a.txt:1"
