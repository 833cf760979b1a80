"""Learnings to put into repositories.

In: an id and a title. Out: a learning of which nothing is missing.
"""

from typing import Any

from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind, State


def learning(learning_id: str, title: str, **more: Any) -> Learning:
    """Return a learning that looks for a word of its own."""
    fields: dict[str, Any] = {
        "description": f"{title}, because it went wrong once.",
        "matcher": Matcher(MatcherKind.LITERAL, text=f"{learning_id}("),
        "state": State.WARN,
        **more,
    }
    return Learning(learning_id, title, **fields)
