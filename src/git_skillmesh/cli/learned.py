"""How commands tell which learnings came of a conversation, a commit or a line.

In: learnings and why each is told of. Out: lines for people, documents for machines.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ..index.learned import Reasons
from ..learnings.model import Learning
from .columns import clip
from .context import Context


def learned_line(context: Context, learning: Learning, reasons: Sequence[str] = ()) -> str:
    """Return a learning in a line."""
    state = f"[{learning.state}]"
    name = f"{state} {learning.learning_id}  {learning.title}"
    because = f"  (of the {' and the '.join(reasons)})" if reasons else ""
    shown = clip(name, max(context.width - 12 - len(because), 40))
    return f"{shown}{context.style.dim(because)}"


def learned_lines(context: Context, found: Reasons) -> Iterator[str]:
    """Yield a line for each learning, the first of them with a label."""
    label = "learned"
    for learning, reasons in found.values():
        yield f"  {context.style.dim(f'{label:<10}')}{learned_line(context, learning, reasons)}"
        label = ""


def learning_document(learning: Learning) -> dict[str, Any]:
    """Return a learning as JSON has it beside something else."""
    return {
        "learning_id": learning.learning_id,
        "title": learning.title,
        "state": learning.state,
        "path": learning.path,
    }


def group_document(found: Reasons) -> list[dict[str, Any]]:
    """Return the learnings of some lines as JSON has them."""
    return [{**learning_document(one), "because": reasons} for one, reasons in found.values()]
