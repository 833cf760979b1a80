"""Whether a question is about any field of work that the lists here know, whatever card it means.

In: what the layers of the sentence model make of a question. Out: a number, above 0 where it rather
is. Fitted to the texts of the shipped cards and to questions about everything else
(training/fit_routing.py); a card that is of no known field is judged without it.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import open_arrays, write_arrays
from ..embedding.protocol import Embedder
from ..errors import Damaged

Floats = NDArray[np.float32]

FITTED = Path(__file__).parent / "data" / "known.vec"

# Numbers beyond this say nothing more.
_MOST = 8.0


def read(model: Embedder, text: str) -> tuple[Floats, float | None]:
    """Return a question's vector, and how much it is about a known field; None for no idea."""
    depths = getattr(model, "depths", None)
    if depths is None:
        return model.embed_query(text), None
    row: Floats = depths([text])[0]
    made_by, weights = _fitted()
    field = told(row, weights) if made_by == model.model_id and row.any() else None
    return row[-model.dimension :], field


def told(row: Floats, weights: NDArray[np.float64]) -> float:
    """Return how much a row of `depths` is about a known field, within ±1."""
    value = float(row.astype(np.float64) @ weights[:-1] + weights[-1])
    return min(max(value, -_MOST), _MOST) / _MOST


def write_known(weights: NDArray[np.float64], model_id: str, path: Path = FITTED) -> None:
    """Write what was fitted: a weight for each number of a row, and a constant."""
    made_by = np.frombuffer(model_id.encode(), np.uint8)
    write_arrays(path, {"weights": weights.astype(np.float32), "made_by": made_by})
    _fitted.cache_clear()


@cache
def _fitted() -> tuple[str, NDArray[np.float64]]:
    try:
        arrays = open_arrays(FITTED)
        return arrays["made_by"].tobytes().decode(), arrays["weights"].astype(np.float64)
    except (OSError, Damaged, KeyError, ValueError):
        return "", np.zeros(0)
