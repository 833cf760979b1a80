"""Trees and the working tree, against a model of what they should hold."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.git.trees import Change, WorkingTree, diff_trees, list_tree, working_tree
from testing.examples import examples
from testing.repos import Repo, make_repo

NAMES = (
    "a.py", "b.py", "d/a.py", "d/e/f.py", "d/e/g.py", "with space.py", 'quo"te', "new\nline.py",
    "tab\t.py", "-dash", ":colon", "back\\slash", "ünï.py", os.fsdecode(b"latin-\xe9.py"),
    ".gitattributes", "*.py", "#hash",
)  # fmt: skip
_STEPS = ("put", "delete", "rename", "chmod")
REGULAR, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
_SETTINGS = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Entry:
    mode: str
    oid: str


Model = dict[str, Entry]


@pytest.fixture(scope="module")
def pool(
    sealed_session: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Repo, Repository, list[str]]:
    """A repository with some blobs, and their ids."""
    repo = make_repo(tmp_path_factory.mktemp("trees"), files={str(n): f"{n}\n" for n in range(5)})
    return repo, discover(repo.path), [repo.git("rev-parse", f"HEAD:{n}") for n in range(5)]


@st.composite
def models(draw: st.DrawFn) -> tuple[dict[str, tuple[str, int]], dict[str, tuple[str, int]]]:
    """Two states of a tree: the second follows from the first by random steps."""
    entry = st.tuples(
        st.sampled_from([REGULAR, REGULAR, EXECUTABLE, LINK, SUBMODULE]), st.integers(0, 4)
    )
    old = draw(st.dictionaries(st.sampled_from(NAMES), entry, max_size=12))
    new = dict(old)
    for step in draw(st.lists(st.sampled_from(_STEPS), max_size=8)):
        if step == "put" or not new:
            new[draw(st.sampled_from(NAMES))] = draw(entry)
        elif step == "delete":
            del new[draw(st.sampled_from(sorted(new)))]
        elif step == "rename":
            moved = new.pop(draw(st.sampled_from(sorted(new))))
            new[draw(st.sampled_from(NAMES))] = moved
        else:
            name = draw(st.sampled_from(sorted(new)))
            new[name] = (draw(st.sampled_from([REGULAR, EXECUTABLE, LINK])), new[name][1])
    return old, new


def write_tree(repo: Repo, model: Model) -> str:
    index = {"GIT_INDEX_FILE": os.fspath(repo.git_dir / "model-index")}
    (repo.git_dir / "model-index").unlink(missing_ok=True)
    entries = "".join(f"{e.mode} {e.oid}\t{path}\0" for path, e in model.items())
    repo.git("update-index", "-z", "--add", "--index-info", env=index, stdin=entries)
    return repo.git("write-tree", env=index)


def regular(model: Model) -> dict[str, str]:
    return {p: e.oid for p, e in model.items() if e.mode in (REGULAR, EXECUTABLE)}


def apply(changes: list[Change], files: dict[str, str]) -> dict[str, str]:
    result = dict(files)
    for change in changes:
        assert result.get(change.path) == change.old
        if change.new is None:
            result.pop(change.path, None)
        else:
            result[change.path] = change.new
    return result


@_SETTINGS
@given(models())
def test_a_difference_leads_from_one_tree_to_the_other(
    pool: tuple[Repo, Repository, list[str]],
    states: tuple[dict[str, tuple[str, int]], dict[str, tuple[str, int]]],
) -> None:
    repo, repository, oids = pool
    commit = repo.head
    old, new = (
        {
            path: Entry(mode, commit if mode == SUBMODULE else oids[number])
            for path, (mode, number) in state.items()
        }
        for state in states
    )
    before, after = write_tree(repo, old), write_tree(repo, new)
    assert list_tree(repository, before) == regular(old)
    assert list_tree(repository, after) == regular(new)
    there, back = (
        diff_trees(repository, before, after),
        diff_trees(repository, after, before),
    )
    assert apply(there, regular(old)) == regular(new)
    assert apply(back, regular(new)) == regular(old)
    changed = {path for path in {*old, *new} if old.get(path) != new.get(path)}
    assert sorted(change.path for change in there) == sorted(changed)


def test_a_difference_is_told_whole(pool: tuple[Repo, Repository, list[str]]) -> None:
    repo, repository, oids = pool
    old = write_tree(
        repo,
        {
            "kept": Entry(REGULAR, oids[0]),
            "moved": Entry(REGULAR, oids[1]),
            "link": Entry(LINK, oids[2]),
            "mode": Entry(REGULAR, oids[3]),
        },
    )
    new = write_tree(
        repo,
        {
            "kept": Entry(REGULAR, oids[0]),
            "to": Entry(REGULAR, oids[1]),
            "link": Entry(REGULAR, oids[2]),
            "mode": Entry(EXECUTABLE, oids[3]),
        },
    )
    assert diff_trees(repository, old, new) == [
        Change("link", None, oids[2]),
        Change("mode", oids[3], oids[3]),
        Change("moved", oids[1], None),
        Change("to", None, oids[1]),
    ]
    assert diff_trees(repository, old, old) == []
    assert diff_trees(repository, repository.empty_tree, repository.empty_tree) == []
    assert diff_trees(repository, repository.empty_tree, new) == [
        Change(path, None, oid) for path, oid in sorted(list_tree(repository, new).items())
    ]


def test_the_users_settings_for_reading_do_not_matter(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"d/a.py": "1\n" * 9, "ü.py": "2\n"})
    repo.commit("second", {"d/a.py": None, "d/b.py": "1\n" * 9})
    repo.write("d/b.py", "changed\n")
    repo.write("new.py", "3\n")
    order = tmp_path / "order"
    order.write_text("*.txt\n")
    plain = discover(repo.path)
    trees = [repo.git("rev-parse", f"{rev}^{{tree}}") for rev in ("HEAD~1", "HEAD")]
    listed = [list_tree(plain, tree) for tree in trees]
    different, changed = diff_trees(plain, *trees), working_tree(plain)
    for setting in (
        "color.ui=always", "core.quotePath=true", "diff.renames=copies", "diff.relative=true",
        f"diff.orderFile={order}", "diff.noprefix=true", "status.branch=true", "status.short=true",
        "status.showUntrackedFiles=no", "status.showStash=true", "status.renames=copies",
        "diff.ignoreSubmodules=none", "core.abbrev=4", "diff.external=false",
    ):  # fmt: skip
        repo.git("config", *setting.split("="))
    below = discover(repo.path / "d")
    assert [list_tree(below, tree) for tree in trees] == listed
    assert diff_trees(below, *trees) == different
    assert working_tree(below) == changed == WorkingTree(("d/b.py",), ("new.py",), ())


CONTENTS = (b"one\n", b"two\n", b"\xff\0binary", b"")


@_SETTINGS
@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3), min_size=1, max_size=8),
    st.dictionaries(
        st.sampled_from(NAMES),
        st.sampled_from(["0", "1", "2", "gone", "link", "exec", "folder"]),
        max_size=8,
    ),
    st.booleans(),
)
def test_the_working_tree_differs_from_head_where_its_files_do(
    tmp_path_factory: pytest.TempPathFactory,
    committed: dict[str, int],
    steps: dict[str, str],
    staged: bool,
) -> None:
    repo = make_repo(tmp_path_factory.mktemp("work"))
    committed.pop(".gitattributes", None)
    repo.commit("first", {name: CONTENTS[number] for name, number in committed.items()})
    for name, step in steps.items():
        path = repo.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.is_file():
            path.unlink()
        if step.isdigit():
            path.write_bytes(CONTENTS[int(step)])
        elif step == "link":
            path.symlink_to("a.py")
        elif step == "exec":
            path.write_bytes(b"one\n")
            path.chmod(0o755)
        elif step == "folder":
            path.mkdir()
            (path / "inside").write_bytes(b"x\n")
    if staged:
        repo.git("add", "--all")
    on_disk = {
        os.path.relpath(Path(folder, name), repo.path): _state(Path(folder, name))
        for folder, _, names in os.walk(repo.path)
        for name in [*names, *_links(Path(folder))]
        if ".git" not in Path(folder).relative_to(repo.path).parts
    }
    before = {name: (REGULAR, CONTENTS[number]) for name, number in committed.items()}
    found = working_tree(discover(repo.path))
    differing = {name for name, state in on_disk.items() if before.get(name) != state}
    assert {*found.changed, *found.untracked} == differing
    assert set(found.deleted) == set(before) - set(on_disk)
    if not staged:
        assert set(found.untracked) == set(on_disk) - set(before)
    assert len({*found.changed, *found.untracked, *found.deleted}) == sum(
        map(len, (found.changed, found.untracked, found.deleted))
    )


def _links(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_symlink() and path.is_dir()]


def _state(path: Path) -> tuple[str, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return LINK, os.fsencode(path.readlink())
    return (EXECUTABLE if mode & 0o100 else REGULAR), path.read_bytes()


def test_a_clean_tree_and_one_before_the_first_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.write("a.py", "1\n")
    assert working_tree(discover(repo.path)) == WorkingTree((), ("a.py",), ())
    repo.git("add", "a.py")
    assert working_tree(discover(repo.path)) == WorkingTree(("a.py",), (), ())
    repo.commit()
    assert working_tree(discover(repo.path)) == WorkingTree((), (), ())


def test_ignored_files_submodules_and_foreign_repositories_are_not_ours(tmp_path: Path) -> None:
    library = make_repo(tmp_path, "library", files={"lib.py": "1\n"})
    repo = make_repo(tmp_path, files={".gitignore": "*.log\nbuild/\n"})
    repo.submodule(library, "lib").write("lib.py", "changed\n")
    repo.write("trace.log", "x\n")
    repo.write("build/out.py", "x\n")
    make_repo(repo.path, "nested", files={"n.py": "1\n"})
    repo.write("mine.py", "x\n")
    assert working_tree(discover(repo.path)) == WorkingTree((), ("mine.py",), ())
    assert list_tree(discover(repo.path), "HEAD").keys() == {".gitignore", ".gitmodules"}


def test_a_conflict_counts_as_changed_and_a_file_out_of_the_index_as_untracked(
    tmp_path: Path,
) -> None:
    repo = make_repo(tmp_path, files={"a b.py": "base\n", "both.py": "base\n", "kept.py": "1\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("theirs", {"a b.py": "theirs\n", "both.py": None})
    repo.git("checkout", "--quiet", "main")
    repo.commit("ours", {"a b.py": "ours\n", "both.py": "ours\n"})
    assert repo.run("merge", "topic").returncode == 1
    repo.git("rm", "--quiet", "--cached", "kept.py")
    found = working_tree(discover(repo.path))
    assert sorted(found.changed) == ["a b.py", "both.py"]
    assert (found.untracked, found.deleted) == (("kept.py",), ("kept.py",))


def test_a_bare_repository_has_no_working_tree(tmp_path: Path) -> None:
    bare = make_repo(tmp_path, files={"a.py": "1\n"}).clone(tmp_path / "bare.git", "--bare")
    assert working_tree(discover(bare.path)) == WorkingTree((), (), ())
    assert list_tree(discover(bare.path), "HEAD").keys() == {"a.py"}


def test_sha256_trees(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, object_format="sha256", files={"a.py": "1\n"})
    repo.commit("second", {"b.py": "2\n"})
    repository = discover(repo.path)
    oid = repo.git("rev-parse", "HEAD:b.py")
    assert len(oid) == 64
    assert diff_trees(
        repository, repo.git("rev-parse", "HEAD~1^{tree}"), repo.git("rev-parse", "HEAD^{tree}")
    ) == [Change("b.py", None, oid)]
