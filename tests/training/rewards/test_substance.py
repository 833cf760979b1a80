"""Lines that are there in substance: formatted, renamed, moved; and those that are not."""

import pytest

from git_skillmesh.training.rewards.substance import in_substance
from testing.rewards import OTHER, PARSER, REPORT

GO = """\
package parcels

// Weigh returns the weight of all parcels.
func Weigh(parcels []Parcel) (total int) {
	for _, parcel := range parcels {
		total += parcel.Weight
	}
	return total
}
"""
SCRIPT = """\
export function routeOf(parcel, depots) {
  const near = depots.filter(depot => depot.zip === parcel.zip)
  if (near.length === 0) { return null }
  return { depot: near[0], zip: parcel.zip, name: 'route' }
}
"""
FORMATTED = (
    SCRIPT.replace("'", '"')
    .replace(")\n", ");\n")
    .replace("{ return null }", "{\n    return null;\n  }")
)


def lost(old: str, *new: str, path: str = "a.py") -> list[int]:
    """Return the lines of a text, all of which are gone as text, that are gone in substance."""
    lines = {number for number, line in enumerate(old.split("\n"), 1) if line.strip()}
    found = in_substance(path, old.encode(), lines, [(path, text.encode()) for text in new])
    return sorted(lines - found)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.py", PARSER, PARSER.replace("    ", "\t").replace('"', "'").replace("'HDR'", '"HDR"')),
        ("a.py", PARSER, PARSER.replace("raw", "data").replace("read_header", "header_of")),
        ("a.py", PARSER, f"class Reader:\n    def other(self):\n        pass\n{PARSER}"),
        ("a.py", PARSER, PARSER.replace("(stream, limit)", "(\n    stream,  #\n    limit,\n)")),
        ("a.go", GO, GO.replace("parcel", "box").replace("total", "sum").replace("// Weigh", "//")),
        ("a.js", SCRIPT, FORMATTED),
        ("a.md", "A line that has been wrapped,\nand goes on in the next one.\n",
         "A line that has been\nwrapped, and goes on in the\nnext one.\n"),
    ],
    ids=["quotes", "names", "moved", "broken", "go", "script", "prose"],
)  # fmt: skip
def test_there_in_substance(path: str, old: str, new: str) -> None:
    gone = lost(old, new, path=path)
    comments = [n for n, line in enumerate(old.split("\n"), 1) if line.startswith("//")]
    assert set(gone) <= {*comments, 1}


def test_gone() -> None:
    assert lost(PARSER, OTHER) == [1, 2, 3, 4, 5, 6]
    assert lost(PARSER, REPORT) == [1, 2, 3, 4, 5, 6]
    assert lost(PARSER) == [1, 2, 3, 4, 5, 6]
    assert lost("not code\n", "something else\n", path="a.unknown") == [1]


def test_a_changed_statement_is_gone_and_its_neighbours_are_not() -> None:
    changed = PARSER.replace("stream", "source").replace("limit", "most").replace(
        'b";"', 'b","'
    )  # fmt: skip
    assert 5 in lost(PARSER, changed)
    assert 6 not in lost(PARSER, changed)


def test_what_stood_twice_and_stands_once_is_gone_once() -> None:
    twice = f"{REPORT}\n\n{REPORT}"
    below = {6 + line for line in range(1, 5)}
    assert in_substance("a.py", twice.encode(), below, [("a.py", REPORT.encode())]) == set()
    assert in_substance("a.py", twice.encode(), below, [("a.py", twice.encode())]) == below


def test_nonsense_does_no_harm() -> None:
    for data in (b"\0\xff" * 50, b"(" * 5_000, b"", b"x = " + b"[" * 3_000):
        assert in_substance("a.py", data, {1, 7}, [("a.py", data[:40])]) <= {1, 7}
