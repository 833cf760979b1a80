import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.embedding import tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n\t !?", []),
        ("def load_file(path, mode='rb'):", ["def", "load_file", "path", "mode", "rb"]),
        ("self.__init__ -> HTTPServer2", ["self", "__init__", "HTTPServer2"]),
        ("x" * 250 + " y", ["x" * 100, "y"]),
        ("größe = naïve(Ωmega)", ["größe", "naïve", "Ωmega"]),
        ("é" * 250, ["é" * 100]),
        ("cafe\u0301 caf\u00e9", ["café", "café"]),
        ("検索エンジン", ["検索", "索エ", "エン", "ンジ", "ジン"]),
        ("の", ["の"]),
        ("read文件名x", ["read", "文件", "件名", "x"]),
        ("한국어 text", ["한국", "국어", "text"]),
    ],
)
def test_identifiers_are_the_words_as_written(text: str, expected: list[str]) -> None:
    assert tokens.identifiers(text) == expected


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("", ()),
        ("___", ()),
        ("word", ("word",)),
        ("snake_case_name", ("snake", "case", "name")),
        ("__init__", ("init",)),
        ("SCREAMING_SNAKE", ("screaming", "snake")),
        ("camelCase", ("camel", "case")),
        ("PascalCase", ("pascal", "case")),
        ("HTTPServer", ("http", "server")),
        ("getHTTPResponseCode", ("get", "http", "response", "code")),
        ("XMLHttpRequest", ("xml", "http", "request")),
        ("parseJSON2", ("parse", "json", "2")),
        ("utf8", ("utf", "8")),
        ("SHA256Hash", ("sha", "256", "hash")),
        ("URLs", ("urls",)),
        ("getIDs", ("get", "ids")),
        ("IPv4Address", ("ipv", "4", "address")),
        ("aB", ("a", "b")),
        ("ÉcoleNormale", ("école", "normale")),
        ("größeÄndern", ("größe", "ändern")),
        ("データ", ("データ",)),
    ],
)
def test_parts_are_the_sub_words(identifier: str, expected: tuple[str, ...]) -> None:
    assert tokens.parts(identifier) == expected


def _spelled(text: str) -> str:
    return text.lower().casefold()


@given(st.text(st.characters(categories=["L", "Nd", "Pc"]), max_size=40))
def test_parts_join_back_to_the_identifier(identifier: str) -> None:
    joined = "".join(tokens.parts(identifier))
    written = "".join(c for c in identifier if c.isalnum())
    assert _spelled(joined) == _spelled(written)


@given(st.from_regex(r"[A-Za-z0-9_]{0,40}", fullmatch=True))
def test_parts_of_ascii_are_lower_case_letters_or_digits(identifier: str) -> None:
    found = tokens.parts(identifier)
    assert "".join(found) == identifier.replace("_", "").lower()
    assert all(part.isdigit() or part.isalpha() for part in found)


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=5))
def test_the_style_of_a_name_does_not_change_its_parts(words: list[str]) -> None:
    assert tokens.parts("_".join(words)) == tuple(words)
    assert tokens.parts("_".join(words).upper()) == tuple(words)


@given(st.text(max_size=300))
def test_any_text_has_bounded_words_without_space(text: str) -> None:
    found = tokens.identifiers(text)
    assert found == tokens.identifiers(text)
    assert all(0 < len(word) <= 100 for word in found)
    composed = unicodedata.normalize("NFC", text)
    assert all(word in composed for word in found)
    for word in found:
        for part in tokens.parts(word):
            assert isinstance(tokens.stem(part), str)


@given(st.text(max_size=100))
def test_words_found_once_are_found_again(text: str) -> None:
    latin = [word for word in tokens.identifiers(text) if word.isascii()]
    assert tokens.identifiers(" ".join(latin)) == latin


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("connections", "connect"),
        ("connecting", "connect"),
        ("parsed", "pars"),
        ("parser", "parser"),
        ("queries", "queri"),
        ("query", "queri"),
        ("größe", "größe"),
        ("7", "7"),
    ],
)
def test_stems_are_the_english_snowball_stems(part: str, expected: str) -> None:
    assert tokens.stem(part) == expected
    assert tokens.stem(part) == expected


def test_a_full_cache_is_emptied_and_answers_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_CACHED", 3)
    monkeypatch.setattr(tokens, "_parts", {})
    monkeypatch.setattr(tokens, "_stems", {})
    names = [f"readFile{letter}" for letter in "ABCDEFGH"]
    for _ in range(2):
        assert [tokens.parts(name)[:2] for name in names] == [("read", "file")] * len(names)
        assert [tokens.stem(word) for word in ("a", "bees", "c", "does", "e")] == [
            "a",
            "bee",
            "c",
            "doe",
            "e",
        ]
        assert len(tokens._parts) <= 3
        assert len(tokens._stems) <= 3


def test_stop_words_are_lower_case_words_that_carry_no_topic() -> None:
    assert {"how", "does", "the", "where", "is"} <= tokens.STOP_WORDS
    assert not {"file", "parse", "error", "git", "class"} & tokens.STOP_WORDS
    assert all(tokens.parts(word) == (word,) for word in tokens.STOP_WORDS)


def test_importing_tokens_imports_no_numpy() -> None:
    heavy = (
        "{'numpy', 'chromadb', 'pydantic', 'typing', 'asyncio', 'git_skillmesh.embedding.static'}"
    )
    code = f"import sys, git_skillmesh.embedding.tokens; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; sys.path[:] = " + repr(sys.path) + "\n" + code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
