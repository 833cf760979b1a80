"""Fill the page: the best chunks, neighbours merged, each hit pointing at what answers.

In: candidates with their scores. Out: `Hit`s, best first.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..chunking.model import Definition
from ..index.catalogue import ChunkRow, FileRow
from ..index.identity import chunk_id
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


def fill(view: View, repo: str, ranked: Ranked, size: int, kinds: Sequence[str]) -> tuple[Hit, ...]:
    """Return the hits of a page of `size`; `kinds` are those asked for, none for all."""
    if not len(ranked.scores):
        return ()

    def symbols(span: Span) -> set[str]:
        return {chunk.symbol for chunk in _chunks(view, span)}

    page = _page(ranked, size, lambda span: len(found := symbols(span)) == 1 and "" not in found)
    shown = [ranked.files[span.file] for span in page]
    texts, commits = view.texts(shown), view.commits(shown)
    return tuple(
        _hit(rank, span, repo, view, ranked, texts[span.file], commits.get(span.file), kinds)
        for rank, span in enumerate(page, 1)
    )


def _page(ranked: Ranked, size: int, belong_together: Callable[[Span], bool]) -> list[Span]:
    owners, ordinals = ranked.owners, ranked.ordinals
    ties = [(ranked.files[n].path, place) for n, place in zip(owners, ordinals, strict=True)]
    # Some will merge: more are asked for than there are places.
    count = size + size // 2 + 1
    while True:
        spans = [
            Span(row, score, owners[row], ordinals[row], ordinals[row])
            for row, score in fill_page(ranked.scores, owners, ties, count)
        ]
        page = merge(spans, size, belong_together)
        if len(page) == size or len(spans) == len(owners):
            return page
        count *= 4


def _chunks(view: View, span: Span) -> list[ChunkRow]:
    return [view.chunk(span.file, ordinal) for ordinal in range(span.first, span.last + 1)]


def _hit(
    rank: int,
    span: Span,
    repo: str,
    view: View,
    ranked: Ranked,
    data: bytes,
    commit: str | None,
    kinds: Sequence[str],
) -> Hit:
    file, chunks = ranked.files[span.file], _chunks(view, span)
    best = chunks[ranked.ordinals[span.row] - span.first]
    start, end = chunks[0].start_line, chunks[-1].end_line
    raw = data.removeprefix(_BOM).split(b"\n", end)[start - 1 : end]
    lines = [line.removesuffix(b"\r").decode(errors="replace") for line in raw]
    marked = mark(lines, ranked.query)
    outline = _outline(chunks, kinds)
    # Nothing to point at: a part of something that begins before, or text.
    about = point(outline, marked, start, ranked.query, ranked.stems)
    shares = {
        name: round(weight * number, 4)
        for name, weight, number in zip(
            NAMES, weights().values.tolist(), ranked.features[span.row].tolist(), strict=True
        )
        if number
    }
    added = {name: round(float(values[span.row]), 4) for name, values in ranked.added.items()}
    shares |= {name: number for name, number in added.items() if number}
    strongest = sorted((name for name in shares if shares[name] > 0), key=lambda n: -shares[n])
    ids = [chunk_id(repo, file.path, chunk.key) for chunk in chunks]
    return Hit(
        rank=rank,
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
        commit=commit,
        changed=file.path in view.on_disk,
        lines=best_lines(lines, start, marked, about),
        text="\n".join(lines),
        features=shares,
        sessions=_sessions(view, file, span),
    )


def _sessions(view: View, file: FileRow, span: Span) -> tuple[str, ...]:
    """Return the conversations that made lines of a span, most lines first."""
    lines: Counter[str] = Counter()
    for ordinal, origins in view.origins(file).items():
        if span.first <= ordinal <= span.last:
            for origin in origins:
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
