"""Work that is killed in the middle, at a point that is chosen by number.

In: something to do, and after how many calls of functions it is to be killed. Out: how it ended.
Each try is a process of its own (a fork), so what the tests hold stays as it is.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def calls_of(work: Callable[[], object]) -> int:
    """Return how many calls of Python functions some work takes, done in a process of its own."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        count = _Count(0, 0)
        sys.setprofile(count)
        try:
            work()
        finally:
            sys.setprofile(None)
            os.write(into, str(count.calls).encode())
            os._exit(0)
    os.close(into)
    os.waitpid(child, 0)
    with os.fdopen(out) as told:
        return int(told.read())


def ended(work: Callable[[], int], at: int, by: signal.Signals) -> int:
    """Send a signal to some work at its call `at`; return its exit code, minus the signal's number.

    128 is the code of an error that nobody caught.
    """
    child = os.fork()
    if not child:
        code = 128
        sys.setprofile(_Count(at, by))
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class _Count:
    """Counts calls, and raises a signal at one of them."""

    def __init__(self, at: int, by: int) -> None:
        self.calls = 0
        self._at, self._by = at, by

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            self.calls += 1
            if self.calls == self._at:
                signal.raise_signal(self._by)
