"""Build batches in several processes: chunking and embedding are bound by the processor.

In: batches of versions. Out: `WrittenBatch`es as they finish; a process writes its arrays itself
and hands back only rows. Imported only for large jobs: multiprocessing costs a query 40 ms.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from threading import Thread

from ..git.repository import Repository
from .build import Version, WrittenBatch, build_from_repository, write_batch
from .vectors import builtin_source


def build_in_processes(
    repository: Repository,
    batches: Sequence[Sequence[Version]],
    max_bytes: int,
    folder: Path,
    jobs: int,
) -> Iterator[WrittenBatch]:
    """Build batches with the built-in model in `jobs` processes; yield them as they finish.

    Raises `BrokenProcessPool` when a process is killed; what was yielded stays valid.
    """
    # One thread each: the processes are the parallelism. Set before numpy loads in them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker)
    try:
        running: set[Future[WrittenBatch]] = set()
        for number, versions in enumerate(batches):
            stem = folder / f"new-{os.getpid()}-{number}"
            with _interrupts_later():
                running.add(pool.submit(_work, repository, versions, max_bytes, stem))
            if len(running) >= 2 * jobs:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let Ctrl-C wait until a process has started whole; it inherits this until it is ready."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _work(
    repository: Repository, versions: Sequence[Version], max_bytes: int, stem: Path
) -> WrittenBatch:
    return write_batch(
        build_from_repository(repository, versions, max_bytes, builtin_source()), stem
    )
