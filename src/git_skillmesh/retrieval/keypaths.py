"""Where a configuration file sets a key: lines and the path of a key in, line numbers out.

One way for all formats: the last name of the path stands at the start of a line as a key, the
others above it, each with less indentation, or in the head of its table. That is exact for YAML
and TOML and for JSON as programs print it.
"""

import re
from collections.abc import Iterator, Sequence

_TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(?:[#;].*)?$")
_ENTRY = re.compile(r"([ \t]*)(?:- +)?[\"']?([\w@/.-]+)[\"']?[ \t]*[:=]")
_MOST_LINES = 20_000


def lines_of_key(lines: Sequence[str], key: Sequence[str]) -> list[tuple[int, bool]]:
    """Return (0-based line, whether the path is whole) of each place that sets a key."""
    wanted = [part.lower() for part in key]
    found = []
    for number, path in _paths(lines):
        own = [part.lower() for part in path]
        if own[-len(wanted) :] == wanted:
            found.append((number, len(own) == len(wanted)))
    return found


def _paths(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the whole path of every key."""
    table: list[str] = []
    above: list[tuple[int, str]] = []
    for number, line in enumerate(lines[:_MOST_LINES]):
        head = _TABLE.match(line) if "[" in line else None
        if head:
            table = [part.strip(" \"'") for part in head[1].split(".")]
            above = []
            yield number, table
            continue
        entry = _ENTRY.match(line)
        if entry is None:
            continue
        indent = len(entry[1].expandtabs(4))
        while above and above[-1][0] >= indent:
            above.pop()
        above.append((indent, entry[2]))
        names = [part for _, name in above for part in name.split(".") if part]
        if names:
            yield number, [*table, *names]
