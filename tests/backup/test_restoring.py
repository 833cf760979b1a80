"""Restore: what comes back, what stays as it is here, and what is refused as a whole."""

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.backup import container
from git_skillmesh.backup.manifest import Member
from git_skillmesh.backup.settings import kept_settings, restore_settings
from git_skillmesh.git.process import Git
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.store import MemoryStore
from testing.commands import call
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo
from tests.backup.conftest import DRAFT, LEARNING, Kept

REFS = ("refs/skillmesh/memory", "refs/notes/skillmesh")


def state_of(repo: Repo) -> dict[str, object]:
    """Return everything that a restore may change."""
    home = repo.path / ".skillmesh"
    files = {
        str(path): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }
    refs = repo.git("for-each-ref")
    return {"files": files, "refs": refs, "config": (repo.git_dir / "config").read_bytes()}


def repacked(file: Path, to: Path, change: "dict[str, bytes]") -> Path:
    """Write a backup with other members, whose sums are all right."""
    kept: dict[str, bytes] = {}

    def keep(manifest: object, member: Member) -> container.Opened:
        class Sink(io.BytesIO):
            def close(self) -> None:
                kept[member.path] = self.getvalue()
                super().close()

        return Sink()

    with file.open("rb") as stream:
        manifest = container.read(stream, "b", keep)
    kept |= change
    members = tuple(
        replace(one, size=len(kept[one.path]), sha256=hashlib.sha256(kept[one.path]).hexdigest())
        for one in manifest.members
    )
    text = replace(manifest, members=members).to_bytes()
    with to.open("wb") as out:
        container.write(out, text, members, (iter([kept[one.path]]) for one in members))
    return to


def test_everything_comes_back(kept: Kept, tmp_path: Path) -> None:
    before = state_of(kept.repo)
    repo = kept.repo
    shutil.rmtree(repo.path / ".skillmesh")
    for name in REFS:
        repo.git("update-ref", "-d", name)
    repo.git("config", "--unset", "skillmesh.link.days")
    done = kept.restore()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        "  memory       added: 2 new sessions, 50 thoughts, notes of 2 commits",
        "  files        written: .skillmesh/config.toml, .skillmesh/learnings/drafts/not "
        "committed.yaml, .skillmesh/learnings/never-sleep.yaml",
        "  settings     set: link.days; 3 settings as in the backup",
    ]
    after = state_of(repo)
    assert after["files"] == before["files"]
    assert after["refs"] == before["refs"]
    assert repo.git("config", "skillmesh.link.days") == "30"
    again = kept.restore()
    assert again.stdout.splitlines()[1:] == [
        "  memory       has all of it already",
        "  files        3 files as in the backup",
        "  settings     4 settings as in the backup",
    ]
    assert state_of(repo) == after


def test_a_dry_run_touches_nothing(emptied: Kept) -> None:
    before = state_of(emptied.repo)
    objects = emptied.repo.git("count-objects", "-v")
    done = emptied.restore("--dry-run", "--json")
    document = json.loads(done.stdout)
    assert document["dry_run"] is True
    assert document["memory"] == {
        "new": 2, "grown": 0, "forgotten": 0, "notes": 2, "thoughts": 50,
    }  # fmt: skip
    assert document["files"]["written"] == [".skillmesh/config.toml", DRAFT, LEARNING]
    assert state_of(emptied.repo) == before
    assert emptied.repo.git("count-objects", "-v") == objects
    assert [path.name for path in emptied.repo.state_dir.iterdir()] == ["restore.lock"]


def test_a_clone_gets_what_no_remote_has(kept: Kept, tmp_path: Path) -> None:
    clone = kept.repo.clone(tmp_path / "clone")
    done = kept.restore(to=clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  settings     set: repoid, link.days; yours alone, left out without --personal: " in (
        done.stdout
    )
    for name in REFS:
        assert clone.git("rev-parse", name) == kept.repo.git("rev-parse", name)
    assert clone.read(DRAFT) == "draft: 1\n"
    assert clone.git("for-each-ref", "refs/skillmesh/remotes") == ""


def test_what_is_newer_here_stays(kept: Kept) -> None:
    repo = kept.repo
    open_memory(repo).add([make_session("later")])
    repo.write(LEARNING, "id: mended\n")
    repo.git("config", "skillmesh.link.days", "60")
    before = state_of(repo)
    done = kept.restore()
    assert done.stdout.splitlines()[1:] == [
        "  memory       has all of it already",
        f"  files        2 files as in the backup; otherwise here, left so: {LEARNING}",
        "  settings     3 settings as in the backup; otherwise here, left so: link.days",
    ]
    assert state_of(repo) == before
    done = kept.restore("--replace")
    assert repo.read(LEARNING) == "id: never-sleep\n"
    assert repo.git("config", "skillmesh.link.days") == "30"
    assert "later" in {one.head.session_id for one in open_memory(repo).sessions()}


def test_memories_are_united_both_ways(emptied: Kept) -> None:
    repo = emptied.repo
    open_memory(repo).add([make_session("mine")])
    assert emptied.restore().returncode == 0
    assert len({one.head.session_id for one in open_memory(repo).sessions()}) == 3


def test_what_was_forgotten_stays_forgotten(kept: Kept, tmp_path: Path) -> None:
    memory = open_memory(kept.repo)
    gone = sorted(one.head.session_id for one in memory.sessions())[0]
    assert isinstance(memory, MemoryStore)
    memory.forget(gone)
    tip = kept.repo.git("rev-parse", REFS[0])
    assert kept.restore().returncode == 0
    assert kept.repo.git("rev-parse", REFS[0]) == tip
    # A backup that knows of it forgets elsewhere, too.
    later = tmp_path / "later.tar"
    assert call(kept.repo.path, "backup", str(later)).returncode == 0
    other = kept.repo.clone(tmp_path / "other")
    assert kept.restore(to=other).returncode == 0
    done = call(other.path, "restore", str(later))
    assert "memory       added: 1 session forgotten" in done.stdout
    assert gone not in {one.head.session_id for one in open_memory(other).sessions()}


def test_a_learning_that_was_deleted_stays_so(kept: Kept) -> None:
    kept.repo.commit("retire", {LEARNING: None})
    done = kept.restore()
    assert f"deleted here since, left so: {LEARNING}" in done.stdout
    assert not (kept.repo.path / LEARNING).exists()
    assert f"written: {LEARNING}" in kept.restore("--replace").stdout
    (kept.repo.path / LEARNING).unlink()
    kept.repo.git("reset", "--hard", "--quiet", "HEAD~1")
    (kept.repo.path / LEARNING).unlink()  # deleted by accident: HEAD has it
    assert kept.restore().returncode == 0
    assert kept.repo.read(LEARNING) == "id: never-sleep\n"


def test_secrets_are_not_in_it(story: Kept) -> None:
    data = story.file.read_bytes()
    assert b"key-that-is-secret" not in data
    assert b"password" not in data
    assert b"http://model.example" in data


def test_what_is_yours_alone_is_asked_for(emptied: Kept) -> None:
    repo = emptied.repo
    for name in ("advise.endpoint", "sync.agreed"):
        repo.git("config", "--unset", f"skillmesh.{name}")
    done = emptied.restore()
    assert "left out without --personal: advise.endpoint, sync.agreed" in done.stdout
    assert repo.run("config", "skillmesh.advise.endpoint").returncode == 1
    assert "set: advise.endpoint, sync.agreed" in emptied.restore("--personal").stdout
    assert repo.git("config", "skillmesh.sync.agreed") == "https://example.org/a.git"


def test_another_repository_is_refused(kept: Kept, tmp_path: Path) -> None:
    other = make_repo(tmp_path, "other", files={"a": "a\n"})
    before = state_of(other)
    done = kept.restore(to=other)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"git-skillmesh: {kept.file} is of the repository 1234567890abcdef"
    )
    assert done.stderr.endswith(": --force restores it all the same\n")
    assert state_of(other) == before
    assert kept.restore("--force", to=other).returncode == 0
    assert other.read(LEARNING) == "id: never-sleep\n"


def test_an_empty_repository_takes_it_by_force(kept: Kept, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "empty"], check=True)
    empty = Repo(tmp_path / "empty")
    assert kept.restore(to=empty).returncode == 2
    assert kept.restore("--force", to=empty).returncode == 0
    assert empty.git("rev-parse", REFS[0]) == kept.repo.git("rev-parse", REFS[0])


def test_a_bare_repository_has_no_files(kept: Kept, tmp_path: Path) -> None:
    bare = kept.repo.clone(tmp_path / "bare.git", "--bare")
    done = kept.restore(to=bare)
    assert "  files        a bare repository has no working tree\n" in done.stdout
    assert bare.git("rev-parse", REFS[0]) == kept.repo.git("rev-parse", REFS[0])
    made = call(bare.path, "backup", str(tmp_path / "bare.tar"))
    assert made.returncode == 0, made.stderr
    assert "2 conversations, 50 thoughts, notes of 2 commits, 0 files" in made.stdout


def test_other_objects_are_refused(kept: Kept, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--object-format=sha256", tmp_path / "new"], check=True)
    done = kept.restore("--force", to=Repo(tmp_path / "new"))
    assert done.stderr.endswith("in sha1: this repository has sha256\n")


@pytest.mark.parametrize("damage", ["cut", "flip", "hostile", "no-refs", "not-git"])
def test_what_is_not_whole_is_refused_whole(damage: str, emptied: Kept, tmp_path: Path) -> None:
    file = tmp_path / "damaged.tar"
    data = bytearray(emptied.file.read_bytes())
    if damage == "cut":
        file.write_bytes(data[:-700])
    elif damage == "flip":
        data[data.index(b"PACK") + 40] ^= 4
        file.write_bytes(data)
    elif damage == "not-git":
        repacked(emptied.file, file, {"memory.bundle": b"# v2 git bundle\n\nPACK"})
    else:
        repacked(emptied.file, file, {"memory.bundle": hostile(tmp_path, damage)})
    before = state_of(emptied.repo)
    done = call(emptied.repo.path, "restore", str(file), "--force")
    assert (done.returncode, done.stdout) == (8, "")
    assert done.stderr.startswith(f"git-skillmesh: {file} cannot be used")
    assert done.stderr.count("\n") == 1
    assert state_of(emptied.repo) == before
    assert call(tmp_path, "backup", "--verify", str(file)).returncode == 8


def hostile(tmp_path: Path, kind: str) -> bytes:
    """Return a bundle that git takes: with a link in the memory, or with other refs."""
    repo = make_repo(tmp_path, "hostile", files={"a": "a\n"})
    (repo.path / "sessions").symlink_to("/etc")
    repo.commit("link")
    names = REFS if kind == "hostile" else ("refs/heads/main",)
    for name in names:
        repo.git("update-ref", name, "HEAD")
    repo.git("bundle", "create", "--quiet", str(tmp_path / "bundle"), *names)
    return (tmp_path / "bundle").read_bytes()


def test_a_link_in_the_clone_leads_nowhere(emptied: Kept, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (emptied.repo.path / ".skillmesh").symlink_to(outside)
    done = emptied.restore()
    assert done.returncode == 0
    assert "otherwise here, left so: .skillmesh/config.toml" in done.stdout
    assert emptied.restore("--replace").returncode == 9
    assert list(outside.iterdir()) == []


def test_it_can_be_unpacked_anywhere(story: Kept, tmp_path: Path) -> None:
    done = call(tmp_path, "restore", str(story.file), "--into", "out")
    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / "out", check=True)
    draft = tmp_path / "out" / "files" / DRAFT
    assert (draft.read_text(), os.access(draft, os.X_OK)) == ("draft: 1\n", True)
    again = call(tmp_path, "restore", str(story.file), "--into", "out")
    assert again.stderr == "git-skillmesh: out is not empty: name a new folder\n"


def test_from_standard_input(emptied: Kept) -> None:
    with emptied.file.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "git_skillmesh", "restore", "-"],
            cwd=emptied.repo.path, stdin=file, capture_output=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"added: 2 new sessions" in done.stdout


def test_one_restore_at_a_time_and_nothing_left(emptied: Kept) -> None:
    state = discover(emptied.repo.path).state_dir
    (state / "restore-killed").mkdir(parents=True)
    with (state / "restore.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = emptied.restore()
        assert (done.returncode, done.stderr) == (
            6, "git-skillmesh: another restore is at work here: try again later\n",
        )  # fmt: skip
    assert emptied.restore().returncode == 0
    assert [path.name for path in state.iterdir()] == ["restore.lock"]


def test_a_restore_that_is_cut_off_sets_no_setting_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = discover(make_repo(tmp_path).path)
    data = json.dumps({"index.include": ["a", "b", "c"], "reponame": ["x"]}).encode()
    run, calls = Git.run_unchecked, []

    def cut_off(self: Git, *args: str, **more: object) -> object:
        calls.append(args)
        if args[0] == "config" and calls[-1][-1] == "b":
            raise KeyboardInterrupt
        return run(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Git, "run_unchecked", cut_off)
    asked = {"personal": True, "replace": False, "dry_run": False}
    with pytest.raises(KeyboardInterrupt):
        restore_settings(repository, data, **asked)
    monkeypatch.setattr(Git, "run_unchecked", run)
    assert kept_settings(repository) == {}
    assert restore_settings(repository, data, **asked).set == ["index.include", "reponame"]
    assert kept_settings(repository) == json.loads(data)
