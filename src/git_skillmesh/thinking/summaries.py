"""What came of a session of thoughts, by extraction: no model is asked.

In: a history. Out: `Summary`: how it began, what was revised and decided, how each line ended.
"""

import re
from dataclasses import dataclass

from ..sessions.summaries import summary_of_response
from .history import History, Step

_MOST = 5
_DECIDES = re.compile(
    r"\b(decision|decided?|conclusion|concluded|settled? on|chosen|we (?:will|'ll) (?:use|keep|"
    r"take|go)|go(?:ing)? with|instead of|entschieden|entscheidung|d\u00e9cid\u00e9|"
    r"decidimos|decisi\u00f3n)\b|\u51b3\u5b9a|\u6c7a\u5b9a",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A step in a sentence or two; `before` is what it said at first, where it was revised."""

    number: int
    branch: str
    text: str
    before: str = ""
    revised_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The first thought, those that were revised, those that decide something, the last ones.

    `ends` has the last step of the main line and of each branch. What is the first or a last step
    is not among `decided` again.
    """

    first: Said
    revised: tuple[Said, ...]
    decided: tuple[Said, ...]
    ends: tuple[Said, ...]


def summary_of(found: History) -> Summary:
    """Return the summary of a session."""
    steps = found.steps
    ends = tuple(line.steps[-1] for line in found.lines)
    revised = [step for step in steps if len(step.versions) > 1 or found.revised_by(step)]
    shown = {(step.branch, step.number) for step in (steps[0], *ends, *revised[-_MOST:])}
    decided = [
        step
        for step in steps
        if (step.branch, step.number) not in shown and _DECIDES.search(step.latest.text)
    ]
    return Summary(
        _said(found, steps[0]),
        tuple(_said(found, step) for step in revised[-_MOST:]),
        tuple(_said(found, step) for step in decided[-_MOST:]),
        tuple(_said(found, step) for step in ends),
    )


def _said(found: History, step: Step) -> Said:
    first = step.versions[0]
    before = summary_of_response(first.text) if len(step.versions) > 1 else ""
    later = tuple(other.number for other in found.revised_by(step))
    return Said(step.number, step.branch, in_short(step.latest.text), before, later)


def in_short(text: str) -> str:
    """Return a thought in a sentence or two."""
    return summary_of_response(text) or " ".join(text.split())[:200]
