"""A candidate becomes a file, its source comes to know, and clones agree on what was decided."""

from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.errors import ReadOnly, UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.analysis import analyze
from git_skillmesh.learnings.candidates import Candidate, Decision
from git_skillmesh.learnings.model import Example, Fix, Learning, Matcher, MatcherKind, State
from git_skillmesh.learnings.promotion import draft, promote, read_draft, reject, secret_in
from git_skillmesh.learnings.skips import skips_of
from git_skillmesh.learnings.writing import write_learning
from git_skillmesh.sessions.events import Status, statuses
from git_skillmesh.sessions.redaction_policy import Policy
from testing.conversations import THIRD, tell_the_correction
from testing.memory import open_memory
from testing.repos import Repo, make_repo

NAME = "we-never-call-requests-directly"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"README.md": "# Parcels\n"})
    tell_the_correction(repo)
    return repo


def same(text: str) -> str:
    return text


def candidate_of(repo: Repo) -> Candidate:
    (found,) = analyze(open_memory(repo), same).candidates
    return found


def write(repo: Repo) -> Learning:
    made = draft(candidate_of(repo), (), "Ada")
    promote(open_memory(repo), made, write_learning(made), candidate_of(repo))
    return made


def test_a_file_a_status_and_a_decision(repo: Repo) -> None:
    before = open_memory(repo).exchange("c4a7-2", THIRD)
    made = write(repo)
    assert (made.learning_id, made.state, made.source_commits) == (
        NAME,
        State.PROPOSED,
        (repo.head,),
    )
    assert repo.read(made.path) == write_learning(made)
    store = open_memory(repo)
    assert statuses(store.events(THIRD)) == {
        "c4a7-1": Status.ANALYZED,
        "c4a7-2": Status.PROMOTED,
    }
    decided = candidate_of(repo)
    assert (decided.decision, decided.learning_id) == (Decision.PROMOTED, NAME)
    assert store.exchange("c4a7-2", THIRD) == before
    with pytest.raises(UsageError, match=f"{NAME}.yaml exists"):
        write(repo)


def test_two_clones_agree_whoever_comes_first(repo: Repo, tmp_path: Path) -> None:
    """The later decision counts in both, whichever is merged into the other."""
    other = repo.clone(tmp_path / "other")
    other.git(
        "fetch", "-q", "origin", "refs/skillmesh/*:refs/skillmesh/*", "refs/notes/*:refs/notes/*"
    )
    reject(open_memory(repo), candidate_of(repo), "too  narrow", same)
    write(other)
    for one, with_ in ((repo, other), (other, repo)):
        one.git("fetch", "-q", str(with_.path), "refs/skillmesh/memory:refs/theirs")
        open_memory(one).merge(one.git("rev-parse", "refs/theirs"))
        found = candidate_of(one)
        assert (found.decision, found.learning_id) == (Decision.PROMOTED, NAME)
    assert repo.git("rev-parse", "refs/skillmesh/memory^{tree}") == other.git(
        "rev-parse", "refs/skillmesh/memory^{tree}"
    )
    reject(open_memory(repo), candidate_of(repo), "no: too narrow", same)
    assert (candidate_of(repo).decision, candidate_of(repo).reason) == (
        Decision.REJECTED, "no: too narrow",
    )  # fmt: skip


def test_a_rejection_needs_a_reason_and_keeps_no_secret(repo: Repo) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        reject(open_memory(repo), candidate_of(repo), " \n ", same)
    reject(
        open_memory(repo), candidate_of(repo), "it says abc", lambda text: text.replace("abc", "X")
    )
    assert candidate_of(repo).reason == "it says X"


def test_where_the_memory_cannot_be_told_no_file_is_left(repo: Repo) -> None:
    made, candidate = draft(candidate_of(repo), (), "Ada"), candidate_of(repo)
    store = open_memory(repo)
    repo.git("update-ref", "-d", "refs/skillmesh/memory")
    with pytest.raises(UsageError, match="no such session"):
        promote(store, made, write_learning(made), candidate)
    assert not (repo.path / made.path).exists()


def test_a_folder_that_cannot_be_written(repo: Repo) -> None:
    made, candidate = draft(candidate_of(repo), (), "Ada"), candidate_of(repo)
    (repo.path / ".skillmesh").write_text("a file where a folder should be\n")
    with pytest.raises(ReadOnly):
        promote(open_memory(repo), made, write_learning(made), candidate)
    assert candidate_of(repo).decision is Decision.OPEN


def test_a_bare_repository_has_no_place_for_it(repo: Repo, tmp_path: Path) -> None:
    made = draft(candidate_of(repo), (), "Ada")
    bare = repo.clone(tmp_path / "bare", "--bare")
    with pytest.raises(UsageError, match="no working tree"):
        promote(open_memory(bare), made, write_learning(made))


def test_the_id_of_a_text_says_where_it_will_be() -> None:
    made = Learning("a-b", "t", "d", Matcher(MatcherKind.LITERAL, text="x"))
    assert read_draft(write_learning(made)).learning == made
    said = [str(p) for p in read_draft("title: x\nlearning_id: A B\n").problems]
    assert said[0].startswith(".skillmesh/learnings/learning.yaml:1: ")
    assert read_draft("learning_id: [1]\n").learning is None
    assert read_draft("\ud800: [").learning is None
    assert read_draft("- 1").learning is None


def test_no_secret_gets_into_a_file() -> None:
    key = "AKIA" + "Q3EGWXN5RTYUZK7P"
    clean = Learning("a", "t", "d", Matcher(MatcherKind.REGEX, regex="AKIA[A-Z0-9]{16}"))
    assert secret_in(clean, Policy()) == ""
    for field, learning in (
        ("title", replace(clean, title=f"never {key}")),
        ("matcher", replace(clean, matcher=Matcher(MatcherKind.LITERAL, text=key))),
        ("matcher", replace(clean, matcher=Matcher(MatcherKind.AST, rule={"pattern": key}))),
        ("examples.bad", replace(clean, bad=(Example(f"id = '{key}'\n"),))),
        ("fix", replace(clean, fix=Fix(f"not {key}"))),
    ):
        said = secret_in(learning, Policy())
        assert said.startswith(f"{field} of a has a secret in it (aws-access-key")
        assert key not in said
        assert secret_in(learning, Policy(allow=(key,))) == ""


def test_skips_are_local_and_end_with_more_evidence(repo: Repo) -> None:
    candidate = candidate_of(repo)
    skips_of(discover(repo.path)).add(candidate)
    assert skips_of(discover(repo.path)).has(candidate)
    assert candidate_of(repo).decision is Decision.OPEN
    path = repo.state_dir / "review.json"
    path.write_text(path.read_text().replace(": 1}", ": 2}"))
    assert not skips_of(discover(repo.path)).has(candidate)
    for text in ("", "[]", '{"version": 2}', '{"version": 1, "skipped": [1]}', "[" * 100_000):
        path.write_text(text)
        assert not skips_of(discover(repo.path)).has(candidate)
