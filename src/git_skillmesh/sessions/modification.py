"""What kind of change an exchange made.

In: its prompt and the net change of each file. Out: one of nine kinds.
"""

from collections.abc import Sequence
from enum import StrEnum

from .edits_as_diff import FileChange


class Modification(StrEnum):
    """The kinds of change; `unknown` where nothing speaks for any."""

    REFACTOR = "refactor"
    BUGFIX = "bugfix"
    FEATURE = "feature"
    DOCUMENTATION = "documentation"
    TEST = "test"
    CONFIG = "config"
    OPTIMISATION = "optimisation"
    STYLE = "style"
    UNKNOWN = "unknown"


def modification_of(prompt: str, changes: Sequence[FileChange]) -> Modification:
    """Return the kind of a change that a prompt asked for."""
    return Modification.UNKNOWN
