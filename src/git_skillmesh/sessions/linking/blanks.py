"""Blank lines among the lines of an exchange.

In: what a commit changed in a file, and the links of its lines. Out: the links, with the blank
lines between. A blank line says nothing by itself: it goes with the new lines around it, if one
exchange wrote those on both sides.
"""

from collections.abc import Sequence
from dataclasses import replace

from ...git.diffs import FileChange, Hunk
from ..links import Link, ranges_of


def with_blank_lines(file: FileChange, links: Sequence[Link]) -> list[Link]:
    """Return the links of a file with the added blank lines that belong to them."""
    owner = {
        number: place
        for place, link in enumerate(links)
        for first, last in link.ranges
        for number in range(first, last + 1)
    }
    found = dict(owner)
    for hunk in file.hunks if owner else ():
        for number, neighbours in _blanks(hunk):
            owners = [owner.get(neighbour) for neighbour in neighbours]
            if number not in found and len(owners) == 2 and None not in owners:
                makers = {(links[n].session, links[n].exchange) for n in owners if n is not None}
                if len(makers) == 1 and owners[0] is not None:
                    found[number] = owners[0]
    if len(found) == len(owner):
        return list(links)
    lines: dict[int, list[int]] = {}
    for number, place in found.items():
        lines.setdefault(place, []).append(number)
    return [
        replace(link, ranges=ranges_of(lines[place])) if place in lines else link
        for place, link in enumerate(links)
    ]


def _blanks(hunk: Hunk) -> list[tuple[int, list[int]]]:
    """Return each blank line with the nearest lines of the hunk, before and after, that are not."""
    told = [n for n, line in enumerate(hunk.added, hunk.new) if line.strip()]
    found, after = [], 0
    for number, line in enumerate(hunk.added, hunk.new):
        if line.strip():
            after += 1
        elif told:
            around = [*told[max(after - 1, 0) : after], *told[after : after + 1]]
            found.append((number, around))
    return found
