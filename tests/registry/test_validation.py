"""What `validate` says, whole, of registries with one thing wrong."""

from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.registry import building
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.validation import validate
from testing.registries import write_card, write_plain, write_roles

SKILL = "depot/weighing/SKILL.md"
YAML = "depot/weighing/card.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    write_card(root, "depot.weighing", composability={"before": ["depot.labels"]})
    write_card(root, "depot.labels")
    return root


def said(path: Path, **known: Any) -> list[str]:
    return [str(problem) for problem in validate(path, **known)]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_nothing_is_wrong_with_good_ones(root: Path) -> None:
    roles = {"id": "sender", "title": "S", "description": "d", "experts": ["depot.labels"]}
    write_roles(root, roles)
    assert said(root) == []
    for name, text in (("t.json", building.as_json), ("e.yaml", building.as_yaml)):
        (root / name).write_text(text(load_registry(root)))
        assert said(root / name) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # Agent Skills
        (SKILL, "name: weighing", "name: Weighing", [
            "2: name must be a-z, 0-9 and single hyphens between them: 'Weighing'",
            "2: name must be weighing, the folder",
        ]),
        (SKILL, "name: weighing\n", "", ["2: name is missing"]),
        (SKILL, "name: weighing", "name: " + "w" * 65, [
            "2: name is longer than 64 characters", "2: name must be weighing, the folder",
        ]),
        (SKILL, "license: Apache-2.0", "version: '1'", ["4: unknown field: version"]),
        (SKILL, "license: Apache-2.0", "model: opus", [
            "4: unknown field: model, which only Claude Code knows"
        ]),
        (SKILL, "license: Apache-2.0", "license: [MIT]", [
            "4: license must be text", "4: {…} or […]: write one entry a line",
        ]),
        (SKILL, "license: Apache-2.0", f"compatibility: {'x' * 501}", [
            "4: compatibility is longer than 500 characters"
        ]),
        (SKILL, "license: Apache-2.0", "license: a --- b", [
            "4: --- ends the front matter for some readers"
        ]),
        (SKILL, "description: ", f"description: {'x' * 1024}", [
            "3: description is longer than 1024 characters"
        ]),
        (SKILL, "---\nname", "\n---\nname", [
            "1: no front matter: name and description between --- lines"
        ]),
        (SKILL, "---\nname", "\ufeff---\nname", [
            "1: a byte order mark, which hides the front matter"
        ]),
        (SKILL, "## When to use\n", "## When to use\n" + "x\n" * 480, [
            "8: the body has 544 lines, and must have under 500"
        ]),
        # Our text
        (SKILL, "id: depot.weighing", "id: depot.weights", [
            "6: metadata.id must be depot.weighing, the folders it lies in"
        ]),
        (SKILL, "# Weighing parcels", "Weighing parcels", ["8: no heading: # and a title"]),
        (SKILL, "## Decision tree", "## Decisions", [
            "8: the section Decision tree is missing", "33: unknown section: Decisions"
        ]),
        (SKILL, "## Decision tree", "## Output contract", [
            "8: the section Decision tree is missing",
            "40: the section Anti-patterns must come before Output contract",
            "60: a second section Output contract",
        ]),
        (SKILL, "Not for printing what the scanner reads", "~~~sh\n## x", [
            "8: the section Anti-patterns is missing",
            "8: the section Common mistakes is missing",
            "8: the section Composability is missing",
            "8: the section Decision tree is missing",
            "8: the section Execution behaviour is missing",
            "8: the section Output contract is missing",
            "16: ``` is never closed",
        ]),
        (SKILL, "Not for printing what the scanner reads",
         "- see [this](../labels/SKILL.md#x) and [that](../none.md)", [
            "16: ../none.md is not there"
        ]),
        (SKILL, "Not for printing what the scanner reads",
         "- see [a](../../../x), `x[0](err)`, [b](/etc/passwd), [c](https://x.y)", [
            "16: ../../../x leaves the registry", "16: /etc/passwd leaves the registry",
        ]),
        (SKILL, "`depot.labels`", "labels", [
            "69: `depot.labels` of card.yaml is not named in Composability"
        ]),
        (SKILL, "because of before", "or `depot.stamps`, `depot.weighing`, `scale.read` because", [
            "71: `depot.stamps` is not in composability of card.yaml"
        ]),
        # card.yaml
        (YAML, "title: Weighing parcels before dispatch\n", "", ["1: title is missing"]),
        (YAML, "title: ", "titel: x\ntitle: ", ["1: unknown field: titel"]),
        (YAML, "tags:\n- parcel\n", "tags:\n- Parcel\n- scale\n", [
            "3: tags must be lower-case: 'Parcel'", "5: tags has 'scale' twice"
        ]),
        (YAML, "tags:\n- parcel\n", "tags:\n- 5\n-\n", [
            "3: an entry of tags must be text, in quotes: 5", "4: an entry of tags is empty"
        ]),
        (YAML, "risk_level: low", "risk_level: none", [
            "51: risk_level must be one of low, medium, high: 'none'"
        ]),
        (YAML, "risk_level: low", "risk_level:", ["51: risk_level is empty"]),
        (YAML, "- pypi:parcels", "- parcels", [
            "33: dependencies must be kind:name with a constraint, kinds pypi, npm, bin, crates, "
            "go, os: 'parcels'"
        ]),
        (YAML, "reviewed: 2026-11", "reviewed: 2026", [
            "54: metadata.reviewed must be text, in quotes"
        ]),
        (YAML, "maturity: stable", "maturity: stable\ninvocation: {type: function}", [
            "53: invocation must be a function tool: type, function {name, description, "
            "parameters of type object}"
        ]),
        (YAML, "- depot.labels", "- depot.stamps", [
            "50: depot.stamps: there is no such card",
        ]),
        (YAML, "- depot.labels", "- depot.labels\n  after: [depot.weighing, depot.labels]", [
            "51: composability names depot.labels twice", "51: depot.weighing refers to itself",
        ]),
        (YAML, "- weighing\n", "- depot.labels\n", [
            "15: the alias depot.labels is the id of another card"
        ]),
        (YAML, "title: ", "title: &a ", ["1: &a: anchors are not allowed"]),
    ],
)  # fmt: skip
def test_one_thing_wrong(root: Path, file: str, old: str, new: str, expected: list[str]) -> None:
    change(root / file, old, new)
    found = [line for line in said(root) if line.startswith(file)]
    assert [line.removeprefix(f"{file}:") for line in found] == expected


def test_ids_names_and_aliases_that_collide(root: Path) -> None:
    write_card(root, "post.labels", aliases=["depot.weighing"])
    twin = write_card(root, "skills.depot.labels")
    change(twin / "SKILL.md", "skills.depot", "depot")
    assert said(root) == [
        "post/labels/SKILL.md:1: labels is the name of depot.labels too, and skills are exported "
        "by name",
        "post/labels/card.yaml:15: the alias depot.weighing is the id of another card",
        "skills/depot/labels/SKILL.md:1: depot.labels is the id of depot/labels/SKILL.md too",
    ]


def test_ids_of_other_registries(root: Path) -> None:
    write_card(root, "post.stamps", composability={"related": ["web.fastapi"]})
    expected = ["post/stamps/card.yaml:50: web.fastapi: there is no such card"]
    assert said(root) == expected
    assert said(root, known=["web.fastapi"]) == []


def test_places(root: Path) -> None:
    write_card(root, "stamps")
    write_card(root, "a.b.c")
    (root / "depot" / "lost").mkdir()
    (root / "depot" / "lost" / "card.yaml").write_text("title: x\n")
    assert said(root) == [
        "a/b/c/SKILL.md:1: a card must lie in a folder domain/name of a-z, 0-9, -",
        "depot/lost/card.yaml:1: no SKILL.md beside it",
        "stamps/SKILL.md:1: a card must lie in a folder domain/name of a-z, 0-9, -",
    ]


def test_roles(root: Path) -> None:
    (root / "roles.yaml").write_text(
        "registry_name: parcels\n"
        "roles:\n"
        "- id: sender\n  title: Sender\n  description: d\n  experts: [depot.labels, depot.none]\n"
        "- id: Sender\n  title: Sender\n  description: d\n  experts: []\n  salary: 1\n"
        "- id: sender\n  title: Sender\n  description: d\n  experts: [depot.labels]\n"
        "- sender\n"
        "more: 1\n"
    )
    assert said(root) == [
        "roles.yaml:6: depot.none: there is no such card",
        "roles.yaml:7: id must be lower-case words with hyphens: 'Sender'",
        "roles.yaml:10: experts must have 1 entries or more",
        "roles.yaml:11: unknown field: salary",
        "roles.yaml:12: a second role sender",
        "roles.yaml:16: the file must be a mapping of fields",
        "roles.yaml:17: unknown field: more",
    ]


def test_skills_of_others_are_held_to_agent_skills_only(tmp_path: Path) -> None:
    write_plain(tmp_path, "pdf", "---\nname: pdf\ndescription: |\n  Use\n  it\n---\n")
    numbered = "---\nname: notes\ndescription: n\nmetadata:\n  version: 1.0\n---\n"
    write_plain(tmp_path, "a/notes", numbered)
    write_plain(tmp_path, "b/notes", "---\nname: notes\ndescription: Use: n\n---\n")
    write_plain(tmp_path, "My Skill", "---\nname: my-skill\nallowed-tools:\n- Bash\n---\n# X\n")
    assert said(tmp_path) == [
        "My Skill/SKILL.md:2: description is missing",
        "My Skill/SKILL.md:2: name must be My Skill, the folder",
        "My Skill/SKILL.md:4: allowed-tools must be text",
        "b/notes/SKILL.md:3: mapping values are not allowed in this context",
    ]


def test_files_of_cards(root: Path, tmp_path: Path) -> None:
    file = root / "tools.enriched.json"
    file.write_text(building.as_json(load_registry(root)))
    change(file, '"id": "depot.weighing"', '"id": "depot.labels"')
    change(file, '"risk_level": "low"', '"risk_level": "some"')
    change(file, '"depot/labels/SKILL.md"', '"../labels/SKILL.md"')
    change(file, '"depot/weighing/SKILL.md"', '"depot/none/SKILL.md"')
    assert said(file) == [
        "tools.enriched.json:9: '../labels/SKILL.md' is not a path inside the registry",
        "tools.enriched.json:73: risk_level must be one of low, medium, high: 'some'",
        "tools.enriched.json:110: depot.labels is the id of tools.enriched.json too",
        "tools.enriched.json:113: depot/none/SKILL.md is not there",
        "tools.enriched.json:174: depot.labels refers to itself",
    ]


def test_files_of_others(tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    entries = '{"id": "a.b", "risk_level": "x"},\n{"id": "a.b"},\n{"title": "x"}'
    file.write_text(f'{{"version": "0.4.0", "tools": [\n{entries}]}}')
    assert said(file) == [
        "tools.json:3: a.b is the id of tools.json too",
        "tools.json:4: id is missing",
    ]
    file.write_text("[" * 100_000)
    assert said(file) == ["tools.json:1: nested deeper than 24"]
    file.write_text("{}")
    assert said(file) == ["tools.json:1: no list of cards under tools or experts"]


def test_what_is_no_registry(tmp_path: Path) -> None:
    for name in ("none", "x.json"):
        with pytest.raises(UsageError):
            validate(tmp_path / name)
