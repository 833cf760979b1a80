"""Read blobs: one long-lived `git cat-file --batch`, requests sent ahead of the answers.

In: object ids. Out: bytes, sizes. Protocol: git-cat-file(1), "BATCH OUTPUT".
"""

import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import IO, NamedTuple

from ..errors import Damaged
from .repository import Repository

# Requests in flight. A window of object ids stays far below the 64 KiB a pipe holds, so writing
# ahead can never block while git waits for us to read.
_WINDOW = 200
_FRUGAL = ("-c", "core.packedGitLimit=128m", "-c", "core.packedGitWindowSize=16m")


class StoredObject(NamedTuple):
    """An object as git has it: `kind` is blob, tree, commit or tag."""

    oid: str
    kind: str
    data: bytes


@dataclass(slots=True)
class _Request:
    oid: str
    done: bool = False
    found: StoredObject | None = None


class BlobReader:
    """Reads blobs for as long as it is open. Not for use by several threads.

    Calls may be interleaved, and iterators left before their end: an answer always reaches
    whoever asked for it. With `frugal` git maps no more than 128 MB of its packs at a time, where
    it would keep all that was ever read; that costs no time, and bounds memory.
    """

    def __init__(self, repository: Repository, *, frugal: bool = False) -> None:
        self._repository = repository
        self._options = _FRUGAL if frugal else ()
        self._process: subprocess.Popen[bytes] | None = None
        self._unanswered: deque[_Request] = deque()
        self._expected: dict[str, _Request] = {}

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
            stdin, stdout = self._pipes()
            with suppress(BrokenPipeError):
                stdin.close()
            stdout.close()
            self._process.wait()
            self._process = None

    def read(self, oid: str) -> bytes | None:
        """Return the bytes of a blob, None if the repository does not have it."""
        found = self._answer_to(self._ask(oid))
        return found.data if found else None

    def expect(self, oids: Iterable[str]) -> None:
        """Let git begin to read blobs; those that are not asked for next are forgotten."""
        expected = {oid: self._ask(oid) for oid in dict.fromkeys(islice(oids, _WINDOW))}
        self._expected = expected
        if expected:
            stdin, _ = self._pipes()
            with suppress(BrokenPipeError):
                stdin.flush()

    def look_up(self, name: str) -> StoredObject | None:
        """Return the object of any kind that a name leads to (an id, a ref, "REF:path") now."""
        return self._answer_to(self._ask(name))

    def read_many(self, oids: Iterable[str]) -> Iterator[bytes | None]:
        """Yield the bytes of each blob in order; None where an object is missing."""
        source = iter(oids)
        asked = deque(self._ask(oid) for oid in islice(source, _WINDOW))
        while asked:
            found = self._answer_to(asked.popleft())
            yield found.data if found else None
            # Ask again when half a window is left: fewer flushes, and the pipe stays fed.
            if len(asked) <= _WINDOW // 2:
                asked.extend(self._ask(oid) for oid in islice(source, _WINDOW // 2))

    def _ask(self, oid: str) -> _Request:
        expected = self._expected.pop(oid, None)
        if expected is not None:
            return expected
        if len(self._unanswered) >= _WINDOW:
            self._receive()
        request = _Request(oid)
        self._unanswered.append(request)
        self._send(request)
        return request

    def _send(self, request: _Request) -> None:
        stdin, _ = self._pipes()
        with suppress(BrokenPipeError):  # git is gone: noticed when its answer is missing
            stdin.write(request.oid.encode("utf-8", "surrogateescape") + b"\n")

    def _answer_to(self, request: _Request) -> StoredObject | None:
        while not request.done:
            self._receive()
        return request.found

    def _receive(self) -> None:
        """Read the answer to the oldest request."""
        stdin, stdout = self._pipes()
        with suppress(BrokenPipeError):
            stdin.flush()
        request = self._unanswered.popleft()
        header = stdout.readline()
        if not header:
            self._restart(request)
        elif not header.endswith(b" missing\n"):
            request.found = _contents(header, stdout)
        request.done = True

    def _restart(self, request: _Request) -> None:
        """Go on after git has died of a request. Raises `Damaged`.

        In a partial clone git before 2.45 dies of an object that it may not fetch.
        """
        self.close()
        if not self._repository.is_partial():
            raise Damaged(f"git cannot read object {request.oid}", "run: git fsck")
        for waiting in self._unanswered:
            self._send(waiting)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = self._repository.git.start(*self._options, "cat-file", "--batch")
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise Damaged("git cat-file has no pipes")
        return process.stdin, process.stdout


def _contents(header: bytes, stdout: IO[bytes]) -> StoredObject:
    fields = header.split()
    if len(fields) != 3:
        raise Damaged("git cat-file ended early", "run: git fsck")
    size = int(fields[2])
    data = stdout.read(size)
    if len(data) != size or stdout.read(1) != b"\n":
        raise Damaged(f"object {fields[0].decode()} is truncated", "run: git fsck")
    return StoredObject(fields[0].decode(), fields[1].decode(), data)


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


def describe(repository: Repository, oids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return object → kind and size in bytes; of a missing one the kind is "missing"."""
    wanted = "\n".join(oids)
    if not wanted:
        return {}
    out = repository.git.run(
        "cat-file",
        "--batch-check=%(objectname) %(objecttype) %(objectsize)",
        stdin=(wanted + "\n").encode(),
    )
    found = {}
    for line in out.decode().splitlines():
        oid, kind, *size = line.split(" ")
        found[oid] = (kind, int(size[0]) if size else 0)
    return found


def missing_blobs(repository: Repository, commit: str) -> frozenset[str]:
    """Return the objects of a commit or tree that a partial clone lacks, without fetching them."""
    out = repository.git.run("rev-list", "--objects", "--missing=print", "--no-walk", commit)
    return frozenset(line[1:].decode() for line in out.splitlines() if line.startswith(b"?"))
