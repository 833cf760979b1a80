"""Notes: what we write git reads, what git writes we read, in folders of any depth."""

from pathlib import Path

import pytest

from git_skillmesh.git.notes import add_lines, all_notes, notes_of, read_notes
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo

REF = "refs/notes/skillmesh"


def listed(repo: Repo) -> dict[str, list[str]]:
    lines = [line.split(" ") for line in repo.git("notes", "--ref", REF, "list").splitlines()]
    return {about: repo.git("cat-file", "blob", blob).splitlines() for blob, about in lines}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_git_and_we_read_the_same(tmp_path: Path, object_format: str) -> None:
    repo = make_repo(tmp_path, object_format=object_format, files={"a": "1\n"})
    first, second = repo.head, repo.commit("second", {"a": "2\n"})
    repository = discover(repo.path)
    assert all_notes(repository) == read_notes(repository, [first]) == {}
    assert add_lines(repository, {first: ['{"b": 1}', '{"a": "\u00e9"}'], second: ["x"]})
    assert not add_lines(repository, {first: ['{"b": 1}']})
    assert add_lines(repository, {first: ['{"a": 0}', '{"b": 1}']})
    expected = {first: ['{"a": "\u00e9"}', '{"a": 0}', '{"b": 1}'], second: ["x"]}
    expected[first].sort(key=str.encode)
    assert all_notes(repository) == read_notes(repository, [first, second]) == expected
    assert listed(repo) == expected
    assert repo.git("log", "-1", "--format=%cn|%s", REF) == "git skillmesh|add notes"
    repo.git("fsck", "--strict", "--no-dangling")


def test_notes_that_git_wrote_are_added_to(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    commits = [repo.head, *(repo.commit(f"c{n}") for n in range(3))]
    repository = discover(repo.path)
    # git keeps few notes in no folder at all; ours are one deep; both may stand side by side.
    repo.git("notes", "--ref", REF, "add", "-m", "by hand", commits[0])
    add_lines(repository, {commits[0]: ["ours"], commits[1]: ["ours"]})
    repo.git("notes", "--ref", REF, "append", "-m", "later", commits[1])
    repo.git("notes", "--ref", REF, "add", "-m", "new", commits[2])
    add_lines(repository, {commits[2]: ["ours too"]})
    expected = {
        commits[0]: ["by hand", "ours"],
        commits[1]: ["ours", "", "later"],
        commits[2]: ["new", "ours too"],
    }
    assert listed(repo) == expected
    expected[commits[1]] = ["ours", "later"]
    assert all_notes(repository) == expected
    assert read_notes(repository, commits) == expected


def test_thousands_of_notes_stay_readable(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repository = discover(repo.path)
    names = [repository.hash_blob(b"%d" % number) for number in range(3_000)]
    add_lines(repository, {name: [f'{{"n": "{name}"}}'] for name in names})
    repo.git("notes", "--ref", REF, "add", "-m", "git makes its own folders now", "HEAD")
    add_lines(repository, {names[7]: ["one more"]})
    notes = all_notes(repository)
    assert len(notes) == 3_001
    assert notes[names[7]] == sorted([f'{{"n": "{names[7]}"}}', "one more"])
    assert repo.git("notes", "--ref", REF, "list", names[7])
    assert len(listed_names(repo)) == 3_001


def listed_names(repo: Repo) -> list[str]:
    return repo.git("notes", "--ref", REF, "list").splitlines()


def test_notes_follow_an_amended_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.git("config", "notes.rewriteRef", f"{REF}*")
    add_lines(discover(repo.path), {repo.head: ['{"a": 1}']})
    repo.git("commit", "--quiet", "--amend", "-m", "better")
    assert read_notes(discover(repo.path), [repo.head]) == {repo.head: ['{"a": 1}']}


def test_notes_with_and_without_fan_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    repo.git("notes", "--ref=ai", "add", "-m", "hello", "HEAD")
    blob = repo.git("notes", "--ref=ai", "list", "HEAD")
    assert notes_of(discover(repo.path), "refs/notes/ai") == {repo.head: blob}

    head = repo.head
    inner = repo.git("mktree", stdin=f"100644 blob {blob}\t{head[2:]}\n")
    tree = repo.git(
        "mktree", stdin=f"040000 tree {inner}\t{head[:2]}\n100644 blob {blob}\tREADME\n"
    )
    repo.git("update-ref", "refs/notes/deep", repo.git("commit-tree", "-m", "x", tree))
    assert notes_of(discover(repo.path), "refs/notes/deep") == {head: blob}
