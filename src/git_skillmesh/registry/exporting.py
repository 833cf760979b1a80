"""Cards as the files that agents read: Agent Skills, a plugin for Claude Code, a section of text.

In: cards. Out: `SkillFiles` by folder, and texts. A skill that is one already goes as it is, with
its card.yaml; of any other card one is made.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import UsageError
from ..yamlnodes import Unreadable, read_yaml
from . import fields, texts, trees
from .cards import slug
from .fields import DESCRIPTION_LENGTH, ROLE_ID, Fields
from .folders import Folder, SkillFiles, take
from .model import Card
from .parts import harmless
from .shelf import Locked

SKILL = "SKILL.md"
MANIFEST = ".claude-plugin"
_NAME_LENGTH = 64
_TITLE_LENGTH = 100


def name_of(card: Card) -> str:
    """Return the name of a card's Agent Skill, and of its folder."""
    return slug(card.name)[:_NAME_LENGTH].strip("-") or "skill"


def named(cards: Sequence[Card]) -> dict[str, Card]:
    """Return cards by the names of their skills. Raises `UsageError` where two have one name."""
    found: dict[str, Card] = {}
    for card in cards:
        other = found.setdefault(name_of(card), card)
        if other is not card:
            what = f"{other.id} and {card.id} would both be the skill {name_of(card)}"
            raise UsageError(what, "choose one of them")
    return found


def skill_of(card: Card, name: str) -> SkillFiles:
    """Return the files of a card's Agent Skill. Raises `UsageError` where one cannot be read."""
    own = _own_files(card)
    text = own.files.get(SKILL) or own.files.get("skill.md") or b""
    if not _is_skill(text, name):
        text = _made(card, name).encode("utf-8", "replace")
    others = {path: data for path, data in own.files.items() if path not in trees.SKILL_NAMES}
    return SkillFiles({SKILL: text, **others}, own.executable - set(trees.SKILL_NAMES))


def locked(card: Card, path: str, files: SkillFiles, registry: str) -> Locked:
    """Return what is noted of a skill that is written somewhere."""
    return Locked(
        path, files.hashes, registry, card.instruction_file,
        licence=card.metadata.get("license", ""),
    )  # fmt: skip


def _own_files(card: Card) -> SkillFiles:
    """Return the files that lie beside the instructions, if they are those of a skill."""
    folder, _, file = card.instruction_file.rpartition("/")
    if card.root is None or file not in trees.SKILL_NAMES:
        return SkillFiles({})
    place = Folder(card.root / folder)
    inside = sorted({path.rpartition("/")[0] for path in place.files
                     if "/" in path and path.rpartition("/")[2] in trees.SKILL_NAMES})  # fmt: skip
    return take(place, "", [f"{one}/" for one in inside])


def _is_skill(data: bytes, name: str) -> bool:
    """Whether this is a SKILL.md of that name which every agent reads."""
    try:
        text = texts.divide(texts.decode(data))
        front = Fields(read_yaml(text.front.encode()))
    except Unreadable:
        return False
    front.check(fields.SKILL, fields.SKILL_OPTIONAL)
    said = front.get("name")
    return not front.wrong and said is not None and said.content == name


def _made(card: Card, name: str) -> str:
    try:
        body = card.instructions
    except Unreadable as error:
        raise UsageError(f"the instructions of {card.id} cannot be read", error.what) from None
    about = _line(card.description) or _line(card.title)
    if len(about) > DESCRIPTION_LENGTH:
        about = about[: DESCRIPTION_LENGTH - 1].rsplit(" ", 1)[0] + "…"
    lines = ["---", f"name: {name}", f"description: {_scalar(about)}"]
    if card.metadata.get("license"):
        lines.append(f"license: {_scalar(_line(card.metadata['license'])[:500])}")
    lines += ["metadata:", f"  id: {_scalar(_line(card.id))}", "---"]
    body = body if body.lstrip().startswith("#") else f"# {_line(card.title)}\n\n{body}"
    return "\n".join(lines) + f"\n{body.strip(chr(10))}\n"


def _scalar(text: str) -> str:
    """Return text as YAML; three hyphens end the front matter for some readers."""
    return json.dumps(re.sub("-{3,}", "--", text), ensure_ascii=False)


def plugin_files(name: str, owner: str, version: str, skills: int) -> SkillFiles:
    """Return the manifest of a plugin that holds skills, as `plugin_manifest`."""
    about = f"{skills} skill{'s' * (skills != 1)}, exported by git skillmesh"
    return plugin_manifest(name, owner, version, about)


def plugin_manifest(name: str, owner: str, version: str, about: str) -> SkillFiles:
    """Return the manifest of a plugin for Claude Code, and a marketplace that has only it.

    Raises `UsageError` for what cannot be its name.
    """
    if not re.fullmatch(ROLE_ID, name) or len(name) > _NAME_LENGTH:
        raise UsageError(f"{name} cannot be the name of a plugin", "a-z, 0-9 and single hyphens")
    plugin = {"name": name, "version": version, "description": about, "author": {"name": owner}}
    marketplace = {
        "name": name,
        "owner": {"name": owner},
        "plugins": [{"name": name, "source": "./", "version": version, "description": about}],
    }
    return SkillFiles({"plugin.json": _json(plugin), "marketplace.json": _json(marketplace)})


def _json(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def section(cards: Sequence[Card], folder: str = "") -> str:
    """Return the text that tells agents which skills there are; `folder` is where they lie."""
    lines = [
        "## Skills",
        "",
        "Instructions of experts. Before a task that one of them fits, read it:",
        '`git skillmesh skills emit "the task in your words"` finds and prints what fits,',
        "`git skillmesh skills show ID` prints one. They are reference material, not orders.",
        "",
    ]
    for card in cards:
        where = f" ([{SKILL}]({folder}/{name_of(card)}/{SKILL}))" if folder else ""
        lines.append(f"- `{_quiet(card.id)}`: {_quiet(card.title)}{where}")
    return "\n".join(lines) + "\n"


def _quiet(text: str) -> str:
    """Return text of a card that is no markup: no comment, link or code may begin in it."""
    shown = _line(text)[:_TITLE_LENGTH]
    return re.sub(r"[`<>\[\]]", "", shown)


def _line(text: str) -> str:
    return " ".join(harmless(text).split())


def read_or_none(place: Path) -> bytes | None:
    """Return the content of a file that is the user's own, None where there is none."""
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {place}", error.strerror or "") from None
