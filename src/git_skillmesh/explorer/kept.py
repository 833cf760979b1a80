"""What is kept on disk between runs: `.git/skillmesh/explorer/NAME.json`, which may be deleted.

In: a name, plain data. Out: the data, nothing where there is none that can be used. It holds what
git says of commits, ids and counts, and no text of a conversation.
"""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..git.repository import Repository

# Raised whenever the same state would be kept otherwise.
_SCHEMA = 2


def read(repository: Repository, name: str) -> dict[str, Any]:
    """Return what is kept under a name, nothing if it cannot be used."""
    try:
        document = json.loads(_place(repository, name).read_bytes())
        found = document["kept"] if document["schema"] == _SCHEMA else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(repository: Repository, name: str, kept: dict[str, Any]) -> None:
    """Keep data; where nothing can be written, nothing is kept."""
    place = _place(repository, name)
    with suppress(OSError):  # the answer is right without it
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{name}-")
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump({"schema": _SCHEMA, "kept": kept}, file, separators=(",", ":"))
            Path(temporary).replace(place)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise


def _place(repository: Repository, name: str) -> Path:
    return repository.state_dir / "explorer" / f"{name}.json"
