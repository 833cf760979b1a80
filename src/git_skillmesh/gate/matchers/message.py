"""Rules about the messages of commits.

In: a learning of kind message, and messages. Out: `MessageMatch`es. Merges, and commits that a
rebase will fold into others (fixup!, squash!, amend!), are left alone: their text is git's own, or
will be gone. Of a revert, what git itself wrote is not held against its author.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...learnings.model import Learning
from .expressions import compile_expression, shortened

LONGEST = 100_000  # characters of a message that are looked at
_FOLDED = ("fixup! ", "squash! ", "amend! ")
_REVERTED = re.compile(r'(?:Revert|Reapply) "')
_BY_GIT = re.compile(r'(?m)^(?:(?:Revert|Reapply) ".*"|This reverts commit [0-9a-f]{7,64}.*)$')


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """A message, without the comments of the editor. `commit` is "" before there is one."""

    commit: str
    text: str
    merge: bool = False


@dataclass(frozen=True, slots=True)
class MessageMatch:
    """A message that a rule is about: the matched line of it, or its first where one is missing."""

    commit: str
    line: int
    text: str
    why: str


class MessageMatcher:
    """Finds messages with a text that they must not have, or without one that they must.

    Raises `RuleError` where the expression does not compile.
    """

    def __init__(self, learning: Learning) -> None:
        rule = learning.matcher
        self._required = rule.required
        self._pattern = shortened(rule.regex)
        self._expression = compile_expression(
            rule.regex, ignore_case=rule.ignore_case, field="regex", lines=True
        )

    def matches(self, messages: Iterable[CommitMessage]) -> Iterator[MessageMatch]:
        """Yield at most one match a message."""
        for message in messages:
            text = message.text[:LONGEST].replace("\r\n", "\n").strip("\n")
            if message.merge or text.startswith(_FOLDED):
                continue
            match = self._match(message.commit, text)
            if match is not None:
                yield match

    def _match(self, commit: str, text: str) -> MessageMatch | None:
        searched = text
        if not self._required and _REVERTED.match(text):
            searched = _BY_GIT.sub("", text)
        data = searched.encode("utf-8", "replace")
        found = self._expression.search(data)
        if self._required:
            first = text.partition("\n")[0]
            return None if found else MessageMatch(commit, 1, first, f"lacks {self._pattern}")
        if found is None:
            return None
        number = data.count(b"\n", 0, found.start()) + 1
        return MessageMatch(commit, number, text.split("\n")[number - 1], "found")
