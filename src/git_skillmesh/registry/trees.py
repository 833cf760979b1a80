"""A folder of SKILL.md files, ours with a card.yaml beside each or anybody's without.

In: a folder. Out: the fields of every card, with what is wrong. Links to folders are not followed,
and what is hidden, large or deep is passed over: the tree may be a stranger's.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..yamlnodes import Node, Unreadable, read_yaml
from . import texts
from .cards import LONGEST_TEXT, plain, slug, strings
from .model import ID, Problem

CARD = "card.yaml"
SKILL_NAMES = ("SKILL.md", "skill.md")  # the reference implementation takes both, in this order
MOST_SKILLS = 50_000
_DEEPEST = 10
# What says where skills lie, not what they are about.
_CONTAINERS = frozenset({"skills", "plugins", ".claude", ".agents", ".codex", ".cursor", ".github"})
_PASSED_OVER = frozenset({".git", "node_modules", ".venv", "__pycache__"})
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.M)
# Many public skills have ": " in a description without quotes, no YAML, and agents read them.
_LOOSE = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(.*)$", re.M)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a skill lies: its id, its instruction file and its card.yaml, "" for none."""

    id: str
    skill: str
    card: str


def places(root: Path) -> Iterator[Place]:
    """Yield the skills of a tree in the order of their paths; nothing inside a skill is one."""
    pending = [""]
    count = 0
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        names = {entry.name: entry for entry in entries}
        skill = next((name for name in SKILL_NAMES if name in names), "")
        if skill and not names[skill].is_dir():
            card = f"{folder}{CARD}" if CARD in names else ""
            yield Place(_id(root, folder), f"{folder}{skill}", card)
            count += 1
            if count >= MOST_SKILLS:
                return
            if folder:
                continue
        if folder.count("/") < _DEEPEST:
            pending += [
                f"{folder}{entry.name}/"
                for entry in reversed(entries)
                if entry.name not in _PASSED_OVER
                and (not entry.name.startswith(".") or entry.name in _CONTAINERS)
                and entry.is_dir(follow_symlinks=False)
            ]


def _id(root: Path, folder: str) -> str:
    """Return the folders as an id, `domain.name` for ours; a skill by itself has only its name."""
    parts: list[str] = []
    for part in folder.split("/"):
        name = "" if part in _CONTAINERS else slug(part)
        if name and parts[-1:] != [name]:  # a plugin often has the name of its only skill
            parts.append(name)
    return ".".join(parts) or slug(root.resolve().name) or "skill"


def fields_of(root: Path, place: Place, problems: "list[Problem]") -> "dict[str, Any] | None":
    """Return the fields of a skill as a registry file has them, None if it cannot be read."""
    try:
        text = texts.read_skill(root, place.skill)
    except Unreadable as error:
        problems.append(Problem(place.skill, error.line, error.what))
        return None
    front = _front(text, place.skill, problems)
    about = strings(front.get("metadata"))
    ours = _card(root, place.card, problems) if place.card else {}
    heading = None if ours.get("title") else _HEADING.search(text.body)
    metadata = {key: value for key, value in about.items() if key != "id"}
    if isinstance(front.get("license"), str):
        metadata["license"] = front["license"]
    fields = {
        "title": heading[1] if heading else str(front.get("name") or ""),
        "tags": front.get("tags") or about.get("tags") or front.get("keywords"),
    }
    fields |= ours
    identity = place.id
    alone = "/" not in place.skill and place.id == about.get("id", "").rpartition(".")[2]
    if alone and re.fullmatch(ID, about["id"]):
        identity = about["id"]
    return fields | {
        "id": identity,
        "domain": identity.split(".")[0] if "." in identity else "",
        "instruction_file": place.skill,
        "description": front.get("description") or _first_paragraph(text.body),
        "metadata": metadata | strings(ours.get("metadata")),
    }


def _first_paragraph(body: str) -> str:
    """Return what agents take for the description of a skill without one."""
    blocks = (block.strip() for block in re.split(r"\n\s*\n", body[:20_000]))
    return next((block for block in blocks if block and not block.startswith(("#", "```"))), "")


def _front(text: texts.SkillText, path: str, problems: "list[Problem]") -> "dict[str, Any]":
    if not text.front.strip():
        problems.append(Problem(path, 1, "no front matter"))
        return {}
    try:
        node = read_yaml(text.front.encode())
    except Unreadable as error:
        problems.append(Problem(path, text.front_line - 1 + error.line, error.what))
        return {
            key: value.strip("'\" ")[:LONGEST_TEXT] for key, value in _LOOSE.findall(text.front)
        }
    return _mapping(node, path, text.front_line, problems)


def _card(root: Path, path: str, problems: "list[Problem]") -> "dict[str, Any]":
    try:
        data = texts.read_bytes(texts.inside(root, path), texts.SKILL_LONGEST)
        return _mapping(read_yaml(texts.decode(data).encode()), path, 1, problems)
    except Unreadable as error:
        problems.append(Problem(path, error.line, error.what))
        return {}


def _mapping(node: Node, path: str, line: int, problems: "list[Problem]") -> "dict[str, Any]":
    value = plain(node)
    if isinstance(value, dict):
        return value
    problems.append(Problem(path, line - 1 + node.line, "not a mapping of fields"))
    return {}
