"""`git skillmesh backtest`: all that it prints and writes."""

import json
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.reading import read_learning
from git_skillmesh.learnings.writing import write_learning
from git_skillmesh.sessions.links import Link, write_links
from testing.commands import call
from testing.pasts import LEARNINGS, TIMEOUT, Past
from testing.repos import Repo, Result


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    past = Past(tmp_path_factory.mktemp("original"))
    past.commit(
        300,
        {
            "a.py": "import requests\nx = requests.get(u)\n",
            "src/b.py": "value = 1\nother = 2\nprint(1)\n",
        },
        "bad",
    )
    past.commit(200, {"a.py": "import requests\nx = requests.get(u, timeout=1)\n"}, "mend")
    past.quiet(20)
    for learning in LEARNINGS:
        past.repo.write(learning.path, write_learning(learning))
    return past.repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


ALL = """\
changelog (warn) Tell of it in the changelog
  fired in 1 of 22 commits; whether rightly, lines cannot tell

printed (block) Do not print
  fired in 1 of 22 commits: 1 mistaken; false positives 4.55 % (0.81 to 22 %)
  1 flagged line: 1 kept; 1 of unknown origin
  right when it fires: 0.00 % (0.00 to 79 %) of commits
  changed later: 0.00 % (0.00 to 79 %) of flagged lines, 0.00 % (0.00 to 66 %) of lines beside them
  false positives if errors change as often: 4.55 %, at most 22 %

timeout (warn) Give every request a timeout
  fired in 1 of 22 commits: 1 right; false positives 0.00 % (0.00 to 15 %)
  1 flagged line: 1 changed; 1 of unknown origin
  right when it fires: 100 % (21 to 100 %) of commits
  changed later: 100 % (21 to 100 %) of flagged lines, 0.00 % (0.00 to 79 %) of lines beside them
  false positives if errors change as often: 0.00 %, at most 22 %

unfinished (warn) Say what was done
  never fired in 22 commits; false positives 0.00 % (0.00 to 15 %)
"""


def test_all_learnings(repo: Repo) -> None:
    assert call(repo.path, "backtest") == Result(0, ALL, "")


def test_a_retired_learning_is_tried_only_by_name(repo: Repo) -> None:
    for learning in LEARNINGS[1:]:
        place = repo.path / learning.path
        place.write_text(place.read_text().replace(f"state: {learning.state}", "state: retired"))
    said = call(repo.path, "backtest")
    assert [line.split()[0] for line in said.stdout.splitlines() if line[0] != " "] == ["timeout"]
    named = call(repo.path, "backtest", "changelog", "--places")
    assert named == Result(
        0,
        "changelog (retired) Tell of it in the changelog\n"
        "  fired in 1 of 22 commits; whether rightly, lines cannot tell\n"
        f"  {repo.git('rev-parse', 'HEAD~21')[:9]} 2025-08-05 unknown  bad\n"
        "    src/b.py changed without CHANGES.md\n",
        "",
    )


def test_one_learning_shows_its_places_and_whose_they_are(repo: Repo) -> None:
    commit = repo.git("rev-parse", "HEAD~21")
    blob = repo.git("rev-parse", f"{commit}:a.py")
    link = Link("s", "e", 1.0, "edit", "a.py", blob, ((2, 2),))
    stale = Link("s", "e", 1.0, "edit", "src/b.py", "0" * 40, ((3, 3),))
    write_links(discover(repo.path), {commit: [link, stale]})
    summary = ALL.split("\n\n")[2].replace("of unknown origin", "of agents")
    assert call(repo.path, "backtest", "timeout") == Result(
        0,
        f"{summary}\n  {commit[:9]} 2025-08-05 right    bad\n"
        "    a.py:2 changed: x = requests.get(u)\n",
        "",
    )
    assert "1 kept; 1 of people\n" in call(repo.path, "backtest", "printed").stdout


def test_json(repo: Repo) -> None:
    said = call(repo.path, "backtest", "printed", "--json")
    first = repo.git("rev-parse", "HEAD~21")
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout) == {
        "schema": 1, "until": repo.head, "oldest": first, "commits": 22, "first_parent": False,
        "learnings": [
            {
                "learning_id": "printed", "path": ".skillmesh/learnings/printed.yaml",
                "state": "block",
                "summary": "fired in 1 of 22 commits: 1 mistaken; "
                "false positives 4.55 % (0.81 to 22 %)",
                "fired": 1,
                "verdicts": {"right": 0, "mistaken": 1, "unknown": 0},
                "false_positives": {"share": 0.045455, "low": 0.008069, "high": 0.21798},
                "corrected": {"share": 0.045455, "high": 0.21798},
                "precision": {"share": 0.0, "low": 0.0, "high": 0.793451},
                "flagged_lines": {"kept": 1, "changed": 0, "gone": 0, "young": 0},
                "lines_beside": {"kept": 2, "changed": 0, "gone": 0, "young": 0},
                "made_by": {"unknown": 1},
                "flagged": [
                    {
                        "commit": first, "time": 1754395200, "subject": "bad",
                        "verdict": "mistaken",
                        "findings": [
                            {
                                "path": "src/b.py", "line": 3, "end_line": 3,
                                "message": "Do not print", "text": "print(1)",
                            }
                        ],
                        "lines": [
                            {
                                "path": "src/b.py", "line": 3, "text": "print(1)", "fate": "kept",
                                "made_by": "unknown",
                            }
                        ],
                    }
                ],
            }
        ],
    }  # fmt: skip


def test_the_figures_are_recorded_and_all_else_stays(repo: Repo) -> None:
    place = repo.path / TIMEOUT.path
    text = "# mine\n" + place.read_text() + "# end\nx-note: 1 # why\n"
    place.write_text(text)
    said = call(repo.path, "backtest", "timeout", "--record", "--commits", "21")
    assert (said.returncode, said.stderr) == (0, f"recorded in {TIMEOUT.path}\n")
    written = place.read_text()
    block, _, day = written.removeprefix(text).rpartition(": ")
    assert block == (
        f"backtest:\n  commits: 21\n  fired: 0\n  mistaken: 0\n  unknown: 0\n"
        f"  until: {repo.head}\n  date"
    )
    assert written.startswith(text)
    # A second time it is replaced, and nothing else.
    call(repo.path, "backtest", "timeout", "--record")
    again = place.read_text()
    assert again == written.replace("commits: 21", "commits: 22").replace("fired: 0", "fired: 1")
    read = read_learning(TIMEOUT.path, again.encode()).learning
    assert read is not None
    assert read.backtest is not None
    assert (read.backtest.fired, f"'{read.backtest.date}'\n") == (1, day)


def test_a_file_that_is_no_learning_of_the_repository(repo: Repo, tmp_path: Path) -> None:
    place = tmp_path / "else" / "timeout.yaml"
    place.parent.mkdir()
    place.write_text(write_learning(TIMEOUT))
    said = call(repo.path, "backtest", str(place), "--record")
    assert said.stdout.startswith("timeout (warn) Give every request a timeout\n  fired in 1 of")
    assert said.stderr == f"recorded in {place}\n"
    assert "backtest:\n  commits: 22\n" in place.read_text()
    assert "backtest:" not in repo.read(TIMEOUT.path)


def test_a_broken_file_is_named_and_the_others_are_tried(repo: Repo) -> None:
    repo.write(".skillmesh/learnings/broken.yaml", "bad: [\n")
    assert call(repo.path, "backtest") == Result(
        10,
        ALL,
        "git-skillmesh: .skillmesh/learnings/broken.yaml:2: did not find expected node content\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "no learning nope: git skillmesh learnings list"),
        (["no/pe.yaml"], "cannot read no/pe.yaml: No such file or directory"),
        (["timeout", TIMEOUT.path], "2 of these learnings are called timeout"),
        (["--commits", "0"], "--commits 0: a number of commits, or: all"),
        (["--commits", "-3"], "--commits -3: a number of commits, or: all"),
        (["--until", "nope"], "no commits up to nope: fatal: bad revision 'nope'"),
        (
            ["--since", "2020-01-01", "--commits", "3"],
            "argument --commits: not allowed with argument --since: git skillmesh backtest -h",
        ),
    ],
)
def test_what_is_refused(repo: Repo, arguments: list[str], said: str) -> None:
    assert call(repo.path, "backtest", *arguments) == Result(2, "", f"git-skillmesh: {said}\n")


def test_a_bare_repository_has_learnings_too(repo: Repo, tmp_path: Path) -> None:
    repo.commit("learnings")
    bare = repo.clone(tmp_path / "bare.git", "--bare")
    assert call(bare.path, "backtest", "--until", "HEAD~1") == Result(0, ALL, "")
    assert call(bare.path, "backtest", "--record") == Result(
        2, "", "git-skillmesh: a bare repository has no working tree: record in a clone\n"
    )


def test_without_learnings_or_commits(tmp_path: Path) -> None:
    repo = Past(tmp_path).repo
    repo.commit("first", {"a.py": "x\n"})
    assert call(repo.path, "backtest") == Result(0, "", "no learnings to try\n")
    repo.write(TIMEOUT.path, write_learning(TIMEOUT))
    said = call(repo.path, "backtest", "--since", "2037-01-01", "--record")
    assert said == Result(
        0,
        "timeout (warn) Give every request a timeout\n  never fired in 0 commits\n",
        f"{TIMEOUT.path}: nothing to record, there are no commits\n",
    )


def test_text_of_strangers_is_made_harmless(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(3, {"\x1b[2Ja.py": "requests.get(\x1b[31mu)\n"}, "\x1b]0;x\x07")
    past.repo.write(TIMEOUT.path, write_learning(TIMEOUT))
    said = call(past.repo.path, "backtest", "timeout").stdout
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "    \u241b[2Ja.py:1 young: requests.get(\u241b[31mu)\n" in said
