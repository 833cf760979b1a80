"""Lines counted as git counts them: every count is compared with what real git says."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.line_diff import Budget, Hunk, counts, hunks, lines_of
from testing.repos import run

# Few different lines make many ways through a diff, and so show which one is taken.
lines = st.sampled_from(["a\n", "b\n", "}\n", "\n", "a\r\n", "é\n", "x = 1\n", "\x0c\n", "\x85\n"])
endings = st.sampled_from(["", "a", "tail", "\r"])
texts = st.builds(lambda body, end: "".join(body) + end, st.lists(lines, max_size=40), endings)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pair")


def numstat(folder: Path, before: str, after: str) -> tuple[int, int]:
    """What `git diff --numstat --no-index` counts as (added, removed)."""
    for name, text in (("before", before), ("after", after)):
        (folder / name).write_bytes(text.encode())
    words = ("git", "diff", "--no-index", "--numstat", "--", "before", "after")
    said = run(*words, cwd=folder).stdout.split()
    return (int(said[0]), int(said[1])) if said else (0, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts, texts)
@example("", "")
@example("", "a")
@example("a", "a\n")
@example("a\r\nb\r\n", "a\nb\n")
@example("a\n\n\n\n", "\n\n\n\na")
def test_counts_are_those_of_git(folder: Path, before: str, after: str) -> None:
    assert counts(before, after) == numstat(folder, before, after)


def edited(rng: random.Random, text: list[str], kinds: int) -> list[str]:
    """A file after some work: pieces added, taken away, moved, replaced."""
    text = list(text)
    for _ in range(rng.choice([2, 12, 60])):
        at = rng.randrange(len(text) + 1)
        size = rng.randrange(1, 9)
        what = rng.random()
        if what < 0.3:
            text[at:at] = [f"l{rng.randrange(kinds)}\n" for _ in range(size)]
        elif what < 0.5:
            text[at : at + size] = [f"new {rng.random()}\n" for _ in range(size)]
        else:
            piece = text[at : at + size]
            del text[at : at + size]
            if what < 0.7:
                to = rng.randrange(len(text) + 1)
                text[to:to] = piece
    return text


@pytest.mark.parametrize("seed", range(30))
def test_counts_of_larger_files_are_those_of_git(tmp_path: Path, seed: int) -> None:
    """Where git takes shortcuts: repeated lines, long equal runs, changes all over."""
    rng = random.Random(seed)
    kinds = rng.choice([3, 12, 80, 3000])
    before = [f"l{rng.randrange(kinds)}\n" for _ in range(rng.choice([60, 400, 1500]))]
    after = edited(rng, before, kinds)
    if seed % 5 == 0:
        rng.shuffle(after)
    pair = "".join(before), "".join(after)
    assert counts(*pair) == numstat(tmp_path, *pair)


@given(texts, texts)
def test_hunks_turn_one_text_into_the_other(before: str, after: str) -> None:
    a, b = lines_of(before), lines_of(after)
    assert "".join(a) == before
    made, at = [], 0
    for hunk in hunks(a, b):
        made += a[at : hunk.a0] + b[hunk.b0 : hunk.b1]
        at = hunk.a1
    assert made + a[at:] == b


def test_hunks_say_which_lines() -> None:
    before = "one\ntwo\nthree\nfour\nfive"
    after = "one\n2\n2b\nthree\nfive\n"
    assert hunks(lines_of(before), lines_of(after)) == [Hunk(1, 2, 1, 3), Hunk(3, 5, 4, 5)]
    assert counts(before, after) == (3, 3)


def test_nonsense_costs_bounded_time_and_is_still_a_diff() -> None:
    rng = random.Random(0)
    a, b = ([f"{rng.randrange(300)}\n" for _ in range(10_000)] for _ in range(2))
    budget = Budget(200_000)
    start = time.process_time()
    found = hunks(a, b, budget)
    assert time.process_time() - start < 5
    assert budget.is_spent
    made, at = [], 0
    for hunk in found:
        made += a[at : hunk.a0] + b[hunk.b0 : hunk.b1]
        at = hunk.a1
    assert made + a[at:] == b


def test_a_change_of_a_long_file_spends_little(tmp_path: Path) -> None:
    before = [f"line {n}\n" for n in range(10_000)]
    after = before[:100] + ["new\n"] + before[150:9_000] + ["other\n"] * 3 + before[9_001:]
    budget = Budget(20_000)
    assert hunks(before, after, budget) == [Hunk(100, 150, 100, 101), Hunk(9000, 9001, 8951, 8954)]
    assert not budget.is_spent
    assert numstat(tmp_path, "".join(before), "".join(after)) == (4, 51)
