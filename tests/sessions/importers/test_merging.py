"""However a file was imported, in pieces, in copies, in any order: the memory is the same."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.importers.detect import READERS
from git_skillmesh.sessions.importers.merging import merge
from git_skillmesh.sessions.importers.records import Record, lines_of
from git_skillmesh.sessions.model import Exchange, Session
from testing.examples import examples
from testing.transcripts import ROOTS, at, claude, claude_result, claude_says, claude_uses, jsonl
from testing.transcripts import samples as all_samples

SAMPLES = all_samples()


def forked(records: list[Record], name: str, upto: int, second: int) -> list[Record]:
    """Return a file that begins with a copy of another under a new session, and goes on."""
    copied = [{**record, "sessionId": name} for record in records[:upto]]
    own = [
        claude("user", f"{name}-p", second, f"now {name}", sessionId=name),
        claude_says(f"{name}-a", second + 1, "yes", sessionId=name),
    ]
    return copied + own


MAIN = [
    claude("user", "p1", 1, "start"),
    claude_uses("a1", 2, "t1", "Bash", command="ls"),
    claude_result("u1", 3, "t1", "a.py"),
    claude_says("a2", 4, "seen"),
    claude("user", "p2", 5, "go on"),
    claude_says("a3", 6, "gone"),
]
FILES = [
    jsonl(MAIN),
    jsonl(forked(MAIN, "s2", 4, 20)),
    jsonl(forked(forked(MAIN, "s2", 4, 20), "s3", 6, 30)),
    *(jsonl(SAMPLES[agent]) for agent in ("codex", "gemini", "cursor", "copilot")),
]
AGENTS = ["claude-code"] * 3 + ["codex", "gemini", "cursor", "copilot"]


def read(file: int, end: int | None = None) -> tuple[Session, ...]:
    data = FILES[file][:end]
    done = READERS[AGENTS[file]](lines_of(data), f"{file}.jsonl", ROOTS)
    assert done.problems == ()
    return done.sessions


ONCE = merge(session for file in range(len(FILES)) for session in read(file))
pieces = st.lists(
    st.integers(0, len(FILES) - 1).flatmap(
        lambda file: st.tuples(st.just(file), st.integers(0, len(FILES[file])))
    ),
    max_size=6,
)


@settings(max_examples=examples(40), deadline=None)
@given(pieces, st.permutations(range(len(FILES))), pieces)
def test_any_pieces_in_any_order(
    before: list[tuple[int, int]], order: list[int], after: list[tuple[int, int]]
) -> None:
    memory: tuple[Session, ...] = ()
    for file, end in [*before, *((file, len(FILES[file])) for file in order), *after]:
        memory = merge([*memory, *read(file, end)])
        assert merge([*memory, *memory]) == memory
    assert memory == ONCE


def test_copies_belong_to_the_session_that_began_first() -> None:
    held = {s.session_id: [e.exchange_id for e in s.exchanges] for s in ONCE}
    assert held["s1"] == ["p1", "p2"]
    assert held["s2"] == ["s2-p"]
    assert held["s3"] == ["s3-p"]
    assert all(s.started == at(1) for s in ONCE if s.agent == "claude-code")


def test_the_fuller_reading_of_an_exchange_stays_with_the_first_session() -> None:
    short, long = Exchange("e", "do", "so", at(1)), Exchange("e", "do", "so it is", at(1), at(2))
    first = Session("a", "codex", (short,), started=at(1))
    second = Session("b", "codex", (long,), started=at(2))
    assert merge([second, first]) == (replace(first, exchanges=(long,)),)


def test_the_agents_own_transcript_outdoes_one_at_second_hand() -> None:
    own = Session("a", "claude-code", (Exchange("e", "do", "", at(1)),), started=at(1))
    told = Session("a", "specstory", (Exchange("x", "do", "yes", at(1)),), started=at(1))
    assert merge([own, told]) == merge([told, own]) == (own,)
    assert merge([told]) == (told,)
