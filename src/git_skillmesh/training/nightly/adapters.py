"""What the pipeline has to know of the folder of adapters; commands change it, this only looks.

In: the folder. Out: the name of the active adapter, what an adapter says of its training, which
lines it knows, an adapter that was trained already.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...sessions.serving import ACTIVE

PREFIX = "lora_codelearn_"
# Ids of the lines that an adapter and its parents were trained on, one a line.
_KNOWN = "trained_ids.txt"


def active_name(store: Path) -> str:
    """Return the name of the active adapter, "" if there is none."""
    manifest = _document(store / ACTIVE).get("manifest")
    return str(manifest.get("adapter") or "") if isinstance(manifest, dict) else ""


def known_lines(store: Path, name: str) -> frozenset[str] | None:
    """Return the ids of the lines that an adapter was trained on, None if it does not say."""
    try:
        return frozenset((store / name / _KNOWN).read_text("utf-8").split())
    except (OSError, ValueError):
        return None


def described(store: Path, name: str) -> Mapping[str, Any]:
    """Return the training.json of an adapter, {} if there is none."""
    return _document(store / name / "training.json") if name else {}


def trained_already(store: Path, wanted: Mapping[str, Any], since: str) -> str:
    """Return the newest adapter whose training.json says all that is wanted, "" without one.

    Those that were ready before `since` do not count.
    """
    found = []
    for path in store.glob(f"{PREFIX}*/training.json"):
        said = _document(path)
        time = str(said.get("time", ""))
        if time >= since and all(said.get(key) == value for key, value in wanted.items()):
            found.append((time, path.parent.name))
    return max(found, default=("", ""))[1]


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
