"""From what is known of an exchange's work to parts, a score and a verdict. Pure.

In: `Evidence`, counts of lines and other facts. Out: parts (each -1..1, None where nobody knows),
a score of 0..1, a `Verdict`. docs/rewards.md has the formula, where the weights come from, and
what it is known to get wrong.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..model import Verdict

# Raised whenever the same evidence would give another score.
FORMULA = 2
PRIOR = 0.3
WEIGHTS = {
    "alive": 2.5,
    "in_substance": 4.5,
    "lasted": 3.5,
    "reverted": 3.0,
    "replaced": 2.5,
    "corrected": 1.5,
    "never_committed": 2.5,
    "tests": 0.5,
}
IMPLEMENTED_FROM, IGNORED_TO = 0.6, 0.4
# Fewer lines that are gone prove nothing, unless it is known who took them; nor does a smaller
# share that others have taken.
LEAST_LINES, MOST = 3, 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the work of one exchange; counts are lines.

    `linked` lines of commits are its own, `alive` of these are there as they were, `in_substance`
    only reformatted, renamed or moved. Of the others, `lasted` went after they had stood as long
    as it takes to judge, `reverted` by a commit that took the work back, `replaced` by another
    exchange, `corrected` soon by a commit of a person. Of the `written` lines that its edits left,
    `redone` were taken away by other exchanges before anybody committed them, and `amended` by a
    person who changed the edits before they were made. `missing` says that
    nothing of it was ever committed (None: nobody knows). `tests` is -1..1. With `young`, it is
    too early to judge.
    """

    written: int = 0
    linked: int = 0
    alive: int = 0
    in_substance: int = 0
    lasted: int = 0
    reverted: int = 0
    replaced: int = 0
    corrected: int = 0
    redone: int = 0
    missing: bool | None = None
    tests: float | None = None
    committed: bool = False
    young: bool = False
    amended: int = 0


def parts_of(evidence: Evidence) -> dict[str, float]:
    """Return the parts that are known, by name."""
    found = {
        "alive": alive(evidence),
        "in_substance": in_substance(evidence),
        "lasted": lasted(evidence),
        "reverted": reverted(evidence),
        "replaced": replaced(evidence),
        "corrected": corrected(evidence),
        "never_committed": never_committed(evidence),
        "tests": evidence.tests,
    }
    return {name: round(value, 3) for name, value in found.items() if value is not None}


def alive(evidence: Evidence) -> float | None:
    """Return the share of linked lines that are there as they were: -1 for none, 1 for all."""
    return 2 * evidence.alive / evidence.linked - 1 if evidence.linked else None


def in_substance(evidence: Evidence) -> float | None:
    """Return the share of linked lines that are there in substance alone, 0 to 1."""
    return _share(evidence.in_substance, evidence)


def lasted(evidence: Evidence) -> float | None:
    """Return the share of linked lines that went only after a life of their own, 0 to 1."""
    return _share(evidence.lasted, evidence)


def reverted(evidence: Evidence) -> float | None:
    """Return minus the share of linked lines that a commit took back."""
    return _minus(_share(evidence.reverted, evidence))


def replaced(evidence: Evidence) -> float | None:
    """Return minus the share of its lines that other exchanges replaced, in or before commits."""
    shares = [_share(evidence.replaced, evidence)]
    if evidence.redone and evidence.written:
        shares.append(min(evidence.redone / evidence.written, 1.0))
    known = [share for share in shares if share is not None]
    return _minus(max(known)) if known else None


def corrected(evidence: Evidence) -> float | None:
    """Return minus the share of its lines that a person wrote otherwise: soon, or at once."""
    shares = [_share(evidence.corrected, evidence)]
    if evidence.amended and evidence.written:
        shares.append(min(evidence.amended / evidence.written, 1.0))
    known = [share for share in shares if share is not None]
    return _minus(max(known)) if known else None


def never_committed(evidence: Evidence) -> float | None:
    """Return -1 where it is known that nothing of it was committed."""
    return -1.0 if evidence.missing and not evidence.committed else None


def score_of(parts: Mapping[str, float]) -> float:
    """Return the score, 0..1: the parts move the odds of the prior, each by its weight."""
    odds = PRIOR + sum(WEIGHTS[name] * value for name, value in parts.items())
    return round(1 / (1 + math.exp(-odds)), 3)


def verdict_of(evidence: Evidence, parts: Mapping[str, float]) -> Verdict:
    """Return what is to be said of it."""
    if not evidence.written and not evidence.committed:
        return Verdict.NO_CODE
    if evidence.young:
        return Verdict.TOO_YOUNG
    score = score_of(parts)
    if score >= IMPLEMENTED_FROM and "alive" in parts:
        return Verdict.IMPLEMENTED
    taken = min(parts.get("replaced", 0.0), parts.get("reverted", 0.0)) <= -MOST
    taken = taken and max(evidence.written, evidence.linked) >= LEAST_LINES
    lost = evidence.linked >= LEAST_LINES or "never_committed" in parts
    # What stood in part was not ignored, whoever went on from it; unless it was taken back.
    stood = evidence.alive + evidence.in_substance + evidence.lasted > 0
    stood = stood and parts.get("reverted", 0.0) > -MOST
    ignored = score <= IGNORED_TO and (taken or lost) and not stood
    return Verdict.IGNORED if ignored else Verdict.UNDECIDED


def _share(lines: int, evidence: Evidence) -> float | None:
    return min(lines / evidence.linked, 1.0) if lines and evidence.linked else None


def _minus(share: float | None) -> float | None:
    return None if share is None else -share
