"""What the steps of the learning loop hand to each other.

In: nothing. Out: `Reward` (rewards → export), `Sample` (export → training), as plain data. Adapters
and pipelines have models of their own beside what makes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# A session and one of its exchanges.
Pair = tuple[str, str]


class Verdict(StrEnum):
    """What became of the code of an exchange."""

    IMPLEMENTED = "rewarded_implemented"
    IGNORED = "ignored_not_implemented"
    TOO_YOUNG = "too_young"  # nobody can tell yet
    UNDECIDED = "undecided"  # old enough, and neither kept nor gone for certain
    NO_CODE = "no_code"  # it changed no line that a commit has


@dataclass(frozen=True, slots=True)
class Reward:
    """How well the work of one exchange has done.

    `score` is 0..1, `parts` its parts by name, each -1..1 (what is not known is left out).
    `linked`, `alive`, `in_substance` count lines: of commits that are linked to it, of these at
    `commit` as they were, and there only reformatted or renamed. `replaced_by` are later attempts
    at the same. `formula` is the version of how the score is made, `commit` the HEAD it was judged
    at, `time` when that was (ISO 8601, UTC).
    """

    session: str
    exchange: str
    verdict: Verdict
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
    linked: int = 0
    alive: int = 0
    in_substance: int = 0
    commits: tuple[str, ...] = ()
    replaced_by: tuple[Pair, ...] = ()
    formula: int = 1
    commit: str = ""
    time: str = ""


class Form(StrEnum):
    """What a data set is for; the keys of its lines are those that `trl` takes."""

    SFT = "sft"  # messages
    KTO = "kto"  # prompt, completion, label
    DPO = "dpo"  # prompt, chosen, rejected


# A message of a chat: role (system, user, assistant) and content.
Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a data set.

    `split` is train, validation or test; `tokens` an estimate. `about` is what is known of where it
    is from (session, exchange, commits, score), ids and numbers only.
    """

    sample_id: str
    form: Form
    split: str
    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]
    rejected: tuple[Message, ...] = ()
    label: bool = True
    tokens: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)
