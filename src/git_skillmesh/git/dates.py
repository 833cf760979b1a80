"""Dates as people write them for git (`2 weeks ago`, `2026-02-21`), and as they read them.

In: a text, a stored time, the time of a commit. Out: a time in UTC as stored times are written, or
a time of the clock of whoever asks.
"""

import re
import time
from datetime import UTC, datetime

from ..errors import UsageError
from .process import GitFailed
from .repository import Repository

_DAY = re.compile(r"\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\s*")
_NOW = ("now", "today")


def time_of(repository: Repository, text: str, *, end: bool = False) -> str:
    """Return the time that git takes a text for, in ISO 8601. Raises `UsageError`.

    Of a day it is the beginning, or the `end`: git itself would take the time of day it is now.
    """
    asked, before = text, int(time.time())
    if _DAY.fullmatch(text):
        asked += " 23:59:59" if end else " 00:00:00"
    try:
        out = repository.git.run("rev-parse", f"--since={asked}").decode()
        seconds = int(out.strip().removeprefix("--max-age="))
        found = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (GitFailed, ValueError, OverflowError, OSError):
        found, seconds = "", before
    # git takes what it does not understand for the present moment.
    is_now = text.strip().lower() in _NOW or _DAY.fullmatch(text)
    if not found or (seconds >= before and not is_now):
        raise UsageError(f"not a date: {text}", "as git takes them: 2026-02-21, 2 weeks ago")
    return found


def local_time(iso: str) -> str:
    """Return a stored time as the user's clock had it, to the minute; "" without one."""
    try:
        when = datetime.fromisoformat(iso)
        return (
            (when if when.tzinfo else when.replace(tzinfo=UTC))
            .astimezone()
            .isoformat(" ", "minutes")[:16]
        )
    except (ValueError, OverflowError, OSError):
        return ""


def local_day(seconds: int) -> str:
    """Return the day of a commit as the user's calendar had it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "?"


def utc(seconds: int) -> str:
    """Return the time of a commit as stored times are written."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""
