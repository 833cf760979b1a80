"""Prompts that a user picks: explain a line, review a change. The facts are filled in.

In: a place, or a range of commits. Out: one message with the retrieved facts, marked as data.
"""

import functools
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.prompts.base import Prompt
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from ..errors import SkillmeshError
from .answers import one_line, writable
from .host import Host
from .tooling import error_line

_BUDGET = 6_000


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the prompts."""

    def explain_this_line(file: str, line: str) -> str:
        from .tools.why import explain

        place = one_line(f"{file}:{line}", 200)
        return (
            f"Explain why {place} is as it is: what was asked for, what was decided, what holds "
            "for it now. Say what is evidence and what you infer; where no conversation is known, "
            "say so.\n\n" + explain(host, file, line, budget=_BUDGET)
        )

    def review_with_our_learnings(range: str = "") -> str:  # noqa: A002  # users see the name
        from .tools.checking import checked

        what = one_line(range, 100) or "the working tree"
        return (
            f"Review {what} with what this team has learned. Begin with the findings below, "
            "those that block first: say for each whether it holds here and what to change. Then "
            "look for what the learnings and conversations named below make you doubt.\n\n"
            + checked(host, range, budget=_BUDGET, related=True)
        )

    for function, description in (
        (explain_this_line, "Why a line is as it is, from the conversation that made it"),
        (review_with_our_learnings, "Review a range of commits, or the working tree"),
    ):
        name = function.__name__.replace("_", "-")
        server.add_prompt(Prompt.from_function(_told(function), name, description=description))


def _told(function: Callable[..., str]) -> Callable[..., str]:
    """Return a function whose mistakes of the user are those of the protocol."""

    @functools.wraps(function)
    def fill(*args: Any, **kwargs: Any) -> str:
        try:
            return writable(function(*args, **kwargs))
        except SkillmeshError as error:
            raise MCPError(INVALID_PARAMS, error_line(error)) from None

    return fill
