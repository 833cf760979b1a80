"""Registries from trees, YAML and JSON: the same cards, and no file that makes loading fail."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.registry import building, loading
from git_skillmesh.registry.loading import load_registry, read_registry
from git_skillmesh.registry.model import (
    Card,
    Composability,
    InputContract,
    Maturity,
    Registry,
    Risk,
    Role,
)
from git_skillmesh.yamlnodes import Unreadable
from testing.registries import CARD, DESCRIPTION, skill_text, write_card, write_plain, write_roles

ROLE = {
    "id": "dispatcher", "title": "Dispatcher", "description": "Sends parcels",
    "experts": ["depot.weighing"], "tags": ["post"],
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    write_card(root, "depot.weighing", composability={"after": ["depot.labels"]})
    write_card(root, "depot.labels", title="Labels that scanners can read", risk_level="high")
    write_roles(root, ROLE)
    return root


def same_in_all_formats(root: Path) -> Registry:
    """Write both files beside the tree, and return the tree once all three are the same."""
    registry = load_registry(root)
    (root / loading.BUILT).write_text(building.as_json(registry), encoding="utf-8")
    (root / loading.BUILT_YAML).write_text(building.as_yaml(registry), encoding="utf-8")
    assert load_registry(root / loading.BUILT) == registry
    assert load_registry(root / loading.BUILT_YAML) == registry
    return registry


def test_a_card_as_it_is_loaded(root: Path) -> None:
    card = load_registry(root).by_id["depot.weighing"]
    invocation = card.invocation
    assert card == Card(
        id="depot.weighing",
        title="Weighing parcels before dispatch",
        domain="depot",
        instruction_file="depot/weighing/SKILL.md",
        description=DESCRIPTION,
        tags=tuple(CARD["tags"]),
        tool_hints=("scalectl", "tare"),
        examples=tuple(CARD["examples"]),
        aliases=("weighing", "parcel scales", "mass check"),
        dependencies=("bin:scalectl>=2.1", "pypi:parcels"),
        input_contract=InputContract(("list of parcels",), ("the manifest",)),
        output_artifacts=("table of weights",),
        quality_checks=tuple(CARD["quality_checks"]),
        constraints=("at most 30 kg a parcel", "indoors"),
        composability=Composability(after=("depot.labels",)),
        risk_level=Risk.LOW,
        maturity=Maturity.STABLE,
        invocation=invocation,
        metadata={"license": "Apache-2.0", "reviewed": "2026-11"},
    )
    assert card.name == "weighing"
    assert card.instructions.startswith("# Weighing parcels before dispatch\n\n## When to use\n")
    assert invocation == {
        "type": "function",
        "function": {
            "name": "depot_weighing",
            "description": DESCRIPTION,
            "parameters": {
                "type": "object",
                "properties": {
                    "task": {
                        "type": "string",
                        "description": "What is to be done, in the words of whoever asks for it.",
                    },
                    "list_parcels": {"type": "string", "description": "list of parcels"},
                    "manifest": {"type": "string", "description": "the manifest"},
                },
                "required": ["task", "list_parcels"],
                "additionalProperties": False,
            },
        },
    }


def test_a_tree_yaml_and_json_give_the_same(root: Path) -> None:
    registry = same_in_all_formats(root)
    assert registry.name == "parcels"
    assert [card.id for card in registry.cards] == ["depot.labels", "depot.weighing"]
    assert registry.roles == (
        Role("dispatcher", "Dispatcher", "Sends parcels", ("depot.weighing",), ("post",)),
    )
    from_json = load_registry(root / loading.BUILT).cards
    assert [c.instructions for c in from_json] == [c.instructions for c in registry.cards]


# Whatever YAML and JSON can write: quotes, colons, dashes, words that look like other types.
LINES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")))
PHRASES = st.one_of(
    LINES.filter(bool),
    st.sampled_from(
        ["yes", "null", "~", "1e5", "0x1F", "2026-11", "- a", "a: b", "# c", "'", "{x}"]
    ),
)
LISTS = st.lists(PHRASES, max_size=4)


@given(
    st.fixed_dictionaries(
        {
            "title": PHRASES, "tags": LISTS, "tool_hints": LISTS, "aliases": LISTS,
            "examples": LISTS, "dependencies": LISTS, "output_artifacts": LISTS,
            "quality_checks": LISTS, "constraints": LISTS,
            "input_contract": st.fixed_dictionaries({"required": LISTS, "optional": LISTS}),
            "composability": st.fixed_dictionaries({"before": LISTS, "related": LISTS}),
            "risk_level": st.sampled_from(list(map(str, Risk))),
            "maturity": st.sampled_from(list(map(str, Maturity))),
            "metadata": st.dictionaries(PHRASES, PHRASES, max_size=3),
        }
    )
)  # fmt: skip
def test_any_card_is_the_same_in_all_formats(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, Any]
) -> None:
    root = tmp_path_factory.mktemp("any") / "registry"
    write_card(root, "depot.any", skill=skill_text("depot.any"), **fields)
    card = same_in_all_formats(root).cards[0]
    assert card.title == fields["title"]
    assert card.examples == tuple(fields["examples"])


def test_skills_without_a_card(tmp_path: Path) -> None:
    write_plain(tmp_path, "pdf")
    write_plain(tmp_path, ".claude/skills/Git Notes", "---\nname: git-notes\n---\nNo heading\n")
    write_plain(
        tmp_path, "plugins/office/skills/slides",
        '---\nname: slides\ndescription: "Makes: slides"\nlicense: MIT\n'
        "metadata: {author: me, tags: 'pptx, deck', version: 1.0}\n---\n\n# Slides that sell #\n",
    )  # fmt: skip
    write_plain(tmp_path, "plugins/x/skills/x", "# X\n\nDoes x,\nquickly.\n\nMore.\n")
    write_plain(tmp_path, "pdf/examples/inner")  # part of another skill
    write_plain(tmp_path, "node_modules/x/skills/y")
    read = read_registry(tmp_path)
    assert list(map(str, read.problems)) == ["plugins/x/skills/x/SKILL.md:1: no front matter"]
    found = {card.id: card for card in read.registry.cards}
    assert list(found) == ["git-notes", "office.slides", "pdf", "x"]
    assert (found["pdf"].title, found["pdf"].domain) == ("The pdf", "")
    assert found["git-notes"].title == "git-notes"
    assert (found["x"].title, found["x"].description) == ("X", "Does x, quickly.")
    slides = found["office.slides"]
    assert (slides.title, slides.description) == ("Slides that sell", "Makes: slides")
    assert slides.domain == "office"
    assert slides.tags == ("pptx", "deck")
    assert slides.instruction_file == "plugins/office/skills/slides/SKILL.md"
    assert slides.metadata == {
        "author": "me", "tags": "pptx, deck", "version": "1.0", "license": "MIT",
    }  # fmt: skip
    assert slides.instructions == "# Slides that sell #\n"


def test_one_skill_by_itself(root: Path) -> None:
    card = load_registry(root / "depot" / "weighing").cards[0]
    assert (card.id, card.domain, card.instruction_file) == ("depot.weighing", "depot", "SKILL.md")
    assert card.title == "Weighing parcels before dispatch"


def test_files_of_others(tmp_path: Path) -> None:
    """Contracts of strings, an older name of the list, words and types that we do not have."""
    (tmp_path / "tools.json").write_text(
        json.dumps(
            {
                "registry_name": "theirs",
                "version": "0.4.0",
                "experts": [
                    {
                        "id": "viz.charts", "title": "Charts", "domain": "visualisation",
                        "instruction_file": "instructions/charts.md", "tags": "plot, chart",
                        "input_contract": {"required": "a data frame", "optional": "a palette"},
                        "risk_level": "critical", "maturity": "new",
                        "metadata": {"provider_support": ["codex", "claude"], "tier": 2, "x": None},
                        "invocation": {"type": "function", "function": {"name": "a b"}},
                    },
                    {"name": "lists", "input_contract": {"rows": "how many", "sort": ""}},
                    {"title": "nameless"},
                    "viz.charts",
                ],
                "roles": {"analyst": {"title": "Analyst", "instruction_file": "roles/a.md"}},
            }
        )
    )  # fmt: skip
    (tmp_path / "instructions").mkdir()
    (tmp_path / "instructions" / "charts.md").write_text("# Charts\nDraw.\n")
    read = read_registry(tmp_path / "tools.json")
    assert list(map(str, read.problems)) == ["tools.json:1: entry 4 is not a mapping of fields"]
    assert read.registry.name == "theirs"
    assert read.registry.roles == (Role("analyst", "Analyst", "", ()),)
    lists, charts = read.registry.cards
    assert lists.input_contract == InputContract(("rows: how many", "sort"))
    assert charts.domain == "visualisation"
    assert charts.tags == ("plot", "chart")
    assert charts.input_contract == InputContract(("a data frame",), ("a palette",))
    assert (charts.risk_level, charts.maturity) == (Risk.HIGH, Maturity.STABLE)
    assert charts.metadata == {"provider_support": "codex claude", "tier": "2"}
    assert charts.invocation["function"]["name"] == "viz_charts"
    assert charts.instructions == "# Charts\nDraw.\n"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("SKILL.md", b"---\nname: x\n", "1: the front matter has no end"),
        ("SKILL.md", b"# no front\n", "1: no front matter"),
        ("SKILL.md", b"---\n- a\n---\n", "2: not a mapping of fields"),
        ("SKILL.md", b"---\nname: x\ndescription: use: this\n---\n", "3: mapping values are not "),
        ("SKILL.md", b"---\nname: &a x\ndescription: *a\n---\n", "2: &a: anchors are not allowed"),
        ("SKILL.md", b"---\nname: x\n---\n\x00", "4: a NUL character"),
        ("SKILL.md", b"---\nname: x\n---\n\n\xff\xfe", "5: not UTF-8"),
        ("SKILL.md", b"---\nname: x\n---\n" + b"x" * 2**20, "1: longer than 1024 KiB"),
        ("SKILL.md", b"---\na: " + b"[" * 5000 + b"\n---\n", "2: nested deeper than 24"),
        ("card.yaml", b"a: &b [x]\nc: [*b, *b]\n", "1: &b: anchors are not allowed"),
        ("card.yaml", b"- x\n", "1: not a mapping of fields"),
        ("card.yaml", b"title: x\ntitle: y\n", "2: title stands there twice"),
        ("card.yaml", b"title: !!python/object:os.system x\n", "1: tag:yaml.org,2002:python/"),
        ("card.yaml", b"title: \xff\n", "1: not UTF-8"),
        ("roles.yaml", b"registry_name: [\n", "2: "),
        ("roles.yaml", b"roles: 5\n", "1: no list of cards"),
    ],
)
def test_a_bad_file_is_a_problem_and_the_rest_is_loaded(
    root: Path, name: str, data: bytes, said: str
) -> None:
    place = root / name if name == "roles.yaml" else root / "depot" / "weighing" / name
    place.write_bytes(data)
    read = read_registry(root)
    assert "depot.labels" in read.registry.by_id
    (problem,) = read.problems
    assert f"{problem}".startswith(f"{place.relative_to(root)}:{said}")


def test_a_description_that_is_no_yaml_is_read_as_agents_read_it(root: Path) -> None:
    write_plain(root, "x/y", "---\nname: y\ndescription: Use when: it rains\n---\n# Umbrellas\n")
    card = load_registry(root).by_id["x.y"]
    assert (card.title, card.description) == ("Umbrellas", "Use when: it rains")


def test_byte_order_mark_and_line_ends(root: Path) -> None:
    expected = load_registry(root)
    bodies = [card.instructions for card in expected.cards]
    for path in (*root.rglob("*.md"), *root.rglob("*.yaml")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    read = read_registry(root)
    assert read.problems == ()
    assert read.registry == expected
    assert [card.instructions for card in read.registry.cards] == bodies


def test_the_first_of_two_with_the_same_id_counts(tmp_path: Path) -> None:
    write_plain(tmp_path, "a/skills/b", "---\nname: b\n---\n# First\n")
    write_plain(tmp_path, "a/b", "---\nname: b\n---\n# Zeroth\n")
    read = read_registry(tmp_path)
    assert [card.title for card in read.registry.cards] == ["Zeroth"]
    assert list(map(str, read.problems)) == [
        "a/skills/b/SKILL.md:1: a.b is the id of a/b/SKILL.md too"
    ]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x.md", "a/../../x.md", "C:\\x.md", "a\\..\\x.md", "."]
)
def test_an_instruction_file_outside_of_the_registry(tmp_path: Path, path: str) -> None:
    file = tmp_path / "tools.json"
    file.write_text(json.dumps({"tools": [{"id": "a.b", "instruction_file": path}, {"id": "a.c"}]}))
    read = read_registry(file)
    assert [card.id for card in read.registry.cards] == ["a.c"]
    (problem,) = read.problems
    assert problem.what == f"a.b: {path!r} is not a path inside the registry"


def test_links_that_leave_the_registry(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("---\nname: s\n---\nsecret\n")
    (root / "links").mkdir()
    (root / "links" / "SKILL.md").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    inside = write_plain(root, "shared/one")
    (root / "two").mkdir()
    (root / "two" / "SKILL.md").symlink_to(inside)
    read = read_registry(root)
    assert [c.id for c in read.registry.cards] == [
        "depot.labels", "depot.weighing", "shared.one", "two",
    ]  # fmt: skip
    assert list(map(str, read.problems)) == [
        "links/SKILL.md:1: 'links/SKILL.md' is a link that leaves the registry"
    ]
    document = {"tools": [{"id": "a.b", "instruction_file": "links/SKILL.md"}]}
    (root / "tools.json").write_text(json.dumps(document))
    card = load_registry(root / "tools.json").cards[0]
    with pytest.raises(Unreadable, match="leaves the registry"):
        _ = card.instructions


def test_what_is_no_file(root: Path) -> None:
    place = root / "depot" / "weighing" / "SKILL.md"
    place.unlink()
    os.mkfifo(place)
    assert list(map(str, read_registry(root).problems)) == [
        "depot/weighing/SKILL.md:1: not a regular file"
    ]
    place.unlink()
    place.mkdir()
    assert read_registry(root).problems == ()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.json", b"{", "a.json:1: Expecting property name"),
        ("a.json", b"[" * 200_000, "a.json:1: nested too deeply"),
        ("a.json", b"[" + b"9" * 10_000 + b"]", "a.json:1: Exceeds the limit"),
        ("a.json", b"\xff", "a.json:1: not UTF-8"),
        ("a.yaml", b"a: *b", "a.yaml:1: "),
        ("a.yaml", b"x" * (16 * 2**20 + 1), "a.yaml:1: longer than 16384 KiB"),
        ("a.yaml", b"", "a.yaml:1: empty"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_registry(tmp_path / name)
    assert f"{tmp_path}/{said}" in str(caught.value)


def test_no_registry(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_registry(tmp_path / "none")
    expected = f"no registry at {tmp_path}/none: name a folder of skills, or a registry file"
    assert str(caught.value) == expected
    assert load_registry(tmp_path).cards == ()


def test_odd_strings_of_json(tmp_path: Path) -> None:
    """Half a surrogate cannot be printed or stored, and would fail far from here."""
    (tmp_path / "a.json").write_text(
        '{"tools": [{"id": "a.b", "title": "x\\ud800", "tags": ["a\\u0000b", 5, null, true, []],'
        ' "metadata": [], "composability": 7, "invocation": [], "input_contract": "rows"}],'
        ' "roles": [7]}'
    )
    read = read_registry(tmp_path / "a.json")
    (card,) = read.registry.cards
    assert (card.title, card.tags) == ("x?", ("ab", "5"))
    assert card.input_contract == InputContract(("rows",))
    assert list(map(str, read.problems)) == ["a.json:1: entry 1 is not a mapping of fields"]


def test_the_cards_of_a_repository_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, top = tmp_path / "shipped", tmp_path / "top"
    write_card(shipped, "depot.weighing")
    write_card(shipped, "depot.labels")
    write_roles(shipped, ROLE)
    monkeypatch.setattr(loading, "shipped", lambda: shipped)
    assert loading.skills_of(None) == loading.skills_of(top) == load_registry(shipped)
    write_card(top / loading.FOLDER, "depot.weighing", title="Our own scales")
    write_plain(top / loading.FOLDER, "release-notes")
    merged = loading.skills_of(top)
    assert [(card.id, card.title) for card in merged.cards] == [
        ("depot.labels", "Weighing parcels before dispatch"),
        ("depot.weighing", "Our own scales"),
        ("release-notes", "The release-notes"),
    ]
    assert [role.id for role in merged.roles] == ["dispatcher"]
    assert all(card.instructions for card in merged.cards)


def test_loading_json_loads_no_yaml(root: Path) -> None:
    same_in_all_formats(root)
    code = (
        "import sys; from pathlib import Path; from git_skillmesh.registry import loading;"
        "loading.load_registry(Path(sys.argv[1]));"
        "print([m for m in ('yaml', 'numpy', 'jsonschema', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root / loading.BUILT)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_a_registry_of_yaml_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump([{"id": "a.b", "title": "By hand"}]))
    assert [card.title for card in load_registry(tmp_path / "a.yaml").cards] == ["By hand"]
