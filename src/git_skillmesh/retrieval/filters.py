"""Filters as people give them: names of languages in, the languages of the index out."""

from collections.abc import Iterable
from difflib import get_close_matches

from ..chunking.languages import LANGUAGES, languages_named
from ..errors import UsageError


def languages_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the languages that are meant. Raises `UsageError` for what is none."""
    found: dict[str, None] = {}
    for name in names:
        languages = languages_named(name)
        if not languages:
            close = get_close_matches(name.lower(), sorted(LANGUAGES), n=3)
            mend = f"did you mean {', '.join(close)}" if close else "see git skillmesh status"
            raise UsageError(f"unknown language {name!r}", mend)
        found |= dict.fromkeys(languages)
    return tuple(found)
