"""What to try when nothing was found.

In: a view and a query. Out: names that exist and look alike.
"""

from difflib import get_close_matches

from ..index.view import View
from .terms import Query

_MOST_NAMES = 20_000
_SHOWN = 3


def suggest(view: View, query: Query) -> tuple[str, ...]:
    """Return up to three symbols whose names are close to the query's words."""
    names: dict[str, str] = {}
    for symbol in view.symbols()[:_MOST_NAMES]:
        last = symbol.replace(" > ", ".").rpartition(".")[2]
        names.setdefault(last.lower(), last)
    wanted = "".join(query.text.lower().split())
    close = get_close_matches(wanted, names, n=_SHOWN, cutoff=0.7)
    return tuple(names[name] for name in close if names[name] != query.text)
