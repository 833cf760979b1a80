"""Whether a learning applies to a language, and to files that match globs.

In: languages, globs, a tree. Out: a filter of what an index knows of learnings.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from ..git.globs import Globs
from ..git.repository import Repository
from ..git.trees import list_tree
from ..learnings.model import Learning, Matcher, MatcherKind
from .scope import Scope

_MAGIC = frozenset("*?[")


class Facts(Protocol):
    """What an index knows of a learning."""

    @property
    def kind(self) -> str:
        """The kind of its matcher."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it names."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Its globs."""


def covering(
    repository: Repository, tree: str, languages: Sequence[str], globs: Sequence[str]
) -> Callable[[Facts], bool] | None:
    """Return whether a learning is about a language, and about a file that matches a glob.

    Asked of the tree's files, and of the globs themselves that name one file: it may be new.
    None where nothing is asked for.
    """
    if not languages and not globs:
        return None
    wanted = Globs(tuple(globs))
    files = [glob for glob in globs if not _MAGIC & set(glob)]
    if globs:
        files += [path for path in list_tree(repository, tree) if wanted.match(path)]
    known: dict[object, bool] = {}

    def covers(facts: Facts) -> bool:
        if languages and facts.languages and not set(languages) & set(facts.languages):
            return False
        key = facts.kind, facts.languages, facts.paths
        if key not in known:
            matcher = Matcher(MatcherKind(facts.kind))
            learning = Learning("", "", "", matcher, languages=facts.languages, paths=facts.paths)
            scope = Scope(learning)
            known[key] = not globs or any(map(scope.covers, files))
        return known[key]

    return covers
