"""Blame that need not be waited for: what git has found so far, while it goes on.

In: a file of a commit. Out: `Blaming`, whose `lines` grow until it is `done`. The rules are those
of `blame.blame`: changes of white space alone take no line from the commit that brought it,
renames are followed, the user's `blame.ignoreRevsFile` counts.
"""

import os
import re
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress

from .blame import BlamedCommit, BlamedLine
from .quoting import unquoted
from .repository import Repository

_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+) (\d+)")


class Blaming:
    """A `git blame` of one file of a commit that runs beside whoever asks."""

    def __init__(
        self, repository: Repository, commit: str, path: str, env: Mapping[str, str] | None = None
    ) -> None:
        self._found: dict[int, BlamedLine] = {}
        self._commits: dict[bytes, BlamedCommit] = {}
        self._finished = threading.Event()
        self.failed = False
        self.stopped = False
        arguments = ("blame", "--incremental", "-w", "--no-textconv", "--encoding=UTF-8")
        self._process = repository.git.start(
            *arguments, commit, "--", path, stdin=subprocess.DEVNULL, extra_env=env
        )
        self._thread = threading.Thread(target=self._read, name="blame", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether git has told all that it can."""
        return self._finished.is_set() and not self.stopped

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long, and return whether all is told."""
        self._finished.wait(seconds)
        return self.done

    def lines(self) -> list[BlamedLine]:
        """Return the lines that are known by now, in order; their texts are empty."""
        found = dict(self._found)  # one step of the interpreter: the other thread adds to it
        return [found[number] for number in sorted(found)]

    def stop(self) -> None:
        """End git; what it has told by then stays."""
        self.stopped = not self._finished.is_set()
        with suppress(OSError):
            self._process.kill()
        self._thread.join(5)

    def _read(self) -> None:
        out = self._process.stdout
        try:
            header: re.Match[bytes] | None = None
            said: dict[bytes, bytes] = {}
            for raw in out or ():
                line = raw.removesuffix(b"\n")
                if header is None:
                    header, said = _HEADER.fullmatch(line), {}
                    continue
                name, _, value = line.partition(b" ")
                said[name] = value
                if name == b"filename":  # the last line of each entry
                    self._add(header, said)
                    header = None
        finally:
            if out is not None:
                out.close()
            self.failed = self._process.wait() != 0
            self._finished.set()

    def _add(self, header: "re.Match[bytes]", said: Mapping[bytes, bytes]) -> None:
        oid = header[1]
        if b"author" in said:
            self._commits[oid] = BlamedCommit(
                oid.decode(),
                said[b"author"].decode("utf-8", "replace"),
                int(said.get(b"author-time", b"0")),
                said.get(b"summary", b"").decode("utf-8", "replace"),
            )
        path = os.fsdecode(unquoted(said[b"filename"]))
        there, here, count = (int(header[place]) for place in (2, 3, 4))
        new = {
            here + n: BlamedLine(here + n, b"", self._commits[oid], path, there + n)
            for n in range(count)
        }
        self._found.update(new)
