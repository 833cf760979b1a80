"""One page of this repository and of others.

In: hits of the local tier, rows of a shared store. Out: `SharedHit`s, best first. Rows of other
repositories are known by their vector and their text alone, so all hits are measured by that:
cosine, and the share of the question's words. This repository's own hits keep their order
(docs/query.md says how they are fitted in).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..learnings.model import State
from .chats import ChatHit
from .excerpt import best_lines, mark
from .learnings import LearningHit
from .results import Hit, Line
from .terms import Query
from .together import LEAST, Kind, likely_chat, likely_code, likely_learning, share_of

# How much the share of words counts beside the cosine.
WORDS = 0.5
# Without such a likeness in meaning a row has to have this share of the question's words.
_LEAST_COSINE = {Kind.CODE: 0.4, Kind.CHAT: 0.4, Kind.LEARNING: 0.25, Kind.THOUGHT: 0.4}
_LEAST_WORDS = 0.34
_MOST_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class SharedHit:
    """A hit of any repository; `repository` is what people call it.

    `facts` are those of its kind (docs/query.md): a path and lines, a session, a state.
    """

    kind: Kind
    repo_id: str
    repository: str
    local: bool
    id: str
    title: str
    cosine: float
    words: float
    facts: Mapping[str, Any]
    lines: tuple[Line, ...] = ()
    text: str = ""
    rank: int = 0
    score: float = 0.0

    @property
    def evidence(self) -> float:
        """What is comparable between repositories."""
        return self.cosine + WORDS * self.words

    @property
    def counts(self) -> bool:
        """Whether it is an answer at all."""
        return self.cosine >= _LEAST_COSINE[self.kind] or self.words >= _LEAST_WORDS


@dataclass(frozen=True, slots=True)
class Owner:
    """The repository that hits belong to."""

    repo_id: str
    name: str
    local: bool = False


def own_code(owner: Owner, hit: Hit, query: Query) -> SharedHit:
    """Return a hit of this repository's code in the common form."""
    facts = {
        "path": hit.path, "start_line": hit.start_line, "end_line": hit.end_line,
        "line": hit.line, "symbol": hit.symbol, "kind": hit.kind, "language": hit.language,
        "commit": hit.commit or "", "changed": hit.changed,
    }  # fmt: skip
    words = _share(query, hit.text.split("\n"), hit.path, hit.symbol)
    return SharedHit(
        Kind.CODE, owner.repo_id, owner.name, True, hit.chunk_id, hit.symbol,
        share_of(hit, "dense"), words, facts, hit.lines, hit.text,
    )  # fmt: skip


def own_chat(owner: Owner, number: str, hit: ChatHit, query: Query) -> SharedHit:
    """Return an exchange of this repository in the common form; `number` is its row's id."""
    facts = {
        "session": hit.session, "exchange": hit.exchange, "agent": hit.agent,
        "started": hit.started, "paths": list(hit.paths),
    }  # fmt: skip
    cosine = max(hit.features.get("dense", 0.0), hit.features.get("dense_exchange", 0.0))
    words = _share(query, hit.text.split("\n"), hit.asked, hit.title)
    return SharedHit(
        Kind.CHAT, owner.repo_id, owner.name, True, number, hit.asked, cosine, words, facts,
        hit.lines, hit.text,
    )  # fmt: skip


def own_learning(owner: Owner, number: str, hit: LearningHit, query: Query) -> SharedHit:
    """Return a learning of this repository in the common form; `number` is its row's id."""
    learning = hit.learning
    facts = {
        "learning_id": learning.learning_id, "state": str(learning.state),
        "severity": str(learning.severity), "category": learning.category, "path": hit.path,
        "description": learning.description,
    }  # fmt: skip
    words = _share(query, hit.text.split("\n"), learning.title, learning.description)
    return SharedHit(
        Kind.LEARNING, owner.repo_id, owner.name, True, number, learning.title, hit.cosine, words,
        facts, hit.lines, hit.text,
    )  # fmt: skip


def own_thought(
    owner: Owner, number: str, facts: Mapping[str, Any], text: str, cosine: float, query: Query
) -> SharedHit:
    """Return a thought of this repository in the common form; `facts` as for those of others."""
    meta = {
        "session_id": facts["session"], "thought_number": facts["number"],
        "branch_id": facts["branch"], "timestamp": facts["time"],
    }  # fmt: skip
    return replace(_thought(Row(number, owner, cosine, meta, text), query), local=True)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of another repository, as a store has it."""

    id: str
    owner: Owner
    cosine: float
    metadata: Mapping[str, Any]
    document: str


def of_others(kind: Kind, rows: Iterable[Row], query: Query) -> list[SharedHit]:
    """Return the rows that answer, best first; of one file, exchange or step the best alone."""
    best: dict[tuple[str, ...], SharedHit] = {}
    for row in rows:
        hit = _READERS[kind](row, query)
        key = (hit.repo_id, *(str(hit.facts.get(name, "")) for name in _ONE_OF[kind]))
        known = best.get(key)
        if hit.counts and (known is None or hit.evidence > known.evidence):
            best[key] = hit
    return sorted(best.values(), key=lambda hit: (-hit.evidence, hit.repo_id, hit.id))


_ONE_OF = {
    Kind.CODE: ("path",),
    Kind.CHAT: ("session", "exchange"),
    Kind.LEARNING: ("learning_id",),
    Kind.THOUGHT: ("session", "number", "branch"),
}


def _code(row: Row, query: Query) -> SharedHit:
    path, symbol = _text(row, "file_path"), _text(row, "symbol")
    first = max(_number(row, "start_line"), 1)
    lines = row.document[:_MOST_TEXT].split("\n") if row.document else []
    facts = {
        "path": path, "start_line": first, "end_line": max(_number(row, "end_line"), first),
        "line": first, "symbol": symbol, "kind": _text(row, "kind"),
        "language": _text(row, "language"), "commit": _text(row, "commit_sha"), "changed": False,
    }  # fmt: skip
    return _shared(Kind.CODE, row, query, symbol, facts, lines, first, (path, symbol))


def _chat(row: Row, query: Query) -> SharedHit:
    asked, answered = _text(row, "prompt_summary"), _text(row, "response_summary")
    facts = {
        "session": _text(row, "session_id"), "exchange": _text(row, "exchange_id"),
        "agent": _text(row, "agent"), "started": _text(row, "timestamp"),
        "paths": [],
    }  # fmt: skip
    return _shared(
        Kind.CHAT, row, query, asked, facts, answered.split("\n"), 1,
        (asked, _text(row, "involved_entities")),
    )  # fmt: skip


def _learning(row: Row, query: Query) -> SharedHit:
    title, description = _text(row, "title"), _text(row, "description")
    facts = {
        "learning_id": _text(row, "learning_id"), "state": _text(row, "state"),
        "severity": _text(row, "severity"), "category": _text(row, "category"),
        "path": _text(row, "path"), "description": description,
    }  # fmt: skip
    lines = description.split("\n")
    return _shared(
        Kind.LEARNING, row, query, title, facts, lines, 1, (title, _text(row, "pattern"))
    )


def _thought(row: Row, query: Query) -> SharedHit:
    facts = {
        "session": _text(row, "session_id"), "number": _number(row, "thought_number"),
        "branch": _text(row, "branch_id"), "time": _text(row, "timestamp"),
    }  # fmt: skip
    lines = row.document[:_MOST_TEXT].split("\n") if row.document else []
    title = f"{facts['session']} {facts['number']}"
    return _shared(Kind.THOUGHT, row, query, title, facts, lines, 1, ())


_READERS = {
    Kind.CODE: _code, Kind.CHAT: _chat, Kind.LEARNING: _learning, Kind.THOUGHT: _thought,
}  # fmt: skip


def _shared(
    kind: Kind, row: Row, query: Query, title: str, facts: Mapping[str, Any], lines: list[str],
    first: int, beside: Sequence[str],
) -> SharedHit:  # fmt: skip
    shown = best_lines(lines, first, mark(lines, query)) if lines else ()
    return SharedHit(
        kind, row.owner.repo_id, row.owner.name, False, row.id, title, row.cosine,
        _share(query, lines, *beside), facts, shown, "\n".join(lines),
    )  # fmt: skip


def _text(row: Row, name: str) -> str:
    value = row.metadata.get(name, "")
    return value[:_MOST_TEXT] if isinstance(value, str) else ""


def _number(row: Row, name: str) -> int:
    value = row.metadata.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _share(query: Query, lines: Sequence[str], *beside: str) -> float:
    """Return the share of the question's words that a text, its place or its name has."""
    wanted = set(query.stems)
    if not wanted:
        return 0.0
    found: set[str] = set()
    for one in mark([*beside, *lines], query):
        found |= one.stems
    return len(found & wanted) / len(wanted)


def one_list(own: Sequence[SharedHit], others: Sequence[SharedHit]) -> list[SharedHit]:
    """Merge hits of one kind. This repository's keep their order, which knows more than vectors:

    each is taken to be as good as the best evidence from it on.
    """
    keyed: list[tuple[float, SharedHit]] = []
    best = -math.inf
    for hit in reversed(own):
        best = max(best, hit.evidence)
        keyed.append((best, hit))
    keyed.reverse()
    keyed += [(hit.evidence, hit) for hit in others]
    keyed.sort(key=lambda pair: -pair[0])
    return [
        replace(hit, rank=rank, score=round(score, 4)) for rank, (score, hit) in enumerate(keyed, 1)
    ]


def one_page(lists: Mapping[Kind, Sequence[SharedHit]], limit: int) -> list[SharedHit]:
    """Return the page: one kind in its order, several by how likely each hit is meant."""
    several = sum(map(bool, lists.values())) > 1
    likely: list[tuple[float, SharedHit]] = []
    for kind, hits in lists.items():
        least = 1.0
        for hit in hits:
            least = min(least, _likelihood(kind, hit))
            if not several or least >= LEAST[kind]:
                likely.append((least, hit))
    if several:
        likely.sort(key=lambda pair: -pair[0])
    return [replace(hit, rank=rank) for rank, (_, hit) in enumerate(likely[:limit], 1)]


def _likelihood(kind: Kind, hit: SharedHit) -> float:
    if kind is Kind.CODE:
        return likely_code(hit.rank, hit.cosine, hit.words)
    if kind is Kind.CHAT:
        return likely_chat(hit.rank, 2 * hit.cosine + 2 * hit.words)
    if kind is Kind.LEARNING:
        state = str(hit.facts.get("state", ""))
        trusted = State(state) if state in set(State) else State.PROPOSED
        return likely_learning(hit.rank, hit.cosine, trusted)
    return 1.0
