"""Globs of paths."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.git.globs import Globs

_MATCHES = [
    ("*.py", "a.py", True),
    ("*.py", "deep/er/a.py", True),
    ("/*.py", "deep/a.py", False),
    ("/*.py", "a.py", True),
    ("src", "src/a/b.py", True),
    ("src", "lib/src/a.py", True),
    ("src", "src", True),
    ("src/", "src/a.py", True),
    ("src/*.py", "src/a.py", True),
    ("src/*.py", "src/deep/a.py", False),
    ("src/**/a.py", "src/a.py", True),
    ("src/**/a.py", "src/x/y/a.py", True),
    ("src/**", "src/a.py", True),
    ("src/**", "src", False),
    ("**/test_*", "a/test_b.py", True),
    ("**", "a", True),
    ("**/**/a", "x/a", True),
    ("a/**/b/**/c", "a/1/b/2/3/c", True),
    ("a/**/b/**/c", "a/1/2/3/c", False),
    ("[ab]?.c", "ax.c", True),
    ("[ab]?.c", "cx.c", False),
    ("[!a].c", "b.c", True),
    ("a+(b).c", "a+(b).c", True),
    ("*", "two\nlines", True),
    ("A", "a", False),
    ("", "a", False),
]


@pytest.mark.parametrize(("glob", "path", "matches"), _MATCHES)
def test_globs(glob: str, path: str, matches: bool) -> None:
    assert Globs([glob]).match(path) is matches
    assert Globs(["no-such-thing", glob]).match(path) is matches


def test_no_globs_match_nothing() -> None:
    assert not Globs([]).match("a")


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_glob_raises(glob: str, path: str) -> None:
    assert Globs([glob]).match(path) in (True, False)


@given(st.lists(st.text("ab[]*?.", min_size=1), min_size=1, max_size=5))
def test_everything_lies_under_two_stars(parts: list[str]) -> None:
    assert Globs(["**"]).match("/".join(parts))


def test_a_hostile_glob_takes_no_time() -> None:
    """The steps are bounded, so that this ends at once or not within a lifetime."""
    began = time.process_time()
    assert not Globs(["*a" * 40 + "b", "**/a/" * 40 + "b"]).match("a" * 5_000 + "/a" * 2_000)
    assert time.process_time() - began < 30
