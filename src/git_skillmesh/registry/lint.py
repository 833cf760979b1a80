"""The house rules of a good card, beyond what makes it valid: length, shape, no sentence twice.

In: a folder of cards. Out: `Problem`s. Plain Agent Skills without a card.yaml are passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..yamlnodes import Node, Unreadable, read_yaml
from . import fields, lint_fences, lint_text, texts, trees
from .markdown import Line, Page, Section, read_page
from .model import Problem
from .trees import Place

LINES = (60, 110)  # of a SKILL.md, front matter included
WIDTH = 120
DESCRIPTION = (200, 700)  # characters
TITLE_WORDS = (2, 8)
FENCES = (1, 4)
FENCE_LINES = (3, 20)
# Field of card.yaml → how many entries.
COUNTS = {
    "tags": (8, 15), "aliases": (3, 6), "examples": (12, 64), "quality_checks": (3, 6),
    "constraints": (2, 5),
}  # fmt: skip
STEPS = (7, 12)
BULLETS = {"When to use": (3, 8), "Anti-patterns": (4, 8)}
_STEP = re.compile(r"^(\d+)\. ")
_BULLET = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
_NEVER = re.compile(r"NEVER \S.*?: +(\S.*)", re.S)
_WHY_WORDS = 3


@dataclass(frozen=True, slots=True)
class Item:
    """A bullet, step or paragraph with the lines that continue it, without its mark."""

    line: int
    mark: str
    text: str


def lint(root: Path) -> list[Problem]:
    """Return what is not as it should be in the cards below a folder, in order."""
    wrong: list[Problem] = []
    said, endings = lint_text.Sentences(), lint_text.Endings()
    for place in trees.places(root):
        if place.card:
            wrong += _Card(root, place, said, endings).problems()
    return sorted({*wrong, *said.problems(), *endings.problems()})


def items_of(lines: "tuple[Line, ...]") -> Iterator[Item]:
    """Yield what stands outside of fences, wrapped lines joined."""
    begun: tuple[int, str, list[str]] | None = None
    for line in lines:
        mark = _BULLET.match(line.text)
        ends = line.fenced or not line.text.strip() or line.text.startswith("#")
        if begun and (ends or mark):
            yield Item(begun[0], begun[1], " ".join(begun[2]))
            begun = None
        if ends:
            continue
        if begun:
            begun[2].append(line.text.strip())
        else:
            begun = line.number, mark[0] if mark else "", [_BULLET.sub("", line.text).strip()]
    if begun:
        yield Item(begun[0], begun[1], " ".join(begun[2]))


class _Card:
    """One card while it is looked through."""

    def __init__(
        self, root: Path, place: Place, said: lint_text.Sentences, endings: lint_text.Endings
    ) -> None:
        self._root = root
        self._place = place
        self._said = said
        self._endings = endings
        self._wrong: list[Problem] = []

    def problems(self) -> list[Problem]:
        try:
            raw = texts.decode(
                texts.read_bytes(texts.inside(self._root, self._place.skill), texts.SKILL_LONGEST)
            )
            text = texts.divide(raw)
            front = fields.Fields(read_yaml(text.front.encode()))
            data = texts.read_bytes(texts.inside(self._root, self._place.card), texts.SKILL_LONGEST)
            card = fields.Fields(read_yaml(data))
        except Unreadable:
            return []  # `validate` says so
        page = read_page(text.body, text.body_line)
        self._whole(raw, page)
        self._description(front)
        self._fields(card, data.decode())
        for section in page.sections:
            self._section(section)
        for item in items_of(page.lines):
            for what in lint_text.odd(item.text):
                self._complain(item.line, what)
            self._said.note(self._place.skill, item.line, item.text)
            self._endings.note(self._place.skill, item.line, item.text)
        for line in page.lines:
            if line.fenced:
                self._endings.note(self._place.skill, line.number, line.text, code=True)
        for what in lint_text.monotonous([item.text for item in items_of(page.lines)]):
            self._complain(1, what)
        self._fences(page)
        return self._wrong

    def _complain(self, line: int, what: str, path: str = "") -> None:
        self._wrong.append(Problem(path or self._place.skill, line, what))

    def _count(self, found: int, bounds: "tuple[int, int]", line: int, what: str) -> None:
        if not bounds[0] <= found <= bounds[1]:
            self._complain(line, f"{found} {what}, not {bounds[0]} to {bounds[1]}")

    def _whole(self, raw: str, page: Page) -> None:
        lines = raw.removesuffix("\n").split("\n")
        self._count(len(lines), LINES, 1, "lines")
        if not raw.endswith("\n"):
            self._complain(len(lines), "no line feed at the end: is it cut off?")
        for line in page.lines:
            if len(line.text) > WIDTH:
                self._complain(line.number, f"{len(line.text)} characters, not up to {WIDTH}")
            if line.text != line.text.rstrip():
                self._complain(line.number, "spaces at the end")
        fenced = {line.number for line in page.lines if line.fenced}
        for number, line_text in enumerate(lines, 1):
            # Go and make are written with tabs.
            shown = line_text.replace("\t", " ") if number in fenced else line_text
            for what in lint_text.unprintable(shown):
                self._complain(number, what)

    def _description(self, front: fields.Fields) -> None:
        node = front.get("description")
        if node is None or not isinstance(node.content, str):
            return
        line = node.line + 1
        self._count(len(node.content), DESCRIPTION, line, "characters of description")
        for what in lint_text.odd(node.content):
            self._complain(line, what)
        self._said.note(self._place.skill, line, node.content)

    def _fields(self, card: fields.Fields, text: str) -> None:
        path = self._place.card
        title = card.get("title")
        if title and isinstance(title.content, str):
            words = len(title.content.split())
            if not TITLE_WORDS[0] <= words <= TITLE_WORDS[1]:
                low, high = TITLE_WORDS
                self._complain(title.line, f"{words} words of title, not {low} to {high}", path)
        for key, bounds in COUNTS.items():
            node = card.get(key)
            if node and isinstance(node.content, list):
                found = len(node.content)
                if not bounds[0] <= found <= bounds[1]:
                    what = f"{found} {key}, not {bounds[0]} to {bounds[1]}"
                    self._complain(card.line(key), what, path)
        for key, kind in (("aliases", "an alias"), ("examples", "an example")):
            node = card.get(key)
            for one in node.content if node and isinstance(node.content, list) else ():
                if isinstance(one.content, str):
                    self._said.once(kind, path, one.line, one.content)
        for number, line_text in enumerate(text.split("\n"), 1):
            for what in lint_text.unprintable(line_text):
                self._complain(number, what, path)
        for node in _scalars(card.node):
            if isinstance(node.content, str):
                for what in lint_text.placeholders(node.content):
                    self._complain(node.line, what, path)
                self._said.note(path, node.line, node.content)

    def _section(self, section: Section) -> None:
        found = [item for item in items_of(section.lines) if item.mark]
        top = [item for item in found if not item.mark.startswith(" ")]
        if section.title == "Execution behaviour":
            self._steps(section)
        if section.title in BULLETS:
            what = f"bullets under {section.title}"
            self._count(len(top), BULLETS[section.title], section.line, what)
        if section.title == "When to use" and "not for" not in section.prose.lower():
            self._complain(section.line, "says nothing of what it is not for")
        for item in top:
            if section.title == "Decision tree" and "→" not in item.text:
                self._complain(item.line, "a decision without →")
            if section.title == "Common mistakes" and "→" not in item.text:
                self._complain(item.line, "a mistake must read: symptom → cause → mend")
            if section.title == "Anti-patterns":
                self._never(item)
        if section.title in ("Decision tree", "Common mistakes", "Anti-patterns") and not top:
            self._complain(section.line, f"no bullets under {section.title}")
        seen: dict[str, int] = {}
        for item in found:
            first = seen.setdefault(" ".join(lint_text.words(item.text)), item.line)
            if first != item.line:
                self._complain(item.line, f"the bullet of line {first} again")

    def _steps(self, section: Section) -> None:
        numbers = [
            (line.number, int(found[1]))
            for line in section.lines
            if not line.fenced and (found := _STEP.match(line.text))
        ]
        self._count(len(numbers), STEPS, section.line, "steps")
        for expected, (line, number) in enumerate(numbers, 1):
            if number != expected:
                self._complain(line, f"step {number} where {expected} is due")
                return

    def _never(self, item: Item) -> None:
        found = _NEVER.match(item.text)
        if not item.text.startswith("NEVER "):
            self._complain(item.line, "an anti-pattern must begin with NEVER")
        elif found is None or len(found[1].split()) < _WHY_WORDS:
            self._complain(item.line, "NEVER without a colon and why")

    def _fences(self, page: Page) -> None:
        self._count(len(page.fences), FENCES, 1, "fences")
        for fence in page.fences:
            self._count(fence.code.count("\n"), FENCE_LINES, fence.line, "lines of code")
            for line, what in lint_fences.wrong(fence):
                self._complain(line, what)


def _scalars(node: Node) -> Iterator[Node]:
    if isinstance(node.content, dict):
        for key, (_, value) in node.content.items():
            if key not in ("metadata", "invocation"):
                yield from _scalars(value)
    elif isinstance(node.content, list):
        for one in node.content:
            yield from _scalars(one)
    else:
        yield node
