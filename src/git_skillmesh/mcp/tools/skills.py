"""The tool `skill`: which experts fit a task, and their instructions.

In: a task, or the name of a skill. Out: sections within a budget. What does not come with this
program is retrieved data, and said to be; what does is reference material.
"""

from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from ...errors import UsageError
from ..answers import MOST_TOKENS, bounded, escaped, one_line, page, pieces, quoted
from ..host import Host
from ..shelf import Shelf
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...registry.model import Card
    from ...registry.parts import Part

_MOST_SKILLS = 3
_MOST_NAMED = 12
_LONGEST_TASK = 8_000


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""
    shelf = host.shelf

    def skill(
        task: str = "",
        name: Annotated[str, Field(description="id of a skill, to read it whole")] = "",
        section: str = "",
        prerequisites: bool = False,
        offset: int = 0,
        budget: int = MOST_TOKENS,
    ) -> str:
        if bool(task.strip()) == bool(name.strip()):
            raise UsageError("a task, or the name of a skill", "task=… or name=ID")
        if name.strip():
            return read(shelf, name.strip(), section, offset, budget, prerequisites)
        return routed(shelf, task, budget, prerequisites)

    add_tool(
        server,
        skill,
        """Expert instructions for a task: `task` finds the skills that fit and shows their most
        useful sections; `name` reads one. Use before specialised work.""",
    )


def routed(shelf: Shelf, task: str, budget: int, prerequisites: bool) -> str:
    """Return the useful sections of the skills that fit a task, or why none does."""
    from ...registry.choosing import entries_of, likely, with_prerequisites
    from ...registry.rendering import emit

    budget = bounded(budget)
    routing = shelf.route(task[:_LONGEST_TASK], _MOST_SKILLS)
    entries = likely(entries_of(routing))
    if not entries:
        return f"No skill fits: {one_line(routing.reason)}"
    if prerequisites:
        entries = with_prerequisites(entries, shelf.registry)
    text = emit(task, entries, "claude", budget - 10, show="tool skill, name:").text
    return escaped(text).rstrip()


def read(
    shelf: Shelf, name: str, section: str, offset: int = 0, budget: int = MOST_TOKENS,
    prerequisites: bool = False,
) -> str:  # fmt: skip
    """Return the sections of a skill, all or one. Raises `UsageError`."""
    from ...registry.choosing import chosen_card, third_party, with_prerequisites
    from ...registry.parts import parts_of
    from ...registry.rendering import REFERENCE, THIRD_PARTY, Entry

    budget = bounded(budget, offset)
    registry = shelf.registry
    card = chosen_card(name, registry)
    others = bool(third_party([card]))
    parts = list(parts_of(card))
    if section.strip():
        parts = _named(section.strip(), card.id, parts)
    blocks = [block for part in parts for block in _blocks(card, part, others)]
    title = "" if others else f": {one_line(card.title, 80)}"
    first = f"{card.id}{title}. {THIRD_PARTY if others else REFERENCE}"
    if prerequisites:
        entry = Entry(card, others)
        before = [one.card.id for one in with_prerequisites([entry], registry)[1:_MOST_NAMED]]
        first += f" Prerequisites: {', '.join(before) or 'none'}."
    return page(blocks[offset:], budget, offset, first=escaped(first), total=len(blocks))


def _named(section: str, skill: str, parts: "list[Part]") -> "list[Part]":
    """Return the sections that are meant. Raises `UsageError`."""
    wanted = section.casefold()
    exact = [part for part in parts if part.title.casefold() == wanted]
    found = exact or [part for part in parts if wanted in part.title.casefold()]
    if not found:
        titles = [one_line(part.title, 60) for part in parts if part.title][:_MOST_NAMED]
        raise UsageError(f"{skill} has no section {section}", ", ".join(titles))
    return found


def _blocks(card: "Card", part: "Part", others: bool) -> list[str]:
    found = pieces(part.body)
    if others:
        return [quoted(each, f"skill {card.id}", {"section": part.title}) for each in found]
    heading = f"## {escaped(one_line(part.title))}\n" if part.title else ""
    return [heading * (not place) + each for place, each in enumerate(found)]
