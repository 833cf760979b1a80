"""How sessions began, for those that their agent gave no title.

In: summaries of sessions. Out: a line of the first prompt of each. What was read once is kept in a
cache, by the blobs it was read from, so that a list of thousands does not read them all again. The
cache may be deleted at any time, and holds nothing of a session that is forgotten.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..files import replace_file
from ..git.objects import BlobReader
from ..git.repository import Repository
from .lookup import beginning_of, first_of
from .reading import Summary
from .summaries import summary_of_prompt

_SCHEMA = 2


def titles(repository: Repository, summaries: Iterable[Summary]) -> dict[str, str]:
    """Return session id → its title, or else how it began."""
    listed = list(summaries)
    untitled = {one.opening for one in listed if not one.head.title and one.opening}
    stored = _stored(repository)
    known = {blob: stored[blob] for blob in untitled if blob in stored}
    missing = sorted(untitled - set(known))
    if missing:
        with BlobReader(repository) as reader:
            data = reader.read_many(blob for blobs in missing for blob in blobs.split())
            for blobs in missing:
                known[blobs] = opening_in([next(data) for _ in blobs.split()])
        _store(repository, known)
    return {one.head.session_id: one.head.title or known.get(one.opening, "") for one in listed}


def opening_in(segments: Iterable[bytes | None]) -> str:
    """Return how the session began whose first prompt is in one of these segments."""
    return summary_of_prompt(beginning_of(first_of(segments))[1])


def drop_openings(repository: Repository) -> None:
    """Delete what is kept, because a session was forgotten."""
    with suppress(OSError):
        _path(repository).unlink()


def _path(repository: Repository) -> Path:
    return repository.state_dir / "openings.json"


def _stored(repository: Repository) -> dict[str, str]:
    try:
        document = json.loads(_path(repository).read_bytes())
        prompts = document["prompts"] if document["schema"] == _SCHEMA else {}
        return {blob: text for blob, text in prompts.items() if isinstance(text, str)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _store(repository: Repository, prompts: dict[str, str]) -> None:
    text = json.dumps({"schema": _SCHEMA, "prompts": prompts})
    with suppress(OSError):  # a cache: the answer is right without it
        replace_file(_path(repository), text.encode(), durable=False)
