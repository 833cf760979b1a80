"""What the steps of the learning loop hand to each other.

In: nothing. Out: `Reward` (rewards → export), `Sample` (export → training), `Adapter` (training →
adapters), `Judgement` (evaluation → deployment), as plain data.
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


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained adapter: a folder that is complete, and never changes.

    `name` is that of its folder, lora_codelearn_YYYYMMDD or with `.2`, `.3` … behind it. `base` is
    what was given (a path or a hub id), `base_sha256` the hash of its weights and configuration.
    `parent` is the adapter that training went on from, "" for none. `data_sha256` is the hash of
    the data file, `commit` the HEAD that it was made at, `time` when training ended (ISO 8601,
    UTC), `metrics` the last numbers of the training.
    """

    name: str
    base: str
    base_sha256: str
    method: Form
    data_sha256: str
    parent: str = ""
    commit: str = ""
    time: str = ""
    seed: int = 0
    steps: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval, from a bootstrap over groups of lines that belong together."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Marks:
    """What one model does on held-out lines.

    `loss` is nats a token of the completions, `general` the same on code that has nothing to do
    with the repository. `exact` and `similar` compare the edits that the model writes with those
    that stayed: the share that is the same, and the mean similarity, 0..1; None if it was not asked
    to write.
    """

    loss: Interval
    general: Interval
    exact: float | None
    similar: float | None
    lines: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """An adapter, its base, and the active adapter (None if there is none) on the same lines.

    `over_base` and `over_active` are differences of losses, line by line: below 0 the adapter is
    better. `better` is the decision, `reasons` say why, in words. `against` is the name of the
    active adapter, "" for none; `over_general` compares with the base on general code; `groups` of
    lines were drawn from for the intervals.
    """

    adapter: str
    marks: Marks
    base: Marks
    active: Marks | None
    over_base: Interval
    over_active: Interval | None
    better: bool
    reasons: tuple[str, ...]
    data_sha256: str
    time: str
    against: str = ""
    over_general: Interval | None = None
    groups: int = 0
