"""What exchanges, commits and diffs say for a learning, without anybody having proposed it."""

from pathlib import Path

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.gate.proposing import passes
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.analysis import analyze
from git_skillmesh.learnings.candidates import Candidate, Change
from git_skillmesh.learnings.drafting import from_commit, from_exchange, from_patch, with_matcher
from git_skillmesh.sessions.model import Exchange, Session
from testing.conversations import THIRD, link, remember, tell_the_correction
from testing.memory import open_memory
from testing.repos import Repo, make_repo

URL = 'f"https://depots.example/scans/{parcel}"'


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("story"), files={"README.md": "# Parcels\n"})
    tell_the_correction(repo)
    return repo


def clean(text: str) -> str:
    return text.replace("requests", "REDACTED")


def same(text: str) -> str:
    return text


def rule(candidate: Candidate) -> object:
    assert candidate.proposal is not None
    return candidate.proposal.matcher.rule


def test_an_exchange_says_what_analysis_finds_in_it(repo: Repo) -> None:
    store = open_memory(repo)
    made = with_matcher(from_exchange(store, THIRD, "c4a7-2"), passes)
    (known,) = analyze(store, same, fits=passes).candidates
    assert (made.id, made.title, made.evidence[0].commits) == (known.id, known.title, (repo.head,))
    assert made.proposal == known.proposal
    assert rule(made) == {"pattern": "requests.get($$$ARGUMENTS)"}


def test_an_exchange_in_which_nothing_is_said_is_told_by_its_prompt(repo: Repo) -> None:
    made = with_matcher(from_exchange(open_memory(repo), THIRD, "c4a7-1"), passes)
    assert made.title == "Write a function that asks a depot for the scans of a parcel."
    assert (made.proposal, made.scores.total, made.sessions) == (None, 0.0, (THIRD,))
    with pytest.raises(UsageError, match="has no exchange none"):
        from_exchange(open_memory(repo), THIRD, "none")


def test_a_commit_names_its_exchange_and_what_it_replaced(repo: Repo) -> None:
    made = with_matcher(from_commit(discover(repo.path), repo.head, same), passes)
    assert made.title == "ask the depots by way of the shared client"
    (evidence,) = made.evidence
    assert (evidence.session, evidence.exchange, evidence.number) == (THIRD, "c4a7-2", 2)
    assert evidence.commits == (repo.head,)
    assert rule(made) == {"pattern": "requests.get($$$ARGUMENTS)"}


def test_a_commit_of_several_exchanges_or_none_names_none(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "get(u)\n"})
    repo.commit("Ask\n\nBecause.", {"a.py": "ask(u)\n"})
    first = from_commit(discover(repo.path), repo.head, same)
    assert (first.title, first.description, first.sessions) == ("Ask", "Because.", ())
    exchanges = tuple(Exchange(f"e{n}", f"Ask {n}.", "Done.") for n in (1, 2))
    remember(repo, Session("s", "codex", exchanges))
    for n in (1, 2):
        link(repo, "HEAD", "a.py", [1], "s", f"e{n}")
    assert from_commit(discover(repo.path), repo.head, same).sessions == ()


def test_secrets_of_a_commit_are_taken_out(repo: Repo) -> None:
    made = from_commit(discover(repo.path), repo.head, clean)
    assert made.evidence[0].changes == (
        Change("src/parcels/depots.py", ("import REDACTED",), ("from parcels import http",), 1),
        Change(
            "src/parcels/depots.py",
            (f"    return REDACTED.get({URL}).json()",),
            (f"    return http.get({URL}).json()",),
            5,
        ),
    )


def test_a_diff_has_no_words_but_may_say_what_to_use() -> None:
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-fetch_page(u)\n+load_page(u)\n"
    made = with_matcher(from_patch(patch, same), passes)
    assert made.title == "Use load_page instead of fetch_page"
    assert rule(made) == {"pattern": "fetch_page($$$ARGUMENTS)"}
    other = with_matcher(from_patch(patch.replace(b"load_page(u)", b"y = 1"), same), passes)
    assert (other.title, other.proposal) == ("", None)
    with pytest.raises(UsageError, match="no diff"):
        from_patch(b"nothing", same)
