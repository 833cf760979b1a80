"""What analysis found of each exchange, so that it is looked at once.

In: a repository. Out: `Known`, read from `.git/skillmesh/analysis.json` and written back in one
step. A cache: it may be deleted at any time, and what a later version does not understand is done
again. It quotes conversations, so what is forgotten is taken out of it.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..files import replace_file
from ..git.repository import Repository
from ..sessions.model import Exchange
from .candidates import Evidence, evidence_from_json, evidence_to_json

# Raised whenever the same exchange would give other evidence.
ANALYSIS_VERSION = 1
Lines = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Seen:
    """An exchange: a digest of what it was, its evidence, the lines it left and took away."""

    digest: str
    started: str = ""
    evidence: tuple[Evidence, ...] = ()
    written: Lines = field(default_factory=dict)
    removed: Lines = field(default_factory=dict)


@dataclass
class SeenSession:
    """A session: the tree of its exchanges when it was read, and each of them in order."""

    listed: str
    ended: str = ""
    exchanges: dict[str, Seen] = field(default_factory=dict)


@dataclass
class Known:
    """All of it. `head` is the commit of which `commits` and `reverted` tell.

    `drafts` is id of a candidate → what a command answered about it.
    """

    sessions: dict[str, SeenSession] = field(default_factory=dict)
    head: str = ""
    commits: tuple[Evidence, ...] = ()
    reverted: tuple[str, ...] = ()
    drafts: dict[str, str] = field(default_factory=dict)


def path_of(repository: Repository) -> Path:
    """Return where the cache lies."""
    return repository.state_dir / "analysis.json"


def read(repository: Repository) -> Known:
    """Return what is known, nothing if it cannot be read."""
    try:
        document = json.loads(path_of(repository).read_bytes())
        if document["version"] != ANALYSIS_VERSION:
            return Known()
        return Known(
            {name: _session(one) for name, one in document["sessions"].items()},
            document["head"],
            tuple(map(evidence_from_json, document["commits"])),
            tuple(document["reverted"]),
            {str(name): str(text) for name, text in document["drafts"].items()},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Known()


def write(repository: Repository, known: Known) -> None:
    """Keep what is known. A disk that cannot be written costs time, not the answer."""
    document = {
        "version": ANALYSIS_VERSION,
        "sessions": {name: _plain(one) for name, one in sorted(known.sessions.items())},
        "head": known.head,
        "commits": [evidence_to_json(one) for one in known.commits],
        "reverted": list(known.reverted),
        "drafts": known.drafts,
    }
    text = json.dumps(document, separators=(",", ":"))
    with suppress(OSError):
        replace_file(path_of(repository), text.encode(), durable=False)


def drop(repository: Repository) -> None:
    """Delete the cache: a session was forgotten, or all is to be looked at again."""
    with suppress(OSError):
        path_of(repository).unlink()


def _session(document: Mapping[str, Any]) -> SeenSession:
    seen = {name: _seen(one) for name, one in document["exchanges"].items()}
    return SeenSession(str(document["listed"]), str(document["ended"]), seen)


def _seen(document: Mapping[str, Any]) -> Seen:
    return Seen(
        str(document["digest"]),
        str(document["started"]),
        tuple(map(evidence_from_json, document["evidence"])),
        {path: tuple(lines) for path, lines in document["written"].items()},
        {path: tuple(lines) for path, lines in document["removed"].items()},
    )


def _plain(session: SeenSession) -> dict[str, Any]:
    exchanges = {
        name: {
            "digest": one.digest,
            "started": one.started,
            "evidence": [evidence_to_json(each) for each in one.evidence],
            "written": one.written,
            "removed": one.removed,
        }
        for name, one in session.exchanges.items()
    }
    return {"listed": session.listed, "ended": session.ended, "exchanges": exchanges}


def digest_of(value: Exchange) -> str:
    """Return a digest of an exchange."""
    data = json.dumps(
        asdict(value),
        sort_keys=True,
    ).encode()
    return hashlib.sha256(data).hexdigest()[:16]
