"""What a measurement counts."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Failed, in_turn, percentile, run

_WORK = "import sys; sum(range(3_000_000)); "


def python(tmp_path: Path, code: str, **options: bool) -> "tuple[float, bytes, int | None]":
    cost = run([sys.executable, "-c", code], tmp_path, os.environ, **options)  # type: ignore[arg-type]
    return cost.cpu, cost.output, cost.peak


def test_children_count(tmp_path: Path) -> None:
    alone = python(tmp_path, "print(1)")
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_WORK * 5!r}])"
    assert alone[1:] == (b"1\n", None)
    assert python(tmp_path, child)[0] > 2 * alone[0]


def test_memory_of_children_counts(tmp_path: Path) -> None:
    hold = "import time; held = b'x' * 100_000_000; time.sleep(0.5)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    peak = python(tmp_path, child, memory=True)[2]
    assert peak is not None
    assert peak > 100_000_000


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="exit code 3\nsaid why"):
        python(tmp_path, "import sys; print('said why', file=sys.stderr); sys.exit(3)")


def test_cases_take_turns() -> None:
    order: list[str] = []
    found = in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(values) for name, values in found.items()} == {"a": 3, "b": 3}


def test_percentiles() -> None:
    assert [percentile([3, 1, 2, 4], share) for share in (0.0, 0.5, 0.95)] == [1, 3, 4]
