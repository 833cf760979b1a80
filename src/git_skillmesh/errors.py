"""What can go wrong, in the user's words: one class for the user's mistakes, named exit codes.

In: nothing. Out: `ExitCode` and the exceptions every room raises; `cli.main` turns them into
one line and an exit code.
"""

from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """The exit codes of every command, documented in docs/commands.md."""

    OK = 0
    NOTHING_FOUND = 1
    SECRETS_FOUND = 1  # the same number: a check that did not pass
    RECORDS_LEFT_OUT = 1  # an import that is not whole
    FINDINGS = 1  # a change brings in what a learning blocks
    USAGE = 2
    INTERNAL = 3
    NOT_A_REPOSITORY = 4
    CONFIGURATION = 5
    BUSY = 6
    UNAVAILABLE = 7
    DAMAGED = 8
    READ_ONLY = 9
    RULES_BROKEN = 10
    INTERRUPTED = 130


class SkillmeshError(Exception):
    """A mistake or a circumstance the user can mend: `what` happened and `mend`, how to go on."""

    exit_code = ExitCode.USAGE

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what}: {mend}" if mend else what)
        self.what = what
        self.mend = mend


class UsageError(SkillmeshError):
    """The command line asks for something that does not exist or does not fit."""


class NotARepository(SkillmeshError):
    """The folder is not inside a git repository, or git cannot open it."""

    exit_code = ExitCode.NOT_A_REPOSITORY


class ConfigurationError(SkillmeshError):
    """A setting has a value that cannot be used."""

    exit_code = ExitCode.CONFIGURATION


class Busy(SkillmeshError):
    """Another process holds the lock that this work needs."""

    exit_code = ExitCode.BUSY


class Unavailable(SkillmeshError):
    """A server, package, key or model that the configuration names cannot be reached."""

    exit_code = ExitCode.UNAVAILABLE


class Unreachable(Unavailable):
    """A server does not answer, or not as it should; it may do so later."""


class Damaged(SkillmeshError):
    """Stored data cannot be read; the message names the command that rebuilds it."""

    exit_code = ExitCode.DAMAGED


class ReadOnly(SkillmeshError):
    """The place that must be written cannot be written."""

    exit_code = ExitCode.READ_ONLY


def last_error(state: Path) -> dict[str, str] | None:
    """Return what went wrong in the last background run: time, what, where; None if all is well."""
    import json

    try:
        found = json.loads((state / "last-error.json").read_bytes())
        return {key: str(found[key]) for key in ("time", "what", "where")}
    except (OSError, ValueError, TypeError, KeyError):
        return None
