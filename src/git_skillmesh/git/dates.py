"""Dates as git understands them: "2 weeks ago", "2026-01-31", "yesterday".

In: text. Out: a time in UTC.
"""

import time

from ..errors import UsageError
from .repository import Repository

_NOW = ("now", "today")


def time_of(repository: Repository, text: str) -> str:
    """Return the time that a text means as ISO 8601. Raises `UsageError` for what is no date."""
    before = int(time.time())
    said = repository.git.run("rev-parse", f"--since={text}").decode().strip()
    seconds = int(said.removeprefix("--max-age="))
    # git takes what it does not understand for the present moment.
    if seconds >= before and text.strip().lower() not in _NOW:
        raise UsageError(f"not a date in the past: {text}", "write 2026-01-31, or '2 weeks ago'")
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
