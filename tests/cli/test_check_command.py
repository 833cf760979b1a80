"""`git skillmesh check` as people and CI call it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.learnings.model import Matcher, MatcherKind, State
from testing.commands import call
from testing.learnings import files_of, literal, made, with_examples
from testing.repos import Repo, make_repo, run_skillmesh

RULES = files_of(
    literal("no-print", "print(", languages=("python",)),
    literal("no-todo", "TODO", State.WARN),
    literal("no-fixme", "FIXME", State.PROPOSED),
    made("subject", Matcher(MatcherKind.MESSAGE, regex=r"\bwip\b"), State.BLOCK),
)
FOUND = """\
a.py
  2:1 warning no-print (blocks)
    About no-print
      1 │ x = 1
      2 │ print(1)
        │ ^^^^^^

"""


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("original"), files={**RULES, "a.py": "x = 1\n"})
    repo.write("a.py", "x = 1\nprint(1)\n")
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def test_staged_worktree_and_range(repo: Repo) -> None:
    clean = "nothing found\n0 files, 3 learnings; exit code 0\n"
    result = call(repo.path, "check")
    assert (result.returncode, result.stdout, result.stderr) == (0, clean, "")
    said = f"{FOUND}1 blocking\n1 file, 3 learnings; exit code 1\n"
    result = call(repo.path, "check", "--worktree")
    assert (result.returncode, result.stdout, result.stderr) == (1, said, "")
    repo.git("add", "a.py")
    result = call(repo.path, "check", "--staged")
    assert (result.returncode, result.stdout) == (1, said)
    repo.commit("wip")
    said = (
        f"commit {repo.head[:12]}\n  warning subject (blocks)\n    About subject\n        │ wip\n\n"
    )
    for words in (["HEAD~1..HEAD"], ["HEAD~1..."], ["--base", "HEAD~1"]):
        result = call(repo.path, "check", *words)
        assert (result.returncode, "2 blocking" in result.stdout, FOUND in result.stdout) == (
            1, True, True,
        )  # fmt: skip


def test_learnings_by_name_in_any_state(repo: Repo) -> None:
    repo.write("a.py", "x = 1\nprint(1)  # FIXME\n")
    result = call(repo.path, "check", "--worktree", "--json", "no-fixme")
    found = json.loads(result.stdout)
    assert result.returncode == 0
    assert [one["learning_id"] for one in found["findings"]] == ["no-fixme"]
    result = call(repo.path, "check", "nope")
    assert (result.returncode, result.stderr) == (
        2,
        "git-skillmesh: no such learning at the base: nope: git skillmesh learnings lists them; a "
        "change is --staged, --worktree, BASE..HEAD\n",
    )  # fmt: skip


@pytest.mark.parametrize(("level", "code"), [("block", 0), ("warn", 1), ("never", 0)])
def test_what_fails_it(repo: Repo, level: str, code: int) -> None:
    repo.write("a.py", "x = 1  # TODO\n")
    assert call(repo.path, "check", "--worktree", "--fail-on", level).returncode == code


def test_the_rules_are_those_of_the_base(repo: Repo) -> None:
    (repo.path / ".skillmesh/learnings/no-print.yaml").unlink()
    result = call(repo.path, "check", "--worktree")
    assert result.returncode == 1
    assert FOUND in result.stdout
    assert "  no-print  removed  block\n" in result.stdout


def test_a_changed_learning_is_tried(repo: Repo) -> None:
    repo.write("a.py", "x = 1\n")
    edited = with_examples(literal("no-todo", "TODO", State.WARN), ["no such thing"], ["fine"])
    repo.write(edited.path, files_of(edited)[edited.path] or "")
    result = call(repo.path, "check", "--worktree")
    assert result.returncode == 10
    assert "  no-todo  edited  warn\n" in result.stdout
    assert "bad example 1" in result.stdout


def test_a_broken_rule_at_the_base(repo: Repo) -> None:
    bad = ".skillmesh/learnings/bad.yaml"
    repo.write("a.py", "x = 1\n")
    repo.commit("spoil", {bad: "learning_id: bad\n"})
    repo.write("a.py", "x = 2\n")
    result = call(repo.path, "check", "--worktree")
    assert result.returncode == 10
    assert f"{bad}:1: matcher is missing" in result.stdout
    repo.write("a.py", "print(1)\n")
    assert call(repo.path, "check", "--worktree").returncode == 1
    repo.write("a.py", "x = 2\n")
    (repo.path / bad).rename(repo.path / "bad.txt")
    assert call(repo.path, "check", "--worktree").returncode == 0


def test_a_whole_commit(repo: Repo) -> None:
    repo.commit("second")
    result = call(repo.path, "check", "--all")
    assert (result.returncode, result.stdout) == (
        1, f"{FOUND}1 blocking\n5 files, 3 learnings; exit code 1\n"
    )  # fmt: skip


def test_a_message_alone(repo: Repo) -> None:
    repo.git("add", "--all")
    path = repo.write(".git/MESSAGE", "wip\n# print(1)\n")
    result = call(repo.path, "check", "--message", str(path))
    assert result.returncode == 1
    assert "About subject" in result.stdout
    assert "no-print" not in result.stdout
    result = call(repo.path, "check", "--message", "nowhere")
    assert (result.returncode, result.stderr) == (
        2, "git-skillmesh: cannot read nowhere: No such file or directory\n"
    )  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "markdown"])
def test_every_format_into_a_file(repo: Repo, form: str, tmp_path: Path) -> None:
    place = tmp_path / "report"
    result = call(repo.path, "check", "--worktree", "--format", form, "--output", str(place))
    assert (result.returncode, result.stdout) == (1, "")
    assert "About no-print" in place.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a..b", "c..d"], "one change at a time: git skillmesh check BASE..HEAD"),
        (["a..b", "--staged"], "one change at a time: git skillmesh check BASE..HEAD"),
        (["--head", "HEAD"], "--head needs --base, --merge or --all"),
        (["--base", "nope"], "not a commit of this repository: nope"),
        (["nope..HEAD"], "not a commit of this repository: nope"),
    ],
)
def test_mistakes_are_one_line(repo: Repo, words: list[str], said: str) -> None:
    result = call(repo.path, "check", *words)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"git-skillmesh: {said}\n")


def test_repositories_of_every_kind(repo: Repo, tmp_path: Path) -> None:
    empty = make_repo(tmp_path, "empty")
    assert call(empty.path, "check").returncode == 0
    empty.write("a.py", "print(1)\n")
    assert call(empty.path, "check", "--worktree").returncode == 0
    repo.commit("second")
    repo.git("checkout", "-q", "--detach")
    assert call(repo.path, "check", "HEAD~1..HEAD").returncode == 1
    bare = repo.clone(tmp_path / "bare", "--bare")
    assert call(bare.path, "check", "HEAD~1..HEAD").returncode == 1
    assert call(bare.path, "check").returncode == 2


def test_output_to_a_closed_pipe_and_outside_of_a_repository(tmp_path: Path) -> None:
    result = run_skillmesh(tmp_path, "check")
    assert (result.returncode, result.stdout) == (4, "")


def test_a_file_of_fifty_megabytes_is_told_of_and_the_rest_is_checked(repo: Repo) -> None:
    with (repo.path / "large.py").open("wb") as stream:
        for _ in range(50):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\nprint(2)\n")
    repo.git("add", ".")
    result = call(repo.path, "check")
    assert (result.returncode, FOUND in result.stdout) == (1, True)
    assert "large.py" in result.stdout.split("Not looked at", 1)[1]


def test_a_message_that_says_what_a_learning_says_gets_a_note(tmp_path: Path) -> None:
    tap = literal("no-tap", "require('tap')", State.WARN, paths=("test/**",))
    tap = replace(tap, title="Tests run under node:test, not tap",
                  description="The tests were moved from tap to node:test.")  # fmt: skip
    repo = make_repo(tmp_path, files={"a.js": "1\n", **files_of(tap)})
    repo.commit("test: migrate inject.test.js from tap to node:test", {"a.js": "2\n"})
    repo.commit("Round amounts of money to cents", {"a.js": "3\n"})
    said = call(repo.path, "check", "--related", "--json", "HEAD~2..HEAD")
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout)["related"] == [
        {
            "kind": "learning", "id": "no-tap", "title": "Tests run under node:test, not tap",
            "why": 'the message "test: migrate inject.test.js from tap to node:test" says much '
                   "the same", "path": "", "line": 0,
        }
    ]  # fmt: skip
    for change in (("HEAD~1..HEAD",), ()):
        said = call(repo.path, "check", "--related", "--json", *change)
        assert json.loads(said.stdout)["related"] == []
