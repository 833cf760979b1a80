"""The tool `search`: code, conversations, learnings and skills on one page.

In: a question and filters. Out: blocks, the most useful first: where it is, why it was found, the
lines that tell. All of it is data.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp.server import MCPServer
from pydantic import Field

from ...display import safe_line
from ...monitoring.timing import Timed
from ...retrieval.filters import languages_of
from ..answers import MOST_TOKENS, bounded, page, quoted
from ..host import Host
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...registry.model import RetrievalHit
    from ...retrieval.chats import ChatHit
    from ...retrieval.learnings import LearningHit
    from ...retrieval.results import Hit, Line
    from ...retrieval.together import Ranked
    from ..engine import Page

_DESCRIPTION = """Find code by meaning or name, what past conversations with agents said, the
team's rules and skills, ranked together. Use it before grep and before you read files, for
questions, identifiers or a pasted error. Searches the working tree as it is now."""

Where = Literal["all", "code", "chats", "learnings", "skills"]
_MOST_HITS = 50
_MOST_SKIPPED = 90
# How many lines a hit shows: the best one enough to judge it by.
_LINES_OF_BEST, _LINES = 10, 4
_SHORT = 12
# Signals that say nothing of the query.
_SAYS_NOTHING = ("length", "file_length", "depth", "dense_z", "short", "callable", "type")
_LONGEST = 300


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""

    def search(
        query: str,
        where: Where = "all",
        path: Annotated[str, Field(description="globs, separated by spaces")] = "",
        language: str = "",
        at: Annotated[str, Field(description="revision; default: working tree")] = "",
        limit: int = 10,
        offset: int = 0,
        budget: int = MOST_TOKENS,
    ) -> str:
        from ..engine import KINDS, Wanted

        most = bounded(budget, offset)
        wanted = Wanted(
            query,
            KINDS if where == "all" else (where,),
            tuple(path.split()),
            languages_of(language.replace(",", " ").split()),
            max(1, min(limit, _MOST_HITS)),
            min(offset, _MOST_SKIPPED),
            at.strip(),
        )
        with Timed(host.repository.state_dir, "query", "mcp") as timed:
            found = host.engine.search(wanted)
            timed.outcome = "ok" if found.hits else "nothing"
        return answer_of(found, wanted.offset, most)

    add_tool(server, search, _DESCRIPTION)


def answer_of(found: "Page", offset: int, budget: int) -> str:
    """Return a page of hits as text."""
    notes = [safe_line(note) for note in dict.fromkeys(found.notes)]
    if not found.hits:
        counted = ", ".join(f"{count} {name}" for name, count in found.searched.items())
        nothing = "nothing found" if not offset else f"no more hits from offset {offset} on"
        return "\n".join([f"{nothing} ({counted or 'nothing'} searched)", *notes])
    blocks = [block_of(one, offset + number) for number, one in enumerate(found.hits)]
    return page(blocks, budget, offset, first="\n".join(notes), total=found.count)


def block_of(found: "Ranked", number: int) -> str:
    """Return a hit as a block; `number` counts from 0 on the whole page."""
    lines = _LINES_OF_BEST if number == 0 else _LINES
    return _BLOCKS[found.kind](found.hit, lines)


def _code(hit: "Hit", most: int) -> str:
    extent = hit.definition or hit
    about = {
        "symbol": hit.symbol,
        "lines": f"{extent.start_line}-{extent.end_line}" if hit.definition else "",
        "why": ", ".join(name for name in hit.reasons if name not in _SAYS_NOTHING).replace(
            "_", " "
        ),
        "sessions": ", ".join(name[:_SHORT] for name in hit.sessions[:2]),
        "state": "uncommitted" if hit.changed else "",
    }
    first, last = max(extent.start_line, hit.start_line), min(extent.end_line, hit.end_line)
    numbers = chosen_lines(first, last, [one.number for one in hit.lines], most)
    texts = hit.text.split("\n")
    shown: list[str] = []
    for before, number in zip([numbers[0] - 1, *numbers], numbers, strict=False):
        if number > before + 1:
            shown.append("…")
        shown.append(f"{number} {_clipped(texts[number - hit.start_line])}".rstrip())
    return quoted("\n".join(shown), f"{hit.path}:{hit.start_line}-{hit.end_line}", about)


def chosen_lines(first: int, last: int, telling: list[int], most: int) -> list[int]:
    """Return the numbers of up to `most` lines: the telling ones, then those around them."""
    chosen = [number for number in telling if first <= number <= last][:most] or [first]
    distance = 1
    while len(chosen) < most and distance <= last - first:
        for number in list(dict.fromkeys(telling)) or [first]:
            for near in (number + distance, number - distance):
                if first <= near <= last and near not in chosen and len(chosen) < most:
                    chosen.append(near)
        distance += 1
    return sorted(chosen)


def _chat(hit: "ChatHit", most: int) -> str:
    about = {
        "kind": "conversation",
        "when": hit.started[:10],
        "agent": hit.agent,
        "part": hit.part,
        "files": ", ".join(hit.paths[:3]),
    }
    text = [f"asked: {_clipped(hit.asked)}"] if hit.asked else []
    text += [_clipped(line) for line in _told(hit.lines, hit.asked)][:most]
    return quoted("\n".join(text), f"session {hit.session}/{hit.exchange}", about)


def _learning(hit: "LearningHit", most: int) -> str:
    learning = hit.learning
    about = {
        "kind": "learning",
        "state": learning.state.value,
        "severity": learning.severity.value,
        "uncommitted": "yes" if hit.changed else "",
    }
    text = [learning.title.strip()]
    description = [line for line in learning.description.split("\n") if line.strip()]
    text += [_clipped(line) for line in description[: most - 1]]
    if learning.fix.text:
        text.append(f"fix: {_clipped(learning.fix.text)}")
    return quoted("\n".join(text), hit.path, about)


def _skill(hit: "RetrievalHit", most: int) -> str:
    card = hit.card
    return quoted(_clipped(card.description), f"skill {card.id}", {"kind": "skill"})


def _told(lines: "tuple[Line, ...]", asked: str) -> list[str]:
    return [line.text for line in lines if line.text.strip() and line.text.strip() != asked]


def _clipped(text: str) -> str:
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


_BLOCKS: dict[str, Callable[[Any, int], str]] = {
    "code": _code,
    "chat": _chat,
    "learning": _learning,
    "skill": _skill,
}
