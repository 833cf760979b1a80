"""From a learning to the matcher that looks for it.

In: a learning. Out: a matcher, or `RuleError` that says in one line what is wrong with its rule.
"""

from ...learnings.model import Learning, MatcherKind
from ..scope import unknown_languages
from .message import MessageMatcher
from .model import ContentMatcher, RuleError
from .paths import PathsMatcher
from .syntax import SyntaxMatcher
from .text import TextMatcher


def compile_content(learning: Learning, *, proven: bool = False) -> ContentMatcher:
    """Return the matcher of a learning of kind ast, regex or literal. Raises `RuleError`.

    With `proven` the same learning has been compiled before, by the same version of ast-grep.
    """
    _check_languages(learning)
    if learning.matcher.kind is MatcherKind.AST:
        return SyntaxMatcher(learning, proven=proven)
    if learning.matcher.kind in (MatcherKind.REGEX, MatcherKind.LITERAL):
        return TextMatcher(learning)
    raise _unfit(learning)


def compile_message(learning: Learning) -> MessageMatcher:
    """Return the matcher of a learning of kind message. Raises `RuleError`."""
    if learning.matcher.kind is not MatcherKind.MESSAGE:
        raise _unfit(learning)
    return MessageMatcher(learning)


def compile_paths(learning: Learning) -> PathsMatcher:
    """Return the matcher of a learning of kind paths. Raises `RuleError`."""
    _check_languages(learning)
    if learning.matcher.kind is not MatcherKind.PATHS:
        raise _unfit(learning)
    return PathsMatcher(learning)


def _check_languages(learning: Learning) -> None:
    for name in unknown_languages(learning):
        raise RuleError(f"no such language: {name}", "languages")


def _unfit(learning: Learning) -> RuleError:
    return RuleError(f"{learning.matcher.kind} is looked for in another way")
