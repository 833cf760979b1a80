"""Taking conversations in, in any pieces and any order: each exchange once, and nothing is lost."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.importers.detect import READERS
from git_skillmesh.sessions.importers.records import Imported, Record, lines_of
from git_skillmesh.sessions.importers.source import Part, Reading
from git_skillmesh.sessions.importing import Intake, Report
from git_skillmesh.sessions.known import Known
from git_skillmesh.sessions.model import Exchange, Problem, Session
from testing.agents import remembered
from testing.examples import examples
from testing.memory import make_exchange, make_session, open_memory
from testing.repos import Repo, make_repo
from testing.transcripts import (
    ROOTS,
    claude,
    claude_result,
    claude_says,
    claude_uses,
    jsonl,
    samples,
)


def forked(records: list[Record], name: str, upto: int, second: int) -> list[Record]:
    copied = [{**record, "sessionId": name} for record in records[:upto]]
    used = claude_uses(f"{name}-x", second, f"{name}-t", "Bash", command="go on")
    return [
        *copied,
        used | {"sessionId": name},
        claude_result(f"{name}-y", second + 1, f"{name}-t", "gone on", sessionId=name),
        claude("user", f"{name}-p", second + 2, f"now {name}", sessionId=name),
        claude_says(f"{name}-a", second + 3, "yes", sessionId=name),
    ]  # fmt: skip


MAIN = [
    claude("user", "p1", 1, "start"),
    claude_uses("a1", 2, "t1", "Bash", command="ls"),
    claude_result("u1", 3, "t1", "a.py"),
    claude_says("a2", 4, "seen"),
    claude("user", "p2", 5, "go on"),
    claude_says("a3", 6, "gone"),
]
FORK = forked(MAIN, "s2", 4, 20)
SAMPLES = samples()
FILES = [
    ("claude-code", jsonl(MAIN)),
    ("claude-code", jsonl(FORK)),
    ("claude-code", jsonl(forked(FORK, "s3", 8, 30))),
    *((agent, jsonl(SAMPLES[agent])) for agent in ("codex", "gemini", "cursor", "copilot")),
]


def read(file: int, end: int | None = None) -> Imported:
    agent, data = FILES[file]
    return READERS[agent](lines_of(data[:end]), f"{file}.jsonl", ROOTS)


def take(repo: Repo, *parts: Imported, dry_run: bool = False) -> Report:
    repository = discover(repo.path)
    repo.state_dir.mkdir(exist_ok=True)
    intake = Intake(repository, load(repository), dry_run=dry_run)
    try:
        listed = [Part("", part) for part in parts]
        return intake.take("test", Reading(len(listed), iter(listed)))
    finally:
        intake.close()


def calls(repo: Repo) -> dict[str, set[str]]:
    """Return exchange → its tool calls; each exchange has to be there once."""
    found: dict[str, set[str]] = {}
    for exchanges in remembered(repo).values():
        for exchange in exchanges:
            assert exchange.exchange_id not in found
            found[exchange.exchange_id] = {call.call_id for call in exchange.tools}
    return found


@pytest.fixture(scope="module")
def everything(
    tmp_path_factory: pytest.TempPathFactory, sealed_session: None
) -> dict[str, set[str]]:
    repo = make_repo(tmp_path_factory.mktemp("all"))
    take(repo, *(read(file) for file in range(len(FILES))))
    return calls(repo)


def test_what_is_told_is_there(everything: dict[str, set[str]]) -> None:
    assert everything["p1"] == {"t1", "s2-t"}
    assert everything["s2-p"] == {"s3-t"}
    assert {"p2", "s3-p"} <= set(everything)


pieces = st.lists(
    st.integers(0, len(FILES) - 1).flatmap(
        lambda file: st.tuples(st.just(file), st.integers(0, len(FILES[file][1])))
    ),
    max_size=5,
)


@settings(max_examples=examples(6), deadline=None)
@given(pieces, st.permutations(range(len(FILES))), st.sets(st.integers(0, 12)), st.booleans())
def test_any_pieces_in_any_order_over_any_number_of_imports(
    everything: dict[str, set[str]],
    before: list[tuple[int, int]],
    order: list[int],
    cuts: set[int],
    forgetful: bool,
) -> None:
    """A cut ends one import and begins the next; a forgetful one has lost its cache."""
    steps = [*(read(*piece) for piece in before), *(read(file) for file in order)]
    with tempfile.TemporaryDirectory() as folder:
        repo = make_repo(Path(folder))
        batch: list[Imported] = []
        for number, step in enumerate(steps):
            batch.append(step)
            if number in cuts:
                take(repo, *batch)
                batch = []
                if forgetful:
                    (repo.state_dir / "capture.db").unlink()
        take(repo, *batch)
        assert calls(repo) == everything
        again = take(repo, *steps)
        assert (again.new, again.grown, again.exchanges) == (set(), set(), 0)
        # The cache is no truth: without it nothing is stored either.
        (repo.state_dir / "capture.db").unlink()
        again = take(repo, *steps)
        assert (again.new, again.grown, again.exchanges) == (set(), set(), 0)


def test_a_dry_run_tells_what_an_import_does(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    half = [read(0, 900), read(3)]
    for parts in (half, [read(file) for file in range(len(FILES))]):
        dry = take(repo, *parts, dry_run=True)
        wet = take(repo, *parts)
        # In a dry run nothing is stored, so that a copy of what is on its way adds nothing yet.
        assert (dry.new, dry.exchanges, dry.redactions) == (wet.new, wet.exchanges, wet.redactions)


def test_exchanges_keep_their_order_whichever_come_first(tmp_path: Path) -> None:
    """Where a format has no times, the number of an exchange is all that says where it belongs."""
    repo = make_repo(tmp_path)
    names = ["f", "e", "d", "c", "b", "a"]
    timeless = (
        replace(exchange, exchange_id=name, started="", ended="")
        for name, exchange in zip(names, make_session("s", 6).exchanges, strict=True)
    )
    whole = replace(make_session("s"), exchanges=tuple(timeless))

    def part(*numbers: int) -> Imported:
        kept = tuple(whole.exchanges[number - 1] for number in numbers)
        return Imported((replace(whole, exchanges=kept),))

    take(repo, part(1, 2, 3))
    longer = replace(whole.exchanges[1], response="done, and more")
    grown = replace(whole, exchanges=(whole.exchanges[0], longer, *whole.exchanges[2:]))
    take(repo, Imported((grown,)))
    stored = remembered(repo)["s"]
    assert [exchange.exchange_id for exchange in stored] == names
    assert stored[1].response == "done, and more"


def test_a_new_title_is_stored_though_nothing_was_said(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    take(repo, Imported((make_session("s", 3, title=""),)))
    report = take(repo, Imported((make_session("s", 3, title="A lamp"),)))
    assert (report.grown, report.exchanges) == ({"s"}, 0)
    assert open_memory(repo).head("s").title == "A lamp"


def test_a_session_that_another_clone_has_stored_keeps_its_exchanges(tmp_path: Path) -> None:
    """The cache follows the ref, whoever moves it."""
    repo = make_repo(tmp_path)
    take(repo, Imported((make_session("other", 1),)))
    open_memory(repo).add([make_session("first", 2)])  # as a fetch or a merge does
    fork = Session("fork", "codex", (make_exchange(1, owner="first"), make_exchange(9, owner="f")))
    take(repo, Imported((fork,)))
    names = {name: [e.exchange_id for e in es] for name, es in remembered(repo).items()}
    assert names["fork"] == ["f-9"]
    repo.git("update-ref", "refs/skillmesh/memory", "refs/skillmesh/memory~1")  # put back
    report = take(repo, Imported((fork,)))
    assert report.new == {"fork"}


def test_what_does_not_fit_is_told_and_the_rest_is_stored(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    problem = Problem("x.jsonl", 3, "not JSON")
    report = take(repo, Imported((make_session("s", 1),), (problem,)))
    assert (report.problems, report.new) == ([problem], {"s"})


def test_what_is_stopped_stores_what_it_has_read(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.state_dir.mkdir()
    repository = discover(repo.path)
    parts = [Part(f"{n}", Imported((make_session(f"s{n}", 1),)), "stamp") for n in range(5)]
    read: list[Part] = []

    def watched() -> Iterator[Part]:
        for part in parts:
            read.append(part)
            yield part

    intake = Intake(repository, load(repository))
    report = intake.take("test", Reading(5, watched()), stopped=lambda: len(read) == 2)
    assert (report.new, report.interrupted) == ({"s0", "s1"}, True)
    assert set(remembered(repo)) == {"s0", "s1"}
    assert [intake.known.is_unchanged(part.name.encode(), "stamp") for part in parts] == [
        True, True, False, False, False
    ]  # fmt: skip
    intake.close()


def test_an_error_leaves_nothing_marked_as_read(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.state_dir.mkdir()
    repository = discover(repo.path)

    def broken() -> Iterator[Part]:
        yield Part("one", Imported((make_session("s", 1),)), "stamp")
        raise OSError("the disk is gone")

    intake = Intake(repository, load(repository))
    with pytest.raises(OSError, match="the disk is gone"):
        intake.take("test", Reading(2, broken()))
    assert not intake.known.is_unchanged(b"one", "stamp")
    intake.close()
    assert take(repo, Imported((make_session("s", 1),))).new == {"s"}


def test_the_cache_knows_what_the_ref_holds(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.state_dir.mkdir()
    open_memory(repo).add([make_session("a", 3), make_session("b", 2)])
    known = Known(discover(repo.path))
    known.refresh()
    from git_skillmesh.sessions.layout import exchange_key, key_of

    assert known.keepers(exchange_key("a-1")) == [key_of("a")]
    assert known.keepers(exchange_key("a-4")) == []
    assert known.has_session(key_of("b"))
    open_memory(repo).add(
        [Session("c", "codex", (make_exchange(1, owner="a"), Exchange("n", "", "x")))]
    )
    known.refresh()
    assert known.keepers(exchange_key("a-1")) == sorted([key_of("a"), key_of("c")])
    open_memory(repo).forget("c")
    known.refresh()
    assert known.keepers(exchange_key("a-1")) == [key_of("a")]
    assert not known.has_session(key_of("c"))
    known.close()
