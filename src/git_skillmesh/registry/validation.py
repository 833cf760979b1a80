"""What is wrong with a registry: every problem with its file and line.

In: a folder or a registry file. Out: `Problem`s. Skills without a card.yaml are held to the rules
of Agent Skills only, cards with one to docs/skill-cards.md as well.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath

from ..errors import UsageError
from ..yamlnodes import Node, Unreadable, read_yaml
from . import fields, texts, trees
from .fields import Fields
from .loading import ROLES
from .markdown import SECTIONS, Page, read_page
from .model import ID, Problem
from .trees import Place

BODY_LINES = 500
_CLAUDE_FIELDS = frozenset(
    ("when_to_use", "argument-hint", "arguments", "disable-model-invocation", "user-invocable",
     "disallowed-tools", "model", "effort", "context", "agent", "hooks", "paths", "shell")
)  # fmt: skip
_ID_IN_CODE = re.compile(rf"`({ID})`")
_CODE = re.compile(r"(`+).*?\1")
_LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")
_KINDS = ("before", "after", "related")


@dataclass(slots=True)
class _Found:
    """A card or a plain skill, as far as it concerns others."""

    id: str
    path: str
    line: int = 1
    ours: bool = False
    aliases: "dict[str, int]" = field(default_factory=dict)
    order: "dict[str, int]" = field(default_factory=dict)
    # Where ids are named in card.yaml, and in the text of SKILL.md: (path, line, id).
    named: "list[tuple[str, int, str]]" = field(default_factory=list)
    said: "dict[str, int]" = field(default_factory=dict)


def validate(path: Path, known: Collection[str] = ()) -> list[Problem]:
    """Return what is wrong, in order; `known` are ids of other registries that may be referred to.

    Raises `UsageError` if there is no registry.
    """
    if path.is_dir():
        return sorted(set(_Tree(path, known).problems()))
    if not path.is_file() or path.suffix.lower() not in (".json", ".yaml", ".yml"):
        raise UsageError(f"{path} is no registry", "name a folder of skills, or a registry file")
    return sorted(set(_of_file(path, known)))


class _Tree:
    """A folder while it is looked through."""

    def __init__(self, root: Path, known: Collection[str]) -> None:
        self._root = root
        self._known = set(known)
        self._wrong: list[Problem] = []
        self._found: list[_Found] = []

    def problems(self) -> list[Problem]:
        for place in trees.places(self._root):
            found = _Found(place.id, place.skill, ours=bool(place.card))
            self._found.append(found)
            self._skill(place, found)
        self._lonely_cards()
        between = _between(self._found, self._known)
        return [*self._wrong, *between, *_roles(self._root, self._ids())]

    def _ids(self) -> set[str]:
        return self._known | {found.id for found in self._found}

    def _complain(self, path: str, line: int, what: str) -> None:
        self._wrong.append(Problem(path, line, what))

    def _skill(self, place: Place, found: _Found) -> None:
        card = self._card(place, found) if place.card else None
        try:
            text = texts.read_skill(self._root, place.skill)
        except Unreadable as error:
            self._complain(place.skill, error.line, error.what)
            return
        if (self._root / place.skill).read_bytes().startswith(b"\xef\xbb\xbf"):
            self._complain(place.skill, 1, "a byte order mark, which hides the front matter")
        identity = self._front(place, text)
        if text.body.count("\n") >= BODY_LINES:
            what = (
                f"the body has {text.body.count(chr(10))} lines, and must have under {BODY_LINES}"
            )
            self._complain(place.skill, text.body_line, what)
        if card is None:
            return
        if not re.fullmatch(ID, found.id) and "/" in place.skill:
            self._complain(place.skill, 1, "a card must lie in a folder domain/name of a-z, 0-9, -")
        if identity and "/" in place.skill and identity[0] != found.id:
            line, said = identity[1], f"metadata.id must be {found.id}, the folders it lies in"
            self._complain(place.skill, line, said)
        self._page(place, read_page(text.body, text.body_line), found)

    def _front(self, place: Place, text: texts.SkillText) -> "tuple[str, int] | None":
        """Check the front matter; return the id that it names and its line."""
        if not text.front.strip():
            self._complain(
                place.skill, 1, "no front matter: name and description between --- lines"
            )
            return None
        shift = text.front_line - 1
        try:
            node = read_yaml(text.front.encode())
        except Unreadable as error:
            self._complain(place.skill, shift + error.line, error.what)
            return None
        front = Fields(node)
        front.check(fields.SKILL, fields.SKILL_OPTIONAL)
        for line, what in front.wrong:
            name = what.removeprefix("unknown field: ")
            mine = name != what and name in _CLAUDE_FIELDS
            more = ", which only Claude Code knows" if mine else ""
            self._complain(place.skill, shift + line, what + more)
        folder = PurePosixPath(place.skill).parent.name or self._root.resolve().name
        name_node = front.get("name")
        if name_node and isinstance(name_node.content, str) and name_node.content != folder:
            self._complain(
                place.skill, shift + name_node.line, f"name must be {folder}, the folder"
            )
        if "---" in text.front:
            line = text.front[: text.front.index("---")].count("\n") + 1
            self._complain(place.skill, shift + line, "--- ends the front matter for some readers")
        for one in _flow(node, text.front):
            self._complain(place.skill, shift + one.line, "{…} or […]: write one entry a line")
        about = front.get("metadata")
        pair = about.content.get("id") if about and isinstance(about.content, dict) else None
        return (str(pair[1].content), shift + pair[1].line) if pair else None

    def _card(self, place: Place, found: _Found) -> Fields | None:
        try:
            data = texts.read_bytes(texts.inside(self._root, place.card), texts.SKILL_LONGEST)
            card = Fields(read_yaml(texts.decode(data).encode()))
        except Unreadable as error:
            self._complain(place.card, error.line, error.what)
            return None
        card.check(fields.CARD, fields.OPTIONAL)
        _note_references(card, place.card, found)
        self._wrong += [Problem(place.card, line, what) for line, what in card.wrong]
        return card

    def _page(self, place: Place, page: Page, found: _Found) -> None:
        if not page.title:
            self._complain(place.skill, page.title_line, "no heading: # and a title")
        self._sections(place, page)
        for fence in page.fences:
            if fence.open:
                self._complain(place.skill, fence.line, "``` is never closed")
        for line in page.lines:
            for link in _LINK.findall("" if line.fenced else _CODE.sub("", line.text)):
                self._link(place, line.number, link)
        about = next((one for one in page.sections if one.title == "Composability"), None)
        if about is None:
            return
        for line in about.lines:
            for match in _ID_IN_CODE.finditer(line.text):
                found.said.setdefault(match[1], line.number)
        for one in found.order.keys() - found.said.keys():
            what = f"`{one}` of card.yaml is not named in Composability"
            self._complain(place.skill, about.line, what)

    def _sections(self, place: Place, page: Page) -> None:
        titles = [section.title for section in page.sections]
        for section in page.sections:
            if section.title not in SECTIONS:
                self._complain(place.skill, section.line, f"unknown section: {section.title}")
            elif titles.index(section.title) != page.sections.index(section):
                self._complain(place.skill, section.line, f"a second section {section.title}")
            elif not any(line.text.strip() for line in section.lines):
                self._complain(place.skill, section.line, f"the section {section.title} is empty")
        for title in SECTIONS:
            if title not in titles:
                self._complain(place.skill, page.title_line, f"the section {title} is missing")
        there = [section for section in page.sections if section.title in SECTIONS]
        for before, after in pairwise(there):
            if SECTIONS.index(after.title) < SECTIONS.index(before.title):
                what = f"the section {after.title} must come before {before.title}"
                self._complain(place.skill, after.line, what)

    def _link(self, place: Place, line: int, link: str) -> None:
        if re.match(r"[a-z][a-z0-9+.-]*:|#", link, re.I):
            return
        folder = PurePosixPath(place.skill).parent
        target = os.path.normpath(folder / link.partition("#")[0])
        try:
            if not texts.inside(self._root, target).exists():
                self._complain(place.skill, line, f"{link} is not there")
        except OSError:  # no file can have such a name
            self._complain(place.skill, line, f"{link[:80]} is not there")
        except Unreadable:
            self._complain(place.skill, line, f"{link} leaves the registry")

    def _lonely_cards(self) -> None:
        seen = {found.path.rpartition("/")[0] for found in self._found}
        for folder, folders, names in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            relative = Path(folder).relative_to(self._root).as_posix()
            if trees.CARD in names and (relative if relative != "." else "") not in seen:
                self._complain(f"{relative}/{trees.CARD}", 1, "no SKILL.md beside it")


def _note_references(card: Fields, path: str, found: _Found) -> None:
    aliases = card.get("aliases")
    for node in aliases.content if aliases and isinstance(aliases.content, list) else []:
        if isinstance(node.content, str):
            found.aliases[node.content] = node.line
    composability = card.get("composability")
    of = Fields(composability) if composability else None
    for kind in _KINDS:
        listed = of.get(kind) if of else None
        for node in listed.content if listed and isinstance(listed.content, list) else []:
            if isinstance(node.content, str):
                if node.content in found.order:
                    card.complain(node.line, f"composability names {node.content} twice")
                found.order.setdefault(node.content, node.line)
                found.named.append((path, node.line, node.content))


def _flow(node: Node, text: str) -> Iterator[Node]:
    """Yield collections in flow style, which the reference reader of Agent Skills refuses."""
    if isinstance(node.content, (dict, list)) and text[node.start : node.start + 1] in ("{", "["):
        yield node
    elif isinstance(node.content, dict):
        for _, value in node.content.values():
            yield from _flow(value, text)
    elif isinstance(node.content, list):
        for one in node.content:
            yield from _flow(one, text)


def _between(cards: "list[_Found]", known: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong between cards: ids, names and aliases that collide, dangling ids."""
    first: dict[str, _Found] = {}
    names: dict[str, _Found] = {}
    for card in cards:
        other = first.setdefault(card.id, card)
        if other is not card:
            yield Problem(card.path, card.line, f"{card.id} is the id of {other.path} too")
            continue
        if card.ours:
            name = card.id.rpartition(".")[2]
            rival = names.setdefault(name, card)
            if rival is not card:
                what = f"{name} is the name of {rival.id} too, and skills are exported by name"
                yield Problem(card.path, card.line, what)
    ids = set(known) | set(first)
    domains = {one.partition(".")[0] for one in ids if "." in one}
    for card in cards:
        for alias, line in card.aliases.items():
            if alias in ids and alias != card.id:
                yield Problem(_card_of(card), line, f"the alias {alias} is the id of another card")
        for path, line, one in card.named:
            if one == card.id:
                yield Problem(path, line, f"{one} refers to itself")
            elif one not in ids:
                yield Problem(path, line, f"{one}: there is no such card")
        for one, line in card.said.items():
            # `numpy.array` looks like an id too.
            if one not in card.order and one != card.id and one.partition(".")[0] in domains:
                yield Problem(card.path, line, f"`{one}` is not in composability of card.yaml")


def _card_of(card: _Found) -> str:
    return (PurePosixPath(card.path).parent / trees.CARD).as_posix() if card.ours else card.path


def _roles(root: Path, ids: Collection[str]) -> Iterator[Problem]:
    path = root / ROLES
    if not path.is_file():
        return
    try:
        document = read_yaml(texts.decode(texts.read_bytes(path, texts.SKILL_LONGEST)).encode())
    except Unreadable as error:
        yield Problem(ROLES, error.line, error.what)
        return
    top = Fields(document)
    top.check({"registry_name": fields.text(64), "roles": _a_list}, frozenset({"registry_name"}))
    listed = top.get("roles")
    entries = listed.content if listed and isinstance(listed.content, list) else []
    yield from (Problem(ROLES, line, what) for line, what in top.wrong)
    yield from _role_entries(entries, ROLES, ids)


def _a_list(of: Fields, key: str, node: Node) -> None:
    if not isinstance(node.content, list):
        of.complain(node.line, f"{of.full(key)} must be a list")


def _role_entries(entries: "list[Node]", path: str, ids: Collection[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for node in entries:
        role = Fields(node)
        role.check(fields.ROLE, fields.ROLE_OPTIONAL)
        yield from (Problem(path, line, what) for line, what in role.wrong)
        name = role.get("id")
        if name and isinstance(name.content, str):
            if name.content in seen:
                yield Problem(path, name.line, f"a second role {name.content}")
            seen.add(name.content)
        experts = role.get("experts")
        for one in experts.content if experts and isinstance(experts.content, list) else []:
            if isinstance(one.content, str) and one.content not in ids:
                yield Problem(path, one.line, f"{one.content}: there is no such card")


def _of_file(path: Path, known: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with experts.yaml or tools.enriched.json, ours or a foreign one."""
    try:
        text = texts.decode(texts.read_bytes(path, 16 * 1024 * 1024))
        document = read_yaml(text.encode(), 16 * 1024 * 1024)
    except Unreadable as error:
        yield Problem(path.name, error.line, error.what)
        return
    yield from _entries(document, path, known)


def _entries(document: Node, path: Path, known: Collection[str]) -> Iterator[Problem]:
    content: Mapping[str, tuple[Node, Node]] = (
        document.content if isinstance(document.content, dict) else {}
    )
    version = content.get("version")
    ours = version is not None and str(version[1].content).startswith("2.")
    listed = next((content[key][1] for key in ("tools", "experts") if key in content), document)
    entries = listed.content if isinstance(listed.content, list) else []
    if not entries:
        yield Problem(path.name, listed.line, "no list of cards under tools or experts")
    cards: list[_Found] = []
    for node in entries:
        entry = Fields(node)
        entry.check(fields.ENTRY, fields.OPTIONAL) if ours else entry.check(
            {"id": fields.ENTRY["id"], **dict.fromkeys(_keys(node), _anything)}
        )
        found = _Found("", path.name, node.line, ours)
        identity, file = entry.get("id"), entry.get("instruction_file")
        if identity and isinstance(identity.content, str):
            found.id, found.line = identity.content, identity.line
            cards.append(found)
        if file and isinstance(file.content, str):
            entry.wrong += _instruction_file(path.parent, file)
        _note_references(entry, path.name, found)
        yield from (Problem(path.name, line, what) for line, what in entry.wrong)
    yield from _between(cards, known)
    roles = content.get("roles")
    if ours and roles and isinstance(roles[1].content, list):
        ids = {card.id for card in cards} | set(known)
        yield from _role_entries(roles[1].content, path.name, ids)


def _instruction_file(root: Path, node: Node) -> Iterator[tuple[int, str]]:
    try:
        if not texts.inside(root, str(node.content)).is_file():
            yield node.line, f"{node.content} is not there"
    except Unreadable as error:
        yield node.line, error.what


def _keys(node: Node) -> Collection[str]:
    return node.content.keys() - {"id"} if isinstance(node.content, dict) else ()


def _anything(of: Fields, key: str, node: Node) -> None:
    """A field of somebody else."""
