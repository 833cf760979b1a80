"""Fill the page: the best chunks, neighbours merged, each hit pointing at what answers.

In: candidates with their scores. Out: `Hit`s, best first.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..chunking.model import Definition
from ..index.catalogue import ChunkRow, FileRow
from ..index.identity import chunk_id
from ..index.provenance import Origin
from ..index.view import View
from .corpus import Floats
from .excerpt import best_lines, mark
from .features import NAMES
from .pointing import point
from .ranker import fill_page, weights
from .results import Extent, Hit
from .terms import Query

# A hit spans so many chunks at most: neighbours save places, but nobody reads a whole file.
MOST_CHUNKS = 3
_SHOWN_REASONS = 4
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates in the order in which they came.

    `scores` float64[c], `features` float64[c, features], `added` what else went into the scores
    (evidence.py), `stems` the weight of each stem of the query. `owners` and `ordinals` say which
    chunk of which file each one is.
    """

    query: Query
    stems: dict[str, float]
    scores: Floats
    features: Floats
    added: Mapping[str, Floats]
    owners: Sequence[int]
    ordinals: Sequence[int]
    files: dict[int, FileRow]


@dataclass(slots=True)
class Span:
    """Chunks first..last of a file as one hit; `row` is the best candidate among them."""

    row: int
    score: float
    file: int
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many chunks it spans."""
        return self.last - self.first + 1

    def with_(self, other: "Span") -> "Span":
        """Return the smallest span that holds both, ranked as this one."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        return replace(self, first=first, last=last)


def merge(ranked: Sequence[Span], size: int, belong_together: Callable[[Span], bool]) -> list[Span]:
    """Return up to `size` spans, best first.

    A chunk that lies beside one on the page, or belongs together with it, joins it and needs no
    place of its own, as long as the span does not grow past `MOST_CHUNKS`.
    """
    page: list[Span] = []
    for span in ranked:
        if len(page) == size:
            break
        partners = _partners(page, span, belong_together)
        if not partners:
            page.append(span)
            continue
        first, *others = partners
        page[first] = page[first].with_(span)
        # What is new may close the gap between two that are there already.
        for other in reversed(others):
            if page[first].with_(page[other]).count <= MOST_CHUNKS:
                page[first] = page[first].with_(page.pop(other))
    return page


def _partners(
    page: Sequence[Span], span: Span, belong_together: Callable[[Span], bool]
) -> list[int]:
    found = []
    for number, other in enumerate(page):
        if other.file != span.file:
            continue
        both = other.with_(span)
        if both.count > MOST_CHUNKS:
            continue
        beside = span.first <= other.last + 1 and other.first <= span.last + 1
        if beside or belong_together(both):
            found.append(number)
    return found


@dataclass(frozen=True, slots=True)
class FoundHit:
    """Where a hit stands on the page, before its text is read; `features` are some of its own."""

    rank: int
    span: Span
    features: dict[str, float]


@dataclass(frozen=True, slots=True)
class FoundHits:
    """What was found, best first, and what is needed to show it."""

    ranked: Ranked
    found: tuple[FoundHit, ...]


# Weighted features by which a hit is compared with those of other kinds (together.py).
_COMPARED = tuple((name, NAMES.index(name)) for name in ("dense", "file_coverage"))


def fill(view: View, ranked: Ranked, size: int) -> FoundHits:
    """Return the hits of a page of `size`, unread."""
    if not len(ranked.scores):
        return FoundHits(ranked, ())

    def symbols(span: Span) -> set[str]:
        return {chunk.symbol for chunk in view.chunks(_places(span)).values()}

    page = _page(ranked, size, lambda span: len(found := symbols(span)) == 1 and "" not in found)
    scale = weights().values
    found = [
        FoundHit(rank, span, {
            name: round(float(scale[column] * ranked.features[span.row, column]), 4)
            for name, column in _COMPARED
        })
        for rank, span in enumerate(page, 1)
    ]  # fmt: skip
    return FoundHits(ranked, tuple(found))


def show(
    view: View, repo: str, page: FoundHits, wanted: Sequence[FoundHit], kinds: Sequence[str]
) -> tuple[Hit, ...]:
    """Read some hits of a page; `kinds` are those asked for, none for all."""
    ranked = page.ranked
    files = [ranked.files[one.span.file] for one in wanted]
    view.expect(files)
    origins, commits = view.origins_of(files), view.commits(files)
    chunks = view.chunks([place for one in wanted for place in _places(one.span)])
    arriving = view.each_text(list({file.id: file for file in files}.values()))
    texts: dict[int, bytes] = {}
    rows = ranked.features[[one.span.row for one in wanted]] * weights().values
    weighted = dict(zip((one.rank for one in wanted), rows.tolist(), strict=True))
    hits = []
    for one, file in zip(wanted, files, strict=True):
        if file.id not in texts:  # one by one: git reads the next while this one is shown
            texts[file.id] = next(arriving)
        read = _Read(
            [chunks[place] for place in _places(one.span)],
            texts[file.id],
            commits.get(file.id),
            origins.get(file.id, {}),
        )
        shares = _shares(ranked, one.span.row, weighted[one.rank])
        hits.append(_hit(one, repo, file, file.path in view.on_disk, ranked, read, shares, kinds))
    return tuple(hits)


def _page(ranked: Ranked, size: int, belong_together: Callable[[Span], bool]) -> list[Span]:
    owners, ordinals = ranked.owners, ranked.ordinals

    def tie(row: int) -> tuple[str, int]:
        return ranked.files[owners[row]].path, ordinals[row]

    # Some will merge: more are asked for than there are places.
    count = size + size // 2 + 1
    while True:
        spans = [
            Span(row, score, owners[row], ordinals[row], ordinals[row])
            for row, score in fill_page(ranked.scores, owners, tie, count)
        ]
        page = merge(spans, size, belong_together)
        if len(page) == size or len(spans) == len(owners):
            return page
        count *= 4


def _places(span: Span) -> list[tuple[int, int]]:
    return [(span.file, ordinal) for ordinal in range(span.first, span.last + 1)]


class _Read(NamedTuple):
    """What was read to show a hit: its chunks, its file, who made its lines."""

    chunks: Sequence[ChunkRow]
    data: bytes
    commit: str | None
    origins: Mapping[int, Sequence[Origin]]


def _shares(ranked: Ranked, row: int, weighted: Sequence[float]) -> dict[str, float]:
    """Return what each feature and each piece of evidence adds to a candidate's score."""
    shares = {
        name: round(share, 4)
        for name, share, number in zip(NAMES, weighted, ranked.features[row].tolist(), strict=True)
        if number
    }
    added = {name: round(float(values[row]), 4) for name, values in ranked.added.items()}
    return shares | {name: number for name, number in added.items() if number}


def _hit(
    one: FoundHit, repo: str, file: FileRow, changed: bool, ranked: Ranked, read: _Read,
    shares: dict[str, float], kinds: Sequence[str],
) -> Hit:  # fmt: skip
    span, chunks = one.span, read.chunks
    best = chunks[ranked.ordinals[span.row] - span.first]
    start, end = chunks[0].start_line, chunks[-1].end_line
    lines = _lines(read.data, start, end)
    marked = mark(lines, ranked.query)
    outline = _outline(chunks, kinds)
    # Nothing to point at: a part of something that begins before, or text.
    about = point(outline, marked, start, ranked.query, ranked.stems)
    strongest = sorted((name for name in shares if shares[name] > 0), key=lambda n: -shares[n])
    ids = [chunk_id(repo, file.path, chunk.key) for chunk in chunks]
    return Hit(
        rank=one.rank,
        chunk_id=ids[chunks.index(best)],
        chunk_ids=tuple(ids),
        path=file.path,
        start_line=start,
        end_line=end,
        line=about.line if about else best.start_line,
        symbol=about.symbol if about else best.symbol,
        kind=about.kind if about else best.kind,
        definition=Extent(about.start_line, about.end_line) if about else None,
        language=file.language,
        score=round(span.score, 4),
        reasons=tuple(strongest[:_SHOWN_REASONS]),
        commit=read.commit,
        changed=changed,
        lines=best_lines(lines, start, marked, about),
        text="\n".join(lines),
        features=shares,
        sessions=_sessions(span, read.origins),
    )


def _lines(data: bytes, start: int, end: int) -> list[str]:
    """Return lines `start` to `end` of a file, without what ends them."""
    text = b"\n".join(data.removeprefix(_BOM).split(b"\n", end)[start - 1 : end])
    lines = text.decode(errors="replace").split("\n")
    return [line.removesuffix("\r") for line in lines] if b"\r" in text else lines


def _sessions(span: Span, origins: Mapping[int, Sequence[Origin]]) -> tuple[str, ...]:
    """Return the conversations that made lines of a span, most lines first."""
    lines: Counter[str] = Counter()
    for ordinal, made in origins.items():
        if span.first <= ordinal <= span.last:
            for origin in made:
                lines[origin.session] += origin.lines
    return tuple(sorted(lines, key=lambda session: (-lines[session], session)))


def _outline(chunks: Sequence[ChunkRow], kinds: Sequence[str]) -> list[Definition]:
    """Return what neighbouring chunks define; what is cut into pieces counts once, as a whole."""
    outline: list[Definition] = []
    pieces: dict[str, tuple[int, int]] = {}
    for chunk in chunks:
        definitions = chunk.definitions()
        if not definitions and chunk.symbol:
            first, _ = pieces.get(chunk.symbol, (chunk.start_line, 0))
            pieces[chunk.symbol] = first, chunk.end_line
        for one in definitions:
            # The first lines of a large class are a header, also to who filters by kind.
            is_header = chunk.kind == "header" and one.symbol == chunk.symbol
            outline.append(replace(one, kind=chunk.kind) if is_header else one)
    if pieces:
        outline = [_extended(one, pieces.get(one.symbol)) for one in outline]
    wanted = [one for one in outline if one.kind in kinds] if kinds else outline
    return wanted or outline


def _extended(one: Definition, lines: tuple[int, int] | None) -> Definition:
    """Return a definition with what of it lies in other chunks: documentation, or its rest."""
    if lines is None:
        return one
    first, last = min(one.start_line, lines[0]), max(one.end_line, lines[1])
    return replace(one, start_line=first, end_line=last)
