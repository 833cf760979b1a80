"""Which lines of an exchange live on, and which commits took the others away.

In: a reading, an exchange. Out: `Place`s of HEAD, and counts by commit. Blame has a bounded time;
what it did not reach is said.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from ...git.commitlog import logged
from ...git.went import taken_away
from ...sessions.answering import Line, Pair, attribute
from ...sessions.links import Link, lines_linked, ranges_of, read_links
from ..parts import Alive, Commits, alive, commits, links
from ..stores import Reading
from .refs import SLOW, Document, commit_ref, file_ref

_SECONDS = 1.5  # for either
_MOST_FILES = 40

Note = Callable[[str], None]
# A commit, a path in it, and a line there.
_Place = tuple[str, str, int]


def of_exchange(reading: Reading, pair: Pair, note: Note) -> tuple[list[Document], list[Document]]:
    """Return where lines of an exchange are in HEAD, and who took how many of the others away."""
    known = alive(reading)
    if reading.state.head is None or not known.is_current:
        return [], []
    places, there = _living(reading, pair, known, note)
    return places, _lost(reading, pair, there, note)


def links_of(reading: Reading, pair: Pair) -> dict[str, list[Link]]:
    """Return commit of HEAD's history → its links to an exchange."""
    made = links(reading).by_exchange.get(pair)
    found = read_links(reading.repository, made.commits) if made else {}
    return {
        commit: [link for link in listed if (link.session, link.exchange) == pair]
        for commit, listed in found.items()
    }


def _living(
    reading: Reading, pair: Pair, known: Alive, note: Note
) -> tuple[list[Document], set[_Place]]:
    """Return the places in HEAD, and where these lines were new."""
    head, end = reading.state.head or "", time.monotonic() + _SECONDS * reading.patience
    paths = list(known.by_exchange.get(pair, {}))
    places: list[Document] = []
    there: set[_Place] = set()
    for path in paths[:_MOST_FILES]:
        blaming = reading.stores.blames.of(head, path, max(end - time.monotonic(), 0.01))
        own = [line for line in attribute(reading.db, blaming.lines()) if _is_of(line, pair)]
        there |= {(line.blamed.commit.oid, line.blamed.path, line.blamed.line) for line in own}
        numbers = ranges_of(line.blamed.number for line in own)
        places += [{**file_ref(path), "start": first, "end": last} for first, last in numbers]
        if not blaming.done:
            note(SLOW)
    if len(paths) > _MOST_FILES:
        note(f"lines that live on: those of the first {_MOST_FILES} of {len(paths)} files")
    return places, there


def _is_of(line: Line, pair: Pair) -> bool:
    return line.link is not None and (line.link.session, line.link.exchange) == pair


def _lost(reading: Reading, pair: Pair, there: set[_Place], note: Note) -> list[Document]:
    """Return how many lines each commit took away, the most first; what nobody knows last."""
    history, end = commits(reading), time.monotonic() + _SECONDS * reading.patience
    counts: Counter[str | None] = Counter()
    for (commit, path), lines in _gone(reading, pair, there).items():
        seconds = end - time.monotonic()
        try:
            if seconds <= 0:
                raise TimeoutError
            taken = taken_away(
                reading.repository, commit, reading.state.head or "", path, lines, seconds
            )
        except TimeoutError:
            note(SLOW)
            counts[None] += len(lines)
            continue
        counts.update(taken.values())
    return _told(counts, history)


def _gone(
    reading: Reading, pair: Pair, there: set[_Place]
) -> Mapping[tuple[str, str], Sequence[int]]:
    """Return the lines of an exchange that HEAD has not, by commit and path."""
    noted = links_of(reading, pair)
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for commit in logged(reading.repository, list(noted)):
        for file in commit.files:
            for number in sorted(lines_linked(noted[commit.oid], file.path, file.blob)):
                if (commit.oid, file.path, number) not in there:
                    found[commit.oid, file.path].append(number)
    return found


def _told(counts: Mapping[str | None, int], history: Commits) -> list[Document]:
    named: Counter[str | None] = Counter()
    for oid, count in counts.items():
        named[oid if oid in history.by_id else None] += count
    ordered = sorted(named.items(), key=lambda each: (each[0] is None, -each[1], each[0] or ""))
    return [
        {"commit": commit_ref(history.by_id[oid]) if oid else None, "lines": count}
        for oid, count in ordered
    ]
