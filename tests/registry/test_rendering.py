"""Blocks for models: they parse back whatever stands in a card, and keep to their budget."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.display import tokens
from git_skillmesh.errors import UsageError
from git_skillmesh.registry.cards import card_of
from git_skillmesh.registry.functions import function_tools
from git_skillmesh.registry.markdown import SECTIONS
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.parts import harmless, parts_of
from git_skillmesh.registry.rendering import (
    PROVIDERS,
    REFERENCE,
    THIRD_PARTY,
    Emitted,
    Entry,
    emit,
    fence_for,
)
from testing.examples import examples
from testing.registries import DESCRIPTION

TOOLS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["type", "function"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "function"},
            "function": {
                "type": "object",
                "required": ["name", "description", "parameters"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                    "description": {"type": "string", "maxLength": 1024},
                    "parameters": {
                        "allOf": [
                            {"$ref": "https://json-schema.org/draft/2020-12/schema"},
                            {"required": ["type"], "properties": {"type": {"const": "object"}}},
                        ]
                    },
                },
            },
        },
    },
}
SCORES = (0.91, 12.5, 0.62)

# What could end an element, a fence, a front matter, a string, or speak to a terminal.
HOSTILE = st.lists(
    st.sampled_from(
        ["</section>", "</skill>", "</skills>", "]]>", "<![CDATA[", "&amp;", "&#10;", "<!--", "-->",
         "```", "````", "~~~", "``````markdown", "---", '"', "'", "\\", "\x1b[31m", "\x00", "\x07",
         "\r", "\n", "\n\n", "\n```\n", "\n---\n", "\n## Decision tree\n", "\n# Orders\n", "\t",
         "\u202e", "\u2028", "\x85", "\ufffe", "\ud800", "\ufeff", "Ignore all of that. ", "a", "é",
         " ", "$(reboot)", "`x`", "|", "{", "}", "- ", "    ", "\U0001f4a5"]
    ),
    max_size=14,
).map("".join)  # fmt: skip
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(
        st.sampled_from(["type", "properties", "required", "items", "enum", "$ref", "anyOf",
                         "default", "minimum", "description", "additionalProperties", "a"]),
        inside | st.sampled_from(["object", "string", ["a"], "#/$defs/x"]), max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@st.composite
def cards(draw: st.DrawFn) -> Card:
    """A card as a stranger may write it into a JSON file, and its instructions."""
    fields = {name: draw(HOSTILE) for name in ("title", "description")}
    invocation = {
        "type": "function",
        "function": {
            "name": draw(st.sampled_from(["run", "x" * 64])),
            "description": draw(HOSTILE),
            "parameters": {"type": "object", **draw(st.dictionaries(st.text(max_size=3), JSONS))},
        },
    }
    identity = draw(HOSTILE | st.sampled_from(["a.b", "a_b"])) or "x"
    card = card_of(
        {"id": f"x{identity}", **fields, "invocation": invocation}, Path(), draw(HOSTILE)
    )
    assert card is not None
    return card


ENTRIES = st.lists(
    st.builds(
        Entry,
        cards(),
        st.booleans(),
        st.none() | st.just(SCORES),
        st.lists(HOSTILE, max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=3,
)


def emitted(entries: list[Entry], provider: str, budget: int | None = None) -> Emitted:
    made = emit("the task", entries, provider, budget)
    assert made.tokens == tokens(made.text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800-\udfff]", made.text)
    return made


@settings(max_examples=examples(25), deadline=None)
@given(ENTRIES)
def test_xml_parses_back(entries: list[Entry]) -> None:
    root = ElementTree.fromstring(emitted(entries, "claude").text)  # noqa: S314 - our own
    assert root.tag == "skills"
    assert [child.tag for child in root] == ["note", *("skill" for _ in entries)]
    for entry, skill in zip(entries, root.findall("skill"), strict=True):
        assert skill.get("id") == " ".join(harmless(entry.card.id).split())
        assert skill.get("title") == " ".join(harmless(entry.card.title).split())
        assert (skill.get("source") == "third party") is entry.third_party
        notes = [note.text for note in skill.findall("note")]
        assert notes == ([THIRD_PARTY] if entry.third_party else [])
        found = [(part.get("title") or "", part.text) for part in skill.findall("section")]
        assert found == [
            (" ".join(part.title.split()), f"\n{part.body}\n") for part in parts_of(entry.card)
        ]


def outside_of_fences(text: str) -> tuple[list[str], list[str]]:
    """Divide Markdown by the rules of CommonMark for fences: lines outside, contents of fences."""
    outside: list[str] = []
    inside: list[str] = []
    opened = ""
    for line in text.split("\n"):
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)$", line)
        if not opened and found and not (found[1][0] == "`" and "`" in found[2]):
            opened = found[1]
            inside.append("")
        elif opened and found and not found[2].strip() and found[1].startswith(opened):
            opened = ""
        elif opened:
            inside[-1] += f"{line}\n"
        else:
            outside.append(line)
    assert not opened
    return outside, inside


@settings(max_examples=examples(25), deadline=None)
@given(ENTRIES, st.sampled_from(["codex", "gemini", "cursor"]))
def test_markdown_keeps_cards_in_their_fences(entries: list[Entry], provider: str) -> None:
    text = emitted(entries, provider).text
    if provider == "cursor":
        begin, front, text = text.split("---\n", 2)
        assert begin == ""
        assert yaml.safe_load(front) == {
            "description": "Skills for: the task", "globs": None, "alwaysApply": False,
        }  # fmt: skip
    outside, inside = outside_of_fences(text)
    assert len(inside) == len(entries)
    headings = [line for line in outside if line.startswith("#")]
    assert headings[0] == "# Skills for this task"
    assert len(headings) == 1 + len(entries)
    assert all(line.startswith("## `") for line in headings[1:])
    assert [line for line in outside if line and not line.startswith("#")] == [
        REFERENCE, *(THIRD_PARTY for entry in entries if entry.third_party)
    ]  # fmt: skip
    for entry, content in zip(entries, inside, strict=True):
        for part in parts_of(entry.card):
            assert part.body in content


@settings(max_examples=examples(25), deadline=None)
@given(ENTRIES)
def test_function_tools_are_valid(entries: list[Entry]) -> None:
    tools = json.loads(
        emitted(entries, "openai-tools").text,
        parse_constant=lambda word: pytest.fail(f"{word} is no JSON"),
    )
    jsonschema.Draft202012Validator(TOOLS).validate(tools)
    names = [tool["function"]["name"] for tool in tools]
    assert len(set(names)) == len(entries)
    for tool, entry in zip(tools, entries, strict=True):
        jsonschema.Draft202012Validator.check_schema(tool["function"]["parameters"])
        said = tool["function"]["description"].startswith("[third party] ")
        assert said or not entry.third_party


@settings(max_examples=examples(25), deadline=None)
@given(ENTRIES)
def test_json_has_the_same_text(entries: list[Entry]) -> None:
    document = json.loads(emitted(entries, "json").text)
    assert document["query"] == "the task"
    for entry, hit in zip(entries, document["hits"], strict=True):
        assert [(one["title"], one["text"]) for one in hit["sections"]] == [
            (part.title, part.body) for part in parts_of(entry.card)
        ]
        assert hit["third_party"] is entry.third_party
        assert hit["use"].startswith(REFERENCE)


@settings(max_examples=examples(25), deadline=None)
@given(ENTRIES, st.sampled_from(PROVIDERS), st.integers(1, 2500))
def test_no_block_is_larger_than_its_budget(
    entries: list[Entry], provider: str, budget: int
) -> None:
    try:
        made = emitted(entries, provider, budget)
    except UsageError as error:
        # The budget that is named does: nothing else is asked of the user.
        needed = int(re.search(r"--budget (\d+)", str(error))[1])  # type: ignore[index]
        assert needed > budget
        assert emitted(entries, provider, needed).entries[0] == entries[0]
        return
    assert made.tokens <= budget
    for entry, choice in zip(made.entries, made.shown, strict=True):
        whole = parts_of(entry.card)
        parts = [part for part in choice.shown if part.body]
        assert set(parts) <= set(whole)  # whole sections, none of them cut


BODY = """\
# Weighing parcels before dispatch

## When to use
- Parcels have to be weighed before they leave the depot
- Not for: letters

## Execution behaviour
1. Tare the scale, with nothing on it.
2. Weigh each parcel twice and keep both readings.

## Decision tree
- If both readings differ by more than 5 g → weigh a third time

## Anti-patterns
- NEVER weigh on a tilted table: a tilt of 2° hides 30 g

## Common mistakes
- All parcels 40 g too heavy → the tray was not tared → tare it again

## Output contract
- A table of parcels and grams, checked against the manifest

## Composability
- Stands alone
"""


@pytest.fixture
def two() -> list[Entry]:
    titles = {"depot.weighing": "Weighing parcels before dispatch", "depot.labels": "Labels"}
    made = [
        card_of({"id": one, "title": title, "description": DESCRIPTION}, Path(), BODY)
        for one, title in titles.items()
    ]
    return [Entry(card, number == 1, SCORES) for number, card in enumerate(made) if card]


def shown(made: Emitted) -> list[list[str]]:
    return [[part.title for part in choice.shown] for choice in made.shown]


def test_the_whole_of_a_card(two: list[Entry]) -> None:
    assert emit("q", two[:1], "codex", None).text == (
        f"# Skills for this task\n\n{REFERENCE}\n\n## `depot.weighing` (score 0.91)\n\n"
        "```markdown\n# Weighing parcels before dispatch\n\n"
        "## When to use\n- Parcels have to be weighed before they leave the depot\n"
        "- Not for: letters\n\n"
        "## Execution behaviour\n1. Tare the scale, with nothing on it.\n"
        "2. Weigh each parcel twice and keep both readings.\n\n"
        "## Decision tree\n- If both readings differ by more than 5 g → weigh a third time\n\n"
        "## Anti-patterns\n- NEVER weigh on a tilted table: a tilt of 2° hides 30 g\n\n"
        "## Common mistakes\n"
        "- All parcels 40 g too heavy → the tray was not tared → tare it again\n\n"
        "## Output contract\n- A table of parcels and grams, checked against the manifest\n\n"
        "## Composability\n- Stands alone\n\n"
        f"## Description\n{DESCRIPTION}\n```\n"
    )


def test_the_most_useful_sections_come_first(two: list[Entry]) -> None:
    seen = []
    for budget in range(240, 800, 5):
        for number, titles in enumerate(shown(emit("q", two, "claude", budget))):
            seen += [(number, title) for title in titles if (number, title) not in seen]
    first = [(0, title) for title in ("Execution behaviour", "Decision tree")]
    assert set(seen) == {(n, t) for n in (0, 1) for t in (*SECTIONS, "Description")}
    assert seen.index(first[0]) < seen.index((1, "Execution behaviour"))


def test_what_is_left_out_is_said_with_the_command_that_shows_it(two: list[Entry]) -> None:
    text = emit("q", two, "claude", 240, registry="my skills").text
    show = "git skillmesh skills show --registry 'my skills'"
    assert text.endswith(
        "</section>\n<left_out>Left out: When to use, Anti-patterns, Common mistakes, "
        f"Output contract, Description. To see all: {show} depot.weighing</left_out>\n</skill>\n"
        f"<left_out>No room for: {show} depot.labels</left_out>\n</skills>\n"
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_many_cards_in_a_budget(two: list[Entry], provider: str) -> None:
    made = emit("q", two * 100, provider, 2000)
    assert made.tokens <= 2000
    assert 0 < len(made.entries) < 100
    assert len(made.entries) + len(made.dropped) == 200
    if provider == "json":
        document = json.loads(made.text)
        assert len(document["left_out"]) + document["more"] == len(made.dropped)


def test_characters_of_each_card_are_whole_sections(two: list[Entry]) -> None:
    made = emit("q", two, "codex", None, characters=160)
    assert shown(made) == [["Execution behaviour", "Decision tree"]] * 2
    assert shown(emit("q", two, "codex", None, characters=10)) == [[], []]


def test_a_prerequisite_is_marked(two: list[Entry]) -> None:
    entries = [two[0], Entry(two[1].card, False, None, ("depot.weighing",))]
    assert '<skill id="depot.labels" title="Labels" ' in (emit("q", entries, "claude").text)
    assert 'prerequisite_of="depot.weighing">' in emit("q", entries, "claude").text
    text = emit("q", entries, "codex").text
    assert "\n## `depot.labels` (a prerequisite of `depot.weighing`)\n" in text


def test_a_card_that_is_hardly_meant_gets_what_is_left(two: list[Entry]) -> None:
    doubtful = [two[0], Entry(two[1].card, False, (0.01, 0.1, 0.1))]
    made = emit("q", doubtful, "codex", 420)
    assert len(shown(made)[0]) == 8
    assert shown(made)[1] == ["Execution behaviour", "Decision tree", "Composability"]


def test_a_skill_without_sections_has_its_whole_text() -> None:
    card = card_of({"id": "plain", "description": "d"}, Path(), "Do this.\n\nThen that.\n")
    assert card is not None
    assert [(part.title, part.body) for part in parts_of(card)] == [
        ("", "Do this.\n\nThen that."), ("Description", "d"),
    ]  # fmt: skip


def test_headings_in_fences_are_no_sections() -> None:
    body = "## One\n```sh\n# comment\n## another\n```\n## Two\ntext\n"
    card = card_of({"id": "plain"}, Path(), body)
    assert card is not None
    assert [part.title for part in parts_of(card)] == ["One", "Two"]


def test_a_missing_instruction_file_leaves_the_description(tmp_path: Path) -> None:
    card = card_of(
        {"id": "a.b", "description": "About it", "instruction_file": "gone.md"}, tmp_path
    )
    assert card is not None
    assert [part.body for part in parts_of(card)] == ["About it"]


@pytest.mark.parametrize(
    ("text", "fence"), [("", "```"), ("a `` b", "```"), ("```", "````"), ("`````", "``````")]
)
def test_fences(text: str, fence: str) -> None:
    assert fence_for(text) == fence


def test_names_of_tools_that_collide_get_numbers() -> None:
    made = [card_of({"id": one, "description": "d"}, Path()) for one in ("a.b_c", "a_b.c", "a.b.c")]
    tools = function_tools([(card, False) for card in made if card])
    assert [tool["function"]["name"] for tool in tools] == ["a_b_c", "a_b_c_2", "a_b_c_3"]


def test_parameters_of_a_card_stay_where_they_are_sound() -> None:
    parameters = {
        "type": "object",
        "properties": {"n": {"type": ["integer", "null"], "minimum": 1, "enum": [1, 2, None]}},
        "required": ["n"],
        "additionalProperties": False,
    }
    function = {"name": "count", "description": "d" * 2000, "parameters": parameters}
    fields = {"id": "a.b", "invocation": {"type": "function", "function": function}}
    card = card_of(fields, Path())
    assert card is not None
    (tool,) = function_tools([(card, True)])
    assert tool["function"]["parameters"] == parameters
    assert len(tool["function"]["description"]) <= 1024
