"""Finding a repository, whatever kind it is and wherever the user stands."""

import os
from pathlib import Path

import pytest

from git_skillmesh.errors import NotARepository, SkillmeshError, UsageError
from git_skillmesh.git.repository import Repository, discover
from testing.repos import Repo, make_repo, run

ODD_NAMES = (
    "with space",
    'quo"te',
    "it's",
    "$HOME `x` ;",
    "line\nfeed",
    "two\n\nfeeds\n",
    "tab\there",
    "-dash",
    "form\x0cfeed",
    "para\u2029graph",
    os.fsdecode(b"latin-\xe9"),
)


def described(found: Repository) -> tuple[Path, Path, Path | None, str]:
    return found.git_dir, found.common_dir, found.top, found.prefix


def test_a_plain_repository_from_its_root_and_from_below(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a/b/c.txt": "1\n"})
    git_dir = repo.path / ".git"
    assert described(discover(repo.path)) == (git_dir, git_dir, repo.path, "")
    below = discover(repo.path / "a" / "b")
    assert described(below) == (git_dir, git_dir, repo.path, "a/b/")
    assert below.state_dir == git_dir / "skillmesh"
    assert not below.is_bare


def test_inside_the_git_directory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    git_dir = repo.path / ".git"
    for folder in (git_dir, git_dir / "objects"):
        assert described(discover(folder)) == (git_dir, git_dir, repo.path, "")


def test_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path, files={"deep/a.txt": "1\n"})
    monkeypatch.chdir(repo.path / "deep")
    assert described(discover()) == (repo.git_dir, repo.git_dir, repo.path, "deep/")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_folders(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path, name, files={f"{name}/a.txt": "1\n"})
    found = discover(repo.path / name)
    git_dir = repo.path / ".git"
    assert described(found) == (git_dir, git_dir, repo.path, f"{name}/")
    assert found.head_commit() == repo.head
    assert found.path_of("hooks") == git_dir / "hooks"


def test_a_bare_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    bare = repo.clone(tmp_path / "bare\nhere.git", "--bare")
    found = discover(bare.path)
    assert described(found) == (bare.path, bare.path, None, "")
    assert found.is_bare
    assert found.head_tree() == (repo.head, repo.git("rev-parse", "HEAD^{tree}"))
    assert described(discover(bare.path / "objects")) == (bare.path, bare.path, None, "")


def test_linked_worktrees_share_the_state(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a/b.txt": "1\n"})
    tree = repo.worktree(tmp_path / "linked", "topic")
    found = discover(tree.path / "a")
    private = repo.path / ".git" / "worktrees" / "linked"
    assert described(found) == (private, repo.path / ".git", tree.path, "a/")
    assert found.state_dir == discover(repo.path).state_dir
    assert found.branch() == "topic"


def test_worktrees_of_a_bare_repository(tmp_path: Path) -> None:
    bare = make_repo(tmp_path, files={"a.txt": "1\n"}).clone(tmp_path / "hub.git", "--bare")
    tree = bare.worktree(tmp_path / "work", "topic")
    found = discover(tree.path)
    assert described(found) == (bare.path / "worktrees" / "work", bare.path, tree.path, "")


def test_a_submodule_has_a_file_instead_of_a_git_folder(tmp_path: Path) -> None:
    library = make_repo(tmp_path, "library", files={"src/lib.txt": "1\n"})
    outer = make_repo(tmp_path, "outer", files={"a.txt": "1\n"})
    inner = outer.submodule(library, "deps/lib")
    git_dir = outer.path / ".git" / "modules" / "deps" / "lib"
    assert (inner.path / ".git").is_file()
    assert described(discover(inner.path / "src")) == (git_dir, git_dir, inner.path, "src/")
    assert described(discover(git_dir)) == (git_dir, git_dir, inner.path, "")
    tree = inner.worktree(tmp_path / "inner-tree", "topic")
    assert described(discover(tree.path)) == (
        git_dir / "worktrees" / "inner-tree",
        git_dir,
        tree.path,
        "",
    )


def test_a_separate_git_directory(tmp_path: Path) -> None:
    work = tmp_path / "work"
    run("git", "init", "--quiet", "--separate-git-dir", "elsewhere", os.fspath(work), cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    assert described(discover(work)) == (elsewhere, elsewhere, work, "")


def test_git_dir_and_work_tree_of_the_user_count_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    away = tmp_path / "away"
    away.mkdir()
    git_dir = repo.path / ".git"
    both = {"GIT_DIR": os.fspath(git_dir), "GIT_WORK_TREE": os.fspath(other)}
    for folder, prefix in ((other, ""), (other / "deep", "deep/"), (away, "")):
        monkeypatch.chdir(folder)
        assert described(discover(None, {**os.environ, **both})) == (
            git_dir, git_dir, other, prefix,
        )  # fmt: skip
    monkeypatch.chdir(away)
    relative = {"GIT_DIR": "../repo/.git", "GIT_WORK_TREE": "../other"}
    assert described(discover(None, {**os.environ, **relative})) == (git_dir, git_dir, other, "")
    alone = {"GIT_DIR": os.fspath(git_dir)}
    assert described(discover(None, {**os.environ, **alone})) == (git_dir, git_dir, away, "")
    assert described(discover(repo.path, {**os.environ, **both})) == (
        git_dir, git_dir, repo.path, "",
    )  # fmt: skip


def test_core_worktree_leads_to_the_files(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    other = tmp_path / "other"
    other.mkdir()
    repo.git("config", "core.worktree", os.fspath(other))
    assert discover(repo.path / ".git").top == other


def test_sha256(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, object_format="sha256")
    found = discover(repo.path)
    assert found.object_format == "sha256"
    assert found.head_tree() == (None, found.empty_tree)
    assert found.empty_tree == repo.git("hash-object", "-t", "tree", "/dev/null")
    assert found.hash_blob(b"data\n") == repo.git("hash-object", "--stdin", stdin="data\n")
    repo.commit("first", {"a.txt": "1\n"})
    assert found.head_tree() == (repo.head, repo.git("rev-parse", "HEAD^{tree}"))


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    found = discover(repo.path)
    assert found.head_commit() is None
    assert found.head_tree() == (None, repo.git("hash-object", "-t", "tree", "/dev/null"))
    assert found.branch() == "main"
    assert not found.is_partial()
    with pytest.raises(UsageError) as failed:
        found.resolve("HEAD")
    assert str(failed.value) == "not a commit or tree of this repository: HEAD"


def test_a_detached_head(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    first = repo.head
    repo.commit("second", {"a.txt": "2\n"})
    repo.git("checkout", "--quiet", "--detach", "HEAD~1")
    found = discover(repo.path)
    assert found.branch() is None
    assert found.head_commit() == first


def test_revisions(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"d/a.txt": "1\n"})
    first, tree = repo.head, repo.git("rev-parse", "HEAD^{tree}")
    folder = repo.git("rev-parse", "HEAD:d")
    repo.git("tag", "-a", "-m", "annotated", "v1")
    repo.git("branch", "odd/näme")
    repo.commit("second", {"d/a.txt": "2\n"})
    found = discover(repo.path)
    for name in ("HEAD~1", "v1", "odd/näme", first[:9], "main^", ":/first"):
        assert found.resolve(name) == (first, tree)
    assert found.resolve("HEAD~1^{tree}") == (tree, tree)
    assert found.resolve("HEAD~1:d") == (folder, folder)
    for name in ("nowhere", "HEAD:d/a.txt", "-n", "--all", "HEAD~9", "a b", "", "HEAD..v1", "\n"):
        with pytest.raises(UsageError):
            found.resolve(name)


def test_a_branch_called_like_an_option_or_a_file(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"main": "a file named as the branch\n", "HEAD": "x\n"})
    assert discover(repo.path).head_commit() == repo.head
    assert discover(repo.path).resolve("main")[0] == repo.head


def test_partial_clones_are_recognised(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin", files={"a.txt": "1\n"})
    origin.git("config", "uploadpack.allowFilter", "true")
    whole, part = origin.clone(tmp_path / "w"), origin.clone(tmp_path / "p", "--filter=blob:none")
    assert not discover(whole.path).is_partial()
    assert discover(part.path).is_partial()


def test_hooks_are_where_core_hookspath_says(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"deep/a.txt": "1\n"})
    repo.git("config", "core.hooksPath", ".githooks")
    assert discover(repo.path / "deep").path_of("hooks") == repo.path / ".githooks"


def _refusal(folder: Path) -> str:
    with pytest.raises(SkillmeshError) as failed:
        discover(folder)
    assert isinstance(failed.value, NotARepository)
    return str(failed.value)


def test_outside_of_any_repository(tmp_path: Path) -> None:
    assert _refusal(tmp_path) == (
        f"not a git repository: {tmp_path}: run this inside one, or use -C"
    )


def test_a_git_file_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert _refusal(tmp_path) == (
        f"not a git repository: {tmp_path}: run this inside one, or use -C"
    )


def test_a_damaged_configuration(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    (repo.path / ".git" / "config").write_text("[core\nbroken")
    assert _refusal(repo.path) == (
        f"git cannot open the repository at {repo.path}: "
        "fatal: bad config line 1 in file .git/config"
    )


def test_a_repository_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert _refusal(repo.path) == (
        f"git refuses this repository, it belongs to another user: {repo.path}: "
        f"git config --global --add safe.directory {repo.path}"
    )
    monkeypatch.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER")
    assert discover(repo.path).top == repo.path


def test_a_current_folder_that_has_been_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(NotARepository) as failed:
        discover()
    assert str(failed.value) == "the current folder has been deleted: cd somewhere else"


def test_a_shallow_clone_knows_its_head(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin", files={"a.txt": "1\n"})
    origin.commit("second", {"a.txt": "2\n"})
    shallow: Repo = origin.clone(tmp_path / "shallow", "--depth=1")
    found = discover(shallow.path)
    assert found.head_commit() == origin.head
    with pytest.raises(UsageError):
        found.resolve("HEAD~1")
