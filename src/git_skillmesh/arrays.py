"""Named arrays in one memory-mapped file: how the indexes of code and of skills are kept.

In: arrays and a path. Out: the same arrays, mapped. A file is a magic line, a JSON line of shapes
and a checksum, then aligned data; it is replaced as a whole or not at all.
"""

import json
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Damaged

_MAGIC = b"skillmesh segment 1\n"
_ALIGNMENT = 64
REBUILD = "git skillmesh index --rebuild"


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write named arrays: a magic line, a JSON line of shapes, then aligned data. Atomic."""
    layout, offset, checksum = {}, 0, 0
    for name, values in arrays.items():
        layout[name] = (values.dtype.str, values.shape, offset)
        checksum = zlib.crc32(_bytes_of(values), checksum)
        offset += -(-values.nbytes // _ALIGNMENT) * _ALIGNMENT
    facts = {"arrays": layout, "bytes": offset, "crc32": checksum}
    header = _MAGIC + json.dumps(facts).encode() + b"\n"
    header += b" " * (-len(header) % _ALIGNMENT)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(header)
        for values in arrays.values():
            file.write(_bytes_of(values))
            file.write(b"\0" * (-values.nbytes % _ALIGNMENT))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _bytes_of(values: NDArray[np.generic]) -> memoryview | bytes:
    return np.ascontiguousarray(values).data.cast("B") if values.size else b""


def open_arrays(path: Path, check: bool = False, mend: str = REBUILD) -> dict[str, NDArray[Any]]:
    """Map the arrays of a file written by `write_arrays`, read-only.

    With `check` every byte is read and compared with the checksum. Raises `Damaged`.
    """
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise damaged(path, mend) from None
    if data[: len(_MAGIC)] != _MAGIC:
        raise damaged(path, mend)
    try:
        end = data.find(b"\n", len(_MAGIC))
        header = json.loads(data[len(_MAGIC) : end])
        start = -(-(end + 1) // _ALIGNMENT) * _ALIGNMENT
        if len(data) != start + header["bytes"]:
            raise damaged(path, mend)
        arrays = {
            name: np.frombuffer(
                data, np.dtype(kind), count=int(np.prod(shape)), offset=start + offset
            ).reshape(shape)
            for name, (kind, shape, offset) in header["arrays"].items()
        }
        if check and header["crc32"] != _checksum(arrays):
            raise damaged(path, mend)
        return arrays
    except (ValueError, KeyError, TypeError):
        raise damaged(path, mend) from None


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> int:
    found = 0
    for values in arrays.values():
        found = zlib.crc32(_bytes_of(values), found)
    return found


def damaged(path: Path, mend: str = REBUILD) -> Damaged:
    """Return the error that says which file cannot be read."""
    return Damaged(f"{path.name} of the index is damaged", mend)
