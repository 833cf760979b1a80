"""What commits changed, line by line; and where lines came from."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.git.diffs import ALL_LINES, CommitChange, FileChange, Hunk, commit_changes
from git_skillmesh.git.origins import Origin, origins
from git_skillmesh.git.quoting import unquoted
from git_skillmesh.git.repository import discover
from testing.examples import examples
from testing.repos import Repo, make_repo


def changed(repo: Repo, *commits: str) -> list[CommitChange]:
    return list(commit_changes(discover(repo.path), commits or (repo.head,)))


def files(repo: Repo, commit: str = "") -> list[FileChange]:
    """The files of a commit, without blobs."""
    [change] = changed(repo, commit or repo.head)
    return [
        replace(file, old_blob="x" * bool(file.old_blob), new_blob="x" * bool(file.new_blob))
        for file in change.files
    ]


def test_a_root_commit_an_empty_one_and_a_change(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    date = {
        "GIT_AUTHOR_DATE": "2024-03-01T12:00:00+01:00",
        "GIT_COMMITTER_DATE": "2024-03-01T13:00:00Z",
    }
    repo.write("a.py", "one\ntwo\nthree\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "first: ü\n\nbody", env=date)
    first = repo.head
    empty = repo.commit("nothing")
    second = repo.commit("second", {"a.py": "one\n2\n2b\nthree\nfour"})
    blobs = [repo.git("rev-parse", f"{commit}:a.py") for commit in (first, second)]
    assert changed(repo, second, empty, first)[1:] == [
        replace(changed(repo, empty)[0], parents=(first,), files=()),
        CommitChange(
            first, (), 1709290800, 1709298000, "first: ü",
            (FileChange("", "a.py", "", blobs[0], (Hunk(0, (), 1, (b"one", b"two", b"three")),)),),
        ),
    ]  # fmt: skip
    [change] = changed(repo, second)
    assert (change.commit, change.parents) == (second, (empty,))
    assert change.files == (
        FileChange(
            "a.py", "a.py", blobs[0], blobs[1],
            (Hunk(2, (b"two",), 2, (b"2", b"2b")), Hunk(3, (), 5, (b"four",))),
        ),
    )  # fmt: skip
    assert change.files[0].added == {2: b"2", 3: b"2b", 5: b"four"}
    assert change.files[0].removed == {2: b"two"}


def test_deletions_renames_and_modes(tmp_path: Path) -> None:
    same = "".join(f"line {n}\n" for n in range(20))
    repo = make_repo(
        tmp_path, files={"gone.py": "a\nb\n", "old.py": same, "run.sh": "x\n", "e": ""}
    )
    repo.git("mv", "old.py", "new.py")
    repo.write("new.py", same.replace("line 7\n", "line seven\n"))
    (repo.path / "run.sh").chmod(0o755)
    repo.commit("change", {"gone.py": None, "e": None})
    assert files(repo) == [
        FileChange("e", "", "x", ""),
        FileChange("gone.py", "", "x", "", (Hunk(1, (b"a", b"b"), 0, ()),)),
        FileChange(
            "old.py", "new.py", "x", "x", (Hunk(8, (b"line 7",), 8, (b"line seven",)),)
        ),
        FileChange("run.sh", "run.sh", "x", "x"),
    ]  # fmt: skip


def test_bytes_stay_as_they_are(tmp_path: Path) -> None:
    """CRLF, a bare carriage return, bytes that are no text, a file without a last line feed."""
    repo = make_repo(tmp_path, files={"a.txt": b"one\r\ntwo\r\n", "b.bin": b"\0\1", "c.txt": "x"})
    repo.commit("change", {"a.txt": b"one\r\n2\rb\r\n\xff\xfe", "b.bin": b"\0\2", "c.txt": "x\n"})
    assert files(repo) == [
        FileChange(
            "a.txt", "a.txt", "x", "x",
            (Hunk(2, (b"two\r",), 2, (b"2\rb\r", b"\xff\xfe")),),
        ),
        FileChange("b.bin", "b.bin", "x", "x"),
        FileChange("c.txt", "c.txt", "x", "x", (Hunk(1, (b"x",), 1, (b"x",)),)),
    ]  # fmt: skip


def test_content_that_looks_like_a_diff(tmp_path: Path) -> None:
    lines = [
        "commit 1234", "diff --git a/x b/x", "--- a/x", "+++ b/x", "@@ -1 +1 @@",
        ":100644 1 1 M\tx",
        "\\ No newline at end of file", "-- ", "++ y", " z", "",
    ]  # fmt: skip
    repo = make_repo(tmp_path, files={"a.txt": "\n".join(lines)})
    repo.commit("change", {"a.txt": "first\n" + "\n".join(reversed(lines)) + "\n"})
    [change] = changed(repo)
    after = ["first", *reversed(lines)]
    assert {n: after[n - 1].encode() for n in change.files[0].added} == change.files[0].added
    assert {n: lines[n - 1].encode() for n in change.files[0].removed} == change.files[0].removed
    [root] = changed(repo, repo.git("rev-parse", "HEAD~1"))
    assert [line.decode() for line in root.files[0].added.values()] == lines[:-1]


ODD = [
    'a "quoted".py',
    "tab\there.py",
    "line\nfeed.py",
    "ünï.py",
    "b\\s.py",
    "a b/c d.py",
    "-x",
    "é \t",
]


def test_odd_paths(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=dict.fromkeys(ODD, "1\n"))
    raw = os.fsdecode(b"\xff\xfe.py")
    repo.commit("change", {**dict.fromkeys(ODD, "1\n2\n"), raw: "1\n"})
    assert {(file.path, len(file.added)) for file in files(repo)} == {(p, 1) for p in [*ODD, raw]}
    for path in ODD:
        (repo.path / path).rename(repo.path / f"{path}.moved")
    repo.commit("rename", {f"{path}.moved": "1\n2\n3\n" for path in ODD})
    assert {file.new_path for file in files(repo)} >= {f"{path}.moved" for path in ODD}


def test_a_merge_has_what_none_of_its_parents_had(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\ntwo\nthree\n", "b.py": "b\n"})
    repo.git("checkout", "-qb", "side")
    repo.commit("side", {"a.py": "one\ntheirs\nthree\n", "c.py": "c\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("ours", {"a.py": "one\nours\nthree\n", "b.py": "b\nb2\n"})
    repo.run("merge", "side")
    repo.write("a.py", "one\nours\nand both\nand more\ntheirs\nthree\nend\n")
    repo.commit("merge")
    [change] = changed(repo)
    assert len(change.parents) == 2
    assert [(file.old_path, file.old_blob, file.path, file.hunks) for file in change.files] == [
        ("", "", "a.py", (Hunk(0, (), 3, (b"and both", b"and more")), Hunk(0, (), 7, (b"end",))))
    ]
    repo.git("checkout", "-q", "side")
    repo.commit("another", {"d.py": "d\n"})
    repo.git("merge", "-q", "--no-edit", "main")
    assert changed(repo)[0].files == ()


def test_links_and_submodules_do_not_count(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "a\n", "b.py": "b\n"})
    (repo.path / "b.py").unlink()
    (repo.path / "b.py").symlink_to("a.py")
    (repo.path / "s").symlink_to("a.py")
    repo.commit("links")
    assert files(repo) == [FileChange("b.py", "", "x", "", (Hunk(1, (b"b",), 0, ()),))]


def test_every_line_whatever_attributes_and_renames_say(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={".gitattributes": "*.py binary\n", "a.py": "one\ntwo\n"})
    repo.git("mv", "a.py", "b.py")
    commit = repo.commit("change", {"b.py": "one\ntwo\nthree\n"})
    (change,) = commit_changes(discover(repo.path), [commit], ALL_LINES)
    assert [(file.path, file.added, file.removed) for file in change.files] == [
        ("a.py", {}, {1: b"one", 2: b"two"}),
        ("b.py", {1: b"one", 2: b"two", 3: b"three"}, {}),
    ]


def test_a_merge_beside_one_of_its_parents(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("side", {"b.txt": "two\n"})
    repo.git("checkout", "--quiet", "main")
    other = repo.commit("main", {"a.txt": "three\n"})
    repo.git("merge", "--quiet", "--no-edit", "side")
    asked = [repo.head, other]
    found = list(commit_changes(discover(repo.path), asked, parents={repo.head: other}))
    assert [[(file.path, file.added) for file in each.files] for each in found] == [
        [("b.txt", {1: b"two"})],
        [("a.txt", {1: b"three"})],
    ]


def test_what_the_user_set_has_no_say(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\n\ntwo\n\nthree\n", "b.lock": "1\n"})
    repo.commit("change", {"a.py": "one\n\n2\n\nthree\n", "b.lock": "2\n"})
    plain = changed(repo)
    for key, value in {
        "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "diff.context": "9",
        "diff.interHunkContext": "9", "diff.renames": "copies", "color.ui": "always",
        "diff.suppressBlankEmpty": "true", "diff.algorithm": "patience", "core.quotePath": "false",
        "diff.external": "false", "log.showSignature": "true", "diff.orderFile": "nowhere",
    }.items():  # fmt: skip
        repo.git("config", key, value)
    assert changed(repo) == plain


def test_a_commit_that_a_partial_clone_lacks_is_left_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "a\n"})
    commits = [repo.head, repo.commit("two", {"a.py": "b\n"}), repo.commit("3", {"c.py": "c\n"})]
    oid = repo.git("rev-parse", "HEAD:a.py")
    (repo.git_dir / "objects" / oid[:2] / oid[2:]).unlink()
    repo.write("a.py", "git would take it from here")
    found = changed(repo, *commits)
    assert [change.commit for change in found] == [commits[0], commits[2]]
    assert found[1].files[0].added == {1: b"c"}
    assert changed(repo, *reversed(commits))[-1].commit == commits[0]
    assert changed(repo, "0" * 40, commits[2])[-1].commit == commits[2]


def test_many_commits_one_process(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "0\n"})
    commits = [repo.commit(str(n), {"a.py": f"{n}\n"}) for n in range(1, 9)]
    found = commit_changes(discover(repo.path), commits * 300)
    assert next(found).files[0].added == {1: b"1"}
    found.close()  # type: ignore[attr-defined]
    assert len(changed(repo, *commits * 300)) == 2400


LINES = st.lists(st.sampled_from(["a", "b", "c", "", " ", "\\ x", "-", "+", "d\r"]), max_size=8)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("diffs"), files={"a": ""})


def commits_of(repo: Repo, texts: list[bytes]) -> list[str]:
    """Return a commit for each text of the file "a", one after the other."""
    who = "committer A <a@example.org> 0 +0000"
    start = f"commit refs/heads/made\n{who}\ndata 1\nx\nM 100644 inline a\n"
    stream = "".join(f"{start}data {len(text)}\n{text.decode()}\n" for text in texts)
    repo.git("fast-import", "--quiet", "--force", stdin=stream)
    return repo.git("rev-list", "--reverse", "made").splitlines()


@given(st.lists(st.tuples(LINES, st.booleans()), min_size=2, max_size=4))
@settings(max_examples=examples(25), deadline=None)
def test_added_and_removed_lines_make_one_file_of_the_other(
    shared: Repo, versions: list[tuple[list[str], bool]]
) -> None:
    texts = [
        ("\n".join(lines) + ("\n" if ended and lines else "")).encode() for lines, ended in versions
    ]
    commits = commits_of(shared, texts)
    for change, before, after in zip(changed(shared, *commits)[1:], texts, texts[1:], strict=False):
        for file in change.files:
            old, new = before.split(b"\n"), after.split(b"\n")
            assert all(new[n - 1] == line for n, line in file.added.items())
            assert all(old[n - 1] == line for n, line in file.removed.items())
            kept = [line for n, line in enumerate(new, 1) if n not in file.added]
            if before.endswith(b"\n") == after.endswith(b"\n") and before and after:
                assert kept == [line for n, line in enumerate(old, 1) if n not in file.removed]
        counts = shared.git("diff-tree", "--numstat", "--no-commit-id", change.commit).split("\t")
        if change.files:
            file = change.files[0]
            assert [len(file.added), len(file.removed)] == [int(n) for n in counts[:2]]


def test_unquoted() -> None:
    assert unquoted(b'"a\\tb\\"\\\\\\303\\274"') == 'a\tb"\\ü'.encode()
    assert unquoted(b"plain") == b"plain"


# -- origins -------------------------------------------------------------------------------------


def test_where_lines_came_from(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"old name.py": "one\ntwo\nthree\nfour\nfive\n"})
    first = repo.head
    second = repo.commit("2", {"old name.py": "zero\none\ntwo\n  three\nfour\nfive\n"})
    repo.git("mv", "old name.py", "new.py")
    third = repo.commit("3")
    repository = discover(repo.path)
    assert origins(repository, third, "new.py", [1, 4, 6], 0) == {
        1: Origin(second, "old name.py", 1),
        4: Origin(first, "old name.py", 3),
        6: Origin(first, "old name.py", 5),
    }
    assert origins(repository, third, "new.py", [], 0) == {}
    assert origins(repository, third, "nowhere.py", [1], 0) == {}
    assert origins(repository, third, "new.py", [1], 4_000_000_000) == {}
    assert shutil.which("git")
