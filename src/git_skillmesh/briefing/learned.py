"""Which learnings a prompt should be told of.

In: the enforced learnings of HEAD, files in play, how like the prompt each learning is. Out:
learnings, those that block first. A learning has to be about a file in play, and there has to be a
reason to think of it now: its paths were written for a file that the prompt names, or it is like
the prompt. Without any file in play it has to be very like it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..learnings.model import Learning

# Cosines with the prompt from which on a learning is told (docs/context-hook.md).
LIKE_NAMED, LIKE_TOUCHED, LIKE_ALONE = 0.33, 0.38, 0.45
_MOST = 4

# Path of a learning → how like the prompt it is; asked for at most once.
Likeness = Callable[[Collection[str]], Mapping[str, float]]


class Applied(NamedTuple):
    """A learning that applies: to which `files` in play, and how like the prompt it is."""

    learning: "Learning"
    files: tuple[str, ...]
    like: float
    named: bool


def applying(
    learnings: "Sequence[Learning]",
    named: Sequence[str],
    touched: Sequence[str],
    likeness: Likeness,
) -> list[Applied]:
    """Return the learnings to tell of; `named` files are in the prompt, `touched` ones in work."""
    from ..gate.scope import Scope
    from ..learnings.model import State

    found: list[Applied] = []
    unsure: list[tuple[Applied, float]] = []
    for one in learnings:
        scope = Scope(one)
        about_named = tuple(path for path in named if scope.covers(path))
        about = about_named or tuple(path for path in touched if scope.covers(path))
        applied = Applied(one, about, 0.0, bool(about_named))
        if about_named and one.paths:
            found.append(applied)
        elif about:
            unsure.append((applied, LIKE_NAMED if about_named else LIKE_TOUCHED))
        elif not named:  # a prompt that names other files is about those
            unsure.append((applied, LIKE_ALONE))
    alike = likeness([applied.learning.path for applied, _ in unsure]) if unsure else {}
    for applied, least in unsure:
        like = alike.get(applied.learning.path, 0.0)
        if like >= least:
            found.append(applied._replace(like=like))
    order = {State.BLOCK: 0, State.WARN: 1}
    found.sort(
        key=lambda a: (order[a.learning.state], not a.named, -a.like, a.learning.learning_id)
    )
    return found[:_MOST]
