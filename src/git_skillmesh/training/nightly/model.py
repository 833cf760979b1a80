"""What a run of the pipeline is asked for, and what it tells.

In: nothing. Out: `Options` (command line → pipeline), `Told` and `Report` (pipeline → report, which
is also kept on disk), as plain data.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from ..model import Form

SCHEMA = 1
# In this order; each is a command of this program, `evaluate` and `deploy` one of `adapters`.
STEPS = ("rewards", "export-rl", "train", "evaluate", "deploy")
PROGRAM = (sys.executable, "-P", "-m", "git_skillmesh")


class Did(StrEnum):
    """What became of a step."""

    RAN = "ran"
    SKIPPED = "skipped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    WOULD = "would run"


class Outcome(StrEnum):
    """What became of a run."""

    DONE = "done"
    NOTHING_NEW = "nothing new"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DRY_RUN = "dry run"


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for.

    `base` is a path or a hub id, "" if no step needs it. `minimum` is how many new lines make a
    training worth its while. `more` are further options of `train`. `program` begins each command
    line; tests put another one there.
    """

    base: str = ""
    method: Form = Form.SFT
    preset: str = "tiny"
    minimum: int = 20
    steps: tuple[str, ...] = STEPS
    force: bool = False
    dry_run: bool = False
    more: tuple[str, ...] = ()
    program: tuple[str, ...] = PROGRAM


@dataclass(frozen=True, slots=True)
class Told:
    """A step in the report: `why` in words, `figures` of its result, `code` its exit code."""

    name: str
    did: Did
    why: str
    seconds: float = 0.0
    code: int = 0
    figures: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """A run: `started` and `ended` are ISO 8601 in UTC, `code` is its exit code."""

    started: str
    commit: str
    outcome: Outcome = Outcome.DONE
    code: int = 0
    ended: str = ""
    seconds: float = 0.0
    steps: list[Told] = field(default_factory=list)
    log: str = ""
    next: str = ""

    def document(self) -> dict[str, Any]:
        """Return the report as JSON."""
        document = {"schema": SCHEMA, **asdict(self)}
        document["outcome"] = self.outcome.value
        for step in document["steps"]:
            step["did"] = step["did"].value
            step["command"] = list(step["command"])
        return document
