"""Sets of numbers, as arrays.

In: arrays of numbers. Out: sorted arrays in which each number stands once. NumPy's functions of the
same kind first ask whether an array is masked; for that they load a module that takes a short
command longer than its search.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.number)


def distinct(values: NDArray[_Number]) -> NDArray[_Number]:
    """Return each number once, in order."""
    ordered = np.sort(values)
    fresh = np.ones(len(ordered), np.bool_)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return ordered[fresh]


def united(left: NDArray[_Number], right: NDArray[_Number]) -> NDArray[_Number]:
    """Return the numbers of both, each once, in order."""
    return distinct(np.concatenate((left, right)))


def without(values: NDArray[_Number], gone: NDArray[_Number]) -> NDArray[_Number]:
    """Return the numbers that are not among those `gone`, each once, in order."""
    kept = distinct(values)
    return kept[np.isin(kept, gone, assume_unique=True, invert=True)]
