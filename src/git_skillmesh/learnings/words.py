"""What somebody says a learning looks for, in words: a rule, examples.

In: text that a person or an agent has typed. Out: a `Matcher` of syntax, and `Example`s.
"""

from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from ..yamlnodes import Unreadable, read_yaml
from .model import Example, Matcher, MatcherKind, Scope


def examples_in(kind: MatcherKind, texts: Sequence[str]) -> tuple[Example, ...]:
    """Return examples of code; of a matcher of paths, files with commas between them."""
    if kind is MatcherKind.PATHS:
        return tuple(
            Example(files=tuple(name.strip() for name in text.split(",") if name.strip()))
            for text in texts
        )
    return tuple(Example(text if text.endswith("\n") else f"{text}\n") for text in texts)


def rule_of(data: bytes, name: str) -> Matcher:
    """Return the matcher of a file of ast-grep's: `rule:` with what belongs to it, or a rule.

    `name` is what it is called in an error. Raises `UsageError`.
    """
    try:
        document: Any = read_yaml(data).value()
    except Unreadable as error:
        raise UsageError(f"{name}:{error.line}: {error.what}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{name} is no ast-grep rule", "a mapping, such as: pattern: f($A)")
    parts = document if isinstance(document.get("rule"), dict) else {"rule": document}
    constraints, utils = parts.get("constraints"), parts.get("utils")
    for key, value in (("constraints", constraints), ("utils", utils)):
        if value is not None and not isinstance(value, dict):
            raise UsageError(f"{name}: {key} must be a mapping")
    return Matcher(
        MatcherKind.AST, Scope.FILE, rule=parts["rule"], constraints=constraints, utils=utils
    )
