"""ast-grep in a process of its own: what a hostile file does to a parser, it does to that process.

In: a text, a language and a rule. Out: the places that match. A child is forked at the first
question and answers all of them; one that takes too much CPU time or crashes is replaced. CPU time
and not time on the clock: a busy machine changes no result. Nothing reaches standard error.
"""

import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from .model import Match, NotLookedAt, TextFile

SECONDS = 5  # of CPU time, for one rule on one file
MOST_MATCHES = 10_000
_HEADER = 4
_numbers = count(1)


class Refused(Exception):
    """ast-grep takes neither rule nor language, for the reason that the text tells."""


class Unbearable(NotLookedAt):
    """A file that ended the parser, by its time or by a crash."""


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    owner: int
    to: int
    back: int


class Parser:
    """A child process that knows ast-grep."""

    def __init__(self, seconds: int = SECONDS) -> None:
        self._seconds = seconds
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def find(
        self, file: TextFile, language: str, config: Mapping[str, Any], rewrite: str = ""
    ) -> "list[Match]":
        """Return the matches of a rule in a file, in order.

        Raises `Refused`, `NotLookedAt` and `Unbearable`.
        """
        number = file.kept.setdefault("number", next(_numbers))
        question = {"file": number, "language": language, "config": config, "rewrite": rewrite}
        with self._lock:
            answer = self._ask(question)
            if answer.get("again"):
                answer = self._ask(question | {"text": file.text})
        if "refused" in answer:
            raise Refused(answer["refused"])
        if "failed" in answer:
            raise NotLookedAt(answer["failed"])
        matches = [Match(*found) for found in answer["matches"]]
        if answer.get("more"):
            raise NotLookedAt(f"more than {MOST_MATCHES:,} matches", matches)
        return matches

    def stop(self) -> None:
        """End the child; the next question starts another one."""
        child, self._child = self._child, None
        if child is not None:
            os.close(child.to)
            os.close(child.back)
            if child.owner == os.getpid():
                os.waitpid(child.pid, 0)

    def _ask(self, question: Mapping[str, Any]) -> "dict[str, Any]":
        data = json.dumps(question).encode()
        for _ in range(2):
            child = self._running()
            try:
                _write(child.to, data)
            except BrokenPipeError:  # it was ended while it had nothing to do
                self.stop()
                continue
            answer = _read(child.back)
            if answer is None:
                raise Unbearable(self._reason())
            found: dict[str, Any] = json.loads(answer)
            return found
        raise Unbearable("the parser does not start")

    def _running(self) -> _Child:
        if self._child is not None and self._child.owner != os.getpid():
            self.stop()  # this process is a fork of the one whose child that is
        if self._child is None:
            self._child = _fork(self._seconds)
        return self._child

    def _reason(self) -> str:
        child, self._child = self._child, None
        if child is None:
            return "the parser has ended"
        os.close(child.to)
        os.close(child.back)
        _, status = os.waitpid(child.pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return f"takes more than {self._seconds} s to match"
        return "the parser fails on it"


@cache
def parser() -> Parser:
    """Return the parser that all rules share."""
    return Parser()


def _fork(seconds: int) -> _Child:
    there_read, there_write = os.pipe()
    back_read, back_write = os.pipe()
    owner = os.getpid()
    with warnings.catch_warnings():
        # The child runs nothing but this module, whatever threads there were.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(there_read)
        os.close(back_write)
        return _Child(pid, owner, there_write, back_read)
    try:
        _serve(there_read, back_write, seconds)
    finally:
        os._exit(1)


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(len(data).to_bytes(_HEADER, "big") + data)
    while left:
        left = left[os.write(descriptor, left) :]


def _read(descriptor: int) -> bytes | None:
    header = _exactly(descriptor, _HEADER)
    return None if header is None else _exactly(descriptor, int.from_bytes(header, "big"))


def _exactly(descriptor: int, length: int) -> bytes | None:
    parts, missing = [], length
    while missing:
        part = os.read(descriptor, min(missing, 1 << 20))
        if not part:
            return None
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


# What follows runs in the child.


def _serve(questions: int, answers: int, seconds: int) -> None:
    from .parsing import Trees

    questions, answers = _alone(questions, answers)
    trees = Trees(MOST_MATCHES)
    while (data := _read(questions)) is not None:
        _allow(seconds)
        question = json.loads(data)
        _write(answers, json.dumps(trees.answer(question)).encode())


def _alone(questions: int, answers: int) -> tuple[int, int]:
    """Let go of all that the parent had open: locks, pipes, the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    high = max(questions, answers, 4) + 1
    os.dup2(questions, high)
    os.dup2(answers, high + 1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(high, 3)
    os.dup2(high + 1, 4)
    os.closerange(5, _most_files())
    return 3, 4


def _most_files() -> int:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # close_range closes any number at once; elsewhere each number is a call.
    return soft if sys.platform == "linux" and soft > 0 else 4096


def _allow(seconds: int) -> None:
    """Grant so much CPU time for the next question; the system ends who takes more."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    if hasattr(resource, "RLIMIT_CORE"):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
