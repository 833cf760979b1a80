"""`git skillmesh report` and `stats` on a history of which the answers are known."""

import json
import re
from pathlib import Path

import pytest

from git_skillmesh.monitoring.record import record
from testing.commands import call
from testing.learnings import files_of
from testing.reported import NO_PRINT, reported
from testing.repos import Repo, Result, make_repo

PERIOD = ("--since", "2024-03-01", "--until", "2024-04-30")
# What does not depend on which commit ids a machine makes.
REPORT = """\
# What repo learned and kept

2024-03-01 to 2024-04-30 (UTC), branch `main` at `COMMIT`

- new learnings: **2**, 1 looked for now
- findings fixed: **0**, of 0 that fired in this clone
- agents' lines after 7 days: **90 %**, standing, interval 82 % to 98 %
- exchanges judged: **6**, 6 too young

## What was learned

| day | learning | what happened | written and reviewed by | came of |
| --- | --- | --- | --- | --- |
| 2024-03-02 | `no-print`: About no-print | new (none → warn) | Ada Lovelace | conversation `talk-0/1` |
| 2024-03-02 | `no-todo`: About no-todo | new (none → proposed) | Ada Lovelace | not said |
| 2024-03-11 | `no-print`: About no-print | promoted (warn → block) | Ada Lovelace | conversation `talk-0/1` |
| 2024-03-22 | `no-todo`: About no-todo | retired (proposed → retired): nobody wrote one | Ada Lovelace; reviewed by Rea Viewer | not said |

At the end of it the branch has these learnings: 1 block, 1 retired.

<sub>Taken back: 1 learning weakened, retired or removed.</sub>

## What it prevented

Checks in this clone recorded no finding in this period. Findings of other clones and of CI are not known here.

Estimates: each learning held against the last commits as if it had been there. Right is a finding whose line was changed later, wrong one whose line lives on.

| learning | state | commits | fired on | right when it fires | wrongly stopped |
| --- | --- | ---: | ---: | --- | --- |
| `no-print` | block | 33 | 0 | 0 of 0: too little to say | 0 of 33, 0 % (0 % to 10 %) |

<sub>The last 500 commits without merges, at most.</sub>

## What agents' code survived

In this period 32 commits of the branch brought 120 new lines of code linked to agents' conversations, 0 of them too young for any horizon, and 148 others. Below: lines that became 7, 30 or 90 days old in this period, and how many of them stood then.

"""  # noqa: E501
AFTER = """\
| after | whose | lines | stood | share (95 % interval) | drawn over |
| --- | --- | ---: | ---: | --- | --- |
| 7 days | linked to agents' conversations | 120 | 108 | 90 % (82 % to 98 %) | 12 conversations |
| 7 days | others | 148 | 148 | 100 % (78 % to 100 %) | 14 commits |
| 30 days | linked to agents' conversations | 120 | 92 | 77 % (68 % to 86 %) | 12 conversations |
| 30 days | others | 132 | 132 | 100 % (77 % to 100 %) | 13 commits |
| 90 days | linked to agents' conversations | 0 | 0 | no lines that old | 0 conversations |
| 90 days | others | 0 | 0 | no lines that old | 0 commits |
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return reported(tmp_path_factory.mktemp("reported"))


@pytest.fixture(scope="module")
def told(known: Repo) -> Result:
    return call(known.path, "report", *PERIOD)


def test_the_report_says_what_happened(known: Repo, told: Result) -> None:
    assert (told.returncode, told.stderr) == (0, "")
    text = told.stdout.replace(known.head[:12], "COMMIT")
    author = re.search(r"\| ([\w ]+) \| conversation", text)
    assert author
    assert text.replace(author[1], "Ada Lovelace").startswith(REPORT)
    assert AFTER in text
    known_by_folder = "| `lib` | 0 | 120 | ░░░░░░░░░░░░░░░░░░░░ |\n| `src` | 92 | 120 |"
    assert known_by_folder in text
    assert "Of 240 lines of code that came in this period and stand at its end, 92 (38 %)" in text


def test_nothing_is_added_to_the_memory(known: Repo) -> None:
    before = known.git("for-each-ref")
    assert call(known.path, "report", *PERIOD, "--no-backtest").returncode == 0
    assert known.git("for-each-ref") == before


def test_its_numbers_are_those_of_other_commands(known: Repo, told: Result) -> None:
    rewards = json.loads(call(known.path, "rewards", "--dry-run", "--json").stdout)
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| \d+ \| (\d+) \|$", told.stdout, re.M))
    counts = {name: int(count) for name, count in rows.items() if int(count)}
    assert counts == rewards["verdicts"]
    by_session = {one["session"]: one for one in rewards["exchanges"]}
    talks = re.findall(
        r"^\| `(talk-\d+)` \| claude-code \| 1 \| (\d+) \| (\d+) \|", told.stdout, re.M
    )
    assert len(talks) == 10
    for session, lines, standing in talks:
        made = by_session[session]["lines"]
        assert (int(lines), int(standing)) == (made["linked"], made["alive"] + made["in_substance"])
    learnings = json.loads(call(known.path, "learnings", "--json").stdout)["learnings"]
    states = sorted(one["learning"]["state"] for one in learnings)
    assert f"learnings: {', '.join(f'1 {state}' for state in states)}." in told.stdout


def test_a_page_is_written_whole_and_by_its_name(known: Repo, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    done = call(known.path, "report", *PERIOD, "--no-backtest", "--output", str(page))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = page.read_text()
    assert text.startswith("<!doctype html>\n")
    assert text.endswith("</html>\n")
    assert '<svg viewBox="0 0 720' in text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "2024-04-30", "--until", "2024-03-01"), "the period ends before it begins"),
        (("--since", "yesteryear"), "not a date: yesteryear"),
        (("--at", "nowhere"), "not a commit or tree of this repository: nowhere"),
        (("--output", "no/such/folder/a.md", *PERIOD, "--no-backtest"), "cannot write"),
    ],
)
def test_bad_input_is_one_line(known: Repo, arguments: tuple[str, ...], said: str) -> None:
    done = call(known.path, "report", *arguments)
    assert done.returncode in (2, 9)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"git-skillmesh: {said}")


def test_without_conversations_or_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = some_function(1)\n"})
    done = call(repo.path, "report", "-q")
    assert done.returncode == 0
    assert "- exchanges judged: **0**, 0 too young\n" in done.stdout
    empty = tmp_path / "empty"
    repo.git("init", "--quiet", str(empty))
    done = call(empty, "report")
    assert (done.returncode, done.stderr) == (
        2, "git-skillmesh: this repository has no commits yet\n",
    )  # fmt: skip


def test_findings_of_this_clone_are_told(tmp_path: Path) -> None:
    from git_skillmesh.monitoring.journal import day_of

    repo = make_repo(tmp_path, files={"a.py": "x = some_function(1)\n"})
    repo.state_dir.mkdir()
    for outcome in ["fired"] * 20 + ["fixed"] * 15 + ["suppressed"]:
        record(repo.state_dir, "finding", "no-print", outcome)
    assert day_of(0) == "1970-01-01"
    text = call(repo.path, "report", "-q").stdout
    assert "- findings fixed: **15**, of 20 that fired in this clone\n" in text
    assert "| `no-print` | 20 | 15 | 15 of 20, 75 % (53 % to 89 %) | 1 |\n" in text


def test_excuses_in_the_code_are_told_with_their_reasons(tmp_path: Path) -> None:
    excused = "import os\n\nprint(1)  # skillmesh: ignore[no-print] it is *a* script\n"
    repo = make_repo(
        tmp_path,
        files={**files_of(NO_PRINT), "a.py": excused, "doc.md": "skillmesh: ignore[x] text\n"},
    )
    text = call(repo.path, "report", "-q", "--no-backtest", "--since", "2024-01-01").stdout
    assert "Excuses that stand in the code: 1.\n" in text
    row = "| 2024-03-01 | `a.py:3` | `no-print` | it is &#42;a&#42; script |\n"
    assert row in text
