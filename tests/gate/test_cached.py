"""Rules kept parsed: the same as read anew, for this program's form only, never in the way."""

from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.gate import cached
from git_skillmesh.gate.cached import Loaded
from git_skillmesh.git.objects import BlobReader
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import Backtest, Fix, Matcher, MatcherKind, State
from testing.learnings import files_of, literal, made, syntax, with_examples
from testing.repos import Repo, make_repo

RULES = (
    with_examples(literal("one", "x", languages=("python",), tags=("a", "b")), ["x"], ["y"]),
    syntax("two", {"pattern": "eval($A)", "inside": {"kind": "call"}}),
    made("three", Matcher(MatcherKind.PATHS, accompany=("*.md",)), State.WARN, paths=("*.py",),
         fix=Fix("do", "it"), backtest=Backtest(1, 2, 3, 4, "abcdef1", "2026-01-31")),
    made("four", Matcher(MatcherKind.MESSAGE, regex="x", required=True), State.RETIRED,
         confidence=0.5),
)  # fmt: skip
BAD = {
    ".skillmesh/learnings/bad.yaml": "learning_id: bad\n",
    ".skillmesh/learnings/worse.yaml": (
        "learning_id: worse\ntitle: t\ndescription: d\nstate: block\n"
        "matcher:\n  kind: regex\n  regex: '('\n"
    ),
}


def with_rules(folder: Path) -> Repo:
    return make_repo(folder, files={**files_of(*RULES), **BAD})


def load(repo: Repo, commit: str) -> Loaded:
    repository = discover(repo.path)
    with BlobReader(repository) as reader:
        return cached.load(repository, commit, reader)


def kept(repo: Repo) -> list[Path]:
    return sorted((repo.state_dir / "rules").glob("*"))


def test_what_is_kept_is_what_was_read(tmp_path: Path) -> None:
    repo = with_rules(tmp_path)
    first = load(repo, "HEAD")
    (file,) = kept(repo)
    assert file.name == f"{repo.git('rev-parse', 'HEAD:.skillmesh/learnings')}.json"
    assert load(repo, "HEAD") == first
    assert {one.learning_id for one in first.learnings} == {"one", "two", "three", "four"}
    by_id = {one.learning_id: one for one in first.learnings}
    assert by_id == {one.learning_id: replace(one, bad=(), good=()) for one in RULES}
    assert [str(one) for one in first.problems] == [
        ".skillmesh/learnings/bad.yaml:1: description is missing",
        ".skillmesh/learnings/bad.yaml:1: matcher is missing",
        ".skillmesh/learnings/bad.yaml:1: title is missing",
        ".skillmesh/learnings/worse.yaml:7: missing ) in (",
    ]


def test_without_learnings_nothing_is_kept(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    assert load(repo, "HEAD") == Loaded()
    assert kept(repo) == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"form": "0"}', f'{{"form": "{cached._FORM}"}}', "[" * 9999,
     f'{{"form": "{cached._FORM}", "learnings": [{{"matcher": {{"kind": "?"}}}}]}}'],
)  # fmt: skip
def test_what_is_damaged_is_read_anew(tmp_path: Path, content: str) -> None:
    repo = with_rules(tmp_path)
    first = load(repo, "HEAD")
    (file,) = kept(repo)
    good = file.read_text()
    file.write_text(content)
    assert load(repo, "HEAD") == first
    assert file.read_text() == good
    assert kept(repo) == [file]


def test_a_change_of_the_learnings_is_another_file(tmp_path: Path) -> None:
    repo = with_rules(tmp_path)
    old = repo.head
    load(repo, old)
    repo.commit("without", {RULES[0].path: None})
    new = load(repo, "HEAD")
    assert "one" not in {learning.learning_id for learning in new.learnings}
    assert len(kept(repo)) == 2


def test_few_are_kept(tmp_path: Path) -> None:
    repo = with_rules(tmp_path)
    for number in range(10):
        repo.commit("next", {f".skillmesh/learnings/x{number}.yaml": "learning_id: x\n"})
        load(repo, "HEAD")
    assert len(kept(repo)) == 8


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    repo = with_rules(tmp_path)
    (repo.git_dir / "skillmesh").write_text("in the way\n")
    found = load(repo, "HEAD")
    assert {one.learning_id for one in found.learnings} == {"one", "two", "three", "four"}
