"""The data set that the pipeline has made last, as far as steps need to know it.

In: what `export-rl` printed. Out: `Data`: its file, its lines by split, and whether it is there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import Damaged


@dataclass(frozen=True, slots=True)
class Data:
    """A data set: its file, hash, how many lines it has, and how many of them are the test."""

    path: str
    sha256: str
    lines: int
    test: int

    def ids(self, *splits: str) -> list[str]:
        """Return the ids of the lines of some splits. Raises `Damaged`."""
        found: list[str] = []
        try:
            with Path(self.path).open(encoding="ascii") as lines:
                for text in lines:  # all of them at once may be gigabytes
                    line = json.loads(text)
                    found += [str(line["id"])] if line["split"] in splits else []
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise Damaged(f"cannot read {self.path}", "remove it: it is made again") from None
        return found


def data_of(result: Mapping[str, Any]) -> Data:
    """Return what the result of an export says; a `Data` without a path if there is none."""
    path = (result.get("paths") or {}).get("data") or ""
    test = int((result.get("splits") or {}).get("test") or 0)
    return Data(path, str(result.get("sha256") or ""), int(result.get("lines") or 0), test)


def is_there(result: Mapping[str, Any]) -> bool:
    """Return whether the file of an export is there, as long as it was."""
    path = data_of(result).path
    if not path:
        return not result.get("lines")
    try:
        return Path(path).stat().st_size == result.get("bytes")
    except OSError:
        return False
