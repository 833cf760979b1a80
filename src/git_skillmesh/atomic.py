"""Replace a file as a whole: whoever is killed leaves the old one or the new one.

In: a path and bytes. Out: the file, on the disk.
"""

import os
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Write a file under another name, then give it its own; it is on the disk afterwards.

    Folders that it needs are made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
