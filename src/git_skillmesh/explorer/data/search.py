"""Search over everything: code, conversations, learnings and skills by meaning, the rest by words.

In: a reading, words. Out: `Found`. The ranking is that of `query` and of the server for agents.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import SkillmeshError
from ..parts import commits, files, sessions
from ..stores import Reading
from .refs import Document, commit_ref, exchange_ref, file_ref, learning_ref, line

if TYPE_CHECKING:
    from ...mcp.engine import Page

_MOST = 20
_MOST_WORDS = 2_000
_MOST_SKILLS = 5
_EXCERPT = 1_200
_LINES = 8


def search(reading: Reading, words: str) -> Document:
    """Return what was found. An empty question finds nothing."""
    begun = time.monotonic()
    text = " ".join(words[:_MOST_WORDS].split())
    notes: list[str] = []
    pages = {kind: _page(reading, text, kind, notes) for kind in ("code", "chats", "learnings")}
    return {
        "query": line(text, _MOST_WORDS),
        "code": [_code(hit) for hit in pages["code"]],
        "exchanges": [
            found for hit in pages["chats"] if (found := _exchange(reading, hit)) is not None
        ],
        "learnings": [learning_ref(hit.learning) for hit in pages["learnings"]],
        "commits": _commits(reading, text),
        "skills": [_skill(hit) for hit in _page(reading, text, "skills", notes, _MOST_SKILLS)],
        "files": _files(reading, text),
        "notes": [line(note) for note in dict.fromkeys(notes)],
        "took_ms": round(1000 * (time.monotonic() - begun)),
    }


def _page(
    reading: Reading, text: str, kind: str, notes: list[str], most: int = _MOST
) -> Sequence[Any]:
    """Return the hits of one kind; why there are none is told in `notes`."""
    from ...mcp.engine import Wanted

    if not text:
        return ()
    try:
        # Code as HEAD has it: that is what the views of files show.
        at = (reading.state.head or "") if kind == "code" else ""
        page: Page = reading.stores.engine.search(Wanted(text, (kind,), limit=most, revision=at))
    except (SkillmeshError, OSError, ValueError) as error:
        notes.append(f"{kind}: {error}")
        return ()
    notes += page.notes if kind != "skills" else []
    return [one.hit for one in page.hits]


def _code(hit: Any) -> Document:
    lines = hit.text.split("\n")
    extent = hit.definition or hit
    first = max(min(hit.line, extent.end_line) - 1, hit.start_line)
    shown = lines[first - hit.start_line : first - hit.start_line + _LINES]
    return {
        **file_ref(hit.path),
        "start": extent.start_line,
        "end": extent.end_line,
        "symbol": line(hit.symbol) or None,
        "excerpt": "\n".join(shown)[:_EXCERPT],
    }


def _exchange(reading: Reading, hit: Any) -> Document | None:
    """Return an exchange that was found; one that has been forgotten since is left out."""
    if hit.session not in sessions(reading).by_id:
        return None
    text = "\n".join(one.text for one in hit.lines if one.text.strip())
    return {"ref": exchange_ref(reading, (hit.session, hit.exchange)), "excerpt": text[:_EXCERPT]}


def _skill(hit: Any) -> Document:
    card = hit.card
    return {"id": card.id, "title": line(card.title), "summary": line(card.description, _EXCERPT)}


def _commits(reading: Reading, text: str) -> list[Document]:
    """Return the newest commits that have all words in subject and author, or begin with one."""
    words = text.lower().split()
    found = []
    for one in commits(reading).listed if words else ():
        told = f"{one.summary}\n{one.author}".lower()
        named = len(words) == 1 and len(words[0]) > 6 and one.oid.startswith(words[0])
        if named or all(word in told for word in words):
            found.append(commit_ref(one))
            if len(found) == _MOST:
                break
    return found


def _files(reading: Reading, text: str) -> list[Document]:
    """Return files whose paths have all words, those with the shortest paths first."""
    words = text.lower().split()
    if not words:
        return []
    found = [path for path in files(reading).blobs if all(word in path.lower() for word in words)]
    return [file_ref(path) for path in sorted(found, key=lambda one: (len(one), one))[:_MOST]]
