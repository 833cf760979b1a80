"""What every kind of schedule needs to know, and what it answers.

In: nothing. Out: `Plan`, `Standing`, as plain data, and the mark that tells one repository's
schedule from another's.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from ....errors import ReadOnly, UsageError
from ....files import replace_file
from ....git.repository import Repository

_STAMP = "# made by: git skillmesh nightly --install "
USUAL_TIME = "02:30"
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Plan:
    """When and where the pipeline is to run. `labels` are those of a runner of GitHub."""

    hour: int
    minute: int
    folder: Path
    labels: tuple[str, ...] = ()

    @property
    def at(self) -> str:
        """The time as people write it."""
        return f"{self.hour:02}:{self.minute:02}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A schedule as it stands: its kind, where it is, what it says of the time, what is to say."""

    kind: str
    where: str
    at: str = ""
    note: str = ""


def plan_of(repository: Repository, at: str | None, labels: str | None = None) -> Plan:
    """Return a plan. Raises `UsageError`."""
    found = _TIME.fullmatch(at or USUAL_TIME)
    if found is None:
        raise UsageError(f"not a time: {at}", "as in 02:30")
    wanted = tuple((labels or "self-hosted,gpu").split(","))
    if not all(re.fullmatch(r"[\w.-]{1,100}", label) for label in wanted):
        raise UsageError(f"not labels of a runner: {labels}", "as in self-hosted,gpu")
    folder = repository.top or repository.git_dir
    return Plan(int(found[1]), int(found[2]), folder, wanted)


def stamped(kind: str, body: str) -> bytes:
    """Return a file of ours: its first line says so, with a sum by which an edit is seen."""
    return f"{_STAMP}{kind} {_sum(body)}\n{body}".encode()


def place(path: Path, data: bytes) -> None:
    """Write a stamped file. Raises `UsageError` where there is another one, `ReadOnly`."""
    check(path)
    if not path.is_file() or path.read_bytes() != data:
        try:
            replace_file(path, data)
        except OSError as error:
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None


def is_ours(path: Path) -> bool:
    """Return whether there is a stamped file, edited or not."""
    return path.is_file() and path.read_bytes().startswith(_STAMP.encode())


def check(path: Path) -> None:
    """Raise `UsageError` for a file that is not ours, or not as it was written."""
    if not path.exists():
        return
    first, _, body = path.read_text("utf-8", "replace").partition("\n")
    if not first.startswith(_STAMP):
        raise UsageError(f"{path} is not ours", "move it away")
    if first.split()[-1] != _sum(body):
        raise UsageError(f"{path} has been edited", "remove it by hand")


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:8]


def mark_of(repository: Repository) -> str:
    """Return what tells the schedule of a repository from that of another one."""
    return hashlib.sha256(os.fsencode(repository.common_dir)).hexdigest()[:12]


def command_of(plan: Plan) -> list[str]:
    """Return the command line of a run. Raises `UsageError` for a path that cannot stand there."""
    words = [sys.executable, "-P", "-m", "git_skillmesh", "-C", str(plan.folder)]
    words += ["nightly", "--quiet"]
    if any(re.search(r"[\x00-\x1f\x7f]", word) for word in words):
        raise UsageError("a path with control characters cannot stand in a schedule")
    return words


def search_path() -> str:
    """Return the PATH of now: a schedule's own one may lack git."""
    folders = [
        one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if one[:1] == "/"
    ]
    kept = [one for one in dict.fromkeys(folders) if not re.search(r"[\x00-\x1f\x7f]", one)]
    return os.pathsep.join(kept)
