"""From stored conversations to candidates: incremental, the same in every clone, decided once."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.learnings import analysis_cache
from git_skillmesh.learnings.analysis import Analysis, Wanted, analyze, find
from git_skillmesh.learnings.analysis_decisions import Decided, decide, decisions
from git_skillmesh.learnings.candidates import Decision, Fate, Kind
from git_skillmesh.sessions.events import Event, statuses
from git_skillmesh.sessions.model import Session
from git_skillmesh.sessions.store import MemoryStore
from testing.conversations import link
from testing.corrections import (
    HTTPX,
    PATH,
    REQUESTS,
    corrected,
    edit,
    run_of_tests,
    said,
    tell_of_corrections,
)
from testing.memory import open_memory
from testing.repos import Repo, make_repo

NOON = "2026-04-01T12:00:00Z"


def analysis(repo: Repo, wanted: Wanted | None = None, *, again: bool = False) -> Analysis:
    return analyze(open_memory(repo), str, wanted or Wanted(), again=again)


def kinds(found: Analysis) -> list[tuple[str, int]]:
    return [(str(one.kind), len(one.evidence)) for one in found.candidates]


def events(store: MemoryStore) -> dict[str, tuple[Event, ...]]:
    return store.all_events()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path)
    tell_of_corrections(repo)
    return repo


def test_the_same_correction_in_two_conversations_is_one_candidate(repo: Repo) -> None:
    found = analysis(repo)
    (one,) = found.candidates
    assert (one.kind, one.sessions, one.aliases[0]) == (Kind.CORRECTION, ("one", "two"), one.id)
    assert one.proposal is not None
    assert one.proposal.pattern == "the name requests"
    assert (found.exchanges, found.new, found.marked) == (6, 6, 6)
    assert dict(found.fates) == {Fate.NONE: 2, Fate.KEPT: 2, Fate.REPLACED: 2}


def test_every_exchange_is_looked_at_once_and_marked(repo: Repo) -> None:
    first = analysis(repo)
    store = open_memory(repo)
    tip = repo.git("rev-parse", "refs/skillmesh/memory")
    assert set(statuses(store.events("one")).values()) == {"analyzed"}
    again = analysis(repo)
    assert (again.new, again.marked) == (0, 0)
    assert again.candidates == first.candidates
    assert repo.git("rev-parse", "refs/skillmesh/memory") == tip
    # The cache may go at any time: everything comes back, and nothing is said twice.
    analysis_cache.path_of(store.repository).unlink()
    assert analysis(repo).candidates == first.candidates
    assert repo.git("rev-parse", "refs/skillmesh/memory") == tip


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": 1}', b"\xff", b"[" * 99_999])
def test_a_damaged_cache_is_no_cache(repo: Repo, content: bytes) -> None:
    first = analysis(repo)
    analysis_cache.path_of(open_memory(repo).repository).write_bytes(content)
    assert analysis(repo).candidates == first.candidates


def test_a_session_that_grows_is_looked_at_where_it_is_new(repo: Repo) -> None:
    analysis(repo)
    more = said(
        4, "No, don't swallow that error.", edit(4, HTTPX, f"{HTTPX}# scans\n"), owner="one"
    )
    grown = corrected("one")
    open_memory(repo).add([replace(grown, exchanges=(*grown.exchanges, more))])
    found = analysis(repo)
    assert (found.new, found.marked) == (1, 1)
    assert kinds(found) == [("correction", 2), ("correction", 1)]


def test_it_is_the_same_in_pieces_as_at_once(repo: Repo, tmp_path: Path) -> None:
    other = make_repo(tmp_path / "other")
    other.write(PATH, HTTPX)
    other.commit("fetch scans")
    store = open_memory(other)
    two = open_memory(repo).session("two")
    for session in (two, corrected("one")):
        for count in range(1, len(session.exchanges) + 1):
            store.add([replace(session, exchanges=session.exchanges[:count])])
            analysis(other)
    assert analysis(other).candidates == analysis(repo).candidates


def test_clones_agree_whoever_analyzed_what(repo: Repo, tmp_path: Path) -> None:
    mirror = repo.clone(tmp_path / "clone")
    mirror.git("fetch", "-q", "origin", "+refs/skillmesh/*:refs/skillmesh/*")
    analysis(repo, Wanted(session="one"))
    analysis(mirror)
    here, there = open_memory(repo), open_memory(mirror)
    repo.git("fetch", "-q", str(mirror.path), "refs/skillmesh/memory")
    here.merge(repo.git("rev-parse", "FETCH_HEAD"))
    assert events(here) == events(there)
    assert analysis(repo).marked == 0


def test_only_what_is_asked_for_is_looked_at(repo: Repo) -> None:
    late = analysis(repo, Wanted(since="2026-03-02T00:00:00Z"))
    assert (late.exchanges, late.new, kinds(late)) == (3, 3, [("rule", 1)])
    one = analysis(repo, Wanted(session="one"))
    assert (one.exchanges, one.new, kinds(one)) == (3, 3, [("correction", 2)])


def test_a_decision_stands_in_every_clone_and_for_every_name(repo: Repo, tmp_path: Path) -> None:
    (one,) = analysis(repo).candidates
    store = open_memory(repo)
    decide(store, one, Decided(Decision.REJECTED, NOON, "we are about to leave httpx"))
    (after,) = analysis(repo).candidates
    assert (after.decision, after.reason) == (Decision.REJECTED, "we are about to leave httpx")
    clone = repo.clone(tmp_path / "clone")
    clone.git("fetch", "-q", "origin", "+refs/skillmesh/*:refs/skillmesh/*")
    (there,) = analysis(clone).candidates
    assert there == after
    # Evidence from before comes to light: the candidate has another id, and is still rejected.
    open_memory(repo).add([corrected("zero", day=1, prompt="No, use httpx instead of requests.")])
    earlier = analysis(repo)
    assert earlier.candidates[0].decision is Decision.REJECTED
    decide(store, one, Decided(Decision.PROMOTED, "2026-04-02T00:00:00Z", learning_id="httpx"))
    (last,) = analysis(repo).candidates
    assert (last.decision, last.learning_id, last.reason) == (Decision.PROMOTED, "httpx", "")
    assert statuses(store.events("one"))["one-2"] == "promoted_to_learning"
    assert statuses(store.events("two"))["two-2"] == "promoted_to_learning"


def test_a_decision_about_commits_alone_is_a_line_of_their_note(repo: Repo) -> None:
    repo.commit("rules", {"AGENTS.md": "- Never store keys in the depot module.\n"})
    found = next(one for one in analysis(repo).candidates if not one.sessions)
    store = open_memory(repo)
    decide(store, found, Decided(Decision.REJECTED, NOON, "obvious"))
    line = repo.git("notes", "--ref=skillmesh", "show", found.commits[0])
    assert line == (
        f'{{"candidate": "{found.id}", "decision": "rejected", "kind": "candidate", '
        f'"reason": "obvious", "time": "{NOON}", "v": 1}}'
    )
    assert decisions(store) == {found.id: Decided(Decision.REJECTED, NOON, "obvious")}


def test_what_nobody_understands_decides_nothing(repo: Repo) -> None:
    store = open_memory(repo)
    strange = ("x", None, {"candidate": "c-1"}, {"candidate": 7, "decision": "rejected"},
               {"candidate": "c-1", "decision": "dance"})  # fmt: skip
    store.append_events("one", [Event("candidate", value, "one-2", NOON) for value in strange])
    lines = "\n".join(['{"kind": "candidate"}', '"candidate"', '["candidate"]', "{"])
    repo.git("notes", "--ref=skillmesh", "add", "-m", lines, "HEAD")
    assert decisions(store) == {}


def test_a_candidate_is_found_by_the_beginning_of_any_of_its_ids(repo: Repo) -> None:
    (one,) = analysis(repo).candidates
    for name in (one.id, one.id[:6], one.aliases[1]):
        assert find([one], name) == [one]
    assert find([one], "c-zzz") == []


def test_what_was_fixed_and_what_was_redone_without_a_word(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    five = "".join(f"value_{n} = lamp({n})\n" for n in range(5))
    other = five.replace("lamp", "depot")
    session = Session("s", "codex", (
        said(1, "Write down the values of all the lamps.", edit(1, "", five)),
        said(2, "Take the depots for the values, please.", edit(2, five, other)),
        said(3, "The tests are failing, look at the values.", edit(3, other, five)),
        said(4, "Go on with the depots of the north.", run_of_tests(1, passed=False),
             edit(4, five, other), run_of_tests(2, passed=True)),
    ))  # fmt: skip
    open_memory(repo).add([session])
    found = analysis(repo)
    assert Counter(one.kind for one in found.candidates) == {Kind.REDONE: 1, Kind.FIX: 2}


def test_what_agents_tell_each_other_is_no_correction(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    open_memory(repo).add([replace(corrected("sub"), parent="main")])
    assert analysis(repo).candidates == ()


def test_code_that_a_commit_took_back_was_reverted(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    bad = repo.commit("fetch scans", {PATH: REQUESTS})
    link(repo, bad, PATH, range(1, 6), "s", "s-1")
    repo.git("revert", "--no-edit", bad)
    session = Session("s", "codex", (said(1, "Fetch scans.", edit(1, "", REQUESTS)),))
    open_memory(repo).add([session])
    assert analysis(repo).fates == ((Fate.REVERTED, 1),)


def test_code_that_a_person_changed_and_code_that_was_never_committed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    first = repo.commit("fetch scans", {PATH: REQUESTS})
    link(repo, first, PATH, range(1, 6), "s", "s-1")
    repo.commit("by hand", {PATH: "nothing = 0\n"})
    session = Session("s", "codex", (
        said(1, "Fetch scans.", edit(1, "", REQUESTS)),
        said(2, "Write a draft.", edit(2, "", "a_draft = 1\n", "src/draft.py")),
    ))  # fmt: skip
    open_memory(repo).add([session])
    assert dict(analysis(repo).fates) == {Fate.CHANGED: 1, Fate.UNCOMMITTED: 1}


def test_a_repository_without_a_commit_or_memory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={})
    assert analysis(repo) == Analysis(())
