"""Bytes that are no ordinary source: line ends, encodings, depth, length."""

import inspect
import subprocess
import sys

import pytest
from tree_sitter import Node

from git_skillmesh.chunking import LANGUAGES, chunk, tree
from git_skillmesh.chunking.chunker import chunk_sized
from git_skillmesh.chunking.syntax import parse
from tests.chunking.sample_files import SAMPLES, SMALL, Sample, broken_rules


@pytest.mark.parametrize(
    "data", [b"", b"\n", b" \t\r\n\x0c\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n "]
)
@pytest.mark.parametrize("language", ["python", "markdown", "yaml", "text", "json"])
def test_a_blank_file_has_no_chunks(data: bytes, language: str) -> None:
    assert chunk(data, language) == []


def test_carriage_returns_are_no_part_of_the_text() -> None:
    (one,) = chunk(b"def f():\r\n    return 1\r\n", "python")
    assert (one.text, one.start_line, one.end_line) == ("def f():\n    return 1", 1, 2)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)
def test_carriage_returns_change_no_chunk(sample: Sample) -> None:
    source, language = sample.source, sample.language
    plain, windows = chunk(source, language), chunk(source.replace(b"\n", b"\r\n"), language)
    assert [(c.key, c.start_line, c.end_line, c.text) for c in plain] == [
        (c.key, c.start_line, c.end_line, c.text) for c in windows
    ]


def test_a_byte_order_mark_is_dropped() -> None:
    (one,) = chunk(b"\xef\xbb\xbfdef f():\n    return 1\n", "python")
    assert (one.text, one.symbol, one.start_line) == ("def f():\n    return 1", "f", 1)


def test_invalid_utf8_is_replaced() -> None:
    (one,) = chunk(b"# caf\xe9\ndef f():\n    return '\xff'\n", "python")
    assert one.text == "# caf\ufffd\ndef f():\n    return '\ufffd'"
    assert one.symbol == "f"


@pytest.mark.parametrize("mark", ["\x0c", "\x85", "\u2028", "\u2029", "\x1c", "\r", "\x0b"])
def test_only_a_line_feed_ends_a_line(mark: str) -> None:
    source = f"first = '{mark}'\nsecond = 2\n".encode()
    (one,) = chunk(source, "python")
    assert (one.start_line, one.end_line) == (1, 2)
    assert one.text == source.decode().rstrip("\n")
    (text,) = chunk(source, "text")
    assert text.text == one.text


def test_a_nul_byte_makes_it_text() -> None:
    chunks = chunk(b"def f():\n    return 1\n\0\n", "python")
    assert [(c.kind, c.symbol, c.end_line) for c in chunks] == [("block", "", 3)]


# Deeper, some grammars take time that grows faster than the depth, until the parse is given up.
NESTS = {
    "python": b"x = " + b"(" * 2_000 + b")" * 2_000 + b"\n",
    "json": b"[\n" * 300 + b"1\n" + b"]\n" * 300,
    "javascript": b"(function () {\n" * 150 + b"}());\n" * 150,
    "c": b"{\n" * 2_000 + b"}\n" * 2_000,
    "html": b"<div>\n" * 150 + b"</div>\n" * 150,
    "commonlisp": b"(progn\n" * 600 + b")" * 600,
    "yaml": b"".join(b" " * n + b"key:\n" for n in range(200)) + b"- " * 1_000,
    "markdown": b"> " * 1_000 + b"deep\n" + b"# Title\n## Below\n" * 200,
    "ruby": b"if a\n" * 200 + b"end\n" * 200,
    "rust": b"mod a {\n" * 400 + b"}\n" * 400,
}


@pytest.mark.parametrize("language", sorted(NESTS))
def test_deep_nesting_is_no_recursion(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = NESTS[language]
    roots: list[Node | None] = []

    def parsed(grammar: str, data: bytes) -> Node | None:
        roots.append(parse(grammar, data))
        return roots[-1]

    monkeypatch.setattr(tree, "parse", parsed)
    chunk(b"a\n", language)  # imports have depths of their own
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        chunks = chunk_sized(data, language, SMALL)
    finally:
        sys.setrecursionlimit(usual)
    assert broken_rules(data, chunks) == []
    assert None not in roots, "there was no tree to go down"


@pytest.mark.parametrize("language", ["python", "javascript", "markdown", "yaml", "text", "css"])
def test_a_line_of_a_megabyte_is_one_chunk(language: str) -> None:
    data = b"a = 1; " * 150_000
    assert [(c.start_line, c.end_line) for c in chunk(data, language)] == [(1, 1)]


def test_nonsense_is_given_up_after_bounded_work() -> None:
    data = (b"<" * 60 + b"\n") * 5_000
    chunks = chunk(data, "julia")
    assert broken_rules(data, chunks) == []


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_reads_ordinary_words_and_an_unknown_one_is_text(language: str) -> None:
    data = b"alpha beta\n\n(gamma)\n"
    assert broken_rules(data, chunk(data, language)) == []
    assert [c.kind for c in chunk(data, "no such language")] == ["text"]


def _modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_loads_no_parser_and_a_file_only_its_own_grammar() -> None:
    heavy = {"tree_sitter", "numpy", "chromadb", "pydantic"}
    assert not heavy & _modules_after("import git_skillmesh.chunking")
    code = "from git_skillmesh.chunking import chunk\nchunk(b'fn a() {}\\n', 'rust')"
    grammars = {m for m in _modules_after(code) if "language_pack.bindings." in m}
    assert grammars == {"tree_sitter_language_pack.bindings.rust"}
