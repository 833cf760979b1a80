"""A session that is forgotten is gone from the ref and its history, and stays away."""

from pathlib import Path

import pytest

from git_skillmesh.errors import Damaged, UsageError
from git_skillmesh.sessions.forgetting import Forgotten
from git_skillmesh.sessions.layout import key_of, tombstone_path
from git_skillmesh.sessions.store import Written
from testing.memory import make_session, open_memory, tree_of
from testing.repos import Repo, make_repo

REF = "refs/skillmesh/memory"


def log(repo: Repo, *format_: str) -> list[str]:
    return repo.git("log", "--reverse", f"--format={'|'.join(format_)}", REF).splitlines()


def objects_of(repo: Repo) -> set[str]:
    listed = repo.git("rev-list", "--objects", REF).splitlines()
    return {line.split(" ")[0] for line in listed}


def test_forgotten_for_good(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.git("config", "core.logAllRefUpdates", "always")
    memory = open_memory(repo)
    memory.add([make_session("first", 1)])
    memory.add([make_session("secret", 2), make_session("kept", 2)])
    memory.add([make_session("kept", 3)])
    memory.add([make_session("secret", 4)])
    before, times = log(repo, "%H"), log(repo, "%an", "%at", "%ct", "%s")
    tree = tree_of(repo)
    objects = objects_of(repo)
    forgotten = memory.forget("secret")
    assert forgotten == Forgotten(("secret",), 3, (), forgotten.objects, "2.weeks.ago")
    assert log(repo, "%H")[:1] == before[:1]  # what never had it stays as it was
    assert log(repo, "%an", "%at", "%ct", "%s")[:4] == times
    gone = {path for path in tree if key_of("secret") in path}
    assert len(gone) == 5
    tombstone = {tombstone_path(key_of("secret")): '{"schema": 1}'}
    left = {path: text for path, text in tree.items() if path not in gone}
    assert tree_of(repo) == left | tombstone
    assert "secret" not in repo.git("rev-list", "--objects", REF)
    assert f"/{key_of('secret')}/" not in repo.git("rev-list", "--objects", REF)
    # Nothing here keeps it alive, and git drops it.
    ids = objects - objects_of(repo)
    assert forgotten.objects == len(ids) > 10
    repo.git("gc", "--quiet", "--prune=now")
    for oid in ids:
        assert repo.run("cat-file", "-e", oid).returncode == 1
    repo.git("fsck", "--strict", "--no-dangling")


def test_neither_import_nor_events_bring_it_back(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    memory.add([make_session("secret"), make_session("kept")])
    memory.forget("secret")
    assert memory.is_forgotten("secret")
    assert not memory.is_forgotten("kept")
    assert memory.add([make_session("secret", 4), make_session("kept")]) == Written(
        unchanged=("kept",), forgotten=("secret",)
    )
    with pytest.raises(UsageError, match="no such session: secret"):
        memory.session("secret")


def test_subagents_go_with_their_session(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    memory.add([make_session("root"), make_session("child", parent="root"), make_session("other")])
    memory.add([make_session("grandchild", parent="child"), make_session("twin", parent="twin")])
    assert memory.forget("root").sessions == ("root", "child", "grandchild")
    assert memory.forget("twin").sessions == ("twin",)
    assert [found.head.session_id for found in memory.sessions()] == ["other"]


def test_who_still_has_it_is_said(tmp_path: Path) -> None:
    hub = make_repo(tmp_path, "hub", bare=True)
    repo = hub.clone(tmp_path / "clone")
    memory = open_memory(repo)
    memory.add([make_session("secret")])
    repo.git("push", "-q", "origin", REF)
    repo.git("fetch", "-q", "origin", f"{REF}:refs/skillmesh/remotes/origin/memory")
    repo.git("branch", "mine", REF)
    memory.add([make_session("kept")])
    held = ("refs/heads/mine", "refs/skillmesh/remotes/origin/memory")
    assert memory.forget("secret").refs == held
    again = memory.forget("secret")
    assert (again.commits, again.refs) == (0, held[1:])
    assert len(log(repo, "%H")) == 3


def test_the_only_session_can_be_forgotten(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("s", 1)])
    memory.forget("s")
    assert tree_of(repo) == {tombstone_path(key_of("s")): '{"schema": 1}'}
    assert memory.sessions() == ()
    assert memory.add([make_session("t", 1)]) == Written(new=("t",))
    repo.git("fsck", "--strict", "--no-dangling")


def test_forgetting_in_a_shallow_clone_keeps_its_boundary(tmp_path: Path) -> None:
    hub = make_repo(tmp_path, "hub")
    memory = open_memory(hub)
    for number in range(4):
        memory.add([make_session(f"s{number}")])
    clone = make_repo(tmp_path, "clone")
    clone.git("fetch", "-q", "--depth=2", hub.path.as_uri(), f"{REF}:{REF}")
    open_memory(clone).forget("s0")
    assert len(log(clone, "%H")) == 3
    clone.git("fsck", "--strict", "--no-dangling")
    assert len(open_memory(clone).sessions()) == 3


def test_a_partial_clone_has_to_fetch_the_memory_whole(tmp_path: Path) -> None:
    hub = make_repo(tmp_path, "hub", files={"a": "1\n"})
    hub.git("config", "uploadpack.allowFilter", "true")
    open_memory(hub).add([make_session("secret"), make_session("child", parent="secret")])
    clone = hub.clone(tmp_path / "clone", "--filter=blob:none")
    clone.git("fetch", "-q", "origin", f"{REF}:{REF}")
    memory = open_memory(clone)
    # Without their heads nobody knows which sessions are subagents of it.
    with pytest.raises(Damaged, match=f"{REF} has not been fetched whole") as failed:
        memory.forget("secret")
    clone.git(*failed.value.mend.removeprefix("git ").split())
    assert memory.forget("secret").sessions == ("secret", "child")
    assert memory.sessions() == ()
