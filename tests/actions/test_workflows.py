"""The action and the workflows as their linters see them, and what no linter looks at."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from testing.docs_pages import blocks
from testing.repos import run

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
GATE_PAGE = ROOT / "docs" / "gate.md"
ACTION: dict[str, Any] = yaml.safe_load((GITHUB / "actions/merge-gate/action.yml").read_text())
FILES = sorted([*GITHUB.rglob("*.yml"), *GITHUB.rglob("*.yaml")])


def program(name: str) -> str | None:
    places = [sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
    return shutil.which(name, path=os.pathsep.join(places))


def audited(folder: Path) -> str:
    zizmor = program("zizmor")
    assert zizmor, "zizmor is one of the packages for development"
    options = ("--offline", "--no-progress", "--quiet", "--persona=auditor", "--color=never")
    done = run(zizmor, *options, str(folder), cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_zizmor_finds_nothing() -> None:
    assert audited(GITHUB).startswith("No findings to report.")


def test_zizmor_finds_nothing_in_the_documentation(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    found = [block.text for block in blocks(GATE_PAGE) if block.info == "yaml"]
    for number, text in enumerate(found):
        used = yaml.safe_load(text)["jobs"]["gate"]["steps"][1]
        assert set(used.get("with", {})) <= set(ACTION["inputs"])
        (folder / f"gate-{number}.yml").write_text(text)
    assert len(found) == 2
    assert audited(tmp_path).startswith("No findings to report.")


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = (GITHUB / "workflows/gate.yml").read_text()
    (folder / "gate.yml").write_text(text.replace("pull_request:", "pull_request_target:"))
    with pytest.raises(AssertionError, match="dangerous-triggers"):
        audited(tmp_path)


def test_every_input_and_output_is_documented() -> None:
    page = GATE_PAGE.read_text()
    table = page.partition("| input |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")][1:3] for line in table]
    assert [name.strip("`") for name, _ in rows] == list(ACTION["inputs"])
    for name, default in rows:
        if default.startswith("`"):
            assert ACTION["inputs"][name.strip("`")]["default"] == default.strip("`")
    told = page.partition("Its outputs are")[2].partition(".")[0]
    assert re.findall("`([a-z-]+)`", told) == list(ACTION["outputs"])


@pytest.mark.skipif(not program("actionlint"), reason="its package downloads the program")
def test_actionlint_finds_nothing() -> None:
    done = run(program("actionlint") or "", "-no-color", cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(GITHUB)))
def test_actions_of_others_are_pinned(path: Path) -> None:
    for used in re.findall(r"^\s*(?:- )?uses: (.*)$", path.read_text(), re.MULTILINE):
        assert used.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", used)


def test_inputs_reach_the_script_through_the_environment_only() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        for condition in re.findall(r"inputs\.[\w-]+", step.get("if", "")):
            assert condition.removeprefix("inputs.") in ACTION["inputs"]
    given = re.findall(r"inputs\.([\w-]+)", (GITHUB / "actions/merge-gate/action.yml").read_text())
    assert set(given) == set(ACTION["inputs"])


def test_the_token_is_given_to_one_step() -> None:
    holders = [
        step["id"] for step in ACTION["runs"]["steps"] if "GATE_TOKEN" in step.get("env", {})
    ]
    assert holders == ["check"]


def test_nothing_runs_with_the_rights_of_the_base() -> None:
    for path in FILES:
        document = yaml.safe_load(path.read_text())
        if "jobs" in document:
            assert "pull_request_target" not in document[True]
            assert document["permissions"] == {}


def test_the_requirements_are_those_of_the_package() -> None:
    lines = (GITHUB / "actions/merge-gate/requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert wanted
    assert set(wanted) <= set(project["dependencies"])


@pytest.mark.parametrize(
    ("folder", "forged"), [("a", "choice.py"), ("b", "json.py"), ("c", "git_skillmesh/__init__.py")]
)
def test_nothing_of_the_checkout_is_imported(tmp_path: Path, folder: str, forged: str) -> None:
    """Its steps start where a pull request lies, with whatever modules that has."""
    workspace = tmp_path / folder
    (workspace / forged).parent.mkdir(parents=True)
    (workspace / forged).write_text("raise SystemExit('imported')\n")
    done = subprocess.run(
        [sys.executable, "-I", GITHUB / "actions/merge-gate/gate.py", "plan"],
        cwd=workspace,
        env={
            **os.environ,
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "PYTHONPATH": str(workspace),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "output").read_text().startswith(f"environment={tmp_path}/skillmesh-gate\n")
