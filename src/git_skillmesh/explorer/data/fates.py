"""Which lines of an exchange live on, and where the others went.

In: a reading, an exchange. Out: `Place`s of HEAD, and the commits that took lines away. Blame has a
bounded time; what it did not reach is said.
"""

import time
from collections.abc import Callable

from ...sessions.answering import Pair, attribute
from ...sessions.links import ranges_of, read_links
from ..parts import alive, links
from ..stores import Reading
from .refs import Document, file_ref

_SECONDS = 1.5
_MOST_FILES = 40

Note = Callable[[str], None]


def of_exchange(reading: Reading, pair: Pair, note: Note) -> tuple[list[Document], list[Document]]:
    """Return where lines of an exchange are in HEAD, and who took how many of the others."""
    head, known = reading.state.head, alive(reading)
    paths = list(known.by_exchange.get(pair, {}))
    if head is None or not known.is_known:
        return [], []
    end = time.monotonic() + _SECONDS
    places: list[Document] = []
    for path in paths[:_MOST_FILES]:
        blaming = reading.stores.blames.of(head, path, max(end - time.monotonic(), 0.01))
        lines = attribute(reading.db, blaming.lines())
        own = [
            line.blamed.number
            for line in lines
            if line.link and (line.link.session, line.link.exchange) == pair
        ]
        places += [
            {**file_ref(path), "start": first, "end": last} for first, last in ranges_of(own)
        ]
        if not blaming.done:
            note("blame takes long: not all lines that live on are shown, ask again in a moment")
    if len(paths) > _MOST_FILES:
        note(f"lines that live on: of the first {_MOST_FILES} of {len(paths)} files")
    return places, []


def confidences(reading: Reading, pair: Pair) -> dict[str, float]:
    """Return commit → confidence of its best link to an exchange."""
    made = links(reading).by_exchange.get(pair)
    found: dict[str, float] = {}
    if made:
        for commit, listed in read_links(reading.repository, made.commits).items():
            for link in listed:
                if (link.session, link.exchange) == pair:
                    found[commit] = max(found.get(commit, 0.0), link.confidence)
    return found
