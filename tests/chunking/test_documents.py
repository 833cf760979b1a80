"""Headings, keys and paragraphs: the files that are read without a grammar, and long ones."""

from git_skillmesh.chunking import chunk


def words(count: int, word: str = "word") -> str:
    return "\n".join(" ".join([word] * 12) for _ in range(count // 12)) + "\n"


def test_sections_know_their_chapters() -> None:
    source = (
        f"# Install\n\nShort.\n\n## From source\n\n{words(240)}\n"
        f"### On *Linux*\n\n{words(240)}\n# Use\n\n{words(240)}"
    )
    chunks = chunk(source.encode(), "markdown")
    assert [(c.kind, c.symbol, c.scope, c.key) for c in chunks] == [
        ("section", "Install", "", "section:Install"),
        (
            "section",
            "Install > From source",
            "Install",
            "section:Install > From source",
        ),
        (
            "section",
            "Install > From source > On Linux",
            "Install > From source",
            "section:Install > From source > On Linux",
        ),
        ("section", "Use", "", "section:Use"),
    ]


def test_titles_keep_names_whole_and_lose_their_markup() -> None:
    titles = {
        "depends_on": "depends_on",
        "`__init__` and *how* `a_b*c` run": "__init__ and how a_b*c run",
        "__Do__ not _call_ snake_case_ twice": "Do not call snake_case_ twice",
        "[`pull_policy`](#pull_policy) {#pull}": "pull_policy",
        "**Bold [link][ref]** <a id='x'></a>2 * 3": "Bold link 2 * 3",
        r"escaped \_name\_ and 2*3": "escaped _name_ and 2*3",
        "Vec of a < b > c `<T>`": "Vec of a < b > c <T>",
        "use ``C++`` #": "use C++",
    }
    source = "".join(f"# {title}\n\n{words(120)}\n" for title in titles)
    found = [c.symbol for c in chunk(source.encode(), "markdown")]
    assert found == list(titles.values())
    assert [
        c.symbol for c in chunk(b":class:`a_b` of ``c_d``\n=======================\n", "rst")
    ] == ["a_b of c_d"]


def test_what_looks_like_a_heading_inside_a_fence_is_none() -> None:
    source = (
        "# One\n\n```sh\n# not two\n```\n\n~~~~\n# not three\n~~~\n# nor four\n~~~~\n\n# Five\n"
    )
    assert [c.defines for c in chunk(source.encode(), "markdown")] == [("One",), ("Five",)]


def test_front_matter_is_no_heading() -> None:
    source = "---\ntitle: x\n# comment\n---\n\nText\n\nTitle\n-----\n\nMore.\n"
    assert [(c.start_line, c.end_line, c.symbol) for c in chunk(source.encode(), "markdown")] == [
        (1, 6, ""),
        (8, 11, "Title"),
    ]


def test_a_long_section_is_divided_between_paragraphs() -> None:
    source = "# Long\n\n" + "\n".join(words(60) for _ in range(12))
    chunks = chunk(source.encode(), "markdown")
    assert [(c.key, c.symbol, c.defines) for c in chunks] == [
        ("section:Long", "Long", ("Long",)),
        ("section:Long#2", "Long", ()),
        ("section:Long#3", "Long", ()),
    ]
    assert all(c.text.strip() == c.text for c in chunks)


def test_a_fence_that_fits_is_not_divided() -> None:
    code = "```python\n" + "\n\n".join(f"call({n}, 'x' * 40)" for n in range(25)) + "\n```\n"
    source = f"# Long\n\n{words(180)}\n{code}\n{words(180)}"
    holders = [c.text for c in chunk(source.encode(), "markdown") if "```" in c.text]
    assert len(holders) == 1
    assert code.strip() in holders[0]


def test_same_headings_have_keys_of_their_own() -> None:
    source = "".join(f"# Fixed\n\n{words(120)}\n" for _ in range(3))
    assert [c.key for c in chunk(source.encode(), "markdown")] == [
        "section:Fixed",
        "section:Fixed#2",
        "section:Fixed#3",
    ]


def test_titles_of_restructured_text_by_their_order_of_appearance() -> None:
    body = words(240)
    source = f"=====\nGuide\n=====\n\n{body}\nInstall\n-------\n\n{body}\nUse\n---\n\n{body}"
    assert [c.symbol for c in chunk(source.encode(), "rst")] == [
        "Guide",
        "Guide > Install",
        "Guide > Use",
    ]


def test_a_large_yaml_key_is_divided_at_the_keys_below() -> None:
    steps = "".join(f"      - run: command number {n} with arguments\n" for n in range(30))
    source = (
        "# Checks.\nname: ci\non: [push]\njobs:\n"
        f"  # Fast ones.\n  lint:\n    steps:\n{steps}  test:\n    steps:\n{steps}"
    )
    chunks = chunk(source.encode(), "yaml")
    assert [(c.start_line, c.end_line, c.symbol, c.comment) for c in chunks] == [
        (1, 3, "name", "Checks."),
        (4, 4, "jobs", ""),
        (5, 37, "jobs.lint", "Fast ones."),
        (38, 69, "jobs.test", ""),
    ]


def test_keys_in_a_block_scalar_are_no_keys() -> None:
    script = "".join(f"  echo: this is line {n} of the script\n" for n in range(60))
    names = {n for c in chunk(f"script: |\n{script}".encode(), "yaml") for n in c.defines}
    assert names == {"script"}


def test_records_of_a_list_give_no_keys() -> None:
    rows = ",\n".join(f'  {{"id": {n}, "name": "entry number {n}"}}' for n in range(80))
    chunks = chunk(f'{{"version": 1, "rows": [\n{rows}\n]}}\n'.encode(), "json")
    assert {n for c in chunks for n in c.defines} == {"version", "rows"}
    assert len(chunks) == 2


def test_paragraphs_are_grouped_and_a_long_one_is_cut() -> None:
    source = f"{words(36)}\n{words(36)}\n{words(36 * 20)}"
    chunks = chunk(source.encode(), "text")
    assert {(c.kind, c.symbol) for c in chunks} == {("text", "")}
    assert [c.key for c in chunks] == [f"block:{n}" for n in range(1, len(chunks) + 1)]
    assert (chunks[0].start_line, chunks[0].end_line) == (1, 7)
    assert all(len("".join(c.text.split())) <= 1500 for c in chunks)


def test_the_script_of_a_page_is_read_in_its_own_language() -> None:
    body = "".join(f"  total += measure(options, {n});\n" for n in range(20))
    source = (
        f"<script lang='ts'>\nexport function sum(options: Options): number {{\n{body}}}\n"
        f"function other(): void {{\n{body}}}\n</script>\n\n"
        "<p>Every customer is greeted here, every day.</p>\n"
    )
    chunks = chunk(source.encode(), "vue")
    assert [(c.kind, c.symbol, c.start_line, c.end_line) for c in chunks] == [
        ("function", "sum", 1, 23),
        ("function", "other", 24, 46),
        ("block", "", 48, 48),
    ]
