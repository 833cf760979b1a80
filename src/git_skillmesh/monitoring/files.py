"""Write a result to a file that somebody reads at any moment: whole, or not at all.

In: a path, text. Out: the file, replaced in one step.
"""

from pathlib import Path

from ..errors import ReadOnly
from ..files import rewrite_file


def write_whole(path: Path, text: str) -> None:
    """Write text in one step; a link is followed, rights stay. Raises `ReadOnly`."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():  # a pipe, /dev/stdout
            target.write_bytes(data)
            return
        rewrite_file(target, data)
    except OSError as error:
        raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None
