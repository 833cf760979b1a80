"""A marked block in the crontab of the user; every other byte stays as it is.

In: a plan. Out: the crontab that `crontab -l` shows, with the block or without it. Only the program
`crontab` reads and writes it: where it lies and who may touch it differs.
"""

import shlex
import subprocess

from ..errors import Unavailable, UsageError
from ..git.repository import Repository
from ..marked import Marks
from .model import Job, Plan, Standing, command_of, mark_of, search_path

_LONGEST_LINE = 950  # cron of Debian and of BSD takes lines of 1,000 characters


def install(repository: Repository, plan: Plan) -> Standing:
    """Set the schedule. Raises `Unavailable`, `UsageError`."""
    old = _read()
    section = f"# {_shown(plan)}\n{_line(plan)}"
    new = _marks(repository, plan.job).merged(old, section)
    if new != old:
        _write(new)
    return Standing("cron", "crontab", plan.at)


def remove(repository: Repository, job: Job) -> Standing | None:
    """Take the schedule away; None if there is none. Raises `Unavailable`, `UsageError`."""
    old = _read(optional=True)
    marks = _marks(repository, job)
    if old is None or marks.find(old) is None:
        return None
    new = marks.without(old)
    if new is None:
        _crontab("-r")
    else:
        _write(new)
    return Standing("cron", "crontab")


def status(repository: Repository, job: Job) -> Standing | None:
    """Return the schedule as it stands, None if there is none."""
    found = _marks(repository, job).find(_read(optional=True) or b"")
    if found is None:
        return None
    words = found.text.strip().splitlines()[-1].split()[:2]
    at = f"{int(words[1]):02}:{int(words[0]):02}" if all(map(bytes.isdigit, words)) else ""
    return Standing("cron", "crontab", at, "edited" if found.edited else "")


def _line(plan: Plan) -> str:
    words = [f"PATH={shlex.quote(search_path())}", *map(shlex.quote, command_of(plan))]
    # cron ends a command at `%` and takes the backslash before one away, within quotes too.
    line = f"{plan.minute} {plan.hour} * * * " + " ".join(words).replace("%", "\\%")
    if len(line.encode()) > _LONGEST_LINE:
        short = line.replace(words[0] + " ", "PATH=/usr/local/bin:/usr/bin:/bin ")
        if len(short.encode()) > _LONGEST_LINE:
            raise UsageError("the paths are too long for a line of a crontab")
        return short
    return line


def _shown(plan: Plan) -> str:
    job = plan.job
    return f"{job.about} of {plan.folder}; git skillmesh {job.name} --remove takes this away"


def _marks(repository: Repository, job: Job) -> Marks:
    return Marks(f"git-skillmesh {job.name} {mark_of(repository)}", "# ", "", summed=True)


def _read(*, optional: bool = False) -> bytes | None:
    """Return the crontab, None if there is none."""
    try:
        done = _crontab("-l")
    except Unavailable:
        if optional:
            return None
        raise
    return done.stdout if done.returncode == 0 else None


def _write(text: bytes) -> None:
    done = _crontab("-", stdin=text)
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unavailable("crontab did not take the schedule", lines[-1] if lines else "")


def _crontab(*words: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["crontab", *words], input=stdin, capture_output=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        raise Unavailable(
            "there is no crontab here", "install cron, or --install systemd"
        ) from None
