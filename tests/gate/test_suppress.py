"""What excuses a finding, and what only looks as if it did."""

import pytest

from git_skillmesh.gate.matchers.model import TextFile
from git_skillmesh.gate.suppress import Ignore, ignores


def found(path: str, text: str) -> list[tuple[int, tuple[int, ...], tuple[str, ...], str]]:
    return [(one.line, one.covers, one.ids, one.reason) for one in ignores_in(path, text)]


def ignores_in(path: str, text: str) -> list[Ignore]:
    return ignores(TextFile(path, text.encode()))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", "# skillmesh: ignore[one] it is a test"),
        ("a.py", "x = 1  # noqa: E501  # skillmesh: ignore[one] it is a test"),
        ("a.js", "// skillmesh: ignore[one] it is a test"),
        ("a.js", "/* skillmesh: ignore[one] it is a test */"),
        ("a.go", "//skillmesh:ignore[one]: it is a test"),
        ("a.sql", "-- skillmesh: ignore[one] it is a test"),
        ("a.css", "/* skillmesh: ignore[one] it is a test */"),
        ("a.html", "<!-- skillmesh: ignore[one] it is a test -->"),
        ("a.md", "<!-- skillmesh: ignore[one] it is a test -->"),
        ("a.yaml", "# skillmesh: ignore[one] it is a test"),
        ("a.toml", "# skillmesh: ignore[one] it is a test"),
        ("a.rs", "/// skillmesh: ignore[one] it is a test"),
        ("a.hs", "-- skillmesh: ignore[one] it is a test"),
        ("a.el", ";; skillmesh: ignore[one] it is a test"),
        ("a.unheard-of", "# skillmesh: ignore[one] it is a test"),
    ],
)
def test_comments_of_many_languages(path: str, line: str) -> None:
    (one,) = ignores_in(path, f"{line}\nnext\n")
    assert (one.ids, one.reason) == (("one",), "it is a test")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 's = "# skillmesh: ignore[one] in a string"\n'),
        ("a.py", '"""Write\n\n    x = 1  # skillmesh: ignore[one] why\n"""\n'),
        ("a.py", "# Write skillmesh: ignore[one] why\n"),
        ("a.py", "# Write `# skillmesh: ignore[one] why`\n"),
        ("a.js", "const s = `\n// skillmesh: ignore[one] why\n`\n"),
        ("a.md", "Write `# skillmesh: ignore[one] why`.\n"),
        ("a.md", "    # skillmesh: ignore[one] why\n"),
        ("a.md", "```python\n# skillmesh: ignore[one] why\n```\n"),
        ("a.md", "```html\n<!-- skillmesh: ignore[one] why -->\n```\n"),
        ("a.md", "# skillmesh: ignore[one] why\n"),
        ("a.txt", "skillmesh: ignore[one] why\n"),
        ("a.py", "# skillmesh: ignore[ID] why\n"),
        ("a.py", "# skillmesh: ignore[] why\n"),
        ("a.py", "# skillmesh: ignore why\n"),
        ("a.json", '{"a": "// skillmesh: ignore[one] why"}\n'),
    ],
)
def test_what_only_mentions_it(path: str, text: str) -> None:
    assert found(path, text) == []


def test_which_lines_are_covered() -> None:
    text = (
        "a()  # skillmesh: ignore[one] beside\n"
        "# skillmesh: ignore[one, two] above\n"
        "b()\n"
        "# skillmesh: ignore[one] first\n"
        "    # skillmesh: ignore[two] second\n"
        "c()\n"
    )
    assert found("a.py", text) == [
        (1, (1,), ("one",), "beside"),
        (2, (2, 3), ("one", "two"), "above"),
        (4, (4, 6), ("one",), "first"),
        (5, (5, 6), ("two",), "second"),
    ]


def test_a_block_comment_covers_what_follows_its_end() -> None:
    text = "/* skillmesh: ignore[one] because\n * of this\n */\ncall();\n"
    assert found("a.js", text) == [(1, (1, 4), ("one",), "because")]


@pytest.mark.parametrize("reason", ["", "  ", " --", " :", " */"])
def test_a_reason_has_words(reason: str) -> None:
    (one,) = ignores_in("a.unheard-of", f"# skillmesh: ignore[one]{reason}\n")
    assert one.reason == ""


def test_certain_only_where_a_grammar_tells() -> None:
    line = "# skillmesh: ignore[one] why\n"
    assert [ignores_in(path, line)[0].certain for path in ("a.py", "a.txt")] == [True, False]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_ends_of_lines(end: str) -> None:
    (one,) = ignores_in("a.py", f"# skillmesh: ignore[one] why{end}")
    assert (one.reason, one.column, one.end_column) == ("why", 3, 29)
