"""Links: which exchange made which lines of a commit, as notes of the commit hold them.

In: lines of notes in `refs/notes/skillmesh`, or links. Out: the other. docs/linking.md shows the
format to people. A link counts lines in one version of a file, and names that version by its blob.
So a note that git copied to another commit (amend, rebase) says nothing wrong there: where the
file is another one, the link is stale, and the reader leaves it out.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..git.notes import add_lines, read_notes
from ..git.repository import Repository

VERSION = 1
Ranges = tuple[tuple[int, int], ...]

# A note that names more lines is no work of this program, and would fill the memory.
_MOST_LINES = 2_000_000
# Without what `json.loads` does before and after: a first look at a repository parses all links.
_READ = json.JSONDecoder().raw_decode
_RANGE = re.compile(r"([1-9]\d{0,9})(?:-([1-9]\d{0,9}))?")


class Evidence(StrEnum):
    """What speaks for a link, the strongest first."""

    EDIT = "edit"  # the agent recorded this edit with its bytes
    QUOTED = "quoted"  # the output of the agent's `git commit` names the commit
    COMMAND = "command"  # the agent ran `git commit` with this subject when the commit was made
    CONTENT = "content"  # the lines stand in what the agent wrote, not exactly as recorded
    MOVED = "moved"  # the lines came from elsewhere in the commit, where they had a link
    FILES = "files"  # the files and the time fit


@dataclass(frozen=True, slots=True)
class Link:
    """One exchange made lines of one file of a commit.

    `path` is the file, "" where the link is about the commit as a whole; `blob` the version of the
    file in which `ranges` count (first and last line, from 1, ascending). A link with a path and
    without ranges says that the exchange changed the file, by taking lines away for example.
    `confidence` is 0..1. `via` are the commits that held the link before this one (amended,
    rebased, squashed, picked), the earliest first.
    """

    session: str
    exchange: str
    confidence: float
    evidence: str
    path: str = ""
    blob: str = ""
    ranges: Ranges = ()
    via: tuple[str, ...] = ()

    def to_line(self) -> str:
        """Return the line of the note."""
        document: dict[str, Any] = {
            "v": VERSION, "session": self.session, "exchange": self.exchange,
            "confidence": round(self.confidence, 3), "evidence": self.evidence, "path": self.path,
            "blob": self.blob, "lines": format_ranges(self.ranges), "via": list(self.via),
        }  # fmt: skip
        kept = {key: value for key, value in document.items() if value or key == "confidence"}
        return json.dumps(kept, separators=(",", ":"))


def parse_link(line: str) -> Link | None:
    """Return the link of a note's line, None for a line of others or of a later version."""
    if not line:
        return None
    try:
        document, end = _READ(line)
        if end != len(line):  # white space, or no JSON
            document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return _link_of(document)


def _link_of(document: Any) -> Link | None:
    try:
        if document["v"] != VERSION:
            return None
        session, exchange = document["session"], document["exchange"]
        evidence = document["evidence"]
        path, blob = document.get("path", ""), document.get("blob", "")
        via = document.get("via", ())
        for text in (session, exchange, evidence, path, blob, *via):
            if not isinstance(text, str):
                return None
        confidence = min(max(float(document["confidence"]), 0.0), 1.0)
        ranges = parse_ranges(document.get("lines", ""))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    return Link(session, exchange, confidence, evidence, path, blob, ranges, tuple(via))


def format_ranges(ranges: Ranges) -> str:
    """Return ranges as text: `3-7,10`."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def parse_ranges(text: str) -> Ranges:
    """Return the ranges of a text. Raises ValueError."""
    found: list[tuple[int, int]] = []
    count = 0
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if first < 1 or last < first or (found and first <= found[-1][1]):
            raise ValueError(f"no ranges of lines: {text[:80]!r}")
        found.append((first, last))
        count += last - first + 1
        if count > _MOST_LINES:
            raise ValueError(f"more than {_MOST_LINES} lines")
    return tuple(found)


def ranges_of(lines: Iterable[int]) -> Ranges:
    """Return line numbers as ranges."""
    found: list[tuple[int, int]] = []
    for line in sorted(set(lines)):
        if found and line == found[-1][1] + 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return tuple(found)


def read_links(repository: Repository, commits: Iterable[str]) -> dict[str, tuple[Link, ...]]:
    """Return commit → its links, stale ones included, for the commits that have some.

    Raises `Damaged`.
    """
    notes = read_notes(repository, commits)
    parsed = {
        commit: tuple(filter(None, map(parse_link, lines))) for commit, lines in notes.items()
    }
    return {commit: links for commit, links in parsed.items() if links}


def write_links(repository: Repository, links: Mapping[str, Iterable[Link]]) -> bool:
    """Add links to the notes of commits; what stands there stays. Return whether any is new.

    Raises `ReadOnly`, `Busy`, `Damaged`.
    """
    return add_lines(
        repository, {c: [link.to_line() for link in each] for c, each in links.items()}
    )


def lines_linked(links: Iterable[Link], path: str, blob: str) -> dict[int, Link]:
    """Return line → its link, for one version of a file: the most confident, then by text."""
    found: dict[int, Link] = {}
    fitting = (link for link in links if link.path == path and link.blob == blob)
    for link in sorted(fitting, key=lambda link: (link.confidence, link.to_line())):
        for first, last in link.ranges:
            found.update(dict.fromkeys(range(first, last + 1), link))
    return found
