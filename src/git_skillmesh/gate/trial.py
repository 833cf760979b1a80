"""Whether a learning does what it says: its examples, tried both ways, and what its state needs.

In: the file of a learning as it was read. Out: `Problem`s, each with its line; none for a learning
that may be trusted as far as its state says.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from ..chunking.languages import extension_of
from ..learnings.model import Example, Learning, MatcherKind, State
from ..learnings.reading import Problem, ReadFile
from .matchers.compiling import compile_content, compile_message, compile_paths
from .matchers.message import CommitMessage
from .matchers.model import NotLookedAt, RuleError, TextFile
from .matchers.paths import ChangedPath
from .scope import Scope

# State → how many bad and good examples it takes.
NEEDED = {State.WARN: 1, State.BLOCK: 2}
_VARIABLE = re.compile(r"\$\$\$[A-Z_][A-Z0-9_]*|\$[A-Z_][A-Z0-9_]*")
_SIZED = re.compile(r"(.+) (\d{1,15})")


def try_learning(read: ReadFile) -> "list[Problem]":
    """Return what is wrong with a learning: its fields, its rule, its examples, its state."""
    learning = read.learning
    if learning is None:
        return list(read.problems)
    return sorted({*_rule_and_examples(read, learning), *_fields(read, learning)})


def hits(learning: Learning) -> "Callable[[Example], bool]":
    """Return what says whether the matcher of a learning matches an example.

    Raises `RuleError`; what is returned raises `NotLookedAt`.
    """
    trial = _Trial(learning)
    return lambda example: trial.may_match(example) and trial.matches(example)


def _rule_and_examples(read: ReadFile, learning: Learning) -> Iterator[Problem]:
    try:
        trial = _Trial(learning)
    except RuleError as error:
        nested = f"matcher.{error.field}"
        yield read.problem(nested if nested in read.lines else error.field, error.what)
        return
    for side, examples in (("bad", learning.bad), ("good", learning.good)):
        for number, example in enumerate(examples):
            name = f"examples.{side}.{number}"
            if name not in read.lines:
                name = f"examples.{side}"  # a single example needs no list
            said = trial.said(example, wanted=side == "bad")
            if said:
                yield read.problem(name, f"{side} example {number + 1} {said}")


class _Trial:
    """Holds a matcher against examples."""

    def __init__(self, learning: Learning) -> None:
        self._learning = learning
        self._scope = Scope(learning)
        self._kind = learning.matcher.kind
        if self._kind is MatcherKind.PATHS:
            self._paths = compile_paths(learning)
        elif self._kind is MatcherKind.MESSAGE:
            self._message = compile_message(learning)
        else:
            self._content = compile_content(learning)

    def said(self, example: Example, *, wanted: bool) -> str:
        """Return what is wrong with an example, "" if it is as it should be."""
        if bool(example.files) != (self._kind is MatcherKind.PATHS):
            return "must list files" if self._kind is MatcherKind.PATHS else "must have code"
        try:
            found = self.matches(example)
        except NotLookedAt as error:
            return f"is not looked at: {error}"
        if found == wanted:
            return ""
        if wanted and self._outside(example):
            return f"does not match: {example.path} is not of its languages and paths"
        return "does not match" if wanted else "matches"

    def may_match(self, example: Example) -> bool:
        """Whether it is worth looking: cheap, and never False where `matches` is True."""
        if self._kind in (MatcherKind.PATHS, MatcherKind.MESSAGE):
            return True
        return self._content.may_match(self._file(example))

    def matches(self, example: Example) -> bool:
        """Whether the matcher matches an example. Raises `NotLookedAt`."""
        if self._kind is MatcherKind.PATHS:
            return bool(list(self._paths.matches(changed_paths(example.files))))
        if self._kind is MatcherKind.MESSAGE:
            return bool(list(self._message.matches([CommitMessage("", example.code)])))
        return not self._outside(example) and bool(list(self._content.matches(self._file(example))))

    def _file(self, example: Example) -> TextFile:
        first = next(iter(self._learning.languages), "")
        path = example.path or f"example.{extension_of(first)}"
        return TextFile(path, example.code.encode("utf-8", "replace"))

    def _outside(self, example: Example) -> bool:
        if not example.path or self._kind is MatcherKind.MESSAGE:
            return False
        return not self._scope.covers(
            example.path, example.code[:16_384].encode("utf-8", "replace")
        )


def changed_paths(files: Sequence[str]) -> "list[ChangedPath]":
    """Return the changes that an example lists, each "PATH" or "PATH SIZE"."""
    found = []
    for entry in files:
        sized = _SIZED.fullmatch(entry)
        found.append(ChangedPath(sized[1], size=int(sized[2])) if sized else ChangedPath(entry))
    return found


def _fields(read: ReadFile, learning: Learning) -> Iterator[Problem]:
    """Yield complaints about fields that do not go together."""
    kind = learning.matcher.kind
    needed = NEEDED.get(learning.state, 0)
    for side, examples in (("bad", learning.bad), ("good", learning.good)):
        if len(examples) < needed:
            what = f"{needed} {side} example{'s' * (needed > 1)}"
            has = len(examples) or "none"
            yield read.problem("examples", f"{learning.state} needs {what}, there is {has}")
    if learning.state is State.BLOCK and learning.backtest is None and not learning.forced:
        what = "block needs a backtest, or in forced the reason why it goes without"
        yield read.problem("state", what)
    if kind is MatcherKind.MESSAGE:
        for name in ("languages", "paths"):
            if getattr(learning, name):
                yield read.problem(name, f"{name} mean nothing for a matcher of messages")
    if learning.fix.rewrite:
        if kind is not MatcherKind.AST:
            yield read.problem("fix", "fix.rewrite is for ast matchers; use fix.text")
        else:
            known = set(
                _VARIABLE.findall(repr(learning.matcher.rule) + repr(learning.matcher.utils))
            )
            for name in sorted(set(_VARIABLE.findall(learning.fix.rewrite)) - known):
                yield read.problem("fix.rewrite", f"fix.rewrite has {name}, the rule has not")
