"""Where in a chunk each of its definitions stands."""

import pytest

from git_skillmesh.chunking import Chunk, chunk
from git_skillmesh.chunking.chunker import chunk_sized
from git_skillmesh.chunking.pieces import Sizes
from tests.chunking.sample_files import SAMPLES, SMALL, Sample

DOCUMENTED = "".join(f"// Line {n} of all that this function is for.\n" for n in range(60))


def shown(chunks: list[Chunk]) -> list[list[tuple[str, str, int, int, int]]]:
    return [
        [(o.symbol, o.kind, o.line, o.start_line, o.end_line) for o in c.outline] for c in chunks
    ]


@pytest.mark.parametrize("sizes", [Sizes(), SMALL], ids=["usual", "small"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)
def test_definitions_of_a_sample(sample: Sample, sizes: Sizes) -> None:
    """In every language a definition's line holds its name."""
    rows = sample.source.decode().split("\n")
    chunks = chunk_sized(sample.source, sample.language, sizes)
    names = {name for c in chunks for name in c.defines}
    found = set()
    for c in chunks:
        for one in c.outline:
            assert c.start_line <= one.start_line <= one.line <= one.end_line <= c.end_line
            if one.kind == "impl":
                continue
            name = max((n for n in names if one.symbol.endswith(n)), key=len)
            found.add(name)
            # A title loses its markup, a rule may list its selectors on several lines.
            assert one.kind == "section" or name.split()[0] in rows[one.line - 1], one
    assert found == names


def test_members_have_paths_and_bring_comments_and_decorators() -> None:
    source = (
        b"class A:\n    limit = 1\n\n    # Adds.\n    @cached\n    def add(self):\n        pass\n\n"
        b"    class B:\n        def two(self): ...\n\n\ndef last(): pass\n"
    )
    assert shown(chunk(source, "python")) == [
        [
            ("A", "class", 1, 1, 10),
            ("A.limit", "variable", 2, 2, 2),
            ("A.add", "method", 6, 4, 7),
            ("A.B", "class", 9, 9, 10),
            ("A.B.two", "method", 10, 10, 10),
            ("last", "function", 13, 13, 13),
        ]
    ]


def test_a_name_may_stand_below_annotations_and_a_type() -> None:
    source = b"@Deprecated\n@Override\npublic static\n  int\n  size(int a) {\n  return 1;\n}\n"
    whole = b"class A {\n" + source + b"}\n"
    assert ("A.size", "method", 6, 2, 8) in shown(chunk(whole, "java"))[0]


def test_a_long_comment_leaves_the_definition_where_its_name_is() -> None:
    source = DOCUMENTED + "func Close() {\n\treturn\n}\n"
    first, second = chunk(source.encode(), "go")[0], chunk(source.encode(), "go")[-1]
    assert (first.symbol, first.defines, first.outline) == ("Close", ("Close",), ())
    (one,) = second.outline
    assert (one.symbol, one.line, one.end_line) == ("Close", 61, 63)
    assert second.defines == ()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_do_not_move_lines(end: str, mark: str) -> None:
    source = mark + end.join(["# one", "", "def a():", "    pass", "", "def b():", "    pass", ""])
    (outline,) = shown(chunk(source.encode(), "python"))
    assert outline == [("a", "function", 3, 3, 4), ("b", "function", 6, 6, 7)]


def test_sections_and_keys() -> None:
    assert shown(chunk(b"One\n===\n\nText.\n\n---\nTwo\n---\n\nMore.\n", "rst"))[0][0][:3] == (
        "One", "section", 1,
    )  # fmt: skip
    text = b"# One\n\nText.\n\n## Two\n\nMore.\n"
    assert shown(chunk(text, "markdown")) == [
        [("One", "section", 1, 1, 3), ("One > Two", "section", 5, 5, 7)]
    ]
    assert shown(chunk(b"# why\na: 1\nb:\n  c: 2\n", "yaml"))[0] == [
        ("a", "key", 2, 1, 2), ("b", "key", 3, 3, 4),
    ]  # fmt: skip


def test_one_line_with_hundreds_of_definitions_is_bounded() -> None:
    (only,) = chunk(b";".join(b"a%d=1" % n for n in range(280)), "python")
    assert len(only.outline) == 200
    assert len(only.defines) == 280
