"""A marked block in the crontab of the user; every other byte stays as it is.

In: a plan. Out: the crontab that `crontab -l` shows, with the block or without it. Only the program
`crontab` reads and writes it: where it lies and who may touch it differs.
"""

import os
import shlex
import subprocess

from ..errors import Unavailable, UsageError
from ..git.repository import Repository
from ..marked import Marks
from .model import Job, Plan, Standing, command_of, mark_of, search_path

_LONGEST_LINE = 950  # cron of Debian and of BSD takes lines of 1,000 characters
# What programs say of a user who has none: those of Vixie's line, and busybox.
_NONE = (b"no crontab for", b"no such file")


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
    _write(marks.without(old))
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
    """Return the crontab, None if there is none.

    One that cannot be read is not taken for none, which would be written over; where it is only
    looked at (`optional`) it is.
    """
    try:
        done = _crontab("-l")
        if done.returncode and not any(said in done.stderr.lower() for said in _NONE):
            raise Unavailable("the crontab cannot be read", _said(done))
    except Unavailable:
        if optional:
            return None
        raise
    return None if done.returncode else done.stdout


def _write(text: bytes | None) -> None:
    """Replace the crontab, or remove it (None)."""
    done = _crontab("-r") if text is None else _crontab("-", stdin=text)
    if done.returncode:
        raise Unavailable("crontab did not take the schedule", _said(done))


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _crontab(*words: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["crontab", *words], input=stdin, capture_output=True, check=False, timeout=60,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        raise Unavailable(
            "there is no crontab here", "install cron, or --install systemd"
        ) from None
