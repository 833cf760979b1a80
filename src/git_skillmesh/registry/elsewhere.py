"""Questions that no skill is about: something for a question to be nearer to than to any card.

In: data/elsewhere.txt. Out: its vectors. How near a question is to the nearest of them counts
against an answer, unless the best card is about the same thing: then the registry is about it.
"""

import zlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import open_arrays, write_arrays
from ..errors import Damaged
from .index import Model, quantise

VECTORS = Path(__file__).parent / "data" / "elsewhere.vec"
DATA = Path(__file__).parent / "data" / "elsewhere.txt"


@cache
def questions() -> tuple[str, ...]:
    """Return the questions: read once a process."""
    lines = DATA.read_text(encoding="utf-8").splitlines()
    told = (line for line in lines if line and not line.startswith("#"))
    return tuple(question.strip() for line in told for question in line.split(";"))


@cache
def elsewhere_digest() -> str:
    """Return what changes with the questions."""
    return f"{zlib.crc32(DATA.read_bytes()):08x}"


_known: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}


def elsewhere(model: Model) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the rows of the questions and their lengths.

    Those of the sentence model are shipped, because it takes seconds to make them.
    """
    found = _known.get(model.model_id)
    if found is None:
        found = _known[model.model_id] = _read(model)
    return found


def _read(model: Model) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    try:
        arrays = open_arrays(VECTORS)
        if arrays["made_by"].tobytes() == _made_by(model):
            return arrays["rows"].astype(np.float32), arrays["norms"]
    except (OSError, Damaged, KeyError):
        pass
    rows, norms = quantise(model.embed_documents(questions()), model.dimension)
    return rows.astype(np.float32), norms


def is_made_by(model: Model, path: Path = VECTORS) -> bool:
    """Whether the file that is shipped is of these questions and this model."""
    try:
        return bool(open_arrays(path)["made_by"].tobytes() == _made_by(model))
    except (OSError, Damaged, KeyError):
        return False


def write_elsewhere(model: Model, path: Path = VECTORS) -> None:
    """Make the file that is shipped."""
    rows, norms = quantise(model.embed_documents(questions()), model.dimension)
    made_by = np.frombuffer(_made_by(model), np.uint8)
    write_arrays(path, {"rows": rows, "norms": norms, "made_by": made_by})


def _made_by(model: Model) -> bytes:
    return f"{elsewhere_digest()} {model.model_id}".encode()
