"""The steps of the action, run as the action runs them, on real merges; no network."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.gate.reports.markdown import MARKER
from testing.events import (
    NUMBER,
    REPOSITORY,
    Forge,
    forge,
    job,
    merge_group,
    merged,
    outputs,
    pull_request,
)
from testing.repos import Repo, Result, make_repo, run

GATE = Path(__file__).parents[2] / ".github" / "actions" / "merge-gate" / "gate.py"
COMMENTS = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"
RULE = """\
learning_id: no-print
title: Log, do not print
description: Nobody reads the output of a service.
languages: [python]
severity: error
state: block
matcher:
  kind: ast
  rule:
    pattern: print($$$)
fix:
  text: use the logger of the module
examples:
  bad: ["print(1)\\n", "print('a', 'b')\\n"]
  good: ["log.info('a')\\n", "pprint(1)\\n"]
source_chat_id: 3f2a9c1e
forced: as an example
"""
BAD = "def serve():\n    print('::error::forged')\n"
COMMAND = re.compile(r"^::stop-commands::(\w+)$(.*?)^::\1::$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A base with a learning; `topic` breaks it and takes it away; `merge` is checked out."""
    files: dict[str, str | bytes | None] = {
        "a.py": "print('old')\n",
        ".skillmesh/learnings/no-print.yaml": RULE,
    }
    repo = make_repo(tmp_path_factory.mktemp("origin"), files=files)
    repo.git("checkout", "--quiet", "-b", "topic")
    gone: dict[str, str | bytes | None] = {".skillmesh/learnings/no-print.yaml": None}
    repo.commit("topic", {"b.py": BAD, "json.py": "raise SystemExit('imported')\n", **gone})
    repo.git("checkout", "--quiet", "main")
    repo.commit("main moves on", {"c.txt": "1\n"})
    merged(repo, "topic")
    return repo


def gate(repo: Repo, folder: Path, event: str, payload: dict[str, Any], **more: str) -> Result:
    """Run the step `check` as the action does, in an environment that has been installed."""
    api = more.pop("api", "")
    environment = job(folder, event, payload, **more)
    environment |= {"GITHUB_API_URL": api} if api else {}
    environment["PYTHONPATH"] = str(repo.path)
    place = folder / "skillmesh-gate"
    if not place.exists():
        place.symlink_to(sys.prefix)
    return run(sys.executable, "-I", GATE, "check", cwd=repo.path, env=environment)


def test_a_pull_request_that_breaks_a_rule_and_removes_it(origin: Repo, tmp_path: Path) -> None:
    first, topic = origin.git("rev-parse", "main~1", "topic").split()
    done = gate(origin, tmp_path, "pull_request", pull_request(first, topic), sarif="", json="")
    assert (done.returncode, done.stderr) == (0, "")
    assert outputs(tmp_path) == {"exit-code": "1", "findings": "1", "blocking": "1", "sarif": ""}
    found = COMMAND.search(done.stdout)
    assert found is not None
    assert (
        found[2]
        == """
b.py
  2:5 error no-print (blocks)
    Log, do not print
      2 │     print('::error::forged')
        │     ^^^^^^^^^^^^^^^^^^^^^^^^
    fix: use the logger of the module
    learned in: git skillmesh show 3f2a9c1e

Learnings that this change touches
  no-print  removed  block

1 blocking
3 files, 1 learning; exit code 1
"""
    )
    outside = COMMAND.sub("", done.stdout).strip()
    assert outside == (
        "::error title=no-print%3A Log%2C do not print,file=b.py,line=2,endLine=2,col=5,"
        "endColumn=29::Log, do not print%0AFix: use the logger of the module%0A"
        "Learned in: git skillmesh show 3f2a9c1e"
    )
    assert (tmp_path / "summary").read_text().startswith(MARKER)


def test_another_event(origin: Repo, tmp_path: Path) -> None:
    """Which commits each event is about is in test_choice_of_commits.py."""
    base = origin.git("rev-parse", "main")
    event, payload = "merge_group", merge_group(base, origin.head)
    done = gate(origin, tmp_path, event, payload, formats="text")
    assert (done.returncode, done.stderr) == (0, "")
    assert outputs(tmp_path)["blocking"] == "1"
    assert (tmp_path / "summary").read_text() == ""


def test_a_clone_of_two_commits_is_enough(origin: Repo, tmp_path: Path) -> None:
    origin.git("branch", "--force", "merge", origin.head)
    shallow = origin.clone(tmp_path / "shallow", "--depth=2", "--branch=merge")
    first, topic = origin.git("rev-parse", "main~1", "topic").split()
    done = gate(shallow, tmp_path / "job", "pull_request", pull_request(first, topic, fork=True))
    assert (done.returncode, done.stderr) == (0, "")
    assert outputs(tmp_path / "job")["exit-code"] == "1"


def test_reports_in_files_and_a_comment(origin: Repo, tmp_path: Path) -> None:
    first, topic = origin.git("rev-parse", "main~1", "topic").split()
    with forge() as state:
        done = gate(
            origin,
            tmp_path,
            "pull_request",
            pull_request(first, topic),
            api=state.url,
            comment="true",
            token="t0ken",  # noqa: S106 - no secret: what the forge of the test is shown
            sarif_upload="true",
            json=str(tmp_path / "report.json"),
            fail_on="never",
            formats="",
        )
        assert state.calls == [("GET", COMMENTS), ("POST", COMMENTS)]
        assert body_of(state).startswith(f"{MARKER}\n### git skillmesh: 1 finding\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert outputs(tmp_path) == {
        "exit-code": "0",
        "findings": "1",
        "blocking": "1",
        "sarif": str(tmp_path / "skillmesh.sarif"),
    }
    run_ = json.loads((tmp_path / "skillmesh.sarif").read_text())["runs"][0]
    assert [one["ruleId"] for one in run_["results"]] == ["no-print"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["exit_code"], report["findings"][0]["path"]) == (0, "b.py")


def body_of(state: Forge) -> str:
    return str(state.comments[-1]["body"])


def test_a_change_that_is_clean(origin: Repo, tmp_path: Path) -> None:
    done = gate(origin, tmp_path, "push", {}, base="main~1", head="main")
    assert (done.returncode, done.stderr) == (0, "")
    assert COMMAND.search(done.stdout)
    assert outputs(tmp_path)["exit-code"] == "0"


def test_a_broken_rule_at_the_base(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {".skillmesh/learnings/no-print.yaml": "oops: 1\n"}
    repo = make_repo(tmp_path, files=files)
    repo.commit("more", {"b.py": BAD})
    done = gate(repo, tmp_path / "job", "push", {}, base="HEAD~1")
    assert (done.returncode, done.stderr) == (0, "")
    assert outputs(tmp_path / "job")["exit-code"] == "10"
    assert "::error title=A learning cannot be used,file=.skillmesh/learnings/" in done.stdout


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"fail_on": "maybe"}, "fail-on must be block, warn or never"),
        ({"formats": "text,html"}, "unknown format 'html': text, github, markdown are known"),
        ({"memory": "yes"}, "memory must be true or false"),
        ({"version": "1; id"}, "not a version: '1; id'"),
        ({"base": "nowhere\n::error::forged"}, "no such commit: nowhere%0A::error::forged; does "),
    ],
)
def test_inputs_that_do_not_fit(
    origin: Repo, tmp_path: Path, inputs: dict[str, str], told: str
) -> None:
    done = gate(origin, tmp_path, "push", {}, **{"base": "main", **inputs})
    assert done.returncode == 2
    assert done.stdout.startswith(f"::error title=git skillmesh::{told}")
    assert len(done.stdout.splitlines()) == 1


def test_a_check_that_cannot_run_is_no_green_one(origin: Repo, tmp_path: Path) -> None:
    (tmp_path / "skillmesh-gate").mkdir()
    done = gate(origin, tmp_path, "push", {}, base="main")
    assert done.returncode == 2
    assert "the environment is not there" in done.stdout
    assert outputs(tmp_path) == {}


def test_the_requirements_of_the_action_are_all_that_the_check_loads(origin: Repo) -> None:
    code = (
        "import sys; from git_skillmesh.cli.main import main\n"
        "assert main(['check', 'main..HEAD', '-q']) == 1\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    )
    done = run(sys.executable, "-P", "-c", code, cwd=origin.path)
    assert done.returncode == 0, done.stderr
    loaded = {name for name in done.stdout.splitlines()[-1].split() if not name.startswith("_")}
    assert loaded - {"sitecustomize", "cython_runtime"} <= {
        "git_skillmesh",
        "ast_grep_py",
        "re2",
        "yaml",
    }


def test_the_memory_is_fetched_only_if_asked_for(origin: Repo, tmp_path: Path) -> None:
    origin.git("update-ref", "refs/skillmesh/memory", "main")
    clone = origin.clone(tmp_path / "clone")
    gate(clone, tmp_path / "job", "push", {}, base="HEAD~1", formats="text")
    assert clone.run("rev-parse", "--verify", "-q", "refs/skillmesh/memory").returncode
    done = gate(clone, tmp_path / "job", "push", {}, base="HEAD~1", memory="true")
    assert done.returncode == 0
    assert "::notice title=git skillmesh::refs/notes/skillmesh could not be fetched" in done.stdout
    assert clone.git("rev-parse", "refs/skillmesh/memory") == origin.git("rev-parse", "main")


def test_the_key_of_the_cache_depends_on_what_is_installed(tmp_path: Path) -> None:
    keys = set()
    for version in ("", "1.2.3", "1.2.4"):
        environment = job(tmp_path, "push", {}, version=version)
        done = run(sys.executable, "-I", GATE, "plan", cwd=tmp_path, env=environment)
        assert (done.returncode, done.stdout) == (0, "")
        told = outputs(tmp_path)
        assert told["environment"] == str(tmp_path / "skillmesh-gate")
        keys.add(told["key"])
    assert len(keys) == 3
    assert all(re.fullmatch(r"skillmesh-gate-[0-9a-f]{32}", key) for key in keys)
    assert os.environ.get("GATE_VERSION") is None
