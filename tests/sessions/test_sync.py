"""Sharing with real remotes: what comes, what goes, what is refused, what is never lost."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.errors import Busy, Damaged, Unavailable
from git_skillmesh.git import remotes
from git_skillmesh.git.notes import add_lines, all_notes
from git_skillmesh.git.remotes import fetch_settings, find_remote
from git_skillmesh.git.transport import Manners
from git_skillmesh.sessions import sync as module
from git_skillmesh.sessions.difference import Difference
from git_skillmesh.sessions.layout import key_of
from git_skillmesh.sessions.sync import Outcome, plan, sync, unite_fetched
from testing.memory import make_session, open_memory, tree_of
from testing.remotes import git_daemon, has_http_backend, http_backend, make_hub
from testing.repos import Repo, make_repo

REF, NOTES = "refs/skillmesh/memory", "refs/notes/skillmesh"
NOTHING = Difference()


@pytest.fixture
def hub(tmp_path: Path) -> Repo:
    return make_hub(tmp_path)


@pytest.fixture
def one(tmp_path: Path, hub: Repo) -> Repo:
    return clone_of(hub, tmp_path / "one")


@pytest.fixture
def two(tmp_path: Path, hub: Repo) -> Repo:
    return clone_of(hub, tmp_path / "two")


def clone_of(hub: Repo, path: Path) -> Repo:
    repo = make_repo(path.parent, path.name, files={"a": f"{path.name}\n"})
    repo.git("remote", "add", "origin", hub.path.as_uri())
    return repo


def synced(repo: Repo, **options: bool) -> Outcome:
    repository = repo.opened()
    return sync(repository, find_remote(repository, "origin"), **options)  # type: ignore[arg-type]


def sessions_of(repo: Repo) -> set[str]:
    return {found.head.session_id for found in open_memory(repo).sessions()}


def refs_of(repo: Repo) -> dict[str, str]:
    lines = repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


def test_what_one_clone_has_the_other_gets(hub: Repo, one: Repo, two: Repo) -> None:
    open_memory(one).add([make_session("s", 2), make_session("other", 1)])
    add_lines(one.opened(), {one.head: ["{}"], "1" * 40: ["{}"]})
    first = synced(one)
    assert (first.fetched, first.shared) == (NOTHING, Difference(new=2, notes=2))
    assert (first.waiting, first.rewritten, first.attempts) == (NOTHING, False, 1)
    assert str(first.shared) == "2 new sessions, notes of 2 commits"
    again = synced(one)
    assert (again.fetched, again.shared, again.waiting) == (NOTHING, NOTHING, NOTHING)
    open_memory(two).add([make_session("s", 3), make_session("mine", 1)])
    add_lines(two.opened(), {two.head: ["{}"]})
    both = synced(two)
    assert both.fetched == Difference(new=1, notes=2)  # of "s" it has more already
    assert both.shared == Difference(new=1, grown=1, notes=1)
    assert synced(one).fetched == both.shared
    assert tree_of(one) == tree_of(two) == tree_of(hub)
    assert sessions_of(one) == {"s", "other", "mine"}
    assert all_notes(one.opened()) == all_notes(two.opened())
    assert refs_of(one)["refs/skillmesh/remotes/origin/memory"] == refs_of(hub)[REF]


def test_a_remote_without_memory_and_a_clone_without(one: Repo, two: Repo) -> None:
    assert synced(one) == Outcome(find_remote(one.opened(), "origin"))
    assert set(refs_of(one)) == {"refs/heads/main"}
    open_memory(two).add([make_session("s", 1)])
    synced(two)
    assert synced(one).fetched == Difference(new=1)
    assert refs_of(one)[REF] == refs_of(two)[REF]


def test_fetching_only_and_planning_push_nothing(hub: Repo, one: Repo, two: Repo) -> None:
    open_memory(one).add([make_session("s", 1)])
    synced(one)
    open_memory(two).add([make_session("mine", 1)])
    before, there = refs_of(two), refs_of(hub)
    repository = two.opened()
    planned = plan(repository, find_remote(repository, "origin"), Manners())
    assert (planned.fetched, planned.waiting) == (Difference(new=1), Difference(new=1))
    tracking = "refs/skillmesh/remotes/origin/memory"
    assert refs_of(two) == {**before, tracking: there[REF]}
    fetched = synced(two, push_too=False)
    assert (fetched.fetched, fetched.shared) == (Difference(new=1), NOTHING)
    assert fetched.waiting == Difference(new=1)
    assert refs_of(hub) == there
    assert sessions_of(two) == {"s", "mine"}


def test_forgotten_here_is_forgotten_there_and_everywhere(hub: Repo, one: Repo, two: Repo) -> None:
    one.git("config", "core.logAllRefUpdates", "always")
    two.git("config", "core.logAllRefUpdates", "always")
    open_memory(one).add([make_session("secret", 2), make_session("kept", 1)])
    synced(one)
    synced(two)
    open_memory(two).add([make_session("theirs", 1)])
    synced(two)
    open_memory(one).forget("secret")
    done = synced(one)
    assert done.rewritten
    assert (done.fetched, done.shared) == (Difference(new=1), Difference(forgotten=1))
    open_memory(two).add([make_session("secret", 3), make_session("late", 1)])
    gone = synced(two)
    assert (gone.fetched, gone.shared) == (Difference(forgotten=1), Difference(new=1))
    assert not gone.rewritten
    synced(one)
    for repo in (hub, one, two):
        history = repo.git("rev-list", "--objects", "--all", "--reflog")
        assert f"/{key_of('secret')}/" not in history
    assert sessions_of(one) == sessions_of(two) == {"kept", "theirs", "late"}
    assert tree_of(one) == tree_of(two) == tree_of(hub)


def test_two_forget_at_the_same_time(hub: Repo, one: Repo, two: Repo) -> None:
    open_memory(one).add([make_session(name, 1) for name in "abc"])
    synced(one)
    synced(two)
    open_memory(one).forget("a")
    open_memory(two).forget("b")
    assert (synced(one).rewritten, synced(two).rewritten, synced(one).rewritten) == (
        True,
        True,
        False,
    )
    assert sessions_of(one) == sessions_of(two) == {"c"}
    assert tree_of(one) == tree_of(hub)


Faster = Callable[[Callable[[], object], int], None]


@pytest.fixture
def somebody_is_faster(monkeypatch: pytest.MonkeyPatch) -> Faster:
    """Return a function that lets others act right before so many pushes."""

    def arrange(act: Callable[[], object], times: int) -> None:
        real, left = remotes.push, [times]

        def late(*args: object) -> object:
            if left[0]:
                left[0] -= 1
                monkeypatch.setattr(module, "push", real)
                act()
                monkeypatch.setattr(module, "push", late)
            return real(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(module, "push", late)

    return arrange


def test_whoever_was_faster_loses_nothing(
    hub: Repo, one: Repo, two: Repo, somebody_is_faster: Faster
) -> None:
    count = 0

    def other() -> None:
        nonlocal count
        count += 1
        open_memory(two).add([make_session(f"faster{count}", 1)])
        synced(two)

    open_memory(one).add([make_session("s", 1)])
    somebody_is_faster(other, 3)
    done = synced(one)
    assert (done.attempts, done.fetched) == (4, Difference(new=3))
    assert sessions_of(hub) == {"s", "faster1", "faster2", "faster3"}


def test_a_rewrite_never_takes_what_came_meanwhile(
    hub: Repo, one: Repo, two: Repo, somebody_is_faster: Faster
) -> None:
    open_memory(one).add([make_session("secret", 1), make_session("kept", 1)])
    synced(one)
    open_memory(one).forget("secret")

    def other() -> None:
        open_memory(two).add([make_session("meanwhile", 1)])
        synced(two)

    somebody_is_faster(other, 1)
    done = synced(one)
    assert (done.attempts, done.rewritten) == (2, True)
    assert sessions_of(hub) == {"kept", "meanwhile"}


def test_a_remote_that_never_stands_still(
    monkeypatch: pytest.MonkeyPatch, one: Repo, two: Repo, somebody_is_faster: Faster
) -> None:
    monkeypatch.setattr(module, "_ATTEMPTS", 3)

    def other() -> None:
        open_memory(two).add([make_session(f"f{len(sessions_of(two))}", 1)])
        synced(two)

    open_memory(one).add([make_session("s", 1)])
    somebody_is_faster(other, 99)
    with pytest.raises(Busy, match=r"^origin changed again and again: try again in a moment$"):
        synced(one)
    assert sessions_of(one) == {"s", "f0", "f1"}


def test_a_lock_that_somebody_left(monkeypatch: pytest.MonkeyPatch, one: Repo, two: Repo) -> None:
    monkeypatch.setattr(module, "_ATTEMPTS", 2)
    open_memory(two).add([make_session("s", 1)])
    synced(two)
    lock = one.common_dir / "refs" / "skillmesh" / "remotes" / "origin" / "memory.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(Busy, match=r"Unable to create '.*/origin/memory\.lock': File exists"):
        synced(one)
    lock.unlink()
    assert synced(one).fetched == Difference(new=1)


def test_a_remote_that_refuses_changes_nothing_here(hub: Repo, one: Repo) -> None:
    open_memory(one).add([make_session("s", 1)])
    add_lines(one.opened(), {one.head: ["{}"]})
    hub.git("config", "receive.hideRefs", "refs/notes")
    with pytest.raises(Unavailable) as failed:
        synced(one)
    assert str(failed.value) == (
        "origin does not take refs/notes/skillmesh: deny updating a hidden ref"
    )
    assert sessions_of(hub) == {"s"}  # what it takes, it gets
    hub.git("config", "--unset", "receive.hideRefs")
    assert synced(one).shared == Difference(notes=1)


ONLY_FORWARD = """\
#!/bin/sh
case $3 in *[!0]*) ;; *) exit 0 ;; esac
[ "$(git merge-base $2 $3)" = $2 ]
"""


def test_a_remote_that_keeps_what_was_forgotten(hub: Repo, one: Repo) -> None:
    open_memory(one).add([make_session("s", 1), make_session("kept", 1)])
    synced(one)
    open_memory(one).forget("s")
    hub.hook("update", ONLY_FORWARD)
    with pytest.raises(Unavailable) as failed:
        synced(one)
    assert str(failed.value) == (
        "origin does not let the history of refs/skillmesh/memory be replaced, and so still has "
        "what was forgotten here: hook declined: allow that there for once, or delete the ref "
        "there, then sync again: git push origin :refs/skillmesh/memory"
    )
    one.git("push", "--quiet", "origin", ":refs/skillmesh/memory")
    (hub.hooks_dir / "update").unlink()
    assert synced(one).shared == Difference(new=1)
    assert f"/{key_of('s')}/" not in hub.git("rev-list", "--objects", REF)


def test_broken_data_of_a_remote_is_refused_whole(hub: Repo, one: Repo, two: Repo) -> None:
    open_memory(two).add([make_session("good", 1)])
    add_lines(two.opened(), {two.head: ["{}"]})
    synced(two)
    open_memory(one).add([make_session("s", 1)])
    add_lines(one.opened(), {one.head: ["{}"]})
    link = hub.git("hash-object", "-w", "--stdin", stdin="/etc/passwd")
    tree = hub.git("mktree", stdin=f"120000 blob {link}\t{'1' * 40}\n")
    evil = hub.git("commit-tree", tree, "-p", NOTES, "-m", "evil")
    hub.git("update-ref", NOTES, evil)
    mine, theirs = refs_of(one), refs_of(hub)
    with pytest.raises(Damaged) as failed:
        synced(one)
    assert str(failed.value) == (
        f"refs/notes/skillmesh of origin is not usable, {'1' * 40} is a symbolic link: "
        "nothing of it was taken over"
    )
    assert refs_of(hub) == theirs
    assert {ref: refs_of(one)[ref] for ref in (REF, NOTES)} == {
        ref: mine[ref] for ref in (REF, NOTES)
    }
    with pytest.raises(Damaged, match="nothing of it was taken over"):
        unite_fetched(one.opened())


def test_objects_that_git_refuses_do_not_arrive(hub: Repo, one: Repo) -> None:
    bad = hub.path / "bad"
    oid = bytes.fromhex(hub.git("hash-object", "-w", "--stdin", stdin="x"))
    bad.write_bytes((b"100644 x\0" + oid) * 2)
    tree = hub.git("hash-object", "-t", "tree", "-w", "--literally", "--", f"{bad}")
    hub.git("update-ref", REF, hub.git("commit-tree", tree, "-m", "twice the same name"))
    hub.git("config", "transfer.fsckObjects", "false")
    with pytest.raises(Damaged) as failed:
        synced(one)
    assert str(failed.value) == (
        f"git refuses what origin has: object {tree}: duplicateEntries: contains duplicate file "
        "entries; nothing was taken over"
    )
    assert set(refs_of(one)) == {"refs/heads/main"}


def test_what_the_user_fetched_is_taken_over(one: Repo, two: Repo) -> None:
    open_memory(one).add([make_session("s", 1)])
    add_lines(one.opened(), {one.head: ["{}"]})
    synced(one)
    repository = two.opened()
    assert unite_fetched(repository) == NOTHING
    for key, value in fetch_settings(find_remote(repository, "origin"), (REF, NOTES)):
        two.git("config", "--add", key, value)
    two.git("fetch", "--quiet")
    assert sessions_of(two) == set()
    assert unite_fetched(repository) == Difference(new=1, notes=1)
    assert unite_fetched(repository) == NOTHING
    assert sessions_of(two) == {"s"}


def test_a_partial_clone_that_lacks_contents_fetches_them(
    tmp_path: Path, hub: Repo, one: Repo
) -> None:
    hub.git("config", "uploadpack.allowFilter", "true")
    open_memory(one).add([make_session("s", 2)])
    one.git("push", "--quiet", "origin", "main", REF)
    partial = hub.clone(tmp_path / "partial", "--filter=blob:none", "--branch=main")
    partial.git("fetch", "-q", "origin", f"{REF}:refs/skillmesh/remotes/origin/memory")
    with pytest.raises(Damaged, match="has not been fetched whole"):
        unite_fetched(partial.opened())
    assert synced(partial).fetched == Difference(new=1)
    assert open_memory(partial).session("s") == make_session("s", 2)


def test_a_shallow_clone_and_a_shallow_remote(tmp_path: Path, hub: Repo, one: Repo) -> None:
    for number in range(3):
        one.commit(f"c{number}", {"a": f"{number}\n"})
        open_memory(one).add([make_session(f"s{number}", 1)])
    one.git("push", "--quiet", "origin", "main")
    synced(one)
    shallow = hub.clone(tmp_path / "shallow", "--depth=1", "--branch=main")
    open_memory(shallow).add([make_session("mine", 1)])
    done = synced(shallow)
    assert (done.fetched, done.shared) == (Difference(new=3), Difference(new=1))
    assert shallow.git("rev-list", "--count", "HEAD") == "1"
    open_memory(shallow).forget("s0")
    assert synced(shallow).rewritten
    synced(one)
    assert sessions_of(one) == sessions_of(shallow) == {"s1", "s2", "mine"}


@pytest.mark.parametrize("kind", ["bare", "worktree", "without commits", "sha256"])
def test_kinds_of_repositories(tmp_path: Path, kind: str) -> None:
    form = "sha256" if kind == "sha256" else "sha1"
    hub = make_repo(tmp_path, "hub.git", bare=True, object_format=form)
    giver = make_repo(tmp_path, "giver", object_format=form, files={"a": "1\n"})
    giver.git("remote", "add", "origin", hub.path.as_uri())
    open_memory(giver).add([make_session("s", 1)])
    synced(giver)
    repo = make_repo(tmp_path, bare=kind == "bare", object_format=form)
    repo.git("remote", "add", "origin", hub.path.as_uri())
    if kind == "worktree":
        repo.commit("first", {"a": "1\n"})
        repo = repo.worktree(tmp_path / "linked", "topic")
    open_memory(repo).add([make_session("mine", 1)])
    done = synced(repo)
    assert (done.fetched, done.shared) == (Difference(new=1), Difference(new=1))
    assert sessions_of(hub) == {"s", "mine"}


def test_a_remote_of_another_kind_of_hash(tmp_path: Path, one: Repo) -> None:
    other = make_repo(tmp_path, "other.git", bare=True, object_format="sha256")
    make_repo(tmp_path, "x", object_format="sha256", files={"a": "1\n"})
    blob = other.git("hash-object", "-w", "--stdin", stdin="x")
    tree = other.git("mktree", stdin=f"100644 blob {blob}\tx\n")
    other.git("update-ref", REF, other.git("commit-tree", tree, "-m", "x"))
    one.git("remote", "set-url", "origin", other.path.as_uri())
    open_memory(one).add([make_session("s", 1)])
    with pytest.raises(Unavailable, match=r"^cannot reach origin: "):
        synced(one)


def test_two_processes_at_once(tmp_path: Path, hub: Repo, one: Repo, two: Repo) -> None:
    for number in range(4):
        open_memory(one).add([make_session(f"a{number}", 1)])
        open_memory(two).add([make_session(f"b{number}", 1)])
    command = [sys.executable, "-m", "git_skillmesh", "sync"]
    running = [
        subprocess.Popen(command, cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for repo in (one, one, two, two)
    ]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * 4, [text for _, text in said]
    synced(one)
    synced(two)
    assert tree_of(one) == tree_of(two) == tree_of(hub)
    assert len(sessions_of(hub)) == 8


@pytest.mark.parametrize("protocol", ["git", "http"])
def test_over_the_network(tmp_path: Path, protocol: str) -> None:
    if protocol == "http" and not has_http_backend():
        pytest.skip("this git has no http-backend")
    root = tmp_path / "served"
    hub = make_hub(root)
    hub.git("config", "http.receivepack", "true")
    serve = git_daemon if protocol == "git" else http_backend
    with serve(root) as address:
        repos = [make_repo(tmp_path, name, files={"a": "1\n"}) for name in ("one", "two")]
        for repo in repos:
            repo.git("remote", "add", "origin", f"{address}/hub.git")
            open_memory(repo).add([make_session(repo.path.name, 300)])
        assert synced(repos[0]).shared == Difference(new=1)
        assert synced(repos[1]).fetched == Difference(new=1)
        open_memory(repos[1]).forget("one")
        assert synced(repos[1]).rewritten
        assert synced(repos[0]).fetched == Difference(new=1, forgotten=1)
    assert tree_of(repos[0]) == tree_of(hub)


def test_nothing_of_the_commit_in_progress_leaks_into_a_push(
    hub: Repo, one: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook: git's variables point at the repository and at a quarantine."""
    open_memory(one).add([make_session("s", 1)])
    monkeypatch.setenv("GIT_DIR", os.fspath(one.git_dir))
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    monkeypatch.setenv("GIT_QUARANTINE_PATH", "nowhere")
    assert synced(one).shared == Difference(new=1)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (Difference(), "nothing"),
        (Difference(new=1), "1 new session"),
        (Difference(new=2, grown=1), "2 new sessions and 1 session that grew"),
        (Difference(grown=3, notes=1), "3 sessions that grew, notes of 1 commit"),
        (Difference(forgotten=1, notes=1200), "1 session forgotten, notes of 1,200 commits"),
    ],
)
def test_a_difference_in_words(difference: Difference, said: str) -> None:
    assert str(difference) == said
    assert bool(difference) == (said != "nothing")
    assert re.fullmatch(r"[\w, ]+", said)
