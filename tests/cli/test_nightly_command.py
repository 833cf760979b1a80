"""`git skillmesh nightly`: what it prints, its exit codes, and mistakes."""

import json
from pathlib import Path

import pytest

from git_skillmesh.display import Style
from git_skillmesh.training.nightly.model import Did, Outcome, Report, Told
from git_skillmesh.training.nightly.report import markdown_of, text_of
from testing.commands import call
from testing.repos import make_repo


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no base model is named: --base PATH, or skillmesh.train.base"),
        (["--install", "cron", "--remove"], "--install and --remove exclude each other"),
        (["--remove", "--status"], "--remove and --status exclude each other"),
        (["--at", "3:00"], "--at goes with --install"),
        (["--runs-on", "gpu", "--status"], "--runs-on goes with --install"),
        (["--install", "cron", "--runs-on", "gpu"], "--runs-on goes with --install github"),
        (["--install", "github", "--at", "25:00"], "not a time: 25:00: as in 02:30"),
        (
            ["--install", "github", "--base", "b"],
            "--base is for one run: set skillmesh.train.base: every run has it",
        ),
        (["--base", "x" * 5_000], "the name of a file is too long"),
        (["again"], "no such argument: again: options of train go behind --"),
        (["--base", "b", "--markdown", "no/such"], "no such folder: no"),
        (
            ["--step", "rest"],
            "argument --step: invalid choice: rest (choose from rewards, export-rl, train,"
            " evaluate, deploy): git skillmesh nightly -h",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    repo = make_repo(tmp_path)
    done = call(repo.path, "nightly", *arguments)
    line = done.stderr.replace("'", "")  # newer versions of Python put no quotes round choices
    assert (done.returncode, done.stdout, line) == (2, "", f"git-skillmesh: {said}\n")


def test_a_repository_without_conversations(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "a\n"})
    done = call(repo.path, "nightly", "--base", "b", "--markdown", "out.md")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0] == (
        "rewards    skipped      no conversation is stored yet: git skillmesh import"
    )
    assert lines[1:5] == [
        f"{name:9}  skipped      there is nothing to judge"
        for name in ("export-rl", "train", "evaluate", "deploy")
    ]
    assert lines[5].startswith("nothing new in ")
    assert (repo.path / "out.md").read_text().startswith("## Nightly training: nothing new\n")
    quiet = call(repo.path, "nightly", "--base", "b", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    status = call(repo.path, "nightly", "--status", "--json")
    document = json.loads(status.stdout)
    assert document["schedules"] == []
    assert document["last"]["outcome"] == "nothing new"


def test_json(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "a\n"})
    done = call(repo.path, "nightly", "--step", "rewards", "--json")
    document = json.loads(done.stdout)
    assert document.pop("log").startswith(str(repo.common_dir / "skillmesh-nightly" / "log"))
    assert document.pop("seconds") >= 0
    assert document.pop("started") <= document.pop("ended")
    steps = document.pop("steps")
    assert document == {
        "schema": 1, "commit": repo.head, "outcome": "nothing new", "code": 0, "next": "",
    }  # fmt: skip
    assert steps[0] == {
        "name": "rewards", "did": "skipped", "seconds": 0.0, "code": 0, "figures": {},
        "why": "no conversation is stored yet: git skillmesh import", "command": [],
    }  # fmt: skip


REPORT = Report(
    "2026-04-01T02:30:00Z", "1234567890abcdef", Outcome.FAILED, 7, "2026-04-01T02:31:00Z", 61.25,
    [
        Told("rewards", Did.RAN, "commits changed", 1.5, 0, {"judged": 1200, "too_young": 3}),
        Told("export-rl", Did.SKIPPED, "unchanged", figures={"lines": 9}),
        Told(
            "train", Did.FAILED, "no | `luck` <b>[x](y)</b>\x1b[31m\nat all", 59.0, 7,
            {"over base": [-0.5, -0.75, -0.25], "better": True},
        ),
    ],
    "log", "git skillmesh nightly",
)  # fmt: skip


def test_a_report_as_text() -> None:
    assert list(text_of(REPORT, Style(False))) == [
        "rewards    ran          commits changed (1.5 s)",
        "                        judged 1,200, too young 3",
        "export-rl  skipped      unchanged",
        "train      failed       no | `luck` <b>[x](y)</b>␛[31m␊at all",
        "                        over base -0.5 (-0.75 to -0.25), better yes",
        "failed in 61.2 s",
        "to go on: git skillmesh nightly",
    ]


def test_a_report_in_markdown_is_escaped() -> None:
    why = r"no \| \`luck\` \<b\>\[x\]\(y\)\</b\>␛\[31m␊at all"
    assert markdown_of(REPORT) == (
        "## Nightly training: failed\n\n"
        "2026-04-01T02:30:00Z at 1234567890ab, 61.2 s.\n\n"
        "| step | what was done | why | seconds | figures |\n"
        "|---|---|---|---:|---|\n"
        "| rewards | ran | commits changed | 1.5 | judged 1,200, too young 3 |\n"
        "| export-rl | skipped | unchanged |  | lines 9 |\n"
        rf"| train | failed | {why} | 59.0 | over base \-0.5 \(\-0.75 to \-0.25\), better yes |"
        "\n\n"
        f"**train** ended with exit code 7: {why}\n\n"
        "To go on: `git skillmesh nightly`\n"
    )


def test_nothing_new_loads_nothing_heavy(tmp_path: Path) -> None:
    import subprocess
    import sys

    repo = make_repo(tmp_path, files={"a": "a\n"})
    code = (
        "import sys\nfrom git_skillmesh.cli.main import main\n"
        "assert main(['nightly', '--base', 'b', '-q']) == 0\n"
        "print([name for name in ('torch', 'transformers', 'numpy', 'chromadb', 'rich',"
        " 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repo.path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
