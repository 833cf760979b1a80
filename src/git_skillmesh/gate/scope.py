"""Which files a learning is about: by language and by path.

In: learnings. Out: whether a path is covered, and which of them are about it.
"""

from collections.abc import Iterable

from ..chunking.languages import LANGUAGES, language_of
from ..git.globs import Globs
from ..learnings.model import FOLDER, Learning, MatcherKind, State

# A language that is another one with markup in it is meant with it.
_WITH = {"javascript": ("jsx",), "typescript": ("tsx",)}


class Scope:
    """The files of a learning: of one of its languages, if it names any, and of its paths.

    `paths` are globs as in .gitignore; one that begins with "!" takes files away, wherever it
    stands in the list. The files of learnings themselves are full of bad examples, so only rules
    about paths cover them.
    """

    def __init__(self, learning: Learning) -> None:
        self.languages = frozenset(
            name for word in learning.languages for name in (word, *_WITH.get(word, ()))
        )
        within = [glob for glob in learning.paths if not glob.startswith("!")]
        without = [glob[1:] for glob in learning.paths if glob.startswith("!")]
        self._within = Globs(within) if within else None
        self._without = Globs(without)
        self._learnings = learning.matcher.kind is MatcherKind.PATHS

    def covers(self, path: str, head: bytes = b"") -> bool:
        """Whether the learning is about a file; `head`, its first bytes, may tell the language."""
        if path.startswith(f"{FOLDER}/") and not self._learnings:
            return False
        if self._within is not None and not self._within.match(path):
            return False
        if self._without.match(path):
            return False
        return not self.languages or language_of(path, head) in self.languages


def unknown_languages(learning: Learning) -> "list[str]":
    """Return the languages of a learning that no file can have."""
    return [name for name in learning.languages if name not in LANGUAGES]


def applying_to(path: str, learnings: Iterable[Learning]) -> list[Learning]:
    """Return the learnings that are about a file; a retired one is not looked for any more."""
    known = (one for one in learnings if one.state is not State.RETIRED)
    return [one for one in known if Scope(one).covers(path)]
