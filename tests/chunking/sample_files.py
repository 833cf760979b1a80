"""The snippets of samples/*.md: a heading with a path, the source, and the chunks expected of it.

An expected line reads `first-last kind symbol | names defined | comment`; the first line names
the language. Sizes are small, so that snippets of a screen show how larger files are divided.
"""

import re
from pathlib import Path
from typing import NamedTuple

from git_skillmesh.chunking import Chunk
from git_skillmesh.chunking.pieces import Sizes

SMALL = Sizes(target=200, limit=260, small=40, tiny=6)

_SAMPLE = re.compile(
    r"^### (?P<path>\S+)\n````\n(?P<source>.*?)^````\n\n````chunks\n(?P<expected>.*?)^````$",
    re.S | re.M,
)


class Sample(NamedTuple):
    path: str
    source: bytes
    language: str
    expected: list[str]


def _read() -> list[Sample]:
    samples = []
    for file in sorted((Path(__file__).parent / "samples").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        found = list(_SAMPLE.finditer(text))
        assert len(found) == text.count("\n### "), f"a sample of {file.name} cannot be read"
        for match in found:
            language, *expected = match["expected"].splitlines()
            samples.append(Sample(match["path"], match["source"].encode(), language, expected))
    return samples


SAMPLES = _read()


def rendered(chunk: Chunk) -> str:
    """A chunk as the samples write it."""
    name = f"{chunk.start_line}-{chunk.end_line} {chunk.kind} {chunk.symbol}".rstrip()
    parts = [name, ", ".join(chunk.defines), chunk.comment.replace("\n", " / ")]
    return " | ".join(parts).replace(" |  | ", " | | ").rstrip(" |")


def broken_rules(data: bytes, chunks: list[Chunk]) -> list[str]:
    """Which of the promises that hold for every file the chunks of `data` break."""
    rows = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = [row.decode("utf-8", "replace").removesuffix("\r") for row in rows]
    broken = []
    covered: list[int] = []
    for chunk in chunks:
        covered.extend(range(chunk.start_line, chunk.end_line + 1))
        if chunk.text != "\n".join(lines[chunk.start_line - 1 : chunk.end_line]):
            broken.append(f"text of {chunk.key}")
        if not chunk.text.strip(" \t\r\n\v\f") or len(chunk.comment) > 1000:
            broken.append(f"bounds of {chunk.key}")
    if covered != sorted(set(covered)):
        broken.append("order, or a line in two chunks")
    if covered and not 1 <= covered[0] <= covered[-1] <= len(rows):
        broken.append("lines outside the file")
    missed = {n for n, row in enumerate(rows, 1) if row.strip()} - set(covered)
    if missed:
        broken.append(f"lines in no chunk: {sorted(missed)[:5]}")
    if len({chunk.key for chunk in chunks}) != len(chunks):
        broken.append("a key twice")
    return broken
