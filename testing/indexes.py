"""What an index holds, in a form that two indexes can be compared by.

In: a repository with an index. Out: plain values, free of row numbers, times and segments.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.store import Store
from git_skillmesh.index.sync import resolve

from .commands import call


def head_in_index(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return path → everything the index holds of its version at HEAD: row, chunks, vectors."""
    repository = discover(folder)
    store = Store(repository)
    catalogue = store.reader()
    try:
        models = catalogue.models()
        names = sorted(set.union(set(), *models.values()))
        segments = {
            number: loaded
            for (number, _, _), loaded in zip(
                catalogue.segments(),
                store.load(catalogue, names[0] if names else None),
                strict=True,
            )
        }
        resolution = resolve(repository, catalogue, load(repository), repository.head_tree()[1])
        assert resolution.missing == []
        found: dict[str, tuple[object, ...]] = {}
        for row in catalogue.files(resolution.members.tolist()).values():
            digest = ""
            if row.segment is not None and row.first_row is not None:
                loaded = segments[row.segment]
                chosen = slice(row.first_row, row.first_row + row.chunks)
                assert (loaded.files[chosen] == row.id).all()
                assert loaded.vectors is not None
                digest = hashlib.sha256(
                    loaded.segment.lengths[:, chosen].tobytes()
                    + np.ascontiguousarray(loaded.vectors.rows[chosen]).tobytes()
                    + loaded.vectors.norms[chosen].tobytes()
                ).hexdigest()
            chunks = tuple(astuple(chunk) for chunk in catalogue.chunks(row.id))
            assert row.path not in found
            found[row.path] = (
                row.blob, row.reading, row.language, row.skip, row.bytes, row.commit,
                chunks, digest,
            )  # fmt: skip
        return found
    finally:
        catalogue.close()


def answers(folder: Path, queries: Sequence[str]) -> list[object]:
    """Return the documents of `query --json` for HEAD."""
    return [
        json.loads(call(folder, "query", "--committed", "--explain", "--full", "--json", query).stdout)
        for query in queries
    ]
