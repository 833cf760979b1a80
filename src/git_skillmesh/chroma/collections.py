"""Create and check the collections of every schema.

In: a `Target` and the embedding model in use. Out: one report a collection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .pipe import Writer
from .reader import ChromaReader
from .target import Target

Status = Literal["created", "upgraded", "ok", "wrong", "missing"]


@dataclass(frozen=True)
class CollectionReport:
    """What stands in the store; `problems` says in words what is wrong with it."""

    name: str
    status: Status
    rows: int = 0
    schema_version: int = 0
    space: str = ""
    model_id: str = ""
    dimension: int = 0
    problems: tuple[str, ...] = ()


def ensure_collections(
    target: Target, state_dir: Path, embeddings: Mapping[str, Mapping[str, str]]
) -> list[CollectionReport]:
    """Create what is missing, bring older schema versions up to date, check the rest.

    `embeddings` has "model_id" and "dimension" of every collection. Nothing is ever rebuilt here.
    Raises `ConfigurationError` for a collection of a newer version, `Unavailable`, `Busy`,
    `ReadOnly`.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with Writer(target, state_dir) as writer:
        found = writer.ask("ensure", embeddings=embeddings)["reports"]
    return [_report(fields) for fields in found]


def check_collections(target: Target, state_dir: Path) -> list[CollectionReport]:
    """Look without changing anything. Raises like `ChromaReader`."""
    with ChromaReader(target) as reader:
        return [_report(fields) for fields in reader.reports()]


def _report(fields: Mapping[str, Any]) -> CollectionReport:
    return CollectionReport(**{**fields, "problems": tuple(fields["problems"])})
