"""Learnings for tests: one with the matcher that a test is about.

In: a matcher's fields. Out: `Learning`s, and the text of files of learnings.
"""

from typing import Any

from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind


def learning(kind: str, *, languages: tuple[str, ...] = (), paths: tuple[str, ...] = (),
             fields: "dict[str, Any] | None" = None, **matcher: Any) -> Learning:  # fmt: skip
    """Return a learning with a matcher of a kind; `fields` are those of the learning itself."""
    return Learning(
        learning_id="one",
        title="A title",
        description="A description",
        matcher=Matcher(MatcherKind(kind), **matcher),
        languages=languages,
        paths=paths,
        **(fields or {}),
    )
