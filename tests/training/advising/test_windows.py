"""Windows of added lines: what is in them, and that nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.training.advising.model import Part, Piece
from git_skillmesh.training.advising.windows import LINES, MOST, windows, words

CODE = '''"""About parcels."""

import csv
import json
from pathlib import Path

LIMIT = 3


def weigh(parcel):
    if parcel.empty:
        return 0
    return sum(one.weight for one in parcel.items)


@cached
def route(parcel):
    # The depot has its own clock.
    first = parcel.depot.clock()
    second = first + parcel.delay
    third = second + 1
    fourth = third + 1
    fifth = fourth + 1
    return fifth
class Depot:
    pass
'''


def part_of(*files: str) -> Part:
    return Part(
        tuple(
            Piece(f"{name}.py", tuple(("+", n, line) for n, line in enumerate(text.split("\n"), 1)))
            for name, text in enumerate(files)
        )
    )


def test_paragraphs_and_definitions_begin_windows() -> None:
    assert windows(part_of(CODE)) == [
        '"""About parcels."""\nimport csv\nimport json\nfrom pathlib import Path',
        "LIMIT = 3\ndef weigh(parcel):\nif parcel.empty:\nreturn 0\n"
        "return sum(one.weight for one in parcel.items)",
        "@cached\ndef route(parcel):\n# The depot has its own clock.\n"
        "first = parcel.depot.clock()\nsecond = first + parcel.delay",
        "third = second + 1\nfourth = third + 1\nfifth = fourth + 1\nreturn fifth",
        "class Depot:\npass",
    ]


def test_lines_that_stand_apart_and_what_comes_again() -> None:
    rows = tuple(("+", n, f"row_{n}()") for n in (1, 2, 3, 40, 41, 42))
    part = Part((Piece("a.py", (*rows[:3], (" ", 4, "not added"), *rows[3:])),))
    assert windows(part) == ["row_1()\nrow_2()\nrow_3()", "row_40()\nrow_41()\nrow_42()"]
    assert windows(part_of("same()\n", "same()\n")) == ["same()"]
    assert windows(part_of("\n\n")) == []


@given(
    st.lists(st.sampled_from(["", "  ", "def f():", "@x", "# why", "a", "b()", "c"]), max_size=60)
)
def test_every_line_is_in_a_window(lines: list[str]) -> None:
    numbered = [f"{line} {n}" if line.strip() else line for n, line in enumerate(lines)]
    found = windows(part_of("\n".join(numbered)))
    assert [line for text in found for line in text.split("\n")] == [
        line.strip() for line in numbered if line.strip()
    ]
    assert all(len(text.split("\n")) <= LINES for text in found)


def test_a_large_change_is_sampled() -> None:
    text = "\n\n".join("\n".join(f"value_{n}_{row}()" for row in range(3)) for n in range(100))
    found = windows(part_of(text))
    assert len(found) == MOST
    assert found[0].startswith("value_0_0()")
    assert found[-1].startswith("value_97_0()")


def test_words() -> None:
    assert words("session.request('GET', depotUrl(a_b), timeout=0.5)  # müde") == (
        "session request GET depot Url a b timeout 0.5 müde"
    )
