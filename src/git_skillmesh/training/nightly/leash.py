"""Let a step notice that the pipeline which started it is gone, however it went.

In: a pipe, whose one end only the pipeline holds; the number of the other one is in the step's
environment. Out: SIGINT for the step and what it has started, as soon as nobody holds the first:
a training saves and stops, as after Ctrl-C. The kernel closes what a killed process held, and no
number of a process can be taken for another one's, as it could where parents are asked for.
"""

import os
import signal
import stat
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

PIPE = "SKILLMESH_NIGHTLY_PIPE"


@contextmanager
def held() -> Iterator[int]:
    """Yield the number of the end that a step gets; the other one is held as long as the block."""
    theirs, ours = os.pipe()  # neither goes to any process that is not given it
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def follow(environ: MutableMapping[str, str] = os.environ) -> None:
    """Interrupt this process and its group when the pipeline is gone.

    What this process starts is told by it, and finds no pipe in its environment.
    """
    try:
        descriptor = int(environ.pop(PIPE))
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return
        os.set_inheritable(descriptor, False)
    except (KeyError, ValueError, OverflowError, OSError):
        return
    threading.Thread(target=_wait, args=(descriptor,), daemon=True).start()


def _wait(descriptor: int) -> None:
    try:
        while os.read(descriptor, 1):  # nobody writes anything
            pass
    except OSError:
        return
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
