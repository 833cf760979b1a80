"""What kind of change an exchange made.

In: the words that asked for it, the net change of each file, and commit messages that the agent
wrote. Out: one of nine kinds.

A commit message that names its type decides. Otherwise a linear model over readable features
does (modification_features.py); its weights stand in modification.json and are written by
training/fit_modification.py. Where no kind is likely enough, the answer is `unknown`.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from .edits_as_diff import FileChange
from .model import Act, Exchange
from .modification_features import Features, diff_features, text_features


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


KINDS = tuple(kind for kind in Modification if kind != Modification.UNKNOWN)

# Types of the convention (conventionalcommits.org) as they are in use.
OF_TYPE: Mapping[str, Modification] = {
    "feat": Modification.FEATURE, "feature": Modification.FEATURE, "fix": Modification.BUGFIX,
    "bugfix": Modification.BUGFIX, "hotfix": Modification.BUGFIX,
    "docs": Modification.DOCUMENTATION, "doc": Modification.DOCUMENTATION,
    "test": Modification.TEST, "tests": Modification.TEST, "refactor": Modification.REFACTOR,
    "perf": Modification.OPTIMISATION, "style": Modification.STYLE, "chore": Modification.CONFIG,
    "build": Modification.CONFIG, "ci": Modification.CONFIG, "deps": Modification.CONFIG,
}  # fmt: skip

_TYPED = re.compile(r"([a-z]{2,8})(?:\([^()\n]{0,80}\))?!?: \S")
_MESSAGE = re.compile(
    r"(?:^|\s)(?:-[a-z]*m|--message)[ =]*(?:\"\$\(cat <<-?\s*\\?['\"]?\w+['\"]?\s*\n)?['\"]?"
)
_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Weights:
    """`values`: feature → a weight for each of `KINDS`.

    `least` says how likely a kind has to be to be named, `least_by_words` the same where no change
    is recorded and words are all there is.
    """

    values: Mapping[str, Sequence[float]]
    start: Sequence[float]
    least: float
    least_by_words: float


@cache
def weights() -> Weights:
    """Read the shipped weights."""
    document = json.loads(Path(__file__).with_name("modification.json").read_bytes())
    order = [document["kinds"].index(kind) for kind in KINDS]
    values = {name: [row[n] for n in order] for name, row in document["weights"].items()}
    return Weights(
        values, [document["start"][n] for n in order], document["least"], document["least_by_words"]
    )


def modification_of(
    exchange: Exchange, asked: str, answered: str, changes: Sequence[FileChange]
) -> Modification:
    """Return the kind of change that an exchange made.

    `asked` and `answered` are its prompt and response in short. An exchange that changed nothing,
    as far as its tools tell, is of no kind.
    """
    if told := told_type(exchange):
        return told
    if not changes and not any(call.act == Act.EDIT or call.commits for call in exchange.tools):
        return Modification.UNKNOWN
    return likely(features_of(asked, answered, changes))


def told_type(exchange: Exchange) -> Modification | None:
    """Return the type that most commits of the agent name, the first one where they tie."""
    found = Counter(kind for call in exchange.tools if call.commits for kind in _types(call.input))
    return found.most_common(1)[0][0] if found else None


def features_of(asked: str, answered: str, changes: Sequence[FileChange]) -> Features:
    """Return what speaks; an answer is listened to where the question hints at nothing."""
    heard = text_features(asked)
    if len(heard) < 2:
        heard = text_features(answered) or heard
    return {**heard, **diff_features(changes)}


def likely(features: Features, shipped: Weights | None = None) -> Modification:
    """Return the most likely kind, `unknown` if it is not likely enough."""
    use = shipped or weights()
    if not features:
        return Modification.UNKNOWN
    chances = chances_of(features, use)
    best = max(range(len(KINDS)), key=chances.__getitem__)
    least = use.least if "diff" in features else use.least_by_words
    return KINDS[best] if chances[best] >= least else Modification.UNKNOWN


def chances_of(features: Features, use: Weights) -> list[float]:
    """Return how likely each of `KINDS` is."""
    scores = list(use.start)
    for name, value in features.items():
        for place, weight in enumerate(use.values.get(name, ())):
            scores[place] += weight * value
    highest = max(scores)
    parts = [math.exp(score - highest) for score in scores]
    total = sum(parts)
    return [part / total for part in parts]


def _types(command: str) -> Iterator[Modification]:
    """Yield the types of the messages in a command line with `git commit -m`."""
    text = command[:_LOOKED_AT]
    for message in _MESSAGE.finditer(text):
        typed = _TYPED.match(text, message.end())
        if typed and typed[1] in OF_TYPE:
            yield OF_TYPE[typed[1]]
