"""Make a backup: whole or not at all, of what is there now, readable by its owner alone."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from git_skillmesh.backup import gathering, making
from git_skillmesh.backup.folder import dated, older
from git_skillmesh.backup.gathering import What
from git_skillmesh.backup.making import back_up
from git_skillmesh.config import load
from git_skillmesh.errors import Damaged
from git_skillmesh.git.repository import discover
from testing.backups import made, opened
from testing.chroma_server import free_port
from testing.commands import call
from testing.killing import calls_of, ended
from testing.repos import Repo, make_repo
from testing.rights import run_respecting_permissions
from tests.actions.test_workflows import audited, program
from tests.backup.conftest import DRAFT, LEARNING, Kept


def test_what_it_says(kept: Kept, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    done = call(kept.repo.path, "backup", str(file))
    size = file.stat().st_size / 1000
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{file}: {size:.1f} kB\n  2 conversations, 50 thoughts, notes of 2 commits, 3 files\n"
    )
    assert file.stat().st_mode & 0o777 == 0o600
    done = call(tmp_path, "backup", "--verify", str(file))
    assert done.stdout.splitlines()[0] == f"{file}: whole"
    assert done.stdout.splitlines()[2] == (
        "  2 conversations, 50 thoughts, notes of 2 commits, 3 files"
    )


def test_the_same_is_the_same_but_for_the_time(kept: Kept, tmp_path: Path) -> None:
    members = []
    for name in ("one.tar", "two.tar"):
        assert call(kept.repo.path, "backup", "-q", str(tmp_path / name)).returncode == 0
        members.append(opened((tmp_path / name).read_bytes()))
    assert members[0] == members[1]


def test_json(kept: Kept, tmp_path: Path) -> None:
    done = call(kept.repo.path, "backup", "--json", str(tmp_path / "b.tar"))
    document = json.loads(done.stdout)
    data = (tmp_path / "b.tar").read_bytes()
    import hashlib

    assert document.pop("created").endswith("Z")
    assert document == {
        "schema": 1, "program": document["program"], "repo_id": "1234567890abcdef",
        "head": kept.repo.head, "memory": {"sessions": 2, "thoughts": 50, "notes": 2}, "files": 3,
        "collections": [], "adapters": {"active": "", "names": [], "included": False},
        "left_out": {}, "path": str(tmp_path / "b.tar"), "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), "removed": [],
    }  # fmt: skip


def test_through_a_pipe(kept: Kept, tmp_path: Path) -> None:
    with (tmp_path / "b.tar").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "git_skillmesh", "backup", "-"],
            cwd=kept.repo.path, stdout=out, stderr=subprocess.PIPE, check=True,
        )  # fmt: skip
    assert done.stderr.decode().endswith("50 thoughts, notes of 2 commits, 3 files\n")
    assert LEARNING in str(opened((tmp_path / "b.tar").read_bytes()).keys())
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "git_skillmesh", "backup", "-"],
            cwd=kept.repo.path, stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        9, b"git-skillmesh: cannot write: No space left on device\n",
    )  # fmt: skip


def test_what_it_leaves_out_is_told(kept: Kept, tmp_path: Path) -> None:
    (kept.repo.path / ".skillmesh/link").symlink_to("/etc/passwd")
    done = call(kept.repo.path, "backup", "-q", str(tmp_path / "b.tar"))
    assert (done.returncode, done.stderr) == (0, "")
    done = call(kept.repo.path, "backup", str(tmp_path / "b.tar"))
    assert done.stderr == "left out: .skillmesh/link (a link)\n"
    inside = call(kept.repo.path, "backup", "b.tar")
    assert "it lies in the working tree: keep it out of commits" in inside.stderr


def test_killed_it_leaves_the_old_file_or_the_new_one(kept: Kept, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    repository = discover(kept.repo.path)
    config = load(repository)

    def work() -> int:
        back_up(repository, config, file, What(collections=False))
        return 0

    file.write_bytes(made())
    old = file.read_bytes()
    calls = calls_of(work)
    file.write_bytes(old)
    seen = set()
    for at in [calls * part // 8 for part in range(1, 8)] + [calls - 30, calls - 3]:
        # How many calls it takes differs a little from try to try: the last ones may be too late.
        assert ended(work, at, signal.SIGKILL) in (-signal.SIGKILL, 0)
        data = file.read_bytes()
        opened(data)  # whole, whichever it is
        seen.add(data == old)
        file.write_bytes(old)
    assert True in seen
    left = {path.name for path in tmp_path.iterdir()} - {"parcels", "b.tar"}
    assert left <= {".b.tar.part"}
    assert work() == 0
    assert {path.name for path in tmp_path.iterdir()} == {"parcels", "b.tar"}


def test_two_at_once_and_other_files(kept: Kept, tmp_path: Path) -> None:
    with (tmp_path / ".b.tar.part").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = call(kept.repo.path, "backup", str(tmp_path / "b.tar"))
        assert (done.returncode, done.stderr) == (
            6, f"git-skillmesh: another backup writes {tmp_path / 'b.tar'}: try again later\n",
        )  # fmt: skip
    mine = tmp_path / "thesis.txt"
    mine.write_text("mine")
    done = call(kept.repo.path, "backup", str(mine))
    assert (done.returncode, mine.read_text()) == (2, "mine")
    assert done.stderr.endswith("is there and is no backup: choose another name, or --force\n")
    assert call(kept.repo.path, "backup", "-q", "--force", str(mine)).returncode == 0
    os.mkfifo(tmp_path / "pipe")
    assert "is no file: `git skillmesh backup - > PLACE`" in (
        call(kept.repo.path, "backup", str(tmp_path / "pipe")).stderr
    )
    (tmp_path / "link.tar").symlink_to(mine)
    assert call(kept.repo.path, "backup", "-q", str(tmp_path / "link.tar")).returncode == 0
    assert (tmp_path / "link.tar").is_symlink()


def test_a_learning_that_changes_meanwhile(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try sees two versions of it; the second one has the later."""
    repository = discover(kept.repo.path)
    tries = []
    write = making._write

    def changed(out: BinaryIO, *rest: object) -> making.Made:
        tries.append(1)
        if len(tries) == 1:
            kept.repo.write(LEARNING, "id: other\n")
        return write(out, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "_write", changed)
    back_up(repository, load(repository), tmp_path / "b.tar", What(collections=False))
    assert opened((tmp_path / "b.tar").read_bytes())[f"files/{LEARNING}"] == b"id: other\n"
    assert len(tries) == 2


def test_places_that_cannot_be_used(kept: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(0o500)
    done = run_respecting_permissions(kept.repo.path, "backup", f"{folder}/b.tar")
    assert (done.returncode, done.stderr) == (
        9, f"git-skillmesh: cannot write in {folder}: Permission denied\n",
    )  # fmt: skip
    kept.repo.write(DRAFT, "x").chmod(0)
    done = run_respecting_permissions(kept.repo.path, "backup", f"{tmp_path}/b.tar")
    assert (done.returncode, done.stderr) == (
        8, f"git-skillmesh: cannot read {kept.repo.path / DRAFT}: Permission denied\n",
    )  # fmt: skip
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no file is named: git skillmesh backup FILE, or a folder, or -"),
        (["no/such/b.tar"], "no such folder: no/such"),
        (["--keep", "0", "."], "--keep must be 1 or more"),
        (["--keep", "2", "b.tar"], "--keep goes with a folder: b.tar is none"),
        (["--verify", "none.tar"], "cannot read none.tar: No such file or directory"),
        (["--verify", "."], "cannot read .: Is a directory"),
        (["--verify", "--status"], "--verify and --status exclude each other"),
        (["--install", "cron"],
         "no folder for the backups is named: git skillmesh backup FOLDER …"),
        (["--install", "github", "x"],
         "--install github takes no FILE and no options of a backup"),
        (["--remove", "x"], "--remove takes no FILE"),
        (["--verify", "--keep", "2", "x"], "--keep does not go with --verify"),
        (["--install", "cron", "--force", "x"], "--force does not go with --install"),
        (["--at", "1:00", "x"], "--at goes with --install"),
        (["--json", "-"], "--json goes with a file, not with -"),
        (["b\0.tar"], "not a path"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    repo = make_repo(tmp_path)
    done = call(repo.path, "backup", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"git-skillmesh: {said}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.tar"], "cannot read none.tar: No such file or directory"),
        (["x", "--into", "y", "--force"], "--force does not go with --into"),
    ],
)
def test_bad_input_of_restore(tmp_path: Path, arguments: list[str], said: str) -> None:
    repo = make_repo(tmp_path)
    done = call(repo.path, "restore", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"git-skillmesh: {said}\n")


def test_kinds_of_repositories(tmp_path: Path) -> None:
    """Nothing to keep yet, an odd name, a linked worktree with learnings of its own."""
    subprocess.run(["git", "init", "-q", tmp_path / "new"], check=True)
    for name, repo in (
        ("new", Repo(tmp_path / "new")),
        ("odd", make_repo(tmp_path, "a 'b\"\n\udcff")),
    ):
        file = tmp_path / f"{name}.tar"
        assert call(repo.path, "backup", "-q", str(file)).stderr == ""
        assert call(tmp_path, "backup", "--verify", "-q", str(file)).returncode == 0
        assert call(repo.path, "restore", "-q", str(file)).returncode == 0
    repo.commit("first")
    linked = repo.worktree(tmp_path / "linked", "side")
    linked.write(DRAFT, "theirs")
    assert call(linked.path, "backup", "-q", str(tmp_path / "l.tar")).returncode == 0
    assert opened((tmp_path / "l.tar").read_bytes())[f"files/{DRAFT}"] == b"theirs"


def test_dated_backups_of_which_the_last_are_kept(kept: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    repo = "1234567890abcdef"
    olds = [folder / f"renamed-{repo}-2024030{day}T010000Z.tar" for day in (1, 2, 3)]
    others = [folder / f"parcels-other-{day}.tar" for day in (1, 2)]
    others += [folder / f"parcels-{repo}-20240301T010000Z.tar.age", folder / "notes.txt"]
    for path in (*olds, *others):
        path.write_bytes(made())
    mine = folder / f"x-{repo}-20240101T010000Z.tar"
    mine.write_text("is no backup")
    done = call(kept.repo.path, "backup", "--keep", "2", str(folder))
    (new,) = {*folder.iterdir()} - {*olds, *others, mine}
    assert new.name.startswith(f"parcels-{repo}-")
    assert [line.strip() for line in done.stdout.splitlines()[2:]] == [
        f"removed {path.name}" for path in olds[:2]
    ]
    assert {*folder.iterdir()} == {new, olds[2], *others, mine}
    assert dated(folder, "a b/ü", "x-y").name[:9] == "a_b__-x_y"


def test_a_clock_that_was_wrong_costs_no_new_backup(tmp_path: Path) -> None:
    later = [tmp_path / f"a-x-2099010{day}T000000Z.tar" for day in (1, 2, 3)]
    new = tmp_path / "a-x-20240101T000000Z.tar"
    for path in (*later, new):
        path.write_bytes(made())
    (tmp_path / "a-x-20990104T000000Z.tar").write_text("is no backup")
    assert older(new, "x", 5) == older(new, "x", 4) == []
    assert older(new, "x", 2) == later[:2]
    assert older(new, "x", 1) == later


def test_the_schedule(kept: Kept, tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "a b%"
    done = call(kept.repo.path, "backup", "--install", "systemd", "--keep", "3", str(folder))
    assert done.stdout.startswith("systemd ")
    assert folder.is_dir()
    (service,) = (home / ".config/systemd/user").glob("git-skillmesh-backup-*.service")
    text = service.read_text()
    assert f'"backup" "--quiet" "--keep" "3" "--" "{str(folder).replace("%", "%%")}"\n' in text
    assert "git skillmesh nightly" not in text
    assert call(kept.repo.path, "nightly", "--remove").stderr == "there is no schedule\n"
    assert call(kept.repo.path, "backup", "-q", "--keep", "3", "--", str(folder)).returncode == 0
    done = call(kept.repo.path, "backup", "--status")
    assert "every day at 01:30" in done.stdout
    (made_now,) = folder.iterdir()
    assert f", {made_now}, " in done.stdout.splitlines()[-1]
    done = call(kept.repo.path, "backup", "--remove")
    assert done.stdout.endswith(".timer: removed\n")
    assert not service.exists()


def test_the_workflow(kept: Kept) -> None:
    done = call(kept.repo.path, "backup", "--install", "github", "--at", "4:00")
    name = ".github/workflows/skillmesh-backup.yml"
    assert done.stdout == f"github   {name}: every day at 04:00 UTC; commit it\n"
    text = kept.repo.read(name)
    assert "runs-on: [ubuntu-latest]\n" in text
    for used in re.findall(r"^\s*(?:- )?uses: (.*)$", text, re.MULTILINE):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", used)
    if program("zizmor"):
        assert audited(kept.repo.path / ".github").startswith("No findings to report.")
    assert call(kept.repo.path, "backup", "--remove").returncode == 0
    assert not (kept.repo.path / ".github").exists()


def test_a_store_that_does_not_answer(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no backup that is silently without what only Chroma holds."""
    monkeypatch.setenv("CHROMA_DB_IMPL", "http")
    monkeypatch.setenv("CHROMA_HTTP_URL", f"http://127.0.0.1:{free_port()}")
    done = call(kept.repo.path, "backup", str(tmp_path / "b.tar"))
    assert done.returncode == 7
    assert done.stderr.endswith("; --no-collections leaves out what only Chroma holds\n")
    assert not (tmp_path / "b.tar").exists()
    done = call(kept.repo.path, "backup", "--no-collections", str(tmp_path / "b.tar"))
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_that_nobody_wrote() -> None:
    from git_skillmesh.backup.settings import read_settings

    for data in (b"", b"[]", b'{"repoid": "x"}', b'{"repoid": []}', b'{"repoid": ["a\\u0000"]}'):
        with pytest.raises(Damaged, match="settings cannot be read"):
            read_settings(data)
    assert read_settings(b'{"other.key": ["x"], "repoid": ["y"], "chroma.apikey": ["z"]}') == {
        "repoid": ["y"]
    }
    assert gathering.REFS == ("refs/skillmesh/memory", "refs/notes/skillmesh")
