"""What is kept on disk between runs: `.git/skillmesh/explorer/NAME.json`, which may be deleted.

In: a name, plain data. Out: the data, nothing where there is none that can be used. It holds what
git says of commits, ids and counts, and no text of a conversation.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..files import replace_file
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
    text = json.dumps({"schema": _SCHEMA, "kept": kept}, separators=(",", ":"))
    with suppress(OSError):  # the answer is right without it
        replace_file(_place(repository, name), text.encode(), 0o600, durable=False)


def _place(repository: Repository, name: str) -> Path:
    return repository.state_dir / "explorer" / f"{name}.json"
