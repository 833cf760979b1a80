"""A session: its exchanges in order, each with what it was about and what came of it.

In: a reading, the key of a session. Out: `Session`.
"""

from collections import Counter

from ...errors import Damaged
from ...sessions.context import tool_sequence
from ...sessions.edits_as_diff import changes_of
from ...sessions.events import Status, statuses
from ...sessions.model import Exchange
from ...sessions.modification import modification_of
from ...sessions.reading import MemoryReader
from ...sessions.summaries import summary_of_prompt, summary_of_response
from ..parts import SessionRow, alive, links, sessions
from ..stores import Reading
from .refs import Document, commits_of, exchange_ref, file_ref, line, linked, session_ref

_MOST_PROMPT = 4_000
_MOST_FILES = 100


def session(reading: Reading, key: str) -> Document | None:
    """Return a session, None if there is none of this key."""
    row = sessions(reading).by_key.get(key)
    if row is None:
        return None
    session_id = row.head.session_id
    reader = MemoryReader(reading.repository, reading.state.memory or "")
    known = statuses(reader.events(session_id))
    models: Counter[str] = Counter()
    exchanges = []
    for _, one in reading.lookup.exchanges(session_id):
        if isinstance(one, Damaged):
            continue
        models[one.model] += bool(one.model)
        status = known.get(one.exchange_id, Status.CAPTURED)
        exchanges.append(_exchange(reading, row, one, status))
    model = models.most_common(1)[0][0] if models else ""
    children = sessions(reading).children.get(session_id, ())
    return {
        "session": session_ref(reading, row, model),
        "origin": line(row.head.source) or None,
        "children": [session_ref(reading, one) for one in children],
        "exchanges": exchanges,
    }


def _exchange(reading: Reading, row: SessionRow, one: Exchange, status: Status) -> Document:
    pair = (row.head.session_id, one.exchange_id)
    noted, known = links(reading), alive(reading)
    made = noted.by_exchange.get(pair)
    prompt = one.prompt.strip("\n")
    return {
        "ref": exchange_ref(reading, pair),
        "prompt": prompt[:_MOST_PROMPT],
        "prompt_cut": len(prompt) > _MOST_PROMPT,
        "tools": tool_sequence(one),
        "files": [file_ref(path) for path in edited(one)[:_MOST_FILES]],
        "commits": commits_of(reading, made.commits) if made else [],
        "lines_linked": linked(noted, pair),
        "lines_alive": sum(known.by_exchange.get(pair, {}).values()) if known.is_known else None,
        "kind": kind_of(one),
        "status": status.value,
    }


def edited(exchange: Exchange) -> list[str]:
    """Return the files of the repository that an exchange changed, in order."""
    paths = (edit.path for call in exchange.tools for edit in call.edits)
    return list(dict.fromkeys(path for path in paths if path and not path.startswith("/")))


def kind_of(exchange: Exchange) -> str | None:
    """Return which kind of change an exchange made, None for one without edits."""
    changes = changes_of(exchange)
    if not changes:
        return None
    asked, answered = summary_of_prompt(exchange.prompt), summary_of_response(exchange.response)
    return str(modification_of(exchange, asked, answered, changes))
