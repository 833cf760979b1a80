"""Where the index of a registry is kept between two runs.

In: a folder and the registry's name. Out: the stored `Index`, or an empty one. The file is a cache:
whoever deletes it loses a second of work, and one that cannot be read or written is done without.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from ..arrays import open_arrays, write_arrays
from ..errors import Damaged
from ..files import expanded
from ..git.repository import Repository
from .index import Index, Model, empty
from .loading import shipped
from .routing import Field, recipe

SHIPPED = "experts.routing"
_SUFFIX = ".routing"
_MADE_BY = "made_by"


def cache_folder(repository: Repository | None, environ: Mapping[str, str]) -> Path:
    """Return the folder of routing indexes: the repository's, else the user's."""
    if repository is not None:
        return repository.state_dir / "skills"
    home = expanded(environ.get("HOME") or "~")
    cache = environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if cache.startswith("/") else home / ".cache") / "skillmesh" / "skills"


def key_of(registry: str) -> str:
    """Return a name for files and collections, distinct for each registry: [a-z0-9-]."""
    told = re.sub(r"[^a-z0-9]+", "-", registry.lower()).strip("-")[:40].strip("-")
    return f"{told or 'registry'}-{hashlib.sha256(registry.encode()).hexdigest()[:8]}"


def index_file(folder: Path, registry: str) -> Path:
    """Return the file of a registry's index."""
    return folder / (key_of(registry) + _SUFFIX)


def load(path: Path | None, model: Model) -> Index:
    """Return what is stored, if this program and this model made it.

    Else the index of the shipped cards, which most registries begin with, or an empty one.
    """
    for place in (path, shipped_index()):
        try:
            if place is not None:
                return _opened(place, model)
        except (OSError, Damaged, KeyError, TypeError):
            pass
    return empty(model.dimension)


def shipped_index() -> Path:
    """Return the index of the shipped cards, made by scripts/routing_index.py."""
    folder = shipped()
    return (folder if folder.is_dir() else folder.parent) / SHIPPED


def _opened(path: Path, model: Model) -> Index:
    arrays = open_arrays(path, check=True)
    if arrays.pop(_MADE_BY).tobytes() != _made_by(model):
        raise KeyError("made by another program or model")
    return _checked(Index(**arrays), model.dimension)


def save(index: Index, path: Path | None, model: Model) -> None:
    """Store an index. A place that cannot be written keeps nothing."""
    if path is None:
        return
    arrays = {field.name: getattr(index, field.name) for field in fields(Index)}
    arrays[_MADE_BY] = np.frombuffer(_made_by(model), np.uint8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, arrays)
    except OSError:
        pass


def _made_by(model: Model) -> bytes:
    return f"{recipe()} {model.model_id}".encode()


def _checked(index: Index, dimension: int) -> Index:
    """Return the index if its arrays fit each other. Raises TypeError."""
    cards, vectors = len(index), len(index.owners)
    fits = (
        index.digests.shape == (cards, 16)
        and index.lengths.shape == (cards, len(Field))
        and index.starts.shape == (len(index.terms) + 1,)
        and index.counts.shape == (len(index.cards), len(Field))
        and index.rows.shape == (vectors, dimension)
        and index.norms.shape == index.kinds.shape == index.texts.shape == (vectors,)
    )
    if not fits:
        raise TypeError("the arrays do not fit each other")
    return index
