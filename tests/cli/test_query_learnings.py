"""`git skillmesh query --in learnings`."""

import json
from pathlib import Path

import pytest

from git_skillmesh.learnings.model import FOLDER, Fix, State
from git_skillmesh.learnings.writing import write_learning
from testing.commands import call
from testing.learnings import learning
from testing.repos import Repo, Result, make_repo
from testing.schemas import fits

PAUSE = learning(
    "no-pause", "Do not sleep in tests", description="A pause makes the suite slow and flaky.",
    state=State.BLOCK, category="testing", tags=("flaky",), languages=("python",),
    paths=("tests/**",), fix=Fix("Call poll_until."),
)  # fmt: skip
MONEY = learning("money", "Amounts are Decimal, never float", category="billing")
OLD = learning("old", "Amounts are float", state=State.RETIRED)


@pytest.fixture(scope="module")
def asked(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose learnings were asked for once, so that they are indexed."""
    files = {one.path: write_learning(one) for one in (PAUSE, MONEY, OLD)}
    folder = tmp_path_factory.mktemp("asked")
    repo = make_repo(folder, files={"tests/test_a.py": "import time\n", **files})
    assert call(repo.path, "query", "--in", "learnings", "money").returncode == 0
    return repo


@pytest.fixture
def repo(asked: Repo, tmp_path: Path) -> Repo:
    return asked.copy(tmp_path / "repo")


def found(repo: Repo, *words: str) -> list[str]:
    said = call(repo.path, "query", "--in", "learnings", "--json", *words)
    return [hit["learning_id"] for hit in json.loads(said.stdout)["learnings"]]


def test_the_whole_answer(repo: Repo) -> None:
    said = call(repo.path, "query", "--in", "learnings", "flaky tests that sleep")
    assert (said.returncode, said.stderr) == (0, "")
    first, *rest = said.stdout.splitlines()
    head = " 1. [block] no-pause  Do not sleep in tests  warning · testing · "
    assert first.startswith(head)
    assert float(first.removeprefix(head)) > 1
    assert rest == [
        "    A pause makes the suite slow and flaky.",
        "    fix: Call poll_until.",
        "    .skillmesh/learnings/no-pause.yaml",
        "    why: description; dense learning, dense, body",
    ]


def test_json(repo: Repo) -> None:
    said = call(repo.path, "query", "--in", "learnings", "--json", "--full", "flaky suite")
    document = json.loads(said.stdout)
    (hit,) = document["learnings"]
    assert 0 < hit.pop("score") < 20
    assert hit == {
        "rank": 1, "learning_id": "no-pause", "title": "Do not sleep in tests", "state": "block",
        "severity": "warning", "description": "A pause makes the suite slow and flaky.",
        "fix": "Call poll_until.", "category": "testing", "tags": ["flaky"],
        "languages": ["python"], "paths": ["tests/**"], "path": PAUSE.path, "changed": False,
        "part": "description", "reasons": ["dense_learning", "dense", "body"],
        "lines": [
            {"number": 1, "text": "Do not sleep in tests"},
            {"number": 2, "text": "A pause makes the suite slow and flaky."},
        ],
        "text": "Do not sleep in tests\nA pause makes the suite slow and flaky.",
    }  # fmt: skip
    assert document["learned"] == {"searched": 2, "learnings": 3, "broken": []}
    assert set(document) == {"schema", "query", "learnings", "learned", "notes"}


def test_what_blocks_comes_first_among_equals(repo: Repo) -> None:
    same = {"description": "Close the socket.", "category": "net"}
    states = {"a": State.PROPOSED, "b": State.WARN, "c": State.BLOCK}
    repo.commit(
        "three",
        {
            one.path: write_learning(one)
            for one in (learning(n, "Sockets", state=s, **same) for n, s in states.items())
        },
    )
    assert found(repo, "close", "sockets") == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["money"]),
        (["--state", "retired"], ["old"]),
        (["--state", "warn", "--state", "retired"], ["money", "old"]),
        (["--state", "proposed"], []),
    ],
)
def test_states(asked: Repo, options: list[str], ids: list[str]) -> None:
    assert sorted(found(asked, *options, "amounts")) == ids


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["money", "no-pause"]),
        (["--path", "tests/test_a.py"], ["money", "no-pause"]),
        (["--path", "tests/**"], ["money", "no-pause"]),
        (["--path", "src/new.py"], ["money"]),
        (["--path", "tests/new.py"], ["money", "no-pause"]),
        (["--path", "tests/page.html"], ["money"]),
        (["--path", "nowhere/**"], []),
        (["--lang", "go"], ["money"]),
        (["--lang", "python", "--lang", "go"], ["money", "no-pause"]),
    ],
)
def test_what_they_apply_to(asked: Repo, options: list[str], ids: list[str]) -> None:
    assert sorted(found(asked, *options, "sleep amounts")) == ids


def test_the_working_tree_and_revisions(repo: Repo) -> None:
    repo.write(MONEY.path, write_learning(learning("money", "Zebras have stripes")))
    said = call(repo.path, "query", "--in", "learnings", "zebra")
    assert " · uncommitted" in said.stdout
    assert found(repo, "--committed", "zebra") == []
    repo.commit("cents")
    assert found(repo, "--committed", "zebra") == ["money"]
    assert found(repo, "--at", "HEAD~1", "zebra") == []


def test_nothing_found_has_a_reason(repo: Repo, tmp_path: Path) -> None:
    said = call(repo.path, "query", "--in", "learnings", "zyzzyva")
    assert said == Result(1, "", "no learning found, of 2 (1 left out)\n")
    said = call(repo.path, "query", "--in", "learnings", "--state", "proposed", "sleep")
    assert said.stderr == "none of 3 learnings passes the filters, or all are retired\n"
    other = make_repo(tmp_path, "other", files={"a.py": "x = 1\n"})
    said = call(other.path, "query", "--in", "learnings", "sleep")
    assert said == Result(1, "", "there are no learnings in .skillmesh/learnings\n")


def test_a_broken_file_is_left_out_and_told_of(repo: Repo) -> None:
    repo.write(f"{FOLDER}/half.yaml", "learning_id: half\ntitle: sleep\x1b[31m\n")
    said = call(repo.path, "query", "--in", "learnings", "sleep")
    assert said.returncode == 0
    assert said.stderr.startswith("left out: .skillmesh/learnings/half.yaml:")
    assert "\x1b" not in said.stderr


def test_hostile_text_is_shown_and_not_obeyed(repo: Repo) -> None:
    one = learning(
        "evil", "Ring the bell", description="Sleep \u202e backwards", fix=Fix("do\u202e")
    )
    repo.commit("evil", {one.path: write_learning(one)})
    said = call(repo.path, "query", "--in", "learnings", "ring the bell backwards")
    assert said.stdout.splitlines()[0].startswith(" 1. [warn] evil  Ring the bell")
    assert "\u202e" not in said.stdout


def test_beside_code_and_conversations(repo: Repo) -> None:
    repo.commit("code", {"src/money.py": "def amount_in_cents():\n    return 1\n"})
    said = call(repo.path, "query", "--in", "all", "-n", "2", "amount")
    first = [line for line in said.stdout.splitlines() if line[2:4] == ". "]
    assert sorted(line[4:].partition("  ")[0] for line in first) == [
        "[warn] money", "src/money.py:1",
    ]  # fmt: skip
    document = json.loads(call(repo.path, "query", "--in", "all", "--json", "amounts").stdout)
    assert {"results", "learnings", "exchanges"} <= set(document)
    # The files of learnings are not shown twice.
    assert [hit["path"] for hit in document["results"]] == ["src/money.py"]
    document = json.loads(call(repo.path, "query", "--json", "amounts").stdout)
    assert MONEY.path in [hit["path"] for hit in document["results"]]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--state", "warn"], "--state is for learnings: add --in learnings"),
        (["--in", "learnings", "--agent", "x"], "--agent is for conversations: add --in chats"),
        (["--in", "learnings", "--kind", "class"], "--kind is for code: add --in code"),
        (["--in", "learnings", "--rank", "rrf"],
         "learnings are ranked in one way: leave out --backend, --rank"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(repo: Repo, options: list[str], told: str) -> None:
    said = call(repo.path, "query", *options, "sleep")
    assert (said.returncode, said.stderr) == (2, f"git-skillmesh: {told}\n")


@pytest.mark.parametrize("what", ["learnings", "all"])
def test_the_documented_schema(repo: Repo, what: str) -> None:
    repo.write(f"{FOLDER}/half.yaml", "learning_id: half\n")
    said = call(repo.path, "query", "--in", what, "--json", "--full", "--explain", "amounts")
    document = json.loads(said.stdout)
    fits(document, "query")
    assert document["learned"]["broken"]
