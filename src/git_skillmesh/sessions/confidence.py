"""How likely the work of an exchange was kept.

In: a session, one of its exchanges, and what became of it. Out: a score from 0 to 1 and its parts.
"""

from dataclasses import dataclass

from .model import Exchange, Session

PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an exchange, as far as others know it; None where they do not."""

    committed: bool | None = None
    lines_linked: int = 0
    lines_alive: int | None = None
    reverted: bool | None = None


@dataclass(frozen=True, slots=True)
class Confidence:
    """`score` is 0..1; `parts` says what each piece of evidence was worth, by name."""

    score: float
    parts: tuple[tuple[str, float], ...] = ()


def confidence_of(session: Session, exchange: Exchange, fate: Fate) -> Confidence:
    """Return how likely the work of an exchange was kept."""
    return Confidence(PRIOR)
