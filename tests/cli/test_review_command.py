"""`review` without a terminal: the list, JSON as documented, decisions by options."""

import json
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.sessions.model import Exchange, Session
from testing.commands import call
from testing.conversations import (
    FIRST,
    THIRD,
    remember,
    tell_the_correction,
    tell_the_parcels_story,
)
from testing.docs_pages import make_sample
from testing.repos import Repo, make_repo
from testing.rights import read_only, run_respecting_permissions
from testing.schemas import fits

NAME = "we-never-call-requests-directly"
FILE = f".skillmesh/learnings/{NAME}.yaml"
ALONE = "no terminal to ask at: --accept ID, --reject ID, --skip ID, or --json\n"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    """A repository that no test changes."""
    repo = make_sample(tmp_path_factory.mktemp("untouched"))
    tell_the_parcels_story(repo)
    tell_the_correction(repo)
    return repo


@pytest.fixture
def repo(untouched: Repo, tmp_path: Path) -> Repo:
    return untouched.copy(tmp_path / untouched.path.name)


def review(repo: Repo, *words: str, code: int = 0) -> dict[str, Any]:
    said = call(repo.path, "review", "--json", *words)
    assert said.returncode == code, said.stderr
    document: dict[str, Any] = json.loads(said.stdout)
    fits(document, "review")
    return document


def ids(repo: Repo, *words: str, code: int = 0) -> list[str]:
    return [one["id"] for one in review(repo, *words, code=code)["candidates"]]


def test_the_list_in_a_pipe(untouched: Repo) -> None:
    (one,) = review(untouched)["candidates"]
    confidence = one["scores"]["confidence"]
    said = call(untouched.path, "review-and-promote")
    assert (said.returncode, said.stdout, said.stderr) == (
        0,
        f"{one['id']}  {confidence:.2f}  correction  We never call requests directly.\n",
        ALONE,
    )


def test_json_has_all_that_the_screen_shows(untouched: Repo) -> None:
    document = review(untouched)
    (one,) = document["candidates"]
    (evidence,) = one["evidence"]
    assert document["skipped"] == 0
    assert (evidence["name"], evidence["tool_sequence"]) == ("5d20a6f8/2", "read→edit→bash")
    assert evidence["prompt"].startswith("No, we never call requests directly.")
    assert [change["path"] for change in evidence["changes"]] == ["src/parcels/depots.py"] * 2
    assert one["code"] == [
        {"path": "src/parcels/depots.py", "lines": "1,5", "commit": untouched.head,
         "summary": "ask the depots by way of the shared client"}
    ]  # fmt: skip
    before = untouched.git("rev-parse", "HEAD~1")
    flagged = one["flagged"]
    assert (flagged["commits"], flagged["fired"], flagged["lines"]) == (4, 1, 1)
    assert [(f["commit"], [x["line"] for x in f["lines"]]) for f in flagged["findings"]] == [
        (before, [5])
    ]
    assert one["learning"]["yaml"].startswith(f"learning_id: {NAME}\n")
    assert (one["problems"], one["conflicts"], one["skipped"]) == ([], [], False)
    assert review(untouched, "--commits", "1")["candidates"][0]["flagged"]["fired"] == 0
    assert review(untouched, "--commits", "0")["candidates"][0]["flagged"]["commits"] == 0


def test_filters(untouched: Repo) -> None:
    (name,) = ids(untouched)
    for words in (
        ("--type", "bugfix"),
        ("--kind", "correction", "--kind", "rule"),
        ("--min-confidence", "0.8"),
        ("--path", "src/**"),
        ("--session", THIRD[:8]),
        ("-n", "1"),
        (name[:5],),
    ):
        assert ids(untouched, *words) == [name]
    for words in (
        ("--type", "feature"),
        ("--kind", "revert"),
        ("--min-confidence", "0.99"),
        ("--path", "web/**"),
        ("--session", FIRST),
    ):
        assert ids(untouched, *words, code=1) == []
        said = call(untouched.path, "review", *words)
        assert (said.returncode, said.stdout, said.stderr) == (1, "", "no candidate fits\n")


def test_accepting(repo: Repo) -> None:
    (name,) = ids(repo)
    said = call(repo.path, "review", "--accept", name, "--id", "client", "--state", "warn")
    assert (said.returncode, said.stderr) == (0, "")
    assert (
        said.stdout
        == f"""\
.skillmesh/learnings/client.yaml  warn: We never call requests directly.
  {THIRD}/c4a7-2 is promoted_to_learning now
  examples: 1 bad, 1 good; both ways as they say
  next: git skillmesh backtest client
        git add .skillmesh/learnings/client.yaml && git commit
"""
    )
    assert ids(repo, code=1) == []
    said = call(repo.path, "review")
    assert said.stderr == "1 candidate, none undecided: --all shows what was\n"
    (done,) = review(repo, "--all")["candidates"]
    assert (done["decision"], done["learning_id"]) == ("promoted", "client")


def test_rejecting_and_thinking_again(repo: Repo) -> None:
    (name,) = ids(repo)
    said = call(repo.path, "review", "--reject", name, "--reason", "too  narrow", "--json")
    assert json.loads(said.stdout) == {
        "schema": 1, "candidate": name, "decision": "rejected", "reason": "too narrow",
    }  # fmt: skip
    assert ids(repo, code=1) == []
    said = call(repo.path, "review", "--accept", name)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == f"git-skillmesh: {name} was rejected: too narrow: --anyway does it\n"
    assert call(repo.path, "review", "--accept", name, "--anyway").returncode == 0
    assert repo.read(FILE).startswith(f"learning_id: {NAME}\n")


def test_skipping(repo: Repo) -> None:
    (name,) = ids(repo)
    said = call(repo.path, "review", "--skip", name)
    assert said.stdout == f"{name} skipped: We never call requests directly.\n"
    assert review(repo, code=1)["skipped"] == 1
    said = call(repo.path, "review")
    assert (said.returncode, said.stderr) == (
        1,
        "none left; 1 candidate skipped before: --skipped\n",
    )
    assert ids(repo, "--skipped") == [name]
    assert review(repo, name)["candidates"][0]["skipped"] is True


def test_a_candidate_without_a_matcher(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.md": "x\n"})
    say = "In this project we always write dates as days, never as weeks."
    remember(repo, Session("s", "codex", (Exchange("e", say, "Yes.", "2026-01-01T00:00:00Z"),)))
    (one,) = review(repo)["candidates"]
    assert (one["proposal"], one["learning"]["matcher"]) == (None, False)
    assert one["flagged"]["why_not"] == "there is no matcher yet"
    said = call(repo.path, "review", "--accept", one["id"])
    path = f".skillmesh/learnings/{one['learning']['id']}.yaml"
    assert (
        said.stdout
        == f"""\
{path}  proposed: {one["title"]}
  s/e is promoted_to_learning now
  no matcher yet: no change says it for certain
  next: git skillmesh learnings edit {one["learning"]["id"]}
"""
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--accept", "c", "--skip", "c"), "one decision at a time: --accept, --reject or --skip"),
        (("--reject", "c-1"), "a rejection needs a reason: --reason TEXT"),
        (("--reason", "x"), "--reason is for --reject"),
        (("--state", "warn"), "--state is for --accept"),
        (("--accept", "c-zzz"), "no such candidate: c-zzz: git skillmesh review --json"),
        (("c-zzz",), "no such candidate: c-zzz: git skillmesh review --json"),
        (("",), "no such candidate: : git skillmesh review --json"),
        (("--min-confidence", "2"), "--min-confidence is a number from 0 to 1"),
        (("--commits", "-1"), "--commits must be 0 or more"),
        (("-n", "0"), "-n must be at least 1"),
        (("--session", "nope"), "no such session: nope: git skillmesh sessions lists them"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(untouched: Repo, words: tuple[str, ...], said: str) -> None:
    answer = call(untouched.path, "review", *words)
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", f"git-skillmesh: {said}\n")


def test_no_memory_at_all(tmp_path: Path) -> None:
    repo = make_sample(tmp_path)
    said = call(repo.path, "review")
    assert (said.returncode, said.stdout, said.stderr) == (
        1, "", "no conversations are stored in this repository yet: git skillmesh import\n",
    )  # fmt: skip
    assert ids(repo, code=1) == []
    empty = make_repo(tmp_path, "empty")
    assert call(empty.path, "review").returncode == 1


def test_looking_works_where_nothing_can_be_written(repo: Repo) -> None:
    with read_only(repo.path):
        listed = run_respecting_permissions(repo.path, "review", "--json")
        assert listed.returncode == 0
        (one,) = json.loads(listed.stdout)["candidates"]
        for words in (("--accept", one["id"]), ("--reject", one["id"], "--reason", "no")):
            said = run_respecting_permissions(repo.path, "review", *words)
            assert (said.returncode, said.stdout) == (9, "")
            assert said.stderr.count("\n") == 1
    assert repo.git("status", "--short") == ""
    assert ids(repo) == [one["id"]]


def test_a_candidate_that_rests_on_commits_alone(tmp_path: Path) -> None:
    """What is decided stands in the note of its commit, where clones find it."""
    repo = make_repo(tmp_path, files={"a.py": "def f():\n    return fetch_page(1)\n"})
    repo.commit("load pages", {"a.py": "def f():\n    return load_page(1)\n"})
    repo.git("revert", "--no-edit", "HEAD")
    (one,) = review(repo)["candidates"]
    assert (one["kind"], one["sessions"], one["code"][0]["path"]) == ("revert", [], "")
    assert call(repo.path, "review", "--reject", one["id"], "--reason", "a slip").returncode == 0
    other = repo.clone(tmp_path / "other")
    other.git("fetch", "-q", "origin", "refs/notes/skillmesh:refs/notes/skillmesh")
    (there,) = review(other, "--all")["candidates"]
    assert (there["decision"], there["reason"]) == ("rejected", "a slip")
    said = call(other.path, "review", "--accept", one["id"], "--anyway", "--json")
    document = json.loads(said.stdout)
    assert (document["written"], document["source"]["exchanges"]) == (True, [])
    assert review(other, "--all")["candidates"][0]["decision"] == "promoted"
