"""Matches by text: lines and files, columns in characters, hostile expressions."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.gate.matchers import text
from git_skillmesh.gate.matchers.compiling import compile_content
from git_skillmesh.gate.matchers.model import Match, NotLookedAt, RuleError, TextFile
from git_skillmesh.gate.matchers.text import TextMatcher, TextSet
from git_skillmesh.learnings.model import Scope
from testing.examples import examples
from testing.learning_files import learning

LINES = "import re\r\nx = print ('é€𝄞', print(1))\n\n# print(2) noqa\nlast = print(3)"


def file(content: str | bytes, path: str = "a.py") -> TextFile:
    return TextFile(path, content.encode() if isinstance(content, str) else content)


def places(matches: "list[Match]") -> list[tuple[int, int, int, int]]:
    return [(m.line, m.column, m.end_line, m.end_column) for m in matches]


def regex(pattern: str, **fields: Any) -> TextMatcher:
    return TextMatcher(learning("regex", regex=pattern, **fields))


def literal(pattern: str, **fields: Any) -> TextMatcher:
    return TextMatcher(learning("literal", text=pattern, **fields))


@pytest.mark.parametrize("scope", Scope)
def test_columns_are_characters_and_lines_end_with_a_line_feed_only(scope: Scope) -> None:
    found = [(2, 5, 2, 20), (2, 14, 2, 19), (4, 3, 4, 8), (5, 8, 5, 13)]
    assert places(regex(r"print ?\(('é€𝄞', p)?", scope=scope).matches(file(LINES))) == [
        (2, 5, 2, 20), (4, 3, 4, 9), (5, 8, 5, 14),
    ]  # fmt: skip
    assert places(literal("print", scope=scope).matches(file(LINES))) == [
        (2, 5, 2, 10), (2, 19, 2, 24), *[(a, b, c, d) for a, b, c, d in found[2:]],
    ]  # fmt: skip
    assert places(regex("b", scope=scope).matches(file("a\rb\n\fb\u2028b\x85b"))) == [
        (1, 3, 1, 4), (2, 2, 2, 3), (2, 4, 2, 5), (2, 6, 2, 7),
    ]  # fmt: skip


@pytest.mark.parametrize("scope", Scope)
def test_only_matches_that_touch_the_lines(scope: Scope) -> None:
    print_ = literal("print", scope=scope)
    assert [m.line for m in print_.matches(file(LINES), frozenset({1, 4, 99}))] == [4]
    assert print_.matches(file(LINES), frozenset()) == []
    assert [m.line for m in print_.matches(file(LINES), frozenset({2, 5}))] == [2, 2, 5]


@pytest.mark.parametrize("scope", Scope)
def test_unless_takes_back_what_stands_in_such_a_line(scope: Scope) -> None:
    matcher = literal("print", scope=scope, unless="noqa$")
    assert [m.line for m in matcher.matches(file(LINES))] == [2, 2, 5]


def test_case() -> None:
    source = file("Legacy.Example.com legacy.example.com")
    assert len(literal("legacy.example.com").matches(source)) == 1
    assert len(literal("legacy.example.com", ignore_case=True).matches(source)) == 2
    assert len(regex("(?i)LEGACY").matches(source)) == 2
    assert len(regex("LEGACY", ignore_case=True).matches(source)) == 2


def test_a_literal_is_no_expression() -> None:
    assert places(literal("a.b(").matches(file("axb( a.b("))) == [(1, 6, 1, 10)]


def test_ends_of_lines_in_both_scopes() -> None:
    source = file("b\r\na\r\nab\r\n")
    for scope in Scope:
        assert places(regex("^a$", scope=scope).matches(source)) == [(2, 1, 2, 2)]
    assert places(regex(r"\Aa\z").matches(source)) == [(2, 1, 2, 2)]
    assert regex(r"\Aa\z", scope=Scope.FILE).matches(source) == []
    assert places(regex("b\na", scope=Scope.FILE).matches(source)) == [(1, 1, 2, 2)]
    assert regex("b.a", scope=Scope.FILE).matches(source) == []
    assert places(regex("(?s)b.a", scope=Scope.FILE).matches(source)) == [(1, 1, 2, 2)]
    assert places(regex("a\n", scope=Scope.FILE).matches(source)) == [(2, 1, 2, 3)]
    assert [m.end_line for m in regex("a\n", scope=Scope.FILE).matches(source)] == [2]


def test_a_match_of_several_lines_touches_each_of_them() -> None:
    matcher = regex(r"try:\n.*\n.*pass", scope=Scope.FILE)
    source = file("x\ntry:\n  f()\n  pass\n")
    for line, found in ((1, 0), (2, 1), (3, 1), (4, 1), (5, 0)):
        assert len(matcher.matches(source, frozenset({line}))) == found


def test_matches_without_characters_do_not_count() -> None:
    for scope in Scope:
        assert regex("x*", scope=scope).matches(file("ab\n\nc\n")) == []


def test_bytes_that_are_no_text() -> None:
    source = file(b"\xff\xfe print\x00 \xe9 print\n")
    assert places(literal("print").matches(source)) == [(1, 4, 1, 9), (1, 13, 1, 18)]
    assert literal("print").may_match(source)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "missing ) in ("),
        ("[a", "missing ] in [a"),
        ("(?<=a)b", "invalid perl operator in (?<=a)b"),
        (r"(a)\1", r"invalid escape sequence in (a)\1"),
        ("(((a{100}){100}){100}){100}", "invalid repetition size in (((a{100}){100}){100}){100}"),
        ("a" * 80 + "(", "missing ) in " + "a" * 59 + "…"),
        (r"\pL{1000}", r"pattern too large - compile failed in \pL{1000}"),
        ("\ud800", "half a surrogate pair in the pattern"),
    ],
)  # fmt: skip
def test_a_broken_expression_is_refused_in_one_line(
    pattern: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    matchers: dict[str, Any] = {
        "regex": {"regex": pattern},
        "unless": {"regex": "a", "unless": pattern},
    }
    for name, fields in matchers.items():
        with pytest.raises(RuleError) as raised:
            compile_content(learning("regex", **fields))
        assert (raised.value.what, raised.value.field) == (said, name)
    assert capfd.readouterr() == ("", "")


def test_a_literal_of_several_lines_is_for_whole_files() -> None:
    with pytest.raises(RuleError, match="needs scope: file"):
        literal("a\nb")
    assert places(literal("a\nb", scope=Scope.FILE).matches(file("xa\r\nb"))) == [(1, 2, 2, 2)]


def test_what_is_too_much_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotLookedAt, match="larger than 10 MB"):
        literal("a").matches(file(b"a" * 50_000_000))
    hostile = regex("(a|b)*a(a|b){900}c")
    with pytest.raises(NotLookedAt, match=r"larger than 3\d\d kB, too much for the pattern"):
        hostile.matches(file(b"ab" * 200_000))
    with pytest.raises(NotLookedAt, match="more than 10,000 matches"):
        regex("a").matches(file(b"a" * 10_001))
    monkeypatch.setattr(text, "SECONDS", 0.02)
    for scope in Scope:
        with pytest.raises(NotLookedAt, match=r"takes more than 0\.02 s to match"):
            regex("a(?:(?s:.*)b)?", scope=scope).matches(file(b"a" * 100_000))


PATTERNS = st.one_of(
    st.text("ab\n .", min_size=1, max_size=4).map(re.escape),
    st.sampled_from(
        ["a", "^a", "a$", "^$", r"\Aa", r"b\z", r"\bab?", r"\Bb", "[^a]b", r"\s+b", "(?i)A", "a|^b",
         "(?-i:a)b", "(?s)a.b", "(?m)^b", "(?-m)^a", "é.", "a*", "(?:a|b)+$", r"\x{61}", "x?a"]
    ),
)  # fmt: skip
TEXTS = st.text("abé .\r\nA\x00", max_size=30)


@settings(max_examples=examples(60), deadline=None)
@given(
    patterns=st.lists(st.tuples(PATTERNS, st.sampled_from(Scope), st.booleans()), max_size=5),
    content=TEXTS,
)
def test_what_may_match_is_never_too_little(
    patterns: "list[tuple[str, Scope, bool]]", content: str
) -> None:
    matchers = [regex(pattern, scope=scope, ignore_case=case) for pattern, scope, case in patterns]
    several = TextSet(matchers).may_match(file(content))
    for number, matcher in enumerate(matchers):
        found = matcher.matches(file(content))
        assert not found or matcher.may_match(file(content))
        assert not found or number in several


@settings(max_examples=examples(60), deadline=None)
@given(pattern=PATTERNS, content=TEXTS)
def test_lines_at_once_are_lines_one_by_one(pattern: str, content: str) -> None:
    matcher = regex(pattern)
    source = file(content)
    one_by_one = [
        match
        for number in range(1, len(source.lines) + 1)
        for match in matcher.matches(source, frozenset({number}))
    ]
    assert matcher.matches(source) == one_by_one


def test_the_set_tells_which_of_many_may_match() -> None:
    matchers = [literal(f"word{n}!") for n in range(250)]
    matchers[7] = regex("WORD8", ignore_case=True)
    matchers[9] = regex(r"\Anothing")
    assert TextSet(matchers).may_match(file("x word8! y\nword249!")) == [7, 8, 9, 249]
    assert TextSet([]).may_match(file("x")) == []


def test_the_set_leaves_out_nothing_where_it_cannot_tell() -> None:
    matchers = [regex("(a|b)*a(a|b){900}c"), literal("x")]
    assert TextSet(matchers).may_match(file(b"ab" * 2_500_000)) == [0, 1]
