"""Attributes as of a tree, judged by git itself."""

import os
import shutil
from pathlib import Path

from git_skillmesh.git.attributes import attribute_files, check_attributes, is_attribute_file
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.git.trees import list_tree
from testing.repos import Repo, make_repo

NAMES = ("linguist-generated", "linguist-vendored", "skillmesh-index")


def ask(repository: Repository, revision: str, *paths: str) -> dict[str, dict[str, str]]:
    blobs = attribute_files(list_tree(repository, repository.resolve(revision)[1]))
    return check_attributes(repository, blobs, paths, NAMES)


def test_which_files_define_attributes() -> None:
    files = {".gitattributes": "1", "a/.gitattributes": "2", "x.gitattributes": "3", "a/b": "4"}
    assert attribute_files(files) == {".gitattributes": "1", "a/.gitattributes": "2"}
    assert [path for path in files if is_attribute_file(path)] == [
        ".gitattributes", "a/.gitattributes",
    ]  # fmt: skip


def test_nested_files_values_negations_and_macros(tmp_path: Path) -> None:
    repo = make_repo(
        tmp_path,
        files={
            ".gitattributes": "[attr]made linguist-generated -skillmesh-index\n"
            "*.gen.py made\n"
            "lib/** linguist-vendored\n"
            "docs/*.md linguist-vendored=false\n"
            "*.lock -linguist-generated\n",
            "lib/.gitattributes": "mine.py !linguist-vendored\nbad.py -linguist-vendored\n",
            "lib/deep/.gitattributes": "x.gen.py skillmesh-index\n",
        },
    )
    assert ask(
        discover(repo.path),
        "HEAD",
        "a.py", "x.gen.py", "lib/a.py", "lib/mine.py", "lib/bad.py", "lib/deep/x.gen.py",
        "docs/a.md", "yarn.lock", "never/was/there.lock",
    ) == {
        "x.gen.py": {"linguist-generated": "set", "skillmesh-index": "unset"},
        "lib/a.py": {"linguist-vendored": "set"},
        "lib/bad.py": {"linguist-vendored": "unset"},
        "lib/deep/x.gen.py": {
            "linguist-generated": "set",
            "linguist-vendored": "set",
            "skillmesh-index": "set",
        },
        "docs/a.md": {"linguist-vendored": "false"},
        "yarn.lock": {"linguist-generated": "unset"},
        "never/was/there.lock": {"linguist-generated": "unset"},
    }  # fmt: skip


def test_a_revision_has_the_attributes_it_had(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={".gitattributes": "a.py linguist-generated\n"})
    repo.commit("second", {".gitattributes": "a.py linguist-vendored\n"})
    repo.commit("third", {".gitattributes": None, "b.py": "1\n"})
    repo.write(".gitattributes", "a.py skillmesh-index\n")
    repo.git("add", ".gitattributes")
    for where in (repo, repo.clone(tmp_path / "bare.git", "--bare")):
        found = discover(where.path)
        assert ask(found, "HEAD~2", "a.py") == {"a.py": {"linguist-generated": "set"}}
        assert ask(found, "HEAD~1", "a.py") == {"a.py": {"linguist-vendored": "set"}}
        assert ask(found, "HEAD", "a.py") == {}


def test_odd_names_and_no_names(tmp_path: Path) -> None:
    odd = ['q"x', "new\nline", "with space", "ü", os.fsdecode(b"\xe9"), "-dash", "tab\t"]
    repo = make_repo(tmp_path, files={".gitattributes": "* linguist-generated=maybe\n"})
    found = ask(discover(repo.path), "HEAD", *odd)
    assert found == {name: {"linguist-generated": "maybe"} for name in odd}
    assert ask(discover(repo.path), "HEAD") == {}


def test_the_index_of_the_user_is_not_touched(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={".gitattributes": "*.py linguist-generated\n"})
    before = (repo.git_dir / "index").read_bytes()
    ask(discover(repo.path), "HEAD", "a.py")
    assert (repo.git_dir / "index").read_bytes() == before


def test_sha256(tmp_path: Path) -> None:
    repo = make_repo(
        tmp_path, object_format="sha256", files={".gitattributes": "*.py linguist-generated\n"}
    )
    assert ask(discover(repo.path), "HEAD", "a.py") == {"a.py": {"linguist-generated": "set"}}


def test_what_a_partial_clone_does_not_have_says_nothing(tmp_path: Path) -> None:
    origin = make_repo(
        tmp_path,
        "origin",
        files={
            ".gitattributes": "*.py linguist-generated\n",
            "d/.gitattributes": "* linguist-vendored\n",
        },
    )
    origin.git("config", "uploadpack.allowFilter", "true")
    clone: Repo = origin.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    clone.git("cat-file", "-e", "HEAD:d/.gitattributes")
    shutil.rmtree(origin.path)
    assert ask(discover(clone.path), "HEAD", "a.py", "d/a.py") == {
        "d/a.py": {"linguist-vendored": "set"}
    }
