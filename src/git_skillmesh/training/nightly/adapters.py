"""What the pipeline has to know of the folder of adapters; commands change it, this only looks.

In: the folder. Out: what an adapter says of its training, which lines it knows, an adapter that was
trained already.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..adapters.store import RECORD, Store
from ..lora.folders import KNOWN_IDS


def known_lines(folder: Path, name: str) -> frozenset[str] | None:
    """Return the ids of the lines that an adapter was trained on, None if it does not say."""
    try:
        return frozenset((folder / name / KNOWN_IDS).read_text("utf-8").split())
    except (OSError, ValueError):
        return None


def described(folder: Path, name: str) -> Mapping[str, Any]:
    """Return the record of an adapter's training, {} if there is none."""
    try:
        found = json.loads((folder / name / RECORD).read_bytes()) if name else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def trained_already(folder: Path, wanted: Mapping[str, Any], since: str) -> str:
    """Return the newest adapter whose record says all that is wanted, "" without one.

    Those that were ready before `since` do not count. Raises `Damaged`.
    """
    found = []
    for name in Store(folder).names():
        said = described(folder, name)
        time = str(said.get("time", ""))
        if time >= since and all(said.get(key) == value for key, value in wanted.items()):
            found.append((time, name))
    return max(found, default=("", ""))[1]
