"""Search the conversations: exchanges, by what was asked, answered, changed and run.

In: a view of the exchanges, a query. Out: `ChatAnswer`. Candidates and features are those of code
(search.py); the score is the plain sum of a few of them, because that was as good as any fitted
weights (docs/retrieval.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from ..git.globs import Globs
from ..index.catalogue import FileRow
from ..index.exchange_view import ExchangeView
from ..index.exchanges import ExchangeInfo
from .corpus import Floats
from .dense import Wide
from .excerpt import best_lines, mark
from .features import NAMES
from .results import Line
from .search import Candidates, Options, Searcher

# Words of the piece and of the whole exchange, meaning of both; words of the title, of file names.
_WEIGHTS = {
    "body": 1.0, "file_body": 1.0, "dense": 1.0, "dense_file": 1.0, "stem": 0.5,
    "directory_coverage": 0.5,
}  # fmt: skip
_COLUMNS = [NAMES.index(name) for name in _WEIGHTS]
_NAMES = {"stem": "title", "directory_coverage": "files", "file_body": "exchange",
          "dense_file": "dense_exchange"}  # fmt: skip
_SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """Filters and the size of the page; `since` and `until` are prefixes of ISO 8601 in UTC."""

    limit: int = 10
    agents: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class FoundChat:
    """Where an exchange stands on the page, before its text is read."""

    rank: int
    score: float
    file: int
    candidate: int


@dataclass(frozen=True, slots=True)
class FoundChats:
    """What was found, best first, and what is needed to show it."""

    candidates: Candidates
    shares: Floats
    found: tuple[FoundChat, ...]


@dataclass(frozen=True, slots=True)
class ChatHit:
    """An exchange that answers the query. `part` is where: prompt, response, edit, commands, …

    `asked` is the first telling line of the prompt, `lines` the best ones of the part.
    """

    rank: int
    session: str
    exchange: str
    agent: str
    started: str
    title: str
    asked: str
    part: str
    paths: tuple[str, ...]
    score: float
    reasons: tuple[str, ...]
    lines: tuple[Line, ...]
    text: str
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """Hits, best first; `exchanges` were searched, `behind` says that newer ones were not."""

    query: str
    hits: tuple[ChatHit, ...]
    exchanges: int
    behind: bool
    notes: tuple[str, ...] = ()


class ChatSearcher:
    """Answers queries about the conversations, as long as the view is open."""

    def __init__(self, view: ExchangeView, wide: Wide | None = None) -> None:
        self._view = view
        self._searcher = Searcher(view, "", wide)

    def answer(
        self,
        text: str,
        options: ChatOptions,
        vector: NDArray[np.float32] | None,
        notes: Sequence[str] = (),
    ) -> ChatAnswer:
        """Return the best exchanges; `vector` is the embedded query, None for words only."""
        view = self._view
        ranked = self.ranked(text, options, vector)
        hits = self.shown(ranked, ranked.found)
        count = int(np.count_nonzero(view.live))
        return ChatAnswer(text, hits, count, bool(view.behind), tuple(notes))

    def _wanted(self, options: ChatOptions) -> frozenset[int] | None:
        """Return the files that the filters let through, None for all."""
        if options == ChatOptions(limit=options.limit):
            return None
        globs = Globs(options.paths) if options.paths else None
        return frozenset(
            info.file for info in self._view.live_infos() if _matches(info, options, globs)
        )

    def ranked(
        self, text: str, options: ChatOptions, vector: NDArray[np.float32] | None
    ) -> FoundChats:
        """Return the order of the best exchanges, without reading them."""
        found = self._searcher.candidates(text, Options(only=self._wanted(options)), vector)
        owners, ordinals = self._searcher.ordinals(found)
        shares: Floats = found.features[:, _COLUMNS] * np.array(list(_WEIGHTS.values()))
        scores = np.round(sum(shares.T), 9).tolist()
        ids = [found.files[owner].path for owner in owners]
        order = sorted(range(len(scores)), key=lambda n: (-scores[n], ids[n], ordinals[n]))
        best: dict[int, int] = {}
        for number in order:
            best.setdefault(owners[number], number)
            if len(best) == options.limit:
                break
        places = enumerate(best.items(), 1)
        hits = tuple(FoundChat(rank, round(scores[n], 4), file, n) for rank, (file, n) in places)
        return FoundChats(found, shares, hits)

    def shown(self, ranked: FoundChats, wanted: Sequence[FoundChat]) -> tuple[ChatHit, ...]:
        """Return some of what was found as hits."""
        found = ranked.candidates
        _, ordinals = self._searcher.ordinals(found)
        infos = self._view.infos(one.file for one in wanted)
        texts = self._texts([found.files[one.file] for one in wanted])
        hits = []
        for one in wanted:
            owner = one.file
            info, chunk = infos[owner], self._view.chunk(owner, ordinals[one.candidate])
            lines = texts[owner][chunk.start_line - 1 : chunk.end_line]
            marked = mark(lines, found.query)
            parts = dict(zip(_WEIGHTS, ranked.shares[one.candidate].tolist(), strict=True))
            features = {
                _NAMES.get(name, name): round(value, 4) for name, value in parts.items() if value
            }
            strongest = sorted(features, key=lambda name: -features[name])
            hits.append(
                ChatHit(
                    rank=one.rank,
                    session=info.session,
                    exchange=info.exchange,
                    agent=info.agent,
                    started=info.started,
                    title=info.title,
                    asked=self._view.chunk(owner, 0).symbol,
                    part=chunk.key.partition("~")[0],
                    paths=info.paths,
                    score=one.score,
                    reasons=tuple(strongest[:_SHOWN_REASONS]),
                    lines=best_lines(lines, chunk.start_line, marked),
                    text="\n".join(lines),
                    features=features,
                )
            )
        return tuple(hits)

    def _texts(self, rows: Sequence[FileRow]) -> dict[int, list[str]]:
        texts = self._view.texts(rows)
        return {number: data.decode(errors="replace").split("\n") for number, data in texts.items()}


def is_wanted(options: ChatOptions, agent: str, session: str, started: str) -> bool:
    """Whether an exchange passes the filters but for that of its files."""
    return (
        (not options.agents or any(fnmatchcase(agent, one) for one in options.agents))
        and (not options.sessions or session.startswith(options.sessions))
        and (not options.since or started >= options.since)
        and (not options.until or (bool(started) and started <= options.until + "~"))
    )


def _matches(info: ExchangeInfo, options: ChatOptions, globs: Globs | None) -> bool:
    return is_wanted(options, info.agent, info.session, info.started) and (
        globs is None or any(map(globs.match, info.paths))
    )
