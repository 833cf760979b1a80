"""Keep and show results: JSON files in results/, aligned tables on standard output.

In: what a script measured. Out: `results/<name>.json` with the machine, the versions and how busy
the machine was; no path of the machine is kept.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from git_skillmesh import __version__
from testing.repos import run

RESULTS = Path(__file__).with_name("results")
# Above this many runnable processes a core, times say more about the machine than the program.
BUSY = 0.3


def loads() -> list[float]:
    """Return the load averages of 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


class Recorder:
    """Takes note of the machine at the start, writes the results at the end."""

    def __init__(self, name: str, folder: Path | None) -> None:
        self.path = (folder or RESULTS) / f"{name}.json"
        self._load = loads()
        if self.busy:
            said = f"load average {self._load[0]} on {os.cpu_count()} cores"
            print(f"the machine is busy ({said}): trust ratios only", file=sys.stderr)

    @property
    def busy(self) -> bool:
        """Whether something else ran when the measurement began."""
        return self._load[0] > BUSY * (os.cpu_count() or 1)

    def write(self, **found: Any) -> None:
        """Write the results."""
        document = {"machine": self._machine(), **found}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"\nwritten: {self.path.name}")

    def _machine(self) -> dict[str, Any]:
        here = Path(__file__).parent
        commit = run("git", "describe", "--always", "--dirty", cwd=here)
        return {
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "program": __version__,
            "commit": commit.stdout.strip() if commit.returncode == 0 else "",
            "python": platform.python_version(),
            "git": run("git", "--version", cwd=here).stdout.split()[-1],
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "load_before": self._load,
            "load_after": loads(),
            "busy": self.busy,
        }


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an aligned table: the first column to the left, all others to the right."""
    lines = [list(head), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _shown(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def milliseconds(seconds: float) -> str:
    """Return a time for people."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def megabytes(count: float) -> str:
    """Return a size for people."""
    return f"{count / 1e6:.1f} MB"
