"""Schedules: set, seen, and taken away byte for byte.

`crontab` is a program of the same interface, which keeps one file and refuses what cron refuses.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.config import load
from git_skillmesh.errors import Unavailable, UsageError
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.schedule import cron, github, systemd
from git_skillmesh.schedule.model import Plan
from git_skillmesh.schedule.model import plan_of as plan_of_job
from git_skillmesh.training.nightly.job import NIGHTLY
from testing.commands import call
from testing.repos import Repo, make_repo, run
from tests.actions.test_workflows import audited, program

CRONTAB = """\
#!/bin/sh
file=$CRONTAB_FILE
case $1 in
-l) [ ! -f "$file.locked" ] || { echo "crontab: permission denied" >&2; exit 1; }
    [ -f "$file" ] || { echo "no crontab for ada" >&2; exit 1; }; cat "$file" ;;
-r) rm "$file" ;;
-) cat > "$file.new"
    if [ -s "$file.new" ] && [ -n "$(tail -c 1 "$file.new")" ]; then
        echo "new crontab file is missing newline before EOF, can't install." >&2; exit 1
    fi
    mv "$file.new" "$file" ;;
esac
"""
WORKFLOW = github.name_of(NIGHTLY)
ODD = "a b'c\"d%e$f\\g"


def plan_of(repository: Repository, at: str | None, labels: str | None = None) -> Plan:
    return plan_of_job(repository, NIGHTLY, at, labels)


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "crontab").write_text(CRONTAB)
    (folder / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CRONTAB_FILE", str(tmp_path / "crontab"))
    return tmp_path / "crontab"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, ODD)


def test_a_crontab_gets_a_block_and_loses_it(crontab: Path, repo: Repo) -> None:
    mine = b"# mine\n\n5 4 * * * true \\% x\n\t# odd \xff\n"
    crontab.write_bytes(mine)
    repository = discover(repo.path)
    assert cron.install(repository, plan_of(repository, "3:05")).at == "03:05"
    first = crontab.read_bytes()
    assert first.startswith(mine)
    cron.install(repository, plan_of(repository, "3:05"))
    assert crontab.read_bytes() == first
    cron.install(repository, plan_of(repository, None))
    found = cron.status(repository, NIGHTLY)
    assert found is not None
    assert (found.at, found.note) == ("02:30", "")
    assert len(crontab.read_bytes().splitlines()) == len(first.splitlines())
    other = discover(make_repo(repo.path.parent, "other").path)
    cron.install(other, plan_of(other, "5:00"))
    cron.remove(repository, NIGHTLY)
    assert cron.status(repository, NIGHTLY) is None
    cron.remove(other, NIGHTLY)
    assert crontab.read_bytes() == mine
    assert cron.remove(other, NIGHTLY) is None


def test_a_crontab_of_ours_alone_goes_with_it(crontab: Path, repo: Repo) -> None:
    repository = discover(repo.path)
    cron.install(repository, plan_of(repository, None))
    assert crontab.exists()
    cron.remove(repository, NIGHTLY)
    assert not crontab.exists()


def test_a_crontab_that_cannot_be_read_is_not_written_over(crontab: Path, repo: Repo) -> None:
    crontab.write_bytes(b"5 4 * * * true\n")
    Path(f"{crontab}.locked").touch()
    repository = discover(repo.path)
    with pytest.raises(Unavailable) as told:
        cron.install(repository, plan_of(repository, None))
    assert str(told.value) == "the crontab cannot be read: crontab: permission denied"
    assert cron.remove(repository, NIGHTLY) is None
    assert crontab.read_bytes() == b"5 4 * * * true\n"


def test_the_line_is_what_cron_makes_of_it(crontab: Path, repo: Repo) -> None:
    """cron takes the backslash from `\\%` and gives the rest to a shell."""
    repository = discover(repo.path)
    cron.install(repository, plan_of(repository, "23:59"))
    (line,) = [one for one in crontab.read_text().splitlines() if one.startswith("59 23 * * * ")]
    command = line.removeprefix("59 23 * * * ")
    assert not re.search(r"(?<!\\)%", command)
    words = shlex.split(command.replace("\\%", "%"))
    assert words[0].startswith("PATH=/")
    assert words[1:] == [
        sys.executable, "-P", "-m", "git_skillmesh", "-C", str(repo.path), "nightly", "--quiet",
    ]  # fmt: skip
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "git-skillmesh: no base model is named: --base PATH, or skillmesh.train.base\n"
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"") + b"\n"))
def test_every_other_byte_of_a_crontab_stays(text: bytes, crontab: Path, repo: Repo) -> None:
    crontab.write_bytes(text)
    repository = discover(repo.path)
    cron.install(repository, plan_of(repository, None))
    assert crontab.read_bytes().startswith(text)
    cron.remove(repository, NIGHTLY)
    assert crontab.read_bytes() == text


def test_no_crontab(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "only"))
    repository = discover(repo.path)
    with pytest.raises(Unavailable, match="there is no crontab here: install cron, or --install"):
        cron.install(repository, plan_of(repository, None))
    assert cron.remove(repository, NIGHTLY) is None
    assert cron.status(repository, NIGHTLY) is None


def test_a_path_that_no_schedule_can_hold(crontab: Path, tmp_path: Path) -> None:
    repository = discover(make_repo(tmp_path, "a\nb").path)
    with pytest.raises(UsageError, match="control characters cannot stand in a schedule"):
        cron.install(repository, plan_of(repository, None))
    with pytest.raises(UsageError, match="control characters cannot stand in a schedule"):
        systemd.install(repository, plan_of(repository, None))
    assert not crontab.exists()


def units(home: Path) -> list[Path]:
    folder = home / ".config" / "systemd" / "user"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_units_come_and_go(repo: Repo, home: Path) -> None:
    repository = discover(repo.path)
    systemd.install(repository, plan_of(repository, "3:05"))
    service, timer = [path for path in units(home) if not path.is_symlink()]
    assert 'ExecStart="' in service.read_text()
    assert "OnCalendar=*-*-* 03:05:00\n" in timer.read_text()
    before = [path.stat().st_mtime_ns for path in (service, timer)]
    systemd.install(repository, plan_of(repository, "3:05"))
    assert [path.stat().st_mtime_ns for path in (service, timer)] == before
    systemd.install(repository, plan_of(repository, "4:05"))
    found = systemd.status(repository, NIGHTLY)
    assert found is not None
    assert (found.kind, found.at) == ("systemd", "04:05")
    systemd.remove(repository, NIGHTLY)
    assert units(home) == []
    assert systemd.remove(repository, NIGHTLY) is None


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(repo: Repo, home: Path) -> None:
    repository = discover(repo.path)
    systemd.install(repository, plan_of(repository, None))
    (home / "run").mkdir()
    done = run(
        "systemd-analyze", "--user", "verify", *map(str, units(home)), cwd=home,
        env={"XDG_RUNTIME_DIR": str(home / "run")},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_words_are_quoted_as_systemd_reads_them() -> None:
    assert systemd._quoted(ODD) == r'''"a b'c\"d%%e$$f\\g"'''
    assert systemd._quoted("PATH=$a%", variables=False) == '"PATH=$a%%"'


def test_what_is_not_ours_or_edited_stays(repo: Repo, home: Path) -> None:
    repository = discover(repo.path)
    systemd.install(repository, plan_of(repository, None))
    path = units(home)[0]
    path.write_text(path.read_text() + "# mine\n")
    with pytest.raises(UsageError, match="has been edited: remove it by hand"):
        systemd.install(repository, plan_of(repository, "1:00"))
    with pytest.raises(UsageError, match="has been edited: remove it by hand"):
        systemd.remove(repository, NIGHTLY)
    workflow = repo.write(WORKFLOW, "name: mine\n")
    with pytest.raises(UsageError, match="is not ours: move it away"):
        github.install(repository, plan_of(repository, None))
    assert github.remove(repository, NIGHTLY) is None
    assert workflow.read_text() == "name: mine\n"


def test_the_workflow_passes_the_linters(repo: Repo) -> None:
    repository = discover(repo.path)
    github.install(repository, plan_of(repository, "4:00", "self-hosted,linux,gpu"))
    text = (repo.path / WORKFLOW).read_text()
    assert 'cron: "0 4 * * *" # UTC' in text
    assert "runs-on: [self-hosted, linux, gpu] # zizmor: " in text
    for used in re.findall(r"^\s*(?:- )?uses: (.*)$", text, re.MULTILINE):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", used)
    if program("zizmor"):
        assert audited(repo.path / ".github").startswith("No findings to report.")
    found = github.status(repository, NIGHTLY)
    assert found is not None
    assert found.at == "04:00 UTC"
    github.remove(repository, NIGHTLY)
    assert not (repo.path / ".github").exists()


@pytest.mark.skipif(not program("actionlint"), reason="its package downloads the program")
def test_actionlint_finds_nothing(repo: Repo) -> None:
    repository = discover(repo.path)
    github.install(repository, plan_of(repository, None, "self-hosted"))
    done = run(program("actionlint") or "", "-no-color", WORKFLOW, cwd=repo.path)
    assert (done.returncode, done.stdout) == (0, "")


def test_from_the_command_line(crontab: Path, repo: Repo) -> None:
    done = call(repo.path, "nightly", "--install", "cron", "--at", "3:05")
    assert (done.returncode, done.stdout) == (0, "cron     crontab: every day at 03:05\n")
    assert done.stderr == "no base model is set yet: git config skillmesh.train.base PATH\n"
    done = call(repo.path, "nightly", "--install", "github")
    assert done.stdout == f"github   {WORKFLOW}: every day at 02:30 UTC; commit it\n"
    done = call(repo.path, "nightly", "--status")
    assert done.stdout == (
        "cron     crontab: every day at 03:05\n"
        f"github   {WORKFLOW}: every day at 02:30 UTC\n"
        "last run: none yet\n"
    )
    done = call(repo.path, "nightly", "--remove")
    assert done.stdout == (
        f"cron     crontab: removed\ngithub   {WORKFLOW}: removed; commit that\n"
    )
    done = call(repo.path, "nightly", "--remove")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "there is no schedule\n")
    assert not crontab.exists()


def test_settings_of_the_time(repo: Repo) -> None:
    repository = discover(repo.path)
    assert load(repository)["train.base"] == ""
    for at in ("24:00", "2:60", "noon", "02:30:00", "٢:30"):
        with pytest.raises(UsageError, match="not a time"):
            plan_of(repository, at)
    for labels in ("", "a,", "a b", "a]", "${{ x }}"):
        if labels:
            with pytest.raises(UsageError, match="not labels of a runner"):
                plan_of(repository, None, labels)
