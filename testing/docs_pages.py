"""The documentation as data: its commands, links, anchors, and the repository its examples use.

In: a Markdown file of this project. Out: blocks, transcripts, links; `make_sample` builds the small
project that every example runs in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testing.repos import Repo, make_repo

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "benchmarks" / "README.md",
        ROOT / "training" / "README.md",
    ]
)

_FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)
_INLINE = re.compile(r"`(git skillmesh [^`]*)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `info` is what stands after the fence, `line` where it begins."""

    info: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a transcript and the output that the page promises."""

    command: str
    output: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found[1].strip(), found[2], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


def steps(block: Block) -> list[Step]:
    """Split a transcript: `$ ` begins a command, `> ` goes on with it, the rest is output."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif (line == ">" or line.startswith("> ")) and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        else:
            found[-1][1].append(line)
    return [Step(command, "\n".join(output)) for command, output in found]


def command_lines(page: Path) -> Iterator[str]:
    """Yield every `git skillmesh …` of a page: in running text and in blocks that are not run."""
    text = page.read_text(encoding="utf-8")
    yield from _INLINE.findall(_FENCE.sub("", text))
    for block in blocks(page):
        if block.info in ("sh", "console"):
            for line in block.text.splitlines():
                command = line.removeprefix("$ ").partition("#")[0].strip()
                if command.startswith("git skillmesh "):
                    yield re.split(r" *(?:[|;]|\d?>|&&)", command)[0]


def matches(expected: str, actual: str) -> bool:
    """Compare a promised output with a real one.

    `…` stands for any text of one line, a line that is `…` alone for any number of lines.
    """
    pattern = ""
    for line in expected.splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
    return (
        re.fullmatch(pattern, actual if not actual or actual[-1] == "\n" else actual + "\n")
        is not None
    )


def links(page: Path) -> list[str]:
    """Return the targets of all links and pictures of a page."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge makes of a page's headings."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def make_sample(folder: Path) -> Repo:
    """Build the repository of the examples: a parcel service on branch main, two commits."""
    repo = make_repo(folder, "parcels", files=_FILES)
    repo.commit("retry lost scans", {"src/parcels/tracking.py": _TRACKING})
    return repo


_DURATIONS = '''\
"""Durations as people write them."""

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> int:
    """Turn "1h30m" into seconds. Raises ValueError for an unknown unit."""
    total, number = 0, ""
    for character in text.strip().lower():
        if character.isdigit():
            number += character
        elif character in UNITS and number:
            total += int(number) * UNITS[character]
            number = ""
        else:
            raise ValueError(f"not a duration: {text!r}")
    return total


def format_duration(seconds: int) -> str:
    """Turn seconds into "1h30m", the largest unit first."""
    shown = ""
    for unit, size in UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            shown += f"{count}{unit}"
    return shown or "0s"
'''

_TRACKING = '''\
"""Where a parcel is, as its scans tell."""

import time


class ScanLost(Exception):
    """A depot did not answer."""


def fetch_scans(depot, parcel, attempts=3):
    """Ask a depot for the scans of a parcel; wait longer after each failure, then give up."""
    delay = 0.5
    for attempt in range(attempts):
        try:
            return depot.scans(parcel)
        except ConnectionError:
            time.sleep(delay)
            delay *= 2
    raise ScanLost(parcel)
'''

_FILES: dict[str, str | bytes | None] = {
    "README.md": "# Parcels\n\nPrices, labels and tracking of parcels.\n\n"
    "## Install\n\nRun `make install`.\n\n## Deploy\n\nRun `deploy/backup.sh` first.\n",
    "src/parcels/__init__.py": "",
    "src/parcels/durations.py": _DURATIONS,
    "src/parcels/tracking.py": '"""Where a parcel is, as its scans tell."""\n',
    "web/label.ts": "export interface Label {\n  parcel: string;\n  lines: string[];\n}\n\n"
    "/** Wrap an address so that it fits the width of a printed label. */\n"
    "export function wrapAddress(address: string, width: number): string[] {\n"
    "  const lines: string[] = [];\n  for (const part of address.split(\",\")) {\n"
    "    lines.push(part.trim().slice(0, width));\n  }\n  return lines;\n}\n",
    "deploy/backup.sh": "#!/bin/sh\n# Dump the database and keep the last seven dumps.\n"
    "set -eu\nrotate() {\n    ls -t dumps | tail -n +8 | xargs -r rm --\n}\n"
    "pg_dump parcels > \"dumps/$(date +%F).sql\"\nrotate\n",
    "package-lock.json": '{\n  "lockfileVersion": 3\n}\n',
    "vendor/left-pad.js": "module.exports = (s, n) => s.padStart(n);\n",
    "web/api.gen.ts": "export const API = 3;\n",
    "web/logo.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
}  # fmt: skip
