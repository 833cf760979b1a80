"""Ids from titles: they can be read, they fit, they are free."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.learnings.naming import free_id, slug_of
from git_skillmesh.learnings.reading import ID


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Use http.get instead of requests.get", "use-http-get-instead-of-requests-get"),
        ("Don't log tokens!", "dont-log-tokens"),
        ("Größe: naïve Übung", "grosse-naive-ubung"),
        ("不要用这个函数", "learning-6179faad"),
        ("", "learning"),
        ("?", "learning"),
        ("x" * 100, "x" * 48),
        ("a long title " * 9, "a-long-title-a-long-title-a-long-title-a-long"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert slug_of(title) == slug


@given(st.text(max_size=200), st.integers(0, 12))
def test_every_id_can_be_one_and_is_free(title: str, others: int) -> None:
    taken: set[str] = set()
    for _ in range(others + 1):
        name = free_id(title, taken)
        assert re.fullmatch(ID, name)
        assert name not in taken
        taken.add(name)
