"""Keys: safe in addresses and file names, one for each id."""

import hashlib
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.explorer.keys import (
    ROOT,
    is_key,
    key_of_exchange,
    key_of_id,
    key_of_path,
    text_of,
)
from testing.examples import examples

# Half a surrogate pair too, which JSON can bring.
_SIGNS = st.sampled_from([*map(chr, range(128)), "\u00e9", "\u2028", "\U0001f4a3", "\ud800"])
_IDS = st.text(_SIGNS, min_size=1, max_size=80)
_PATHS = st.binary(min_size=1, max_size=300).filter(lambda data: b"\0" not in data).map(os.fsdecode)
_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("5d20a6f8-19be", "5d20a6f8-19be"),
        ("a/b", "a~2fb"),
        (".", "~2e"),
        ("..", "~2e."),
        ("../..", "..~2f.."),
        ("~2f", "~7e2f"),
        ("é\n", "~c3~a9~0a"),
        ("x" * 150, "x" * 150),
        ("x" * 151, "x" * 150 + "~" + hashlib.sha256(b"x" * 151).hexdigest()[:16]),
        ("é" * 80, "~c3~a9" * 25 + "~" + hashlib.sha256("é".encode() * 80).hexdigest()[:16]),
    ],
)
def test_ids(text: str, key: str) -> None:
    assert key_of_id(text) == key


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("", "_root"),
        ("_root", "~5froot"),
        ("a/_root", "a/_root"),
        ("src/a b.py", "src/a~20b.py"),
        ("a/../b", "a/~2e./b"),
        (os.fsdecode(b"\xff/x"), "~ff/x"),
        ("..." + "/" + ".hidden", ".../.hidden"),
    ],
)
def test_paths(path: str, key: str) -> None:
    assert key_of_path(path) == key


@settings(max_examples=examples(25))
@given(_IDS, _IDS)
def test_different_ids_have_different_keys(one: str, other: str) -> None:
    for key in (key_of_id(one), key_of_id(other)):
        assert _SAFE.fullmatch(key)
        assert key not in (".", "..")
        assert len(key) <= 167
        assert is_key(key)
    assert (key_of_id(one) == key_of_id(other)) is (one == other)


@settings(max_examples=examples(25))
@given(_PATHS, _PATHS)
def test_different_paths_have_different_keys(one: str, other: str) -> None:
    for path in (one, other):
        key = key_of_path(path)
        assert not {".", ".."} & set(key.split("/"))
        assert key != ROOT
    assert (key_of_path(one) == key_of_path(other)) is (one == other)


@settings(max_examples=examples(25))
@given(_IDS)
def test_a_key_that_was_not_cut_leads_back(text: str) -> None:
    key = key_of_id(text)
    assert text_of(key) == (text if len(key) <= 150 else None)


@settings(max_examples=examples(25))
@given(_IDS, _IDS)
def test_an_exchange_is_one_segment(session: str, exchange: str) -> None:
    assert "/" not in key_of_exchange(session, exchange)


@settings(max_examples=examples(25))
@given(st.text(_SIGNS, max_size=20))
def test_what_is_no_key_is_told(text: str) -> None:
    valid = bool(text) and all(
        re.fullmatch("(?:[A-Za-z0-9._-]|~[0-9a-f]{2})+", part) for part in text.split("/")
    )
    assert is_key(text) is valid
