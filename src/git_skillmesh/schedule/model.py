"""What every kind of schedule needs to know, and what it answers.

In: nothing. Out: `Job`, `Workflow`, `Plan`, `Standing`, as plain data, and the mark that tells one
repository's schedule from another's.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import ReadOnly, UsageError
from ..files import replace_file
from ..git.repository import Repository

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Workflow:
    """What is its own in a job's workflow on GitHub.

    `title` is shown; it has so many `minutes`. `package` is what pip installs; `steps` are YAML and
    come when the conversations are there. `runner` says what to know of its runner.
    """

    title: str
    minutes: int
    package: str
    steps: str
    runner: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What runs: `git skillmesh NAME WORDS`.

    `about` says in a few words what it is. A runner of GitHub has the labels `usual_labels`
    (separated by commas) where the user names none. A run that is told to stop has `stop_seconds`
    to save what it has.
    """

    name: str
    about: str
    words: tuple[str, ...]
    workflow: Workflow
    usual_labels: str
    usual_time: str
    stop_seconds: int = 90

    @property
    def stamp(self) -> str:
        """The first words of every file that is made for it."""
        return f"# made by: git skillmesh {self.name} --install "


@dataclass(frozen=True, slots=True)
class Plan:
    """When and where a job is to run. `labels` are those of a runner of GitHub."""

    job: Job
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


def plan_of(
    repository: Repository, job: Job, at: str | None = None, labels: str | None = None
) -> Plan:
    """Return a plan. Raises `UsageError`."""
    found = _TIME.fullmatch(at or job.usual_time)
    if found is None:
        raise UsageError(f"not a time: {at}", f"as in {job.usual_time}")
    wanted = tuple((labels or job.usual_labels).split(","))
    if not all(re.fullmatch(r"[\w.-]{1,100}", label) for label in wanted):
        raise UsageError(f"not labels of a runner: {labels}", f"as in {job.usual_labels}")
    folder = repository.top or repository.git_dir
    return Plan(job, int(found[1]), int(found[2]), folder, wanted)


def stamped(job: Job, kind: str, body: str) -> bytes:
    """Return a file of ours: its first line says so, with a sum by which an edit is seen."""
    return f"{job.stamp}{kind} {_sum(body)}\n{body}".encode()


def place(job: Job, path: Path, data: bytes) -> None:
    """Write a stamped file. Raises `UsageError` where there is another one, `ReadOnly`."""
    check(job, path)
    if not path.is_file() or path.read_bytes() != data:
        try:
            replace_file(path, data)
        except OSError as error:
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None


def is_ours(job: Job, path: Path) -> bool:
    """Return whether there is a stamped file, edited or not."""
    return path.is_file() and path.read_bytes().startswith(job.stamp.encode())


def check(job: Job, path: Path) -> None:
    """Raise `UsageError` for a file that is not ours, or not as it was written."""
    if not path.exists():
        return
    first, _, body = path.read_text("utf-8", "replace").partition("\n")
    if not first.startswith(job.stamp):
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
    words += [plan.job.name, *plan.job.words]
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
