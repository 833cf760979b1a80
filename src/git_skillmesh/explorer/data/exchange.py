"""An exchange: what was asked, done and answered, which lines came of it, and what became of them.

In: a reading, the key of an exchange. Out: `Exchange`. Texts are cut where a page could not show
them, and `cut` says so.
"""

from ...sessions.answering import Pair, Told
from ...sessions.edit_diff import diff_of
from ...sessions.events import Event, Status, latest, statuses
from ...sessions.model import Exchange, ToolCall
from ...sessions.reading import MemoryReader
from ...sessions.steps import used_on
from ...training.rewards.score import WEIGHTS
from ...training.rewards.stored import KIND, reward_in
from ..keys import key_of_exchange, text_of
from ..parts import alive, commits, links, sessions, title_of
from ..stores import Reading
from . import fates
from .learned import of_exchange
from .refs import Document, commit_ref, exchange_ref, file_ref, line, linked, session_ref
from .session import kind_of

_MOST_TEXT = 200_000
_MOST_OF_A_TOOL = 20_000
_MOST_TOOLS = 500
_MOST_OF_TOOLS = 1_500_000
_MOST_DIFF = 100_000
_MOST_OF_DIFFS = 1_500_000


def pair_of(reading: Reading, key: str) -> Pair | None:
    """Return session and exchange of a key, None if there is none."""
    text, known = text_of(key), sessions(reading).by_id
    if text is not None:
        places = [place for place, sign in enumerate(text) if sign == "/"]
        for place in places:
            pair = text[:place], text[place + 1 :]
            if pair[0] in known and reading.lookup.number(*pair):
                return pair
        return None
    # It was cut: whatever has the same beginning.
    for name, row in known.items():
        start = f"{row.key}~2f"[: len(key) - 17]
        if key.startswith(start) or start.startswith(key[:100]):
            for _, exchange, _ in reading.lookup.beginnings(name):
                if key_of_exchange(name, exchange) == key:
                    return name, exchange
    return None


def exchange(reading: Reading, key: str) -> Document | None:
    """Return an exchange, None if there is none of this key. Raises `Damaged`."""
    pair = pair_of(reading, key)
    if pair is None:
        return None
    one = reading.lookup.exchange(*pair)
    row = sessions(reading).by_id[pair[0]]
    if one is None:
        return None
    events = MemoryReader(reading.repository, reading.state.memory or "").events(pair[0])
    cut = _Cut()
    before, after = _neighbours(reading, pair)
    noted, known = links(reading), alive(reading)
    title = title_of(reading, row)
    told = Told(*pair, reading.lookup.number(*pair), row.head.agent, title, row.head.parent)
    places, lost = fates.of_exchange(reading, pair, cut.note)
    return {
        "ref": exchange_ref(reading, pair),
        "session": session_ref(reading, row, one.model),
        "previous": before,
        "next": after,
        "prompt": cut.text(one.prompt.strip("\n"), _MOST_TEXT, "the prompt"),
        "response": cut.text(one.response.strip("\n"), _MOST_TEXT, "the answer"),
        "model": line(one.model) or None,
        "status": statuses(events).get(pair[1], Status.CAPTURED).value,
        "kind": kind_of(one),
        "tools": _tools(one, cut),
        "edits": _edits(one, cut),
        "commits": _commits(reading, pair),
        "alive": places,
        "lines_linked": linked(noted, pair),
        "lines_alive": sum(known.by_exchange.get(pair, {}).values()) if known.is_known else None,
        "died": lost,
        "reward": _reward(pair, events),
        "learnings": of_exchange(reading, told),
        "cut": cut.notes,
    }


class _Cut:
    """Shortens texts and remembers what was shortened."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Say that something is not whole."""
        if text not in self.notes:
            self.notes.append(text)

    def text(self, text: str, most: int, what: str) -> str:
        """Return a text that is no longer than `most`."""
        if len(text) <= most:
            return text
        self.note(f"{what}: the first {most:,} of {len(text):,} characters")
        return text[:most]


def _neighbours(reading: Reading, pair: Pair) -> tuple[str | None, str | None]:
    names = [exchange for _, exchange, _ in reading.lookup.beginnings(pair[0])]
    place = names.index(pair[1]) if pair[1] in names else -1
    if place < 0:
        return None, None
    before = key_of_exchange(pair[0], names[place - 1]) if place else None
    after = key_of_exchange(pair[0], names[place + 1]) if place + 1 < len(names) else None
    return before, after


def _tools(one: Exchange, cut: _Cut) -> list[Document]:
    found: list[Document] = []
    room = _MOST_OF_TOOLS
    for call in one.tools[:_MOST_TOOLS]:
        most = min(_MOST_OF_A_TOOL, max(room, 0))
        given, said = _part(call.input, most, cut), _part(call.output, most, cut)
        room -= len(given or "") + len(said or "")
        found.append(
            {
                "name": line(call.name),
                "target": line(_target(call)) or None,
                "input": given,
                "output": said,
                "failed": call.failed,
            }
        )
    if len(one.tools) > len(found):
        cut.note(f"the first {len(found):,} of {len(one.tools):,} tool calls")
    return found


def _part(text: str, most: int, cut: _Cut) -> str | None:
    if not text.strip():
        return None
    if len(text) > most:
        cut.note(f"inputs and outputs of tools: {_MOST_OF_A_TOOL:,} characters of each at most")
    return text[:most].rstrip("\n")


def _target(call: ToolCall) -> str:
    return used_on(call)


def _edits(one: Exchange, cut: _Cut) -> list[Document]:
    found: list[Document] = []
    room = _MOST_OF_DIFFS
    for edit in (edit for call in one.tools for edit in call.edits):
        if edit.after is None:
            diff = "".join(f"-{text}\n" for text in (edit.before or "").splitlines())
        else:
            diff = "".join(f"{text}\n" for text in diff_of(edit))
        shown = cut.text(diff, min(_MOST_DIFF, max(room, 0)), f"the diff of {line(edit.path)}")
        room -= len(shown)
        found.append({"file": file_ref(edit.path), "diff": shown})
    return found


def _commits(reading: Reading, pair: Pair) -> list[Document]:
    made = links(reading).by_exchange.get(pair)
    history = commits(reading).by_id
    noted = fates.links_of(reading, pair)
    sure = {oid: max(link.confidence for link in found) for oid, found in noted.items() if found}
    found = [(history[oid], count) for oid, count in (made.commits if made else {}).items()]
    found.sort(key=lambda each: (-each[0].time, each[0].oid))
    return [
        {"commit": commit_ref(one), "lines": count, "confidence": sure.get(one.oid)}
        for one, count in found
    ]


def _reward(pair: Pair, events: tuple[Event, ...]) -> Document | None:
    value = latest(events, KIND).get(pair[1])
    made = reward_in(*pair, value) if value is not None else None
    if made is None:
        return None
    names = [*WEIGHTS, *(name for name in made.parts if name not in WEIGHTS)]
    return {
        "verdict": made.verdict.value,
        "score": made.score,
        "parts": [
            {"name": name, "value": made.parts.get(name), "weight": WEIGHTS.get(name)}
            for name in names
        ],
    }
