"""Learnings for tests of the gate, as objects and as the files of a repository."""

from typing import Any

from git_skillmesh.learnings.model import Example, Learning, Matcher, MatcherKind, Scope, State
from git_skillmesh.learnings.writing import write_learning


def literal(learning_id: str, text: str, state: State = State.BLOCK, **fields: Any) -> Learning:
    """Return a learning that looks for a text in added lines."""
    return made(learning_id, Matcher(MatcherKind.LITERAL, text=text), state, **fields)


def syntax(learning_id: str, rule: "dict[str, Any]", state: State = State.BLOCK) -> Learning:
    """Return a learning that looks for a rule of ast-grep in Python."""
    matcher = Matcher(MatcherKind.AST, scope=Scope.FILE, rule=rule)
    return made(learning_id, matcher, state, languages=("python",))


def made(learning_id: str, matcher: Matcher, state: State, **fields: Any) -> Learning:
    """Return a learning with a title and description that fit its id."""
    return Learning(
        learning_id, f"About {learning_id}", f"Why {learning_id}.", matcher, state, **fields
    )


def files_of(*learnings: Learning) -> "dict[str, str | bytes | None]":
    """Return the files of learnings, by path."""
    return {one.path: write_learning(one) for one in learnings}


def with_examples(learning: Learning, bad: "list[str]", good: "list[str]") -> Learning:
    """Return a learning with examples."""
    from dataclasses import replace

    return replace(
        learning,
        bad=tuple(Example(code=code) for code in bad),
        good=tuple(Example(code=code) for code in good),
    )
