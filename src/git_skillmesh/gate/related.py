"""Learnings and conversations about the code that a change touches: notes, never findings."""

from collections.abc import Iterable

from ..git.objects import BlobReader
from ..learnings.model import Learning
from .change import Change
from .model import Related


def related_to(
    change: Change, learnings: Iterable[Learning], reader: BlobReader
) -> tuple[Related, ...]:
    """Return notes."""
    return ()
