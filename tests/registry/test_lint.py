"""The lint, whole, of a card with one thing wrong; and its parts on texts of both kinds."""

from pathlib import Path

import pytest

from git_skillmesh.registry import lint_fences, lint_text
from git_skillmesh.registry.lint import lint
from git_skillmesh.registry.markdown import Fence, read_page
from testing.registries import SECTIONS, skill_text, write_card

SKILL = "depot/weighing/SKILL.md"
YAML = "depot/weighing/card.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_card(tmp_path, "depot.weighing")
    return tmp_path


def said(root: Path) -> list[str]:
    return [str(problem) for problem in lint(root)]


def test_a_good_card(root: Path) -> None:
    assert said(root) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (SKILL, "- Stands alone\n", "- Stands alone" + "\n" * 60, ["1: 130 lines, not 60 to 110"]),
        (SKILL, "- Stands alone\n", "- Stands alone", [
            "71: no line feed at the end: is it cut off?"
        ]),
        (SKILL, "- Stands alone", f"- Stands {'x' * 120}", ["71: 129 characters, not up to 120"]),
        (SKILL, "- Stands alone", "- Stands alone ", ["71: spaces at the end"]),
        (SKILL, "- Stands alone", "- Stands\u200balone", ["71: U+200B, zero width space"]),
        (SKILL, "    sort -n", "\tsort -n", []),
        (SKILL, "- Stands alone", "- Stands\u2028alone", ["71: U+2028, line separator"]),
        (SKILL, "- Stands alone", "- Stands\x1balone", ["71: U+001B, a control character"]),
        (SKILL, "- Stands alone", "- Itâ€™s alone", ["71: a wrong encoding: 'â€'"]),
        (SKILL, "- Stands alone", "- \u0421tands alone", [
            "71: Latin and Cyrillic letters in one word"
        ]),
        (SKILL, "- Stands alone", "- Cafe\u0301 alone", [
            "71: characters that are not in composed form (NFC)"
        ]),
        (SKILL, "- Stands alone", "- Stands alone, TODO", ["71: a placeholder: TODO"]),
        (SKILL, "- Stands alone", "- Stands the the alone", ["71: a word twice: the the"]),
        (SKILL, "- Stands alone", "- Stands `alone", ["71: a backtick without its other"]),
        (SKILL, "- Stands alone", "- Stands (alone", ["71: ( without )"]),
        (SKILL, "- Stands alone", "- Stands alone and", [
            "71: ends in the middle: …Stands alone and"
        ]),
        (SKILL, "- Stands alone", "- Open /home/someone/x", [
            "71: a path of one machine: /home/someone"
        ]),
        (SKILL, "3. Put", "4. Put", ["22: step 4 where 3 is due"]),
        (SKILL, "6. Round", "Round", ["18: 6 steps, not 7 to 12", "31: step 7 where 6 is due"]),
        (SKILL, " → go on", ": go on", ["35: a decision without →"]),
        (SKILL, "- NEVER average", "- Do not average", [
            "45: an anti-pattern must begin with NEVER"
        ]),
        (SKILL, ": one of them is wrong, not both a little", "", [
            "45: NEVER without a colon and why"
        ]),
        (SKILL, "- NEVER average readings that disagree: one of them is wrong, not both a little\n",
         "", ["40: 3 bullets under Anti-patterns, not 4 to 8"]),
        (SKILL, "All parcels 40 g too heavy → the tray was not tared → tare, then repeat the batch",
         "All is too heavy", ["49: a mistake must read: symptom → cause → mend"]),
        (SKILL, "Not for", "And for", ["10: says nothing of what it is not for"]),
        (SKILL, "- If it reads anything else → calibrate first, and weigh the last twenty parcels "
         "again", "- If a parcel is over 30 kg → send it to the floor scale", [
             "37: stands in depot/weighing/SKILL.md:36 too: If a parcel is over 30 kg",
             "37: stands in depot/weighing/SKILL.md:36 too: send it to the floor scale",
             "37: the bullet of line 36 again",
        ]),
        (SKILL, "assert spread <= 5, spread", "assert spread <=", [
            "27: no Python: invalid syntax"
        ]),
        (SKILL, "```python run", "```", ["24: a fence without a language"]),
        (SKILL, "```python run", "```go run", [
            "24: a go fence cannot be run, only python, sh, rust, cpp, node",
            "25: no go: readings = [1204, 1206]",
        ]),
        (SKILL, "    sort -n |\n    tail -n 1\n", "", [
            "54: 1 lines of code, not 3 to 20",
            "56: no shell: syntax error: unexpected end of file",
        ]),
        (YAML, "title: Weighing parcels before dispatch", "title: Weighing", [
            "1: 1 words of title, not 2 to 8"
        ]),
        (YAML, "- manifest\n", "", ["2: 7 tags, not 8 to 15"]),
        (YAML, "- indoors\n", "", ["45: 1 constraints, not 2 to 5"]),
        (YAML, "- indoors", "- lorem ipsum", ["47: a placeholder: lorem ipsum"]),
        (YAML, "- indoors", "- the reading of the reference mass before and after", []),
        (YAML, "- indoors", "- two degrees hide 30 g of a heavy box", []),
    ],
)  # fmt: skip
def test_one_thing_wrong(root: Path, file: str, old: str, new: str, expected: list[str]) -> None:
    text = (root / file).read_text()
    assert text.count(old) == 1
    (root / file).write_text(text.replace(old, new))
    assert said(root) == [f"{file}:{line}" for line in expected]


def test_a_sentence_in_two_files(root: Path) -> None:
    """Whatever surrounds it, and however it is written."""
    sections = SECTIONS | {"Composability": "- Stands alone"}
    skill = skill_text(
        "depot.labels",
        description="Prints labels that scanners read. " + "x" * 200,
        when="- ROUND up, to `whole` grams, never down since carriers bill the next step of the "
        "tariff!\n\nNot for weights.",
        **{name.split()[0].split("-")[0].lower(): "-" for name in list(sections)[1:]},
    )
    write_card(
        root, "depot.labels", skill=skill,
        constraints=["at most a hundred a sheet", "dry"],
        examples=["how heavy is parcel number 3?"] + [f"label {n}" for n in range(11)],
        aliases=["labels", "Mass-check", "stickers"],
    )  # fmt: skip
    found = [line for line in said(root) if " too" in line]
    assert found == [
        "depot/weighing/SKILL.md:30: stands in depot/labels/SKILL.md:12 too: "
        "Round up to whole grams, never down, since carriers bill the next step of the t…",
        "depot/weighing/card.yaml:17: 'mass check' is an alias of depot/labels/card.yaml too",
        "depot/weighing/card.yaml:22: 'how heavy is parcel number 3' is an example of "
        "depot/labels/card.yaml too",
        "depot/weighing/card.yaml:22: stands in depot/labels/card.yaml:19 too: "
        "how heavy is parcel number 3",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Set `(` and `[` apart, and **never** both.",
        "The bench that that scale stands on had had a crack.",
        "Use `a … b` or `TODO`; `/home/user` is fine.",
        "`x TODO`: what it was rounded for",
        "See [the page](https://example.com/a_(b)).",
        "1) first, 2) second",
        "It is this or OR-Tools.",
        "A policy has to be written for it.",
    ],
)
def test_good_prose(text: str) -> None:
    assert list(lint_text.odd(text)) == []


def test_repetition() -> None:
    looped = "We use the data to use the data to use the data and more."
    assert list(lint_text.odd(looped)) == ["3 times 'use the data'"]


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("python", "await x\n", "x = \n"),
        ("python", "print(r'\\d')\n", "print('\\d')\n"),
        ("sh", "set -eu\nfor x in a; do echo $x; done\n", "if true; then\n"),
        ("yaml", "a: !Ref b\n---\nc: ${{ d }}\n", "a: b: c\n"),
        ("json", '{"a": 1}\n', "{'a': 1}\n"),
        ("toml", "[a]\nb = 1\n", "[a\n"),
        ("ini", "shared_buffers = 1GB\n[x]\ny\n", "[x\ny = 1\n  [\n= 2\n"),
        ("sql", "SELECT a at time zone 'UTC' FROM b WHERE c = 1;\n", "SELEC a FORM b;\n"),
        ("hcl", 'resource "a" "b" {\n  c = 1\n}\n', 'resource "a" {\n  c = \n}\n'),
        ("tsx", "const a = <b>{c}</b>;\n", "const a = <b>{c}</d;\n"),
        ("ts", "const a: string = 'b';\n", "const a: = 'b';\n"),
        ("js", "for (const a of b) c(a);\n", "for (const a of ) {\n"),
        ("node", "const a = 1;\n", "const a =;\n"),
        ("css", "@container a (width > 3rem) { .b { c: d; } }\n", ".b { c: d;\n"),
        ("html", "<p>a</p>\n", "<p class=\"a>b</p>\n"),
        ("go", "func a() error { return nil }\n", "func a( {\n"),
        ("rust", "fn main() { println!(\"a\"); }\n", "fn main( {\n"),
        ("cpp", "int main() { return 0; }\n", "int main( { return }\n"),
        ("dockerfile", "FROM a:1\nRUN b\n", "FROM\nRAN b\n"),
        ("graphql", "type A { b: Int! }\n", "type A { b: }\n"),
    ],
)  # fmt: skip
def test_code_is_parsed(language: str, good: str, bad: str) -> None:
    assert list(lint_fences.wrong(Fence(10, language, good))) == []
    ((line, what),) = lint_fences.wrong(Fence(10, language, bad))
    assert line > 10
    assert what.startswith("no ")


def test_fences_are_found_where_markdown_has_them() -> None:
    page = read_page(
        "# T\n\n1. step\n   ```sh run\n     a\n   b\n   ```\n\n~~~text\n```\n## no heading\n~~~\n"
        "````md\n```\n````\n```a`b```\n",
        5,
    )
    assert page.title == "T"
    assert page.sections == ()
    assert [(f.line, f.language, f.run, f.code, f.open) for f in page.fences] == [
        (8, "sh", True, "  a\nb\n", False),
        (13, "text", False, "```\n## no heading\n", False),
        (17, "md", False, "```\n", False),
    ]


def test_few_words() -> None:
    loop = ["robust scalable leverage solution " * 60]
    assert list(lint_text.monotonous(loop)) == ["only 4 different words among 240"]
    assert list(lint_text.monotonous([" ".join(f"word{n % 90}" for n in range(240))])) == []


def test_words_that_are_cut_off() -> None:
    endings = lint_text.Endings()
    for line in range(2000):
        endings.note("a.md", line, "the carriers bill the next step of their tariffs")
    endings.note("b.md", 1, "never down, since carr")
    endings.note("b.md", 2, "`carrie`")
    endings.note("b.md", 3, "what the tariff")
    endings.note("b.md", 4, "tariff", code=True)
    assert list(endings.problems()) == []
    for line in range(500):
        endings.note("a.md", line, "the carriers bill the next step of their tariffs")
    assert list(map(str, endings.problems())) == [
        "b.md:1: ends in the middle of a word? carr, as in carrie"
    ]


def test_skills_without_a_card_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf" / "SKILL.md").write_text("---\nname: pdf\ndescription: x\n---\nTODO\n")
    assert lint(tmp_path) == []
