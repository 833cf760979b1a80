"""What people say who do not know a field's words: phrases that a card is found by as well.

In: data/everyday.txt and the names of a card. Out: phrases. They are added when a card is indexed,
so a question costs nothing more, and cards of any registry gain, not only ours.
"""

import re
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .words import plain

DATA = Path(__file__).parent / "data" / "everyday.txt"

# Of how many fields a card is at most; a card of everything is of none in particular.
_MOST = 3
# A name as short as "go" is a word of its own in running text.
_SHORTEST_IN_TEXT = 3
_APART = re.compile(r"[^\w+#]+")


@cache
def everyday_digest() -> str:
    """Return what changes with the phrases."""
    return f"{zlib.crc32(DATA.read_bytes()):08x}"


@cache
def entries() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return (names, phrases) of each line, each name between spaces. Read once."""
    found = []
    for line in DATA.read_text(encoding="utf-8").splitlines():
        names, separator, phrases = line.partition(" = ")
        if separator and not line.startswith("#"):
            padded = tuple(f" {name} " for name in names.split(", "))
            found.append((padded, tuple(phrase.strip() for phrase in phrases.split(";"))))
    return tuple(found)


def phrases_for(fields: Sequence[str]) -> list[str]:
    """Return the phrases of the fields of work that a card is of.

    `fields` are its id, names, tags and last its description: the first of them in which there is
    a name decides. A name within a longer one does not count: "react native" is not "react".
    """
    for number, field in enumerate(fields):
        text = f" {_APART.sub(' ', plain(field).lower()).strip()} "
        running = number == len(fields) - 1
        held = [
            (
                max((name for name in names if _is_in(name, text, running)), key=len, default=""),
                told,
            )
            for names, told in entries()
        ]
        longest = [name for name, _ in held if name]
        chosen = [
            told
            for name, told in held
            if name and not any(name in other and name != other for other in longest)
        ]
        if chosen:
            return [phrase for told in chosen[:_MOST] for phrase in told]
    return []


def _is_in(name: str, text: str, running: bool) -> bool:
    return name in text and not (running and len(name) - 2 < _SHORTEST_IN_TEXT)
