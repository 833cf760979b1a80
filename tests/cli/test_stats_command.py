"""`git skillmesh stats`: tables, plots, JSON and exports of what is recorded."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from git_skillmesh.hooks.worker import Desk
from git_skillmesh.monitoring.record import EVENTS, FOLDER
from testing.commands import call
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo

DAY = 86_400
NOW = 1_709_294_400  # 2024-03-01T12:00:00Z
CANARY = "canary_zx81"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with events of three days, the last of which is today."""
    made = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    (made.state_dir / FOLDER).mkdir(parents=True)
    events = [
        *((day, "query command ok", 100_000) for day in (0, 0, 0, 2)),
        (0, "query command nothing", 200_000), (1, "query command internal", 50_000),
        (0, "hook post-commit ok", None), (0, "hook agent ok", 40),
        (1, "finding no-print fired", None), (0, "finding no-print fixed", None),
        (40, "index worker ok", 1_000_000),
    ]  # fmt: skip
    lines = [
        f"1 {(NOW - days * DAY) * 1000} {what} {'-' if taken is None else taken} .\n"
        for days, what, taken in events
    ]
    (made.state_dir / FOLDER / EVENTS).write_text("".join(lines))
    monkeypatch.setattr("time.time", lambda: float(NOW))
    return made


TABLE = """\
2024-02-28 to 2024-03-01 (3 days, UTC), in this clone

work   by           count    p50     p95     max  a day  how it ended
hook   agent            1  40 µs   40 µs   40 µs    █    1 ok
hook   post-commit      1                           █    1 ok
query  command          6  99 ms  200 ms  200 ms  ▂▂█    4 ok, 1 internal, 1 nothing

learning    fired    fixed  suppressed
no-print        1        1           0
"""


def test_the_table(repo: Repo) -> None:
    done = call(repo.path, "stats", "--since", "3d")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.sub(r" +$", "", done.stdout, flags=re.M) == TABLE


def test_one_kind_in_detail(repo: Repo) -> None:
    done = call(repo.path, "stats", "query", "--since", "3d")
    assert done.stdout.partition("\nquery  command\n")[2] == (
        "  up to    64 ms        1  ██████████\n"
        "  up to   128 ms        4  ████████████████████████████████████████\n"
        "  up to   256 ms        1  ██████████\n"
    )
    done = call(repo.path, "stats", "nothing-such")
    assert (done.returncode, done.stderr) == (
        2, "git-skillmesh: nothing of kind nothing-such is recorded: hook, query\n",
    )  # fmt: skip


def test_json(repo: Repo) -> None:
    open_memory(repo).add([make_session("s", 3), make_session("t", 2, parent="s")])
    done = call(repo.path, "stats", "--json", "--since", "2024-02-29")
    document = json.loads(done.stdout)
    assert (document["schema"], document["first"], document["last"]) == (
        1, "2024-02-29", "2024-03-01",
    )  # fmt: skip
    (query,) = [one for one in document["work"] if one["kind"] == "query"]
    assert query == {
        "kind": "query", "by": "command", "count": 5,
        "outcomes": {"internal": 1, "nothing": 1, "ok": 3}, "timed": 5,
        "seconds": {"total": 0.55, "p50": query["seconds"]["p50"],
                    "p95": query["seconds"]["p95"], "max": 0.2},
        "daily": {"2024-02-29": 1, "2024-03-01": 4},
    }  # fmt: skip
    assert query["seconds"]["p50"] == pytest.approx(0.1, rel=0.1)
    assert document["findings"] == [
        {"learning": "no-print", "fired": 1, "fixed": 1, "suppressed": 0}
    ]
    assert document["memory"] == {
        "conversations": 1, "subagents": 1, "exchanges": 5, "linked": 0, "commits": 0,
        "verdicts": {}, "lines": 0, "alive": 0, "in_substance": 0, "kept": None, "judged_at": "",
    }  # fmt: skip
    listed = json.loads(call(repo.path, "sessions", "--json").stdout)["sessions"]
    assert len(listed) == document["memory"]["conversations"]


def test_a_terminal_without_utf8_gets_ascii(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("git_skillmesh.cli.stats._is_plain", lambda: True)
    for kind in ((), ("query",)):
        done = call(repo.path, "stats", *kind, "--since", "3d", "--color", "never")
        assert done.stdout.isascii()
        assert "#" in done.stdout or "@" in done.stdout


def test_prometheus_to_a_file_in_one_step(repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "textfile"
    folder.mkdir()
    target = folder / "skillmesh.prom"
    assert call(repo.path, "stats", "--prometheus", str(target)).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["skillmesh.prom"]
    text = target.read_text()
    families = {one.name: one for one in text_string_to_metric_families(text)}
    # Also what is older than any period: a counter never goes back.
    assert sum(one.value for one in families["skillmesh_operations"].samples) == 9
    assert call(repo.path, "stats", "--prometheus").stdout == text


def test_opentelemetry_to_a_file(repo: Repo, tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    assert call(repo.path, "stats", "--otlp", str(target)).returncode == 0
    assert "resourceMetrics" in json.loads(target.read_text())
    assert json.loads(call(repo.path, "stats", "--otlp", "-").stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--prometheus", "-", "--since", "3d"), 2, "counters count since recording began"),
        (("--otlp", "http://me:word@host"), 5, "not the address of a collector"),
        (("--prometheus", "/no/such/folder/x.prom"), 9, "cannot write /no/such/folder/x.prom"),
        (("--since", "next year"), 2, "not a date: next year"),
        (("--since", "2999-01-01"), 2, "the period ends before it begins: --since DATE"),
    ],
)
def test_bad_input_is_one_line(
    repo: Repo, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = call(repo.path, "stats", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"git-skillmesh: {said}")


def test_nothing_recorded(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    repo.git("config", "skillmesh.monitoring", "off")
    done = call(repo.path, "stats")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1] == "nothing is recorded (monitoring is off: git config)"


def test_what_commands_do_is_recorded_without_contents(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, f"{CANARY}-repo", files={f"{CANARY}.py": f"{CANARY} = 1\n"})
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    assert call(repo.path, "query", CANARY).returncode == 0
    assert call(repo.path, "query", "zzqqxx").returncode == 1
    assert call(repo.path, "check", "--staged").returncode == 0
    assert call(repo.path, "status").returncode == 0
    data = b"".join(path.read_bytes() for path in (repo.state_dir / FOLDER).iterdir())
    assert CANARY.encode() not in data
    assert b"zzqqxx" not in data
    told = [" ".join(line.split()[2:5]) for line in data.decode().splitlines() if line]
    assert told == [
        "index command ok", "query command ok", "query command nothing", "check command ok",
    ]  # fmt: skip


def test_the_setting_switches_commands_and_hooks_off(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    repo.git("config", "skillmesh.monitoring", "off")
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    assert [path.name for path in (repo.state_dir / FOLDER).iterdir()] == ["off"]
    repo.git("config", "--unset", "skillmesh.monitoring")
    assert call(repo.path, "query", "x").returncode == 0
    assert [path.name for path in (repo.state_dir / FOLDER).iterdir()] == ["events"]
    # Told in the environment it is for one command alone.
    env = {"SKILLMESH_MONITORING": "off"}
    assert call(repo.path, "query", "x", env=env).returncode == 0
    assert len((repo.state_dir / FOLDER / EVENTS).read_text().split("\n\n")) == 1


def test_a_repository_that_was_never_used_stays_untouched(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    assert call(repo.path, "check").returncode == 0
    assert call(repo.path, "stats").returncode == 1
    assert not repo.state_dir.exists()


def test_background_work_is_recorded(repo: Repo) -> None:
    repo.git("config", "skillmesh.chroma.impl", "off")
    repo.git("config", "skillmesh.sessions.capture", "off")
    desk = Desk(repo.state_dir)
    desk.request(repo.path)
    desk.serve()
    lines = (repo.state_dir / FOLDER / EVENTS).read_text().split("\n")
    told = [" ".join(line.split()[2:5]) for line in lines if line][-5:]
    assert told == [
        "capture worker ok", "carry worker ok", "link worker ok", "index worker ok",
        "worker worker ok",
    ]  # fmt: skip
