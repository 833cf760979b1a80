"""What docs/skill-cards.md says about the files of a skill, compared with what reads them."""

import re
from pathlib import Path

import yaml

from git_skillmesh.registry import fields, lint, loading, trees
from git_skillmesh.registry.markdown import SECTIONS
from git_skillmesh.registry.texts import SKILL_LONGEST
from git_skillmesh.registry.validation import BODY_LINES, validate
from git_skillmesh.yamlnodes import LONGEST
from testing.docs_pages import ROOT, blocks

PAGE = ROOT / "docs" / "skill-cards.md"
TEXT = PAGE.read_text()
SHORT = {block.info: block.text for block in reversed(blocks(PAGE))}


def table(heading: str) -> list[str]:
    """Return the first column of the first table under a heading."""
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.M | re.S)
    section = prose.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.M)


def test_the_tables_name_every_field() -> None:
    assert table("SKILL.md") == list(fields.SKILL)
    assert table("card.yaml") == list(fields.CARD)
    assert table("Registry files") == [key for key in fields.ENTRY if key not in fields.CARD]


def test_the_example_is_a_card_without_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "depot" / "weighing"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(SHORT["text"])
    found = [block.text for block in blocks(PAGE) if block.info == "yaml"]
    (folder / "card.yaml").write_text(found[0])
    (tmp_path / loading.ROLES).write_text(found[1])
    assert validate(tmp_path, known=["depot.labels"]) == []
    registry = loading.load_registry(tmp_path)
    assert [card.id for card in registry.cards] == ["depot.weighing"]
    assert registry.roles[0].experts == ("depot.weighing", "depot.labels")
    assert registry.name == yaml.safe_load(found[1])["registry_name"]


def test_the_ids_of_plain_skills(tmp_path: Path) -> None:
    path, identity = re.findall(r"`(\S+)/SKILL\.md` is `(\S+)`", TEXT.replace("\n", " "))[0]
    (tmp_path / path).mkdir(parents=True)
    (tmp_path / path / "SKILL.md").write_text("---\nname: slides\n---\n")
    assert [place.id for place in trees.places(tmp_path)] == [identity]


def test_the_bounds() -> None:
    text = " ".join(TEXT.split())
    for said in (
        "{} to {} lines of at most {} characters".format(*lint.LINES, lint.WIDTH),
        "its description {} to {} characters".format(*lint.DESCRIPTION),
        "{} to {} tags, {} to {} aliases, {} to {} examples, {} to {} quality checks, "
        "{} to {} constraints".format(*(n for bounds in lint.COUNTS.values() for n in bounds)),
        "{} to {} steps, numbered from 1; {} to {} anti-patterns".format(
            *lint.STEPS, *lint.BULLETS["Anti-patterns"]
        ),
        "{} to {} pieces of code of {} to {} lines".format(*lint.FENCES, *lint.FENCE_LINES),
        f"at most {fields.DESCRIPTION_LENGTH:,} characters",
        f"one line of at most {fields.TITLE_LENGTH} characters",
        f"kinds are {', '.join(fields.PACKAGE_KINDS)}",
        f"body has fewer than {BODY_LINES} lines",
        f"a file has at most {LONGEST // 1024} KiB",
        f"A `SKILL.md` has at most {SKILL_LONGEST // 2**20} MiB",
    ):
        assert said in text, said
    assert re.findall(r"^## (.+)$", SHORT["text"], re.M) == list(SECTIONS)
    assert f"under `{loading.FOLDER}/`" in text
