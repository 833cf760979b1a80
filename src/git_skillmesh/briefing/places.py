"""Which files and lines of the tree a prompt names.

In: names as they were written, the indexed tree. Out: places, each once. A name that could mean
many files means none.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from ..index.glance import Glance
from .prompts import Named, Prompt

# So many files or definitions may share a name; with more it says nothing.
_MOST_MEANT = 2


class Spot(NamedTuple):
    """A file of the tree, or (`ordinals`) some of its chunks; `name` is how people call it."""

    path: str
    file: int
    ordinals: tuple[int, ...] = ()
    name: str = ""


def spots_of(prompt: Prompt, glance: Glance, top: str) -> list[Spot]:
    """Return what of the tree the prompt names, definitions first."""
    found: dict[tuple[int, tuple[int, ...]], Spot] = {}
    for spot in (*_definitions(prompt, glance), *_files(prompt, glance, top)):
        found.setdefault((spot.file, spot.ordinals), spot)
    closer = {spot.file for spot in found.values() if spot.ordinals}
    return [spot for spot in found.values() if spot.ordinals or spot.file not in closer]


def _definitions(prompt: Prompt, glance: Glance) -> list[Spot]:
    spots = []
    for name, places in glance.definitions(prompt.symbols).items():
        if len({place.path for place in places}) > _MOST_MEANT:
            continue
        for file in dict.fromkeys(place.file for place in places):
            there = [place for place in places if place.file == file]
            ordinals = tuple(dict.fromkeys(place.ordinal for place in there))
            spots.append(Spot(there[0].path, file, ordinals, name))
    return spots


def _files(prompt: Prompt, glance: Glance, top: str) -> list[Spot]:
    if not prompt.paths:
        return []
    by_name: dict[str, list[str]] = {}
    for path in glance.paths:
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    spots = []
    for named in prompt.paths:
        for path in _meant(named, glance.paths, by_name, top):
            file = glance.paths[path]
            ordinals = glance.chunks_at(file, named.line, named.line) if named.line else []
            lines = f"{path}:{named.line}" if ordinals else path
            spots.append(Spot(path, file, tuple(ordinals), lines))
    return spots


def _meant(
    named: Named, paths: Mapping[str, int], by_name: Mapping[str, list[str]], top: str
) -> list[str]:
    path = os.path.normpath(named.path)
    if os.path.isabs(path):  # noqa: PTH117 - no file is touched, and pathlib is slow
        path = path.removeprefix(top + "/")
    if path in paths:
        return [path]
    # A folder above the root is part of what people write, and so is a beginning left out.
    ends = [one for one in by_name.get(path.rpartition("/")[2], ()) if _same_end(one, path)]
    return ends if len(ends) <= _MOST_MEANT else []


def _same_end(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.endswith(f"/{short}") or long == short
