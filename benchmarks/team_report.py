"""Write what was measured of a team's server into docs/deployment.md.

    python -m benchmarks.team_report

In: results/team-growth.json, results/team-load.json. Out: tables between the markers of the page,
docs/team-growth.svg.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import draw_growth, table
from benchmarks.results import RESULTS, megabytes, milliseconds

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "deployment.md"
PICTURE = ROOT / "docs" / "team-growth.svg"
# Of single-node Chroma, as the arithmetic on the page has it.
DIMENSIONS = 256
NEIGHBOURS = 16
_MILLION = 1_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Write page and picture; with --check only say whether the page is up to date."""
    parser = argparse.ArgumentParser(description="write the figures of docs/deployment.md")
    parser.add_argument("--check", action="store_true", help="change nothing, return 1 if outdated")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    args = parser.parse_args(argv)
    growth = json.loads((args.results / "team-growth.json").read_text())
    load = json.loads((args.results / "team-load.json").read_text())
    text = PAGE.read_text(encoding="utf-8")
    written = text
    for name, made in (("growth", growth_table(growth)), ("paper", paper(growth)),
                       ("load", load_table(load))):  # fmt: skip
        pattern = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- end of {name} -->)"
        with_table = rf"\g<1>\n{made}\n\g<2>"
        written, count = re.subn(pattern, with_table, written, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"docs/deployment.md has {count} places for {name}")
    if args.check:
        return int(written != text)
    PAGE.write_text(written, encoding="utf-8")
    draw(growth, PICTURE)
    return 0


def growth_table(growth: dict[str, Any]) -> str:
    """Return what a collection costs at each size."""
    head = (
        "rows", "rows/s written", "memory", "disk", "search, no filter", "one of 50 repositories",
        "five of 50", "all but one", "write ten rows", "count one repository",
    )  # fmt: skip
    rows = [
        [
            f"{one['rows']:,}", f"{one['inserted_a_second']:.0f}", megabytes(one["memory_bytes"]),
            megabytes(one["disk_bytes"]),
            *(
                f"{milliseconds(one[f'{kind}_p50'])} / {milliseconds(one[f'{kind}_p95'])}"
                for kind in ("all", "one", "five", "others")
            ),
            milliseconds(one["write_ten_p50"]), milliseconds(one["count_one"]),
        ]
        for one in growth["points"]
    ]  # fmt: skip
    return table(head, rows)


def paper(growth: dict[str, Any]) -> str:
    """Return what is calculated for a million rows, beside what was measured."""
    last = growth["points"][-1]
    first = growth["points"][0]
    between = last["rows"] - first["rows"]
    vector = DIMENSIONS * 4
    links = 2 * NEIGHBOURS * 4 + 4 + (NEIGHBOURS * 4 + 4) / (NEIGHBOURS - 1)
    index = vector + links + 8
    memory = (last["memory_bytes"] - first["memory_bytes"]) / between
    disk = (last["disk_bytes"] - first["disk_bytes"]) / between
    return table(
        ("of a row", "bytes", "a million rows"),
        [
            [
                f"vector: {DIMENSIONS} numbers of 4 bytes", f"{vector:,}",
                megabytes(vector * _MILLION),
            ],
            [
                f"links: {2 * NEIGHBOURS} of 4 bytes and their number on the lowest layer, "
                f"{NEIGHBOURS} and theirs on one of {NEIGHBOURS - 1} rows above it",
                f"{links:.0f}", megabytes(links * _MILLION),
            ],
            ["label", "8", megabytes(8 * _MILLION)],
            ["**index in memory, calculated**", f"{index:,.0f}", megabytes(index * _MILLION)],
            [
                f"memory, measured from {first['rows']:,} to {last['rows']:,} rows",
                f"{memory:,.0f}", megabytes(memory * _MILLION),
            ],
            ["text as stored", f"{growth['text_bytes']:,.0f}",
             megabytes(growth["text_bytes"] * _MILLION)],
            [
                f"disk, measured from {first['rows']:,} to {last['rows']:,} rows",
                f"{disk:,.0f}", megabytes(disk * _MILLION),
            ],
        ],
    )  # fmt: skip


def load_table(load: dict[str, Any]) -> str:
    """Return what clients waited for."""

    def times(name: str) -> list[object]:
        found = load[name]
        shown = [
            "-" if found[share] is None else milliseconds(found[share])
            for share in ("p50", "p95", "most")
        ]
        return [found["count"], *shown]

    kinds = (
        ("from commit to all rows on the server, by a process of its own", "arrived"),
        ("the same for commits during the outage, from commit to caught up", "caught_up"),
        ("one search through an open client", "searched"),
        ("a query of the Chroma tier from the shell", "shell"),
        ("processor time of an index run, its writer included", "arrived_cpu"),
        ("processor time of such a query", "shell_cpu"),
    )
    return table(
        ("what", "count", "p50", "p95", "longest"), [[label, *times(name)] for label, name in kinds]
    )


def draw(growth: dict[str, Any], path: Path) -> None:
    """Draw searches with and without a filter."""
    kinds = {
        "search of all rows": "all", "one of 50 repositories": "one", "five of 50": "five",
        "all but one": "others",
    }  # fmt: skip
    points = growth["points"]
    lines = {f"{name}, p50": [one[f"{kind}_p50"] for one in points] for name, kind in kinds.items()}
    draw_growth(path, [one["rows"] for one in points], "rows in the collection", lines)


if __name__ == "__main__":
    raise SystemExit(main())
