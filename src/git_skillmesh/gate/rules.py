"""The learnings of a check, ready to be applied: which are about a file, which can match in it.

In: learnings. Out: `Rules`. A matcher is built when a file is there that it is about: of two
thousand learnings a change needs a few.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ..chunking.languages import language_of
from ..learnings.model import Learning, MatcherKind
from ..learnings.model import Scope as Span
from ..learnings.reading import Problem
from .matchers.compiling import compile_content
from .matchers.model import ContentMatcher, RuleError, TextFile
from .needles import needles_of
from .scope import Scope

_HEAD = 16_384


class Rule:
    """A learning about the content of files."""

    def __init__(self, learning: Learning, needles: tuple[str, ...], *, tried: bool) -> None:
        self.learning = learning
        self._needles = tuple(needle.encode("utf-8", "surrogatepass") for needle in needles)
        self._tried = tried
        self.by_line = learning.matcher.scope is Span.LINES

    def may_match(self, file: TextFile) -> bool:
        """Whether all is there that a match must have; False only if it cannot match."""
        text = _lower(file) if self.learning.matcher.ignore_case else file.searched
        return all(needle in text for needle in self._needles)

    @cached_property
    def matcher(self) -> ContentMatcher:
        """What finds it. Raises `RuleError`."""
        return compile_content(self.learning, proven=self._tried)


def _lower(file: TextFile) -> bytes:
    if "lower" not in file.kept:
        file.kept["lower"] = file.searched.lower()
    text: bytes = file.kept["lower"]
    return text


class Rules:
    """Learnings, sorted out by what they look at. States are not looked at here.

    Those that were `tried` before are known to be good; `needles` were worked out then. `broken`
    grows while rules are used: a rule that cannot be built is named there, once.
    """

    def __init__(
        self,
        learnings: Iterable[Learning],
        *,
        tried: bool = False,
        needles: "Mapping[str, tuple[str, ...]] | None" = None,
    ) -> None:
        self.learnings = {one.learning_id: one for one in learnings}
        self.broken: dict[str, Problem] = {}
        self.paths: list[Learning] = []
        self.messages: list[Learning] = []
        # Rules with the same languages and paths are asked together.
        self._groups: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[Scope, list[Rule]]] = {}
        for learning in self.learnings.values():
            if learning.matcher.kind is MatcherKind.PATHS:
                self.paths.append(learning)
            elif learning.matcher.kind is MatcherKind.MESSAGE:
                self.messages.append(learning)
            else:
                key = learning.languages, learning.paths
                group = self._groups.setdefault(key, (Scope(learning), []))
                own = needles.get(learning.learning_id) if needles else None
                group[1].append(
                    Rule(learning, needles_of(learning) if own is None else own, tried=tried)
                )

    def about(self, path: str, head: bytes = b"") -> list[Rule]:
        """Return the rules about the content of a file; its first bytes may tell the language."""
        language = language_of(path, head[:_HEAD])
        found: list[Rule] = []
        for scope, rules in self._groups.values():
            if scope.languages and language not in scope.languages:
                continue
            if scope.covers(path, head):
                found += rules
        return found

    def particular(self, path: str) -> bool:
        """Whether a rule is about a file for the sake of its language or path."""
        return any(
            (scope.languages or key[1]) and scope.covers(path)
            for key, (scope, _) in self._groups.items()
        )

    def usable(self, rules: Iterable[Rule]) -> Iterator[Rule]:
        """Yield the rules that can be built; the others are noted as broken."""
        for rule in rules:
            if rule.learning.learning_id in self.broken:
                continue
            try:
                rule.matcher  # noqa: B018
            except RuleError as error:
                self.note_broken(rule.learning, error)
            else:
                yield rule

    def note_broken(self, learning: Learning, error: RuleError) -> None:
        """Remember that a learning cannot be used."""
        self.broken[learning.learning_id] = Problem(learning.path, 1, error.what)
