"""The user's editor, as git would choose and start it.

In: a text. Out: what the user made of it.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigurationError, UsageError
from ..git.process import GitFailed
from .context import Context

_MARK = "#! "
_LARGEST = 1_000_000


def edited(context: Context, name: str, text: str, remarks: Sequence[str] = ()) -> str:
    """Return a text as the user leaves it in the editor; remarks stand above it as comments.

    Raises `UsageError` where the editor fails or leaves no text, `ConfigurationError` without one.
    """
    try:
        command = os.fsdecode(context.repository.git.run("var", "GIT_EDITOR")).strip()
    except GitFailed:
        raise ConfigurationError("no editor", "set VISUAL, or git config core.editor") from None
    with tempfile.TemporaryDirectory(prefix="skillmesh-") as folder:
        place = Path(folder) / name
        above = "".join(f"{_MARK}{line}\n" for remark in remarks for line in remark.split("\n"))
        place.write_text(above + text, encoding="utf-8")
        sys.stdout.flush()
        # As git does it: the user's own line for the shell, the file as its argument.
        process = subprocess.Popen(["sh", "-c", f'{command} "$@"', command, os.fspath(place)])
        # Ctrl-C is the editor's own as long as it runs.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            code = process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
        if code:
            raise UsageError(f"the editor ended with {code}; what it left is not used")
        try:
            data = place.read_bytes()
        except OSError as error:
            raise UsageError("the editor left no file", error.strerror or "") from None
    if len(data) > _LARGEST:
        raise UsageError("the editor left more than a megabyte")
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_MARK))
