"""Registries for tests: folders of cards in the layout of ours."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.model import Registry

SECTIONS = {
    "When to use": """\
- Parcels have to be weighed before they leave the depot, and postage depends on grams
- Two scales of one bench give different readings for the same box
- A customer disputes the weight that stands on the label

Not for printing what the scanner reads: use the card of labels.
""",
    "Execution behaviour": """\
1. Let the scale warm up for ten minutes, because cold load cells drift.
2. Tare it with the tray on and nothing else; the display must show zero for five seconds.
3. Put on the 2 kg reference mass and write down what is shown.
4. Weigh each parcel twice, turned by half a turn, and keep both readings:
   ```python run
   readings = [1204, 1206]
   spread = max(readings) - min(readings)
   assert spread <= 5, spread
   ```
5. Where the two differ by more than five grams, clean the tray and go back to the second step.
6. Round up to whole grams, never down, since carriers bill the next step of the tariff.
7. Compare the sum with the manifest and list every parcel that is off by one percent.
""",
    "Decision tree": """\
- If the reference mass reads 1,998 to 2,002 g → go on
- If it reads anything else → calibrate first, and weigh the last twenty parcels again
- If a parcel is over 30 kg → send it to the floor scale
- If the manifest lacks a parcel → stop, and ask whoever packed it
""",
    "Anti-patterns": """\
- NEVER weigh on a tilted table: two degrees hide 30 g of a heavy box
- NEVER tare with a parcel on the tray: its weight is then missing from all that follow
- NEVER copy yesterday's weights: returns are repacked overnight and gain tape
- NEVER average readings that disagree: one of them is wrong, not both a little
""",
    "Common mistakes": """\
- All parcels 40 g too heavy → the tray was not tared → tare, then repeat the batch
- Readings creep upwards → the room is heated → move the scale away from the radiator
- One parcel reads zero → it leans on the wall → centre it
- Sums disagree only on Mondays → the calendar of the carrier → load its new tariff

```sh
printf '%s\\n' 1204 1206 |
    sort -n |
    tail -n 1
```
""",
    "Output contract": """\
- A table with one line a parcel: number, both readings, the billed grams
- The reading of the reference mass before and after, which must agree within two grams
- A list of doubtful parcels, empty if there are none, with what was tried for each
- The version of the tariff that the billed grams were rounded for

Verified by adding up the table and comparing it with the floor scale on a loaded pallet.
""",
    "Composability": "",
}
CARD: Mapping[str, Any] = {
    "title": "Weighing parcels before dispatch",
    "tags": ["parcel", "scale", "weight", "grams", "depot", "tare", "calibration", "manifest"],
    "tool_hints": ["scalectl", "tare"],
    "aliases": ["weighing", "parcel scales", "mass check"],
    "examples": [f"how heavy is parcel number {number}" for number in range(12)],
    "dependencies": ["bin:scalectl>=2.1", "pypi:parcels"],
    "input_contract": {"required": ["list of parcels"], "optional": ["the manifest"]},
    "output_artifacts": ["table of weights"],
    "quality_checks": ["`scalectl check` exits 0", "sum within 1 %", "no parcel without weight"],
    "constraints": ["at most 30 kg a parcel", "indoors"],
    "composability": {"before": [], "after": [], "related": []},
    "risk_level": "low",
    "maturity": "stable",
    "metadata": {"reviewed": "2026-11"},
}
DESCRIPTION = (
    "Weighs parcels on a bench scale, finds those whose weight does not fit the manifest, and says "
    "what went wrong. Use when weights are missing or differ, when a scale drifts, or before "
    "postage is paid by the gram."
)


@cache
def own_registry() -> Registry:
    """Return the cards that ship, read once a process and not before a test needs them."""
    return load_registry(Path(__file__).parents[1] / "registry")


def skill_text(
    card_id: str, *, title: str = "", description: str = DESCRIPTION, **sections: str
) -> str:
    """Return a SKILL.md as ours are; sections are given by the first word of their headings."""
    found = {
        heading: sections.get(heading.split()[0].split("-")[0].lower(), text)
        for heading, text in SECTIONS.items()
    }
    body = "\n".join(f"## {heading}\n\n{text.strip()}\n" for heading, text in found.items())
    name = card_id.rpartition(".")[2]
    return (
        f"---\nname: {name}\ndescription: {description}\nlicense: Apache-2.0\n"
        f"metadata:\n  id: {card_id}\n---\n# {title or CARD['title']}\n\n{body}"
    )


def write_card(root: Path, card_id: str, *, skill: str = "", **fields: Any) -> Path:
    """Write a card and its instructions into a registry and return their folder."""
    folder = root.joinpath(*card_id.split("."))
    folder.mkdir(parents=True)
    card = {**CARD, **fields}
    kinds = card["composability"]
    ids = "\n".join(
        f"- {kind.capitalize()}: `{one}` because of {kind} {one}"
        for kind in ("before", "after", "related")
        for one in kinds.get(kind, [])
    )
    text = skill or skill_text(card_id, title=card["title"], composability=ids or "- Stands alone")
    (folder / "SKILL.md").write_text(text, encoding="utf-8")
    written = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100)
    (folder / "card.yaml").write_text(written, encoding="utf-8")
    return folder


def write_plain(root: Path, path: str, text: str = "") -> Path:
    """Write an Agent Skill as anybody has it, and return its file."""
    file = root / path / "SKILL.md"
    file.parent.mkdir(parents=True)
    name = file.parent.name
    file.write_text(text or f"---\nname: {name}\ndescription: About {name}\n---\n# The {name}\n")
    return file


def write_roles(root: Path, *roles: Mapping[str, Any], name: str = "parcels") -> None:
    """Write roles.yaml."""
    document = {"registry_name": name, "roles": [dict(role) for role in roles]}
    (root / "roles.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
