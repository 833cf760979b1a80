"""Requests for advice made by hand: a part of a change and what may be cited there."""

from pathlib import Path

from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.training.advising.model import Kind, Part, Piece, Request, Source
from git_skillmesh.training.advising.prompt import request_of
from git_skillmesh.training.advising.sendable import Cleaner
from testing.parcels import remembering
from testing.repos import Repo

PATH = "src/parcels/tracking.py"
QUOTE = "use depot.clock() instead of time.time()"
CLEANER = Cleaner(Redactor())


def source(kind: Kind = Kind.LEARNING, name: str = "clock", text: str = "") -> Source:
    """Return a source."""
    text = text or f"Ask the depot for its clock\nInstead: {QUOTE}"
    return Source(kind, name, "Ask the depot for its clock", text, path=f"{name}.yaml")


def request(*sources: Source, path: str = "a.py") -> Request:
    """Return a request about two added lines, 2 and 4, of a file of five."""
    signs = zip(" +-+ ", (1, 2, 0, 4, 5), strict=True)
    piece = Piece(path, tuple((sign, number, f"line {number}") for sign, number in signs))
    made = request_of(Part((piece,)), sources or (source(),), 10_000, 500, CLEANER)
    assert made is not None
    return made


def finding(**more: object) -> dict[str, object]:
    """Return a finding that stands every check in `request`."""
    said = {"file": "a.py", "line": 2, "source": "L1", "quote": QUOTE, "message": "No clock."}
    return {**said, **more}


def with_a_change(folder: Path) -> Repo:
    """Return the repository of the examples with a staged change that goes against a learning.

    The clock is read in line 19 of PATH; that learning is L1 of the request.
    """
    repo = remembering(folder)
    changed = "            delay *= 3\n            now = time.time()"
    repo.write(PATH, repo.read(PATH).replace("            delay *= 2", changed))
    repo.git("add", "--all")
    return repo
