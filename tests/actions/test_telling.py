"""Who is told: the log, annotations, the summary, files, and a comment of a local forge."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from git_skillmesh.gate.model import FailOn, Report
from git_skillmesh.gate.reports import json as as_json
from git_skillmesh.gate.reports.github import render as annotations
from git_skillmesh.gate.reports.markdown import MARKER
from testing.events import NUMBER, REPOSITORY, forge, job, pull_request
from testing.reports import BASE, HEAD, full_report

CLEAN = Report(BASE, HEAD, learnings=1, files=1)
COMMENT = {"comment": "true"}
COMMENTS = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"


def tell(
    telling: ModuleType,
    report: Report,
    folder: Path,
    formats: tuple[str, ...] = (),
    *,
    fork: bool = False,
    api: str = "",
    inputs: Mapping[str, str] | None = None,
) -> tuple[dict[str, object], list[str]]:
    environment = job(folder, "pull_request", pull_request(BASE, HEAD, fork=fork), **(inputs or {}))
    environment |= {"GITHUB_API_URL": api} if api else {}
    logged: list[str] = []
    told = telling.tell(as_json.render(report), "block", formats, environment, logged.append)
    return told, logged


def test_each_format_goes_to_its_place(
    telling: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"sarif": str(tmp_path / "out.sarif"), "json": str(tmp_path / "out.json")}
    formats = ("text", "github", "markdown")
    told, logged = tell(telling, full_report(), tmp_path, formats, inputs=names)
    assert told == {"exit_code": 1, "findings": 6, "blocking": 3, "sarif": names["sarif"]}
    assert logged[0].endswith("5 files, 12 learnings; exit code 1")
    assert capsys.readouterr().out == annotations(full_report()) + "\n"
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith(f"{MARKER}\n### git skillmesh: 6 findings; this fails the check\n")
    assert f"https://github.com/{REPOSITORY}/blob/{HEAD}/src/net/client.py#L12" in summary
    assert as_json.parse((tmp_path / "out.json").read_text()).files == 5
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert len(results) == 6
    assert not any(one["suppressions"] for one in results)


def test_what_is_not_asked_for_is_not_written(
    telling: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, logged = tell(telling, CLEAN, tmp_path)
    assert told == {"exit_code": 0, "findings": 0, "blocking": 0, "sarif": ""}
    assert (logged, capsys.readouterr().out, (tmp_path / "summary").read_text()) == ([], "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["event.json", "output", "summary"]


def test_a_comment_is_written_once_and_then_updated(telling: ModuleType, tmp_path: Path) -> None:
    with forge() as state:
        for number in range(150):
            state.say(f"remark {number}", "somebody")
        state.say(f"{MARKER}\nforged", "stranger")
        tell(telling, full_report(), tmp_path, inputs=COMMENT | {"token": "t0ken"}, api=state.url)
        assert len(state.comments) == 152
        assert state.comments[-1]["body"].startswith(f"{MARKER}\n### git skillmesh: 6 findings")
        tell(telling, CLEAN, tmp_path, inputs=COMMENT | {"token": "t0ken"}, api=state.url)
        assert len(state.comments) == 152
        assert state.comments[-1]["body"].startswith(f"{MARKER}\n### git skillmesh: nothing found")
        assert state.comments[-2]["body"] == f"{MARKER}\nforged"
        assert state.calls == [
            ("GET", COMMENTS),
            ("GET", COMMENTS),
            ("POST", COMMENTS),
            ("GET", COMMENTS),
            ("GET", COMMENTS),
            ("PATCH", f"/repos/{REPOSITORY}/issues/comments/152"),
        ]
        assert state.tokens == {"Bearer t0ken"}
    assert (tmp_path / "summary").read_text() == ""


def test_a_clean_change_gets_no_first_comment(telling: ModuleType, tmp_path: Path) -> None:
    with forge() as state:
        tell(telling, CLEAN, tmp_path, inputs=COMMENT, api=state.url)
        assert state.calls == [("GET", COMMENTS)]


def test_a_fork_gets_the_summary_and_no_call_is_made(
    telling: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with forge() as state:
        tell(telling, full_report(), tmp_path, fork=True, inputs=COMMENT, api=state.url)
        assert state.calls == []
    assert (tmp_path / "summary").read_text().startswith(MARKER)
    assert capsys.readouterr().out == (
        "a pull request from a fork gets no comment, but the summary of the job\n"
    )


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_token_that_may_not_comment_leaves_the_summary(
    telling: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    with forge() as state:
        state.refuses = status
        told, _ = tell(telling, full_report(), tmp_path, inputs=COMMENT, api=state.url)
    assert told["exit_code"] == 1
    assert (tmp_path / "summary").read_text().startswith(MARKER)
    assert f"no comment could be written ({status})" in capsys.readouterr().out


def test_a_forge_that_does_not_answer_leaves_the_summary(
    telling: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(telling, full_report(), tmp_path, inputs=COMMENT, api="http://127.0.0.1:9")
    assert (tmp_path / "summary").read_text().startswith(MARKER)
    assert "no comment could be written (URLError)" in capsys.readouterr().out


def test_a_link_in_the_place_of_a_file_is_not_followed(
    telling: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, precious = tmp_path / "workspace", tmp_path / "precious"
    workspace.mkdir()
    precious.write_text("kept")
    (workspace / "out.sarif").symlink_to(precious)
    monkeypatch.chdir(workspace)
    tell(telling, CLEAN, tmp_path / "job", inputs={"sarif": "out.sarif"})
    assert precious.read_text() == "kept"
    assert not (workspace / "out.sarif").is_symlink()
    (workspace / "away").symlink_to(tmp_path)
    with pytest.raises(Exception, match=r"away/out\.sarif is in no folder of the workspace"):
        tell(telling, CLEAN, tmp_path / "job", inputs={"sarif": "away/out.sarif"})


def test_the_exit_code_is_that_of_fail_on(telling: ModuleType, tmp_path: Path) -> None:
    environment = job(tmp_path, "push", {})
    told = telling.tell(as_json.render(full_report()), "never", (), environment, print)
    assert told["exit_code"] == full_report().exit_code(FailOn.NEVER) == 10
