"""From pieces to chunks: small neighbours are merged, keys are given out, text is decoded.

A `Piece` is a run of whole lines that a splitter (tree, sections, paragraphs) does not want to
divide. `pack` merges pieces that stand in the same place and hands out `Chunk`s.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from git_skillmesh.chunking.comments import join_comments
from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.model import Chunk, Definition


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large chunks become, in bytes that are not white space.

    target  groups grow up to this; what is larger than `limit` is divided
    limit   what is not larger stays whole
    small   a definition below this is merged with small neighbours
    tiny    a remnant without a definition below this joins whatever stands beside it
    """

    target: int = 1200
    limit: int = 1500
    small: int = 300
    tiny: int = 40


_MOST_DEFINITIONS = 200


class Named(NamedTuple):
    """A definition on the rows first..last, 0-based: its name, "" for an impl, stands on `row`."""

    name: str
    symbol: str
    kind: str
    row: int
    first: int
    last: int


@dataclass(slots=True, eq=False)
class Place:
    """What encloses a piece: a module, a class, a function that is being divided."""

    symbol: str = ""
    kind: str = ""
    scope: str = ""
    outline: tuple[Named, ...] = ()
    comment: str = ""
    is_container: bool = False
    is_data: bool = False


@dataclass(slots=True)
class Piece:
    """Rows first..last (0-based, both included) that stay together.

    Both rows hold something. symbol and scope are its own; `named` says that the symbol is one
    that the piece defines and that it stands for itself; `head` marks the first lines of the
    definition that `place` is; `leads` marks a comment, which looks forward and not back.
    """

    first: int
    last: int
    place: Place
    kind: str = "block"
    symbol: str = ""
    scope: str = ""
    outline: tuple[Named, ...] = ()
    comment: str = ""
    named: bool = False
    head: bool = False
    leads: bool = False


@dataclass(slots=True)
class _Group:
    first: int
    last: int
    place: Place
    pieces: list[Piece] = field(default_factory=list)
    all_small: bool = True
    has_named: bool = False

    def add(self, piece: Piece, size: int, sizes: Sizes) -> None:
        self.pieces.append(piece)
        self.last = piece.last
        self.all_small = self.all_small and size < sizes.small
        self.has_named = self.has_named or piece.named


def pack(pieces: Iterable[Piece], lines: Lines, sizes: Sizes, plain: str = "block") -> list[Chunk]:
    """The chunks of a file, given its pieces in order; `plain` is the kind of unnamed chunks."""
    groups: list[_Group] = []
    for piece in pieces:
        size = lines.size(piece.first, piece.last)
        if not groups or not _may_join(groups[-1], piece, size, lines, sizes):
            groups.append(_Group(piece.first, piece.last, piece.place))
        groups[-1].add(piece, size, sizes)
    return _chunks(_join_remnants(groups, lines, sizes), lines, plain)


def _may_join(group: _Group, piece: Piece, size: int, lines: Lines, sizes: Sizes) -> bool:
    if group.place is not piece.place:
        return False
    total = lines.size(group.first, piece.last)
    if size < sizes.tiny and not piece.outline and not piece.symbol and not piece.leads:
        return total <= sizes.limit
    is_tiny = not group.has_named and lines.size(group.first, group.last) < sizes.tiny
    if is_tiny and not group.pieces[0].head:
        return total <= sizes.limit
    if total > sizes.target:
        return False
    if not group.has_named and not piece.named:
        return True
    if group.pieces[0].head and group.place.kind not in ("module", "key"):
        return False
    return group.all_small and size < sizes.small


def _join_remnants(groups: list[_Group], lines: Lines, sizes: Sizes) -> list[_Group]:
    """A short rest of something that was divided goes back to the part before it."""
    joined: list[_Group] = []
    for group in groups:
        before = joined[-1] if joined else None
        if (
            before
            and before.place is group.place
            and not (before.has_named or group.has_named)
            and lines.size(group.first, group.last) < sizes.small
            and lines.size(before.first, group.last) <= sizes.limit
        ):
            before.pieces.extend(group.pieces)
            before.last = group.last
        else:
            joined.append(group)
    return joined


def _chunks(groups: list[_Group], lines: Lines, plain: str) -> list[Chunk]:
    keys = _Keys()
    chunks = []
    for group, outline in zip(groups, _outlines(groups), strict=True):
        first = next(
            (p for p in group.pieces if p.symbol and (p.head or p.named or p.outline)), None
        )
        place = group.place
        if first:
            symbol, kind, scope = first.symbol, first.kind, first.scope
        elif place.symbol:
            symbol, scope = place.symbol, place.scope
            kind = plain if place.is_container else place.kind
        else:
            symbol, kind, scope = "", plain, ""
        chunks.append(
            Chunk(
                symbol=symbol,
                kind=kind,
                scope=scope,
                start_line=group.first + 1,
                end_line=group.last + 1,
                text=lines.text(group.first, group.last),
                defines=tuple(
                    dict.fromkeys(one.name for p in group.pieces for one in p.outline if one.name)
                ),
                comment=join_comments([p.comment for p in group.pieces]),
                key=keys.give(symbol, kind),
                outline=tuple(outline),
            )
        )
    return chunks


def _outlines(groups: list[_Group]) -> list[list[Definition]]:
    """The definitions of each group: one that is divided belongs where its name stands.

    That is not where it begins when its documentation fills a chunk of its own.
    """
    outlines: list[list[Definition]] = [[] for _ in groups]
    for start, group in enumerate(groups):
        every = (one for piece in group.pieces for one in piece.outline)
        for one in islice(every, _MOST_DEFINITIONS):
            at = start
            while at + 1 < len(groups) and one.row >= groups[at + 1].first:
                at += 1
            first, last = groups[at].first, groups[at].last
            rows = (min(max(row, first), last) + 1 for row in (one.row, one.first, one.last))
            outlines[at].append(Definition(one.symbol, one.kind, *rows))
    return outlines


class _Keys:
    """Hands out keys: the symbol path, "section:…" for sections, "block:N" without a symbol."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._repeats: dict[str, int] = {}
        self._blocks = 0

    def give(self, symbol: str, kind: str) -> str:
        if not symbol:
            self._blocks += 1
            base = f"block:{self._blocks}"
        else:
            base = f"section:{symbol}" if kind == "section" else symbol
        key = base
        while key in self._used:
            self._repeats[base] = self._repeats.get(base, 1) + 1
            key = f"{base}#{self._repeats[base]}"
        self._used.add(key)
        return key
