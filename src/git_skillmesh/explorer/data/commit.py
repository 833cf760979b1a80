"""A commit: its message, its files as diffs, the exchanges that made its lines.

In: a reading, a whole id. Out: `Commit`. Only commits of HEAD's history, and others that have
links, are shown.
"""

import re
from typing import Any

from ...git.commitlog import logged
from ...git.commits import parse_commit
from ...git.patches import Patch, patches
from ...sessions.answering import made_of
from ...sessions.links import read_links
from ..parts import commits, links
from ..stores import Reading
from .learned import of_commits
from .refs import Document, commit_ref, exchange_refs, file_ref, line

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_EMAIL = re.compile(r"<([^<>]*)>")
_MOST_FILES = 300
_MOST_OF_FILE = 100_000
_MOST_OF_DIFFS = 1_500_000
_MOST_BODY = 100_000


def commit(reading: Reading, key: str) -> Document | None:
    """Return a commit, None if there is none of this id. Raises `GitFailed`."""
    if not _OID.fullmatch(key):
        return None
    if key not in commits(reading).by_id and key not in links(reading).noted:
        return None
    stored = reading.db.reader.look_up(key)
    found = logged(reading.repository, [key]) if stored and stored.kind == "commit" else []
    if stored is None or not found:
        return None
    parsed = parse_commit(key, stored.data)
    notes = read_links(reading.repository, [key]).get(key, ())
    made = made_of(found[0], notes)
    files = patches(
        reading.repository, key, _parents(reading, parsed.parents), _MOST_OF_FILE, _MOST_OF_DIFFS
    )
    email = _EMAIL.search(parsed.author)
    named = exchange_refs(reading, made)
    before = {oid for link in notes for oid in link.via}
    return {
        **commit_ref(found[0]),
        "parents": list(parsed.parents),
        "body": _body(parsed.message),
        "email": line(email[1]) if email and email[1] else None,
        "files": [_file(one) for one in files[:_MOST_FILES]],
        "files_left_out": max(len(files) - _MOST_FILES, 0),
        "exchanges": [
            {
                "exchange": named[pair],
                "lines": one.lines,
                "confidence": one.confidence,
                "method": max(one.links, key=lambda link: link.confidence).evidence,
            }
            for pair, one in made.items()
        ],
        "learnings": of_commits(reading, {key, *before}),
    }


def _parents(reading: Reading, parents: tuple[str, ...]) -> list[str]:
    """Return the parents that this clone has: a shallow one ends somewhere."""
    return [oid for oid in parents[:1] if reading.db.reader.look_up(oid)]


def _body(message: bytes) -> str:
    """Return what a message says beyond its subject."""
    text = message.decode("utf-8", "replace").lstrip("\n")
    _, _, body = text.partition("\n\n")
    return body.strip("\n")[:_MOST_BODY]


def _file(one: Patch) -> dict[str, Any]:
    return {
        "file": file_ref(one.path),
        "added": one.added,
        "removed": one.removed,
        "status": f"{one.status} from {line(one.old_path)}" if one.old_path else one.status,
        "diff": one.text,
    }
