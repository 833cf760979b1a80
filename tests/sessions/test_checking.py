"""What a remote may not bring: everything that is no memory, or too much of one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.errors import Damaged
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions import checking
from git_skillmesh.sessions.checking import check_memory, check_notes
from git_skillmesh.sessions.layout import exchange_key, key_of
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo

REF = "refs/skillmesh/memory"
KEY = key_of("s")
FOLDER = f"sessions/{KEY[0]}/{KEY[1]}/{KEY}"
THOUGHT = f"0001-{'0' * 16}-{'a' * 16}.json"
TAIL = ": nothing of it was taken over"


@pytest.fixture(scope="module")
def remembering(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a memory; never changed."""
    repo = make_repo(tmp_path_factory.mktemp("remembering"), files={"a": "1\n"})
    open_memory(repo).add([make_session("s", 2), make_session("other", 1)])
    return repo


@pytest.fixture
def repo(remembering: Repo, tmp_path: Path) -> Repo:
    """A copy of it."""
    return remembering.copy(tmp_path / "repo")


def changed(repo: Repo, *entries: str, base: str = REF) -> str:
    """Return a commit of what `base` holds, with `mode oid path` entries put over it."""
    index = {"GIT_INDEX_FILE": f"{repo.git_dir}/index-of-test"}
    repo.git("read-tree", base, env=index)
    told = (entry.split(" ") for entry in entries)
    lines = "".join(f"{mode} {oid}\t{path}\0" for mode, oid, path in told)
    repo.git("update-index", "-z", "--index-info", env=index, stdin=lines)
    tree = repo.git("write-tree", "--missing-ok", env=index)
    return repo.git("commit-tree", tree, "-p", base, "-m", "theirs")


def blob(repo: Repo, text: str = "text\n") -> str:
    return repo.git("hash-object", "-w", "--stdin", stdin=text)


def check(repo: Repo, theirs: str, ours: str | None = REF) -> None:
    with ObjectDatabase(discover(repo.path)) as db:
        here = repo.git("rev-parse", ours) if ours else None
        check_memory(db, theirs, here, "the memory of origin")


def complaint(repo: Repo, theirs: str, ours: str | None = REF) -> str:
    with pytest.raises(Damaged) as failed:
        check(repo, theirs, ours)
    text = str(failed.value).removeprefix("the memory of origin is not usable")
    assert text.endswith(TAIL)
    return text.removesuffix(TAIL).lstrip(", ")


def test_memories_as_the_program_writes_them_pass(repo: Repo) -> None:
    memory = open_memory(repo)
    before = repo.git("rev-parse", REF)
    memory.add([make_session("s", 4), make_session("third", 1)])
    memory.forget("other")
    theirs = repo.git("rev-parse", REF)
    for ours in (before, None, theirs):
        check(repo, theirs, ours)
    assert memory.merge(theirs) == theirs


def test_what_a_later_version_may_add_passes(repo: Repo) -> None:
    more = [
        f"100644 {blob(repo)} {path}"
        for path in (
            "plans/2026/p-1.json",
            f"thoughts/{KEY[0]}/{KEY[1]}/{KEY}/later.json",
            f"thoughts/{KEY[0]}/{KEY[1]}/{KEY}/later/x.json",
            "README.md",
            f"{FOLDER}/notes/x.jsonl",
            f"{FOLDER}/exchanges/0009-later.jsonl",
        )
    ]
    check(repo, changed(repo, *more))
    check(repo, changed(repo, *more), None)


WRONG_PLACES = [
    "sessions/readme",
    "sessions/g/0/file",
    f"sessions/{KEY[0]}/file",
    f"sessions/{KEY[1]}/{KEY[0]}/{KEY}/session.json",
    f"sessions/{KEY[0]}/{KEY[1]}/{KEY[:31]}/session.json",
    f"{FOLDER}/session.json/x",
    f"{FOLDER}/exchanges/deeper/x.jsonl",
    f"forgotten/{KEY[0]}/{KEY[1]}/{KEY}",
    f"forgotten/{KEY[0]}/{KEY[1]}/{KEY}.json/x",
    "thoughts/readme",
    f"thoughts/{KEY[0]}/{KEY[1]}/{KEY[:31]}/x.json",
    f"thoughts/{KEY[0]}/{KEY[1]}/{KEY}/{THOUGHT}/x",
    "plans/.hidden",
    "plans/a\x1b[31mred",
    "plans/" + "x" * 200,
    "a/" * 13 + "deep",
    "sessions",
]


@pytest.mark.parametrize("path", WRONG_PLACES, ids=repr)
def test_what_stands_in_a_wrong_place(repo: Repo, path: str) -> None:
    empty = repo.git("commit-tree", repo.git("mktree"), "-m", "empty")
    theirs = changed(repo, f"100644 {blob(repo)} {path}", base=empty)
    assert complaint(repo, theirs).endswith(" does not belong there")


@pytest.mark.parametrize(
    ("mode", "said"),
    [("120000", "is a symbolic link"), ("160000", "is a submodule"), ("100755", "is a program")],
)
@pytest.mark.parametrize("path", [f"{FOLDER}/session.json", "plans/x", "sessions"])
def test_what_is_no_plain_file(repo: Repo, mode: str, said: str, path: str) -> None:
    oid = repo.head if mode == "160000" else blob(repo, "../../.git/config")
    empty = repo.git("commit-tree", repo.git("mktree"), "-m", "empty")
    assert complaint(repo, changed(repo, f"{mode} {oid} {path}", base=empty)) == f"{path} {said}"


def test_an_exchange_that_is_stored_is_not_replaced(repo: Repo) -> None:
    name = next(
        line
        for line in repo.git("ls-tree", "-r", "--name-only", REF).splitlines()
        if f"0001-{exchange_key('s-1')}" in line
    )
    theirs = changed(repo, f"100644 {blob(repo, 'x' * 9999)} {name}")
    assert complaint(repo, theirs) == f"{name} is not what was stored under that name"
    check(repo, theirs, None)  # who has nothing of it cannot tell


def test_a_thought_that_is_stored_is_not_replaced(repo: Repo) -> None:
    path = f"thoughts/{KEY[0]}/{KEY[1]}/{KEY}/{THOUGHT}"
    ours = changed(repo, f"100644 {blob(repo)} {path}")
    theirs = changed(repo, f"100644 {blob(repo, 'x' * 99)} {path}")
    assert complaint(repo, theirs, ours) == f"{path} is not what was stored under that name"
    large = changed(repo, f"100644 {blob(repo, 'x' * 1_048_577)} {path}")
    assert complaint(repo, large) == f"{path} has 1,048,577 bytes, more than 1,048,576"


def test_sizes_are_bounded(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    large = blob(repo, "x" * 1_048_577)
    theirs = changed(repo, f"100644 {large} {FOLDER}/session.json")
    said = f"{FOLDER}/session.json has 1,048,577 bytes, more than 1,048,576"
    assert complaint(repo, theirs) == said
    check(repo, changed(repo, f"100644 {large} {FOLDER}/exchanges/x.jsonl"))
    monkeypatch.setattr(checking, "LARGEST_FILE", 1_000_000)
    theirs = changed(repo, f"100644 {large} {FOLDER}/exchanges/x.jsonl")
    assert "has 1,048,577 bytes, more than 1,000,000" in complaint(repo, theirs)


def test_a_tree_that_repeats_itself_is_not_walked_to_its_end(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_ENTRIES", 20_000)
    tree = repo.git("mktree", stdin=f"100644 blob {blob(repo)}\tx\n")
    for _ in range(9):
        tree = repo.git("mktree", stdin="".join(f"040000 tree {tree}\tt{n}\n" for n in range(16)))
    bomb = repo.git("commit-tree", tree, "-m", "bomb")
    assert complaint(repo, bomb).endswith(" is one of more than 20,000 paths")


def test_what_is_no_commit_or_no_tree(repo: Repo) -> None:
    text = blob(repo)
    assert complaint(repo, text) == "it is a blob"
    lying = raw_tree(repo, f"100644 README.md\0{bytes.fromhex(repo.head).decode('latin-1')}")
    theirs = repo.git("commit-tree", lying, "-m", "a commit as a file")
    assert complaint(repo, theirs, None) == "README.md is a commit"
    missing = repo.git("mktree", "--missing", stdin=f"100644 blob {'1' * 40}\tREADME.md\n")
    with pytest.raises(Damaged, match=r"has not been fetched whole, README\.md is missing"):
        check(repo, repo.git("commit-tree", missing, "-m", "something is missing"), None)


def raw_tree(repo: Repo, text: str) -> str:
    """Write a tree that git would not make."""
    path = repo.git_dir / "raw"
    path.write_bytes(text.encode("latin-1"))
    return repo.git("hash-object", "-t", "tree", "-w", "--literally", "--", f"{path}")


def garbage_tree(repo: Repo) -> str:
    return raw_tree(repo, "no tree")


def odd_time(repo: Repo) -> str:
    text = f"tree {repo.git('rev-parse', REF + '^{tree}')}\nauthor x\ncommitter y\n\nm\n"
    return repo.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text)


def garbage_commit(repo: Repo) -> str:
    text = f"tree {garbage_tree(repo)}\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nm\n"
    return repo.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text)


@pytest.mark.parametrize("make", [odd_time, garbage_commit])
def test_objects_that_git_itself_would_refuse(repo: Repo, make: Callable[[Repo], str]) -> None:
    with pytest.raises(Damaged):
        check(repo, make(repo), None)


def notes_complaint(repo: Repo, *entries: str) -> str:
    empty = repo.git("commit-tree", repo.git("mktree"), "-m", "empty")
    with (
        ObjectDatabase(discover(repo.path)) as db,
        pytest.raises(Damaged) as failed,
    ):
        check_notes(db, changed(repo, *entries, base=empty), None, "the notes of origin")
    text = str(failed.value).removeprefix("the notes of origin is not usable, ")
    return text.removesuffix(TAIL)


def test_notes_are_notes(repo: Repo) -> None:
    who = "committer Ada Example <ada@example.org>"
    made = (f"commit refs/heads/many\n{who} {number} +0000\ndata 0\n" for number in range(300))
    repo.git("fast-import", "--quiet", stdin="".join(made))
    commits = repo.git("rev-list", "many").split()
    repo.git("notes", "--ref=skillmesh", "add", "-m", "{}", commits[0])
    # So many that git divides them among folders.
    pairs = "".join(f"{commits[0]} {commit}\n" for commit in commits[1:])
    repo.git("notes", "--ref=skillmesh", "copy", "--stdin", stdin=pairs)
    folders = repo.git("ls-tree", "--name-only", "refs/notes/skillmesh").split()
    assert {len(name) for name in folders} == {2}
    with ObjectDatabase(discover(repo.path)) as db:
        check_notes(db, repo.git("rev-parse", "refs/notes/skillmesh"), None, "notes")
    one, name = blob(repo), commits[0]
    assert notes_complaint(repo, f"100644 {one} readme") == "readme does not belong there"
    for path in (name[:38], f"{name}00", f"{name[:3]}/{name[3:]}", f"{name[:2]}/{name}", name[:2]):
        assert notes_complaint(repo, f"100644 {one} {path}").endswith(" does not belong there")
    assert notes_complaint(repo, f"120000 {one} {name}") == f"{name} is a symbolic link"


def test_a_note_is_bounded(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "LARGEST_NOTE", 1000)
    large = blob(repo, "x" * 1001)
    said = f"{repo.head} has 1,001 bytes, more than 1,000"
    assert notes_complaint(repo, f"100644 {large} {repo.head}") == said
