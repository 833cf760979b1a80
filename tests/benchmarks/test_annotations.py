"""When a result counts."""

import json
from pathlib import Path

import pytest

from benchmarks.annotations import Result, Target, counts_for, found_at, read_annotations


@pytest.mark.parametrize(
    ("path", "lines", "target", "counts"),
    [
        ("src/a.py", (1, 9), Target("src/a.py"), True),
        ("src/a.py", (1, 9), Target("a.py"), True),
        ("src/aa.py", (1, 9), Target("a.py"), False),
        ("a.py", (1, 9), Target("src/a.py"), False),
        ("a.py", (1, 9), Target("a.py", 9, 12), True),
        ("a.py", (13, 20), Target("a.py", 9, 12), False),
    ],
)
def test_what_counts(path: str, lines: tuple[int, int], target: Target, counts: bool) -> None:
    assert counts_for(Result(path, *lines), target) is counts


def test_each_target_is_found_once() -> None:
    results = [Result("b.py", 1, 2), Result("a.py", 1, 2), Result("a.py", 3, 4), Result("c", 1, 1)]
    assert found_at(results, [Target("a.py"), Target("c")]) == [2, 4]
    assert found_at(results, [Target("a.py"), Target("a.py", 3, 4)]) == [2, 3]
    assert found_at([], [Target("a.py")]) == []


def test_reading(tmp_path: Path) -> None:
    entry = {
        "name": "p", "language": "go", "revision": "abc", "root": "lib/",
        "queries": [{"query": "q", "category": "symbol", "relevant": ["a.go"],
                     "secondary": [{"path": "b.go", "start_line": 3, "end_line": 5}]}],
    }  # fmt: skip
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"repositories": [entry]}))
    (project,) = read_annotations(path)
    assert (project.root, project.questions[0].targets) == (
        "lib",
        (Target("a.go"), Target("b.go", 3, 5)),
    )
