"""What an export holds: the paths of its documents, the most telling first, up to a number.

In: a reading, the most documents there may be. Out: `Plan`. What every view begins with is always
there; the rest of the room is shared by conversations, files and commits, and what one does not
need the others get.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..display import plural
from .data.sessions import pages_of
from .data.timeline import order
from .keys import key_of_exchange, key_of_id
from .learned import learnings_of
from .parts import commits, files, links, sessions
from .stores import Reading


@dataclass(frozen=True, slots=True)
class Plan:
    """Paths in the order in which they are made, and in words what has no room."""

    paths: tuple[str, ...]
    left_out: tuple[str, ...]


def plan(reading: Reading, most: int) -> Plan:
    """Return what to write."""
    always = ["overview", "learnings", "search"]
    always += [f"timeline/{page}" for page in range(order(reading).pages)]
    always += [f"sessions/{page}" for page in range(pages_of(reading))]
    always += [f"map/{key}" for key in files(reading).folders]
    always += [
        f"learning/{key_of_id(name)}"
        for name, read in learnings_of(reading).items()
        if read.learning
    ]
    talks = [list(_conversation(reading, row.head.session_id, row.key))
             for row in sessions(reading).listed]  # fmt: skip
    kinds = {
        "conversations": talks,
        "files": [[f"file/{key}"] for key in sorted(files(reading).by_key)],
        "commits": [[f"commit/{oid}"] for oid in _commits(reading)],
    }
    room = _shared({name: sum(map(len, found)) for name, found in kinds.items()},
                   max(most - len(always), 0))  # fmt: skip
    left_out = []
    paths = list(always)
    for name, found in kinds.items():
        kept = list(_fitting(found, room[name]))
        paths += [path for group in kept for path in group]
        if len(kept) < len(found):
            left = plural(len(found) - len(kept), name[:-1])
            left_out.append(f"{left} of {len(found):,}: --max-files {most}")
    return Plan(tuple(paths), tuple(left_out))


def _conversation(reading: Reading, session: str, key: str) -> Iterator[str]:
    yield f"session/{key}"
    for _, exchange, _ in reading.lookup.beginnings(session):
        yield f"exchange/{key_of_exchange(session, exchange)}"


def _commits(reading: Reading) -> Iterator[str]:
    """Yield the commits with conversations, newest first, then the others."""
    known = links(reading).by_commit
    listed = [one.oid for one in commits(reading).listed]
    yield from (oid for oid in listed if oid in known)
    yield from (oid for oid in listed if oid not in known)


def _shared(wanted: dict[str, int], room: int) -> dict[str, int]:
    """Return what each gets of the room: as much as the others, or all that it wants."""
    found: dict[str, int] = {}
    for place, name in enumerate(sorted(wanted, key=lambda one: (wanted[one], one))):
        found[name] = min(wanted[name], room // (len(wanted) - place))
        room -= found[name]
    return found


def _fitting(groups: Iterable[Sequence[str]], room: int) -> Iterator[Sequence[str]]:
    """Yield groups, the first first, for as long as a whole one fits."""
    for group in groups:
        room -= len(group)
        if room < 0:
            return
        yield group
