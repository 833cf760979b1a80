"""`git skillmesh rewards`."""

import json
from copy import copy
from pathlib import Path

import pytest

from testing.commands import call
from testing.linking import remember, wrote
from testing.repos import make_repo
from testing.rewards import OTHER, PARSER, REPORT, Deeds

OLD = ("--commits", "3", "--days", "2")


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Deeds:
    made = Deeds(tmp_path_factory.mktemp("original"))
    made.write("e", 0, "a.py", PARSER)
    made.commit(0.1)
    made.write("f", 1, "a.py", OTHER, PARSER, session="t\x1b[31m")
    made.commit(1.1)
    made.write("g", 1.2, "b.py", REPORT)
    made.commit(1.3)
    made.quiet(4)
    return made


@pytest.fixture
def deeds(original: Deeds, tmp_path: Path) -> Deeds:
    made = copy(original)
    made.repo = original.repo.copy(tmp_path / original.repo.path.name)
    return made


def test_it_prints_what_is_new_and_explains(deeds: Deeds) -> None:
    path, head = deeds.repo.path, deeds.repo.head[:12]
    new = (
        "0.01  ignored_not_implemented   s/1  0 of 6 lines there, 6 replaced,"
        " 6 redone before a commit\n"
        "0.94  rewarded_implemented      s/2  4 of 4 lines there\n"
        "0.94  rewarded_implemented      t␛[31m/1  4 of 4 lines there\n"
    )
    counts = "      2  rewarded_implemented\n      1  ignored_not_implemented\n"
    dry = call(path, "rewards", *OLD, "--dry-run")
    said = f"{counts}3 exchanges judged at {head}; "
    assert (dry.returncode, dry.stdout, dry.stderr) == (0, new, f"{said}3 would be new\n")
    one = call(path, "rewards", *OLD, "--explain", "s/1")
    first, second = deeds.repo.git("rev-list", "--reverse", "HEAD", "--", "a.py").split()
    assert one.stdout == (
        "0.009  ignored_not_implemented\n"
        "  exchange     e in s/1\n"
        f"  judged at    {head}, formula 2\n"
        "  evidence     0 of 6 lines there, 6 replaced, 6 redone before a commit\n"
        "  odds         +0.30  to begin with\n"
        "               -2.50  alive -1.000 x 2.5\n"
        "               -2.50  replaced -1.000 x 2.5\n"
        f"  linked to    {first[:12]}\n"
        f"  replaced     {second[:12]}\n"
        "  replaced by  f in t␛[31m\n"
    )
    done = call(path, "rewards", *OLD)
    assert (done.returncode, done.stdout, done.stderr) == (0, new, f"{said}3 are new\n")
    again = call(path, "rewards", *OLD)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", f"{said}0 are new\n")
    shown = call(path, "show", "s/1")
    assert "ignored_not_implemented, score 0.01" in shown.stdout
    document = json.loads(call(path, "show", "s/1", "--json").stdout)
    assert document["exchanges"][0]["score"] == 0.009


def test_json(deeds: Deeds) -> None:
    done = call(deeds.repo.path, "rewards", *OLD, "--session", "s", "--json")
    document = json.loads(done.stdout)
    listed = document.pop("exchanges")
    assert document == {
        "schema": 1, "commit": deeds.repo.head, "commits": 3, "days": 2.0, "written": True,
        "judged": 2, "new": 2, "unreadable": [],
        "verdicts": {"ignored_not_implemented": 1, "rewarded_implemented": 1},
    }  # fmt: skip
    commits = deeds.repo.git("rev-list", "--reverse", "HEAD").split()
    assert listed[1] == {
        "session": "s", "exchange": "g", "number": 2, "verdict": "rewarded_implemented",
        "score": 0.943, "parts": {"alive": 1.0},
        "lines": {
            "written": 4, "linked": 4, "alive": 4, "in_substance": 0, "lasted": 0, "reverted": 0,
            "replaced": 0, "corrected": 0, "redone": 0, "missing": None, "tests": None,
            "committed": True, "young": False, "amended": 0,
        },
        "commits": [commits[3]], "taken_by": {}, "replaced_by": [], "formula": 2,
        "commit": deeds.repo.head, "time": "2024-03-05T12:00:00Z",
    }  # fmt: skip
    one = json.loads(call(deeds.repo.path, "rewards", *OLD, "--explain", "s/2", "--json").stdout)
    assert one == {"schema": 1, **listed[1]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "nowhere"], "not a commit or tree of this repository: nowhere"),
        (["--at", "HEAD^{tree}"], "HEAD^{tree} is a tree: it has no history"),
        (["--commits", "-1"], "--commits takes a number from 0 on"),
        (["--days", "nan"], "--days takes a number from 0 on"),
        (["--explain", "s/1", "--session", "s"], "--explain and --session exclude each other"),
        (["--explain", "u/1"], "exchange u/1 has no edits: there is nothing to judge"),
    ],
)
def test_bad_input_is_one_line(deeds: Deeds, arguments: list[str], said: str) -> None:
    remember(deeds.repo, "u", exchange="h")
    done = call(deeds.repo.path, "rewards", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"git-skillmesh: {said}\n")


def test_nothing_to_judge(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    done = call(repo.path, "rewards")
    assert (done.returncode, done.stderr) == (
        2,
        "git-skillmesh: this repository has no commits yet\n",
    )
    repo.commit("first", {"a": "a\n"})
    done = call(repo.path, "rewards")
    said = f"0 exchanges judged at {repo.head[:12]}; 0 are new\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_bare_repository_and_odd_paths(deeds: Deeds, tmp_path: Path) -> None:
    odd = 'a "b\n\\c.py'
    deeds.repo.write(odd, REPORT)
    remember(deeds.repo, "v", wrote(1.4 * 1440, odd, None, REPORT, whole=True), exchange="i")
    deeds.commit(1.5)
    deeds.quiet(5)
    bare = deeds.repo.clone(tmp_path / "bare.git", "--mirror")
    found = [
        json.loads(call(path, "rewards", *OLD, "--json", "--dry-run").stdout)["verdicts"]
        for path in (deeds.repo.path, bare.path)
    ]
    assert found[0] == found[1] == {"ignored_not_implemented": 1, "rewarded_implemented": 3}
