"""Write a result to a file that somebody reads at any moment: whole, or not at all.

In: a path, text. Out: the file, replaced in one step.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from ..errors import ReadOnly


def write_whole(path: Path, text: str) -> None:
    """Write text in one step; a link is followed, rights stay. Raises `ReadOnly`."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():  # a pipe, /dev/stdout
            target.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        # A collector of files must not take this one for its own: the name has another ending.
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".new")
        try:
            with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(mode)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
