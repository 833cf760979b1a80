"""How large definitions are divided, and what survives an edit."""

from textwrap import dedent

from git_skillmesh.chunking import Chunk, chunk
from tests.chunking.sample_files import broken_rules


def shown(chunks: list[Chunk]) -> list[tuple[int, int, str, str]]:
    return [(c.start_line, c.end_line, c.kind, c.key) for c in chunks]


def statements(count: int, indent: int = 4, word: str = "value") -> str:
    lines = (f"{word}_{n} = compute_the_{word}({n}, factor=scale)" for n in range(count))
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def method(name: str, count: int = 12) -> str:
    return f"    def {name}(self, scale):\n{statements(count, 8)}\n"


CLASS = (
    '@final\nclass Engine(Base):\n    """Turns fuel into motion."""\n\n    limit = 10\n\n'
    + method("start")
    + "    @property\n"
    + method("speed")
    + method("stop")
)


def test_a_large_class_becomes_a_header_and_its_methods() -> None:
    chunks = chunk(CLASS.encode(), "python")
    assert shown(chunks) == [
        (1, 5, "header", "Engine"),
        (7, 19, "method", "Engine.start"),
        (21, 34, "method", "Engine.speed"),
        (36, 48, "method", "Engine.stop"),
    ]
    assert chunks[0].defines == ("Engine", "limit")
    assert chunks[0].comment == "Turns fuel into motion."
    assert [c.scope for c in chunks] == ["", "Engine", "Engine", "Engine"]


def test_a_class_that_fits_stays_one_chunk_and_lists_its_members() -> None:
    source = (
        b"class A:\n    def one(self):\n        pass\n\n    class B:\n        def two(self): ...\n"
    )
    assert [(c.kind, c.symbol, c.defines) for c in chunk(source, "python")] == [
        ("class", "A", ("A", "one", "B", "two"))
    ]


def test_nested_large_classes_are_divided_recursively() -> None:
    inner = "".join(f"    {line}\n" if line else "\n" for line in CLASS.splitlines())
    chunks = chunk(f"class Car:\n{inner}".encode(), "python")
    assert shown(chunks) == [
        (1, 1, "header", "Car"),
        (2, 6, "header", "Car.Engine"),
        (8, 20, "method", "Car.Engine.start"),
        (22, 35, "method", "Car.Engine.speed"),
        (37, 49, "method", "Car.Engine.stop"),
    ]


def test_closing_lines_go_with_the_last_member() -> None:
    body = "".join(f"    total += this.measure{n}(options, {n});\n" for n in range(16))
    methods = "".join(f"  get{n}(options) {{\n{body}  }}\n\n" for n in range(3))
    source = f"export class Meter {{\n{methods}}}\n"
    assert shown(chunk(source.encode(), "javascript")) == [
        (1, 1, "header", "Meter"),
        (2, 19, "method", "Meter.get0"),
        (21, 38, "method", "Meter.get1"),
        (40, 59, "method", "Meter.get2"),
    ]


def test_braces_on_their_own_line_belong_to_the_header() -> None:
    body = "".join(f"        total += Measure(options, {n});\n" for n in range(20))
    methods = "".join(
        f"    [Fast]\n    public int Get{n}(Options options)\n    {{\n{body}    }}\n\n"
        for n in range(3)
    )
    source = f"public class Meter : IMeter\n{{\n    private int total;\n\n{methods}}}\n"
    assert shown(chunk(source.encode(), "csharp")) == [
        (1, 3, "header", "Meter"),
        (5, 28, "method", "Meter.Get0"),
        (30, 53, "method", "Meter.Get1"),
        (55, 80, "method", "Meter.Get2"),
    ]


def test_a_large_function_is_divided_between_statements() -> None:
    source = f'def fill(scale):\n    """Fills all."""\n{statements(90)}    return value_1\n'
    chunks = chunk(source.encode(), "python")
    assert shown(chunks) == [
        (1, 29, "function", "fill"),
        (30, 56, "function", "fill#2"),
        (57, 83, "function", "fill#3"),
        (84, 93, "function", "fill#4"),
    ]
    assert [c.symbol for c in chunks] == ["fill"] * 4
    assert [c.defines for c in chunks] == [("fill",), (), (), ()]
    assert [c.comment for c in chunks] == ["Fills all.", "", "", ""]


def test_a_large_function_inside_a_function_is_named_and_local_variables_are_not() -> None:
    inner = "    def inner(scale):\n" + statements(14, 8)
    source = f"def outer(scale):\n{statements(30)}{inner}{statements(14)}"
    chunks = chunk(source.encode(), "python")
    assert [(c.key, c.defines) for c in chunks] == [
        ("outer", ("outer",)),
        ("outer.inner", ("inner",)),
        ("outer#2", ()),
    ]


def test_a_huge_literal_is_divided_by_lines() -> None:
    rows = "".join(f'    "entry number {n}": [{n}, {n + 1}],\n' for n in range(150))
    chunks = chunk(f"TABLE = {{\n{rows}}}\n".encode(), "python")
    assert [c.symbol for c in chunks] == ["TABLE"] * len(chunks)
    assert chunks[0].defines == ("TABLE",)
    assert len(chunks) > 2
    assert all(len("".join(c.text.split())) <= 1500 for c in chunks)
    assert broken_rules(f"TABLE = {{\n{rows}}}\n".encode(), chunks) == []


def test_no_chunk_of_ordinary_code_is_larger_than_the_limit() -> None:
    source = (CLASS + f"\n\ndef fill(scale):\n{statements(200)}").encode()
    sizes = [len("".join(c.text.split())) for c in chunk(source, "python")]
    assert max(sizes) <= 1500


def test_two_definitions_on_one_line_share_a_chunk() -> None:
    chunks = chunk(b"function a() { return 1 } function b() { return 2 }\n", "javascript")
    assert [(c.start_line, c.end_line, c.defines) for c in chunks] == [(1, 1, ("a", "b"))]


def test_small_neighbours_are_merged_up_to_the_target_and_named_after_the_first() -> None:
    source = "".join(f"def step_{n}(scale):\n{statements(4)}\n\n" for n in range(10))
    chunks = chunk(source.encode(), "python")
    assert [(c.symbol, len(c.defines)) for c in chunks] == [("step_0", 6), ("step_6", 4)]


def test_a_definition_of_ordinary_size_stands_alone() -> None:
    source = "import os\n\n\n" + "".join(
        f"def step_{n}(scale):\n{statements(9)}\n\n" for n in range(3)
    )
    assert shown(chunk(source.encode(), "python")) == [
        (1, 13, "function", "step_0"),
        (16, 25, "function", "step_1"),
        (28, 37, "function", "step_2"),
    ]


def test_decorators_attributes_and_comments_go_with_what_they_describe() -> None:
    body = "".join(f"    let value_{n} = compute(scale, {n});\n" for n in range(14))
    source = dedent(
        """\
        /// Adds everything.
        ///
        /// Never fails.
        #[inline]
        // internal
        #[must_use]
        pub fn add(scale: u32) {{
        {body}}}

        // No comment of a function.

        fn sub(scale: u32) {{
        {body}}}
        """
    ).format(body=body)
    chunks = chunk(source.encode(), "rust")
    assert [(c.start_line, c.end_line, c.symbol, c.comment) for c in chunks] == [
        (1, 22, "add", "Adds everything.\n\nNever fails.\ninternal"),
        (24, 41, "sub", ""),
    ]


def test_keys_survive_an_edit_of_the_bodies() -> None:
    before = chunk(CLASS.encode(), "python")
    after = chunk(CLASS.replace("compute", "# changed\n        recompute").encode(), "python")
    assert [c.key for c in before] == [c.key for c in after]
    assert [c.text for c in before] != [c.text for c in after]


def test_definitions_are_found_in_broken_code() -> None:
    body = statements(12)
    source = f"def one(scale):\n{body}\n\nclass ((:\n  x ==\n\ndef two(scale):\n{body}\n"
    chunks = chunk(source.encode(), "python")
    assert broken_rules(source.encode(), chunks) == []
    assert {"one", "two"} <= {n for c in chunks for n in c.defines}


def test_conditional_definitions_are_listed() -> None:
    source = b"try:\n    import fast\nexcept ImportError:\n    def fast(): ...\nelse:\n    x = 1\n"
    assert [(c.kind, c.defines) for c in chunk(source, "python")] == [("block", ("fast", "x"))]


def test_qualified_names_tell_the_scope() -> None:
    body = "".join(f"    total += this->measure{n}(options, {n});\n" for n in range(12))
    source = f"double ns::Meter::get(int n) const {{\n{body}}}\n".encode()
    (one,) = chunk(source, "cpp")
    assert (one.kind, one.symbol, one.scope, one.defines) == (
        "method",
        "ns.Meter.get",
        "ns.Meter",
        ("get",),
    )
