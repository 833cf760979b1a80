"""How one thing names another: sessions, exchanges, commits, learnings and files in documents.

In: rows of the stores. Out: the small documents that stand wherever something is named.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from ...display import safe_line, writable
from ...git.blame import BlamedCommit
from ...git.commitlog import Headline, LoggedCommit
from ...git.dates import utc
from ...learnings.model import Learning
from ...sessions.answering import Missing, Pair, Told
from ...sessions.layout import exchange_key
from ...sessions.lookup import beginning_of, first_of, time_in
from ...sessions.reading import segments_in
from ...sessions.summaries import summary_of_prompt
from ...sessions.wording import missing_words
from ..keys import key_of_exchange, key_of_id, key_of_path
from ..parts import Links, SessionRow, alive, commits, links, sessions, title_of
from ..stores import Reading

Document = dict[str, Any]
# What a document says while something in it is still being computed.
SLOW = "blame takes long: not all that became of the lines is shown, ask again in a moment"
_TITLE = 240
_NO_WORDS = "(nothing in words)"


def time(text: str) -> str | None:
    """Return a stored time, None for none."""
    return text or None


def moment(seconds: int) -> str:
    """Return a time of git; the epoch where it is none that a calendar has."""
    day, rest = divmod(seconds, 86_400)
    return f"{_day(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


@lru_cache(maxsize=20_000)
def _day(day: int) -> str:
    return (utc(day * 86_400) or "1970-01-01")[:10]


def line(text: str, most: int = _TITLE) -> str:
    """Return text of one line, cut."""
    shown = safe_line(writable(" ".join(text.split())))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def file_ref(path: str) -> Document:
    """Return a FileRef."""
    return {"key": key_of_path(path), "path": safe_line(writable(path))}


def commit_ref(commit: Headline | LoggedCommit | BlamedCommit) -> Document:
    """Return a CommitRef."""
    return {
        "sha": commit.oid,
        "subject": line(commit.summary),
        "author": line(commit.author),
        "date": moment(commit.time),
    }


def learning_ref(learning: Learning) -> Document:
    """Return a LearningRef."""
    return {
        "key": key_of_id(learning.learning_id),
        "id": learning.learning_id,
        "title": line(learning.title),
        "state": learning.state.value,
        "severity": learning.severity.value,
        "category": learning.category or None,
    }


def session_ref(reading: Reading, row: SessionRow, model: str = "") -> Document:
    """Return a SessionRef."""
    head, known = row.head, alive(reading)
    made = links(reading).by_session.get(head.session_id)
    return {
        "key": row.key,
        "id": line(head.session_id),
        "title": line(title_of(reading, row)) or _NO_WORDS,
        "agent": line(head.agent),
        "model": line(model) or None,
        "start": time(head.started),
        "end": time(head.ended),
        "exchanges": row.exchanges,
        "commits": len(made.commits) if made else 0,
        "lines_linked": made.lines if made else 0,
        "lines_alive": known.by_session.get(head.session_id, 0) if known.is_known else None,
        "parent": key_of_id(head.parent) if head.parent else None,
    }


def exchange_ref(reading: Reading, pair: Pair) -> Document:
    """Return an ExchangeRef, also of one that is not here."""
    return exchange_refs(reading, [pair])[pair]


def exchange_refs(reading: Reading, pairs: Iterable[Pair]) -> dict[Pair, Document]:
    """Return ExchangeRefs; those that were not asked for before are read at once."""
    known: dict[Pair, Document] = reading.part("exchanges", reading.state.memory, dict)
    wanted = dict.fromkeys(pairs)
    missing = [pair for pair in wanted if pair not in known]
    if missing:
        known.update(_read(reading, missing))
    return {pair: known[pair] for pair in wanted}


def _read(reading: Reading, pairs: Sequence[Pair]) -> dict[Pair, Document]:
    rows, db = sessions(reading).by_id, reading.db
    listed = (rows[pair[0]].listed for pair in pairs if pair[0] in rows)
    trees = list(dict.fromkeys(filter(None, listed)))
    names = dict(zip(trees, db.trees.many(trees), strict=True))
    segments = {tree: segments_in(found) for tree, found in names.items()}
    places = {}
    for pair in pairs:
        tree = rows[pair[0]].listed if pair[0] in rows else ""
        found = segments.get(tree, {}).get(exchange_key(pair[1]))
        if found:
            places[pair] = found[0].number, [names[tree][each.name].oid for each in found]
    contents = iter(db.reader.read_many([oid for _, oids in places.values() for oid in oids]))
    made = {
        pair: _there(pair, rows[pair[0]], number, first_of([next(contents) for _ in oids]))
        for pair, (number, oids) in places.items()
    }
    return made | {pair: _gone(reading, pair) for pair in pairs if pair not in made}


def _there(pair: Pair, row: SessionRow, number: int, data: bytes) -> Document:
    opening = beginning_of(data)[1]
    title = line(summary_of_prompt(opening)) or line(opening) or _NO_WORDS
    return _exchange(pair, number, time_in(data), row.head.agent, title)


def _gone(reading: Reading, pair: Pair) -> Document:
    why = Missing.FORGOTTEN if reading.lookup.is_forgotten(pair[0]) else Missing.ABSENT
    return _exchange(pair, 0, "", "", f"({missing_words(Told(*pair, missing=why))})")


def _exchange(pair: Pair, number: int, when: str, agent: str, title: str) -> Document:
    return {
        "key": key_of_exchange(*pair),
        "id": line(pair[1]),
        "session": key_of_id(pair[0]),
        "n": number,
        "time": time(when),
        "agent": line(agent),
        "title": title,
    }


def commits_of(reading: Reading, made: Iterable[str]) -> list[Document]:
    """Return CommitRefs of commits of HEAD's history, the newest first."""
    history = commits(reading).by_id
    found = [history[oid] for oid in made if oid in history]
    return [commit_ref(one) for one in sorted(found, key=lambda one: (-one.time, one.oid))]


def linked(known: Links, pair: Pair) -> int:
    """Return how many lines of commits are of an exchange."""
    made = known.by_exchange.get(pair)
    return made.lines if made else 0
