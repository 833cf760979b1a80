"""Questions about repositories with the places that answer them.

In: a JSON file of annotations. Out: `Project`s, and for a list of results which of the places it
found. The file's format is that of semble's benchmark: for each repository a pinned revision, the
folder that is indexed, and questions with relevant and secondary targets.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A file, or some of its lines (1-based, inclusive)."""

    path: str
    start_line: int = 0
    end_line: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A place that a search returned, with the path as seen from the repository's top."""

    path: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Question:
    """`category` is one of architecture, semantic, symbol."""

    text: str
    category: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """A repository at a revision, of which the folder `root` is indexed ("" for all)."""

    name: str
    language: str
    revision: str
    root: str
    questions: tuple[Question, ...]


def read_annotations(path: Path) -> list[Project]:
    """Read the projects of a file. Raises KeyError and ValueError for another format."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [
        Project(
            name=entry["name"],
            language=entry["language"],
            revision=entry["revision"],
            root=entry["root"].strip("/"),
            questions=tuple(
                Question(
                    question["query"],
                    question["category"],
                    tuple(map(_target, [*question["relevant"], *question["secondary"]])),
                )
                for question in entry["queries"]
            ),
        )
        for entry in document["repositories"]
    ]


def _target(entry: str | dict[str, Any]) -> Target:
    if isinstance(entry, str):
        return Target(entry)
    return Target(entry["path"], entry.get("start_line") or 0, entry.get("end_line") or 0)


def counts_for(result: Result, target: Target) -> bool:
    """Whether a result counts: the path equals or ends with the target's, and lines overlap."""
    same = result.path == target.path or result.path.endswith("/" + target.path)
    if not same or not target.start_line:
        return same
    return result.start_line <= target.end_line and target.start_line <= result.end_line


def found_at(results: Sequence[Result], targets: Sequence[Target]) -> list[int]:
    """Return the ranks (from 1) at which targets are found; each result finds one at most."""
    left = list(targets)
    ranks = []
    for rank, result in enumerate(results, 1):
        target = next((target for target in left if counts_for(result, target)), None)
        if target is not None:
            left.remove(target)
            ranks.append(rank)
    return ranks
