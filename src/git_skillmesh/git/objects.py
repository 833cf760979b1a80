"""Read blobs: one long-lived `git cat-file --batch`, requests sent ahead of the answers.

In: object ids. Out: bytes, sizes. Protocol: git-cat-file(1), "BATCH OUTPUT".
"""

import subprocess
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO

from ..errors import Damaged
from .repository import Repository

# Requests in flight. A window of object ids stays far below the 64 KiB a pipe holds, so writing
# ahead can never block while git waits for us to read.
_WINDOW = 200


class BlobReader:
    """Reads blobs for as long as it is open. Not for use by several threads."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "BlobReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the git process."""
        if self._process is not None:
            _, stdin, stdout = self._pipes()
            stdin.close()
            stdout.close()
            self._process.wait()
            self._process = None

    def read(self, oid: str) -> bytes | None:
        """Return the bytes of a blob, None if the repository does not have it."""
        return next(self.read_many([oid]))

    def read_many(self, oids: Iterable[str]) -> Iterator[bytes | None]:
        """Yield the bytes of each blob in order; None where an object is missing."""
        _, stdin, stdout = self._pipes()
        pending, source, exhausted = 0, iter(oids), False
        while True:
            while not exhausted and pending < _WINDOW:
                oid = next(source, None)
                if oid is None:
                    exhausted = True
                    break
                stdin.write(oid.encode() + b"\n")
                pending += 1
            if not pending:
                return
            stdin.flush()
            # Answer half a window before asking again: fewer flushes, and the pipe stays fed.
            for _ in range(pending if exhausted else max(1, pending // 2)):
                yield self._answer(stdout)
                pending -= 1

    def _answer(self, stdout: IO[bytes]) -> bytes | None:
        header = stdout.readline()
        if header.endswith(b" missing\n"):
            return None
        fields = header.split()
        if len(fields) != 3:
            raise Damaged("git cat-file ended early", "run: git fsck")
        size = int(fields[2])
        data = stdout.read(size)
        if len(data) != size or stdout.read(1) != b"\n":
            raise Damaged(f"object {fields[0].decode()} is truncated", "run: git fsck")
        return data

    def _pipes(self) -> tuple["subprocess.Popen[bytes]", IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = self._repository.git.start("cat-file", "--batch")
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise Damaged("git cat-file has no pipes")
        return process, process.stdin, process.stdout


def sizes(repository: Repository, oids: Iterable[str]) -> dict[str, int]:
    """Return the size in bytes of every object that exists; missing ones are left out."""
    wanted = "\n".join(oids)
    if not wanted:
        return {}
    out = repository.git.run(
        "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=(wanted + "\n").encode()
    )
    found = {}
    for line in out.decode().splitlines():
        oid, _, size = line.partition(" ")
        if size.isdigit():
            found[oid] = int(size)
    return found


def missing_blobs(repository: Repository, commit: str) -> frozenset[str]:
    """Return the objects of a commit that a partial clone does not have, without fetching them."""
    out = repository.git.run("rev-list", "--objects", "--missing=print", "--no-walk", commit)
    return frozenset(line[1:].decode() for line in out.splitlines() if line.startswith(b"?"))
