"""Which of a hit's definitions answers the query.

In: the outline of a hit, what matches in its lines. Out: one definition. Only for what is shown:
the outline comes from the index, so nothing is parsed.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from ..chunking.model import Definition
from ..embedding.tokens import identifiers, parts
from ..index.documents import exact_name, joined, last_name
from .excerpt import Marks, stems_of
from .terms import Query

# A member is shown instead of what encloses it when it has nearly all that matches there; a
# namespace is no answer when something in it is.
_NEARLY_ALL, _ENOUGH = 0.8, 0.4
_AS_WRITTEN, _ANY_STYLE = 2.0, 1.0


def point(
    outline: Sequence[Definition],
    marked: Sequence[Marks],
    first: int,
    query: Query,
    weights: Mapping[str, float],
) -> Definition | None:
    """Return the definition to point at, None where nothing is defined.

    `marked` tells of the lines from `first` on, `weights` how much each stem of the query says.
    A definition scores by the words that its lines match, and once more by those in its name. A
    query that names it outweighs that.
    """
    if len(outline) < 2:
        return outline[0] if outline else None
    whole = sum(weights.values()) or 1.0
    # What comes before the name in Outer.method decides between equal names.
    qualified = 2.0 if query.is_identifier else 0.1
    parents = _parents(outline)
    scores = []
    for one, (start, end) in zip(outline, _spans(outline, parents), strict=True):
        inside = marked[max(start - first, 0) : max(end - first + 1, 0)]
        stems = frozenset().union(*(marks.stems for marks in inside))
        own = _stems_of_path(last_name(one.symbol))
        # A constructor has its name from the class.
        path = _stems_of_path(one.symbol)
        share = 0.5 if _is_constructor(one.symbol) else 1.0
        score = sum(
            weight * ((stem in stems) + share * (stem in own) + qualified * (stem in path))
            for stem, weight in weights.items()
        )
        scores.append(score + share * whole * _named(one, query, weights, whole))
    return outline[_best(outline, parents, scores)]


def _is_constructor(symbol: str) -> bool:
    scope, _, name = symbol.rpartition(".")
    return name == scope.rpartition(".")[2] != ""


def _named(one: Definition, query: Query, weights: Mapping[str, float], whole: float) -> float:
    """Return how much the query says the name itself, as written or in another style."""
    # `impl Name` does not define the name.
    if one.kind == "impl":
        return 0.0
    as_written, any_style = _name_keys(last_name(one.symbol))
    for factor, key, names in (
        (_AS_WRITTEN, as_written, query.exact),
        (_ANY_STYLE, any_style, query.joined),
    ):
        stems = names.get(key)
        if stems is not None:
            share = sum(weights.get(stem, 0.0) for stem in set(stems)) / whole
            return factor * (2.0 if query.is_identifier else share)
    return 0.0


@lru_cache(maxsize=4_096)
def _name_keys(name: str) -> tuple[int, int]:
    """Return the hashes of a name as it is written and in any style."""
    return exact_name(name), joined(parts(name))


@lru_cache(maxsize=4_096)
def _stems_of_path(symbol: str) -> frozenset[str]:
    """Return the stems of all names of a symbol path."""
    return frozenset().union(*map(stems_of, identifiers(symbol)))


def _parents(outline: Sequence[Definition]) -> list[int]:
    """Return for each definition the number of the one that encloses it, -1 for none."""
    parents: list[int] = []
    around: list[int] = []
    for number, one in enumerate(outline):
        while around and not _encloses(outline[around[-1]], one):
            around.pop()
        parents.append(around[-1] if around else -1)
        around.append(number)
    return parents


def _encloses(other: Definition, one: Definition) -> bool:
    return one.symbol.startswith((f"{other.symbol}.", f"{other.symbol} > "))


def _spans(outline: Sequence[Definition], parents: Sequence[int]) -> list[tuple[int, int]]:
    """Return the lines of each definition, its members in the same hit included."""
    spans = [(one.start_line, one.end_line) for one in outline]
    for number in reversed(range(len(outline))):
        parent = parents[number]
        if parent >= 0:
            (start, end), (first, last) = spans[parent], spans[number]
            spans[parent] = min(start, first), max(end, last)
    return spans


def _best(outline: Sequence[Definition], parents: Sequence[int], scores: Sequence[float]) -> int:
    """Return the number of the best definition: of the outermost, then of its members.

    Those that enclose the best one come along, however little they say themselves.
    """
    reached = list(scores)
    for number in reversed(range(len(scores))):
        if parents[number] >= 0:
            reached[parents[number]] = max(reached[parents[number]], reached[number])
    chosen, least = -1, 0.0
    while True:
        members = [number for number, parent in enumerate(parents) if parent == chosen]
        best = max(members, key=lambda number: (reached[number], -number), default=None)
        if best is None or reached[best] < least:
            return chosen
        enough = _ENOUGH if outline[best].kind == "module" else _NEARLY_ALL
        chosen, least = best, max(enough * scores[best], 1e-9)
