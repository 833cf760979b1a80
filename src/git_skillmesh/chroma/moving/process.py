"""`python -m git_skillmesh.chroma.moving.process move|keep`: holds the stores of a copy, or one.

In and out: as `chroma.writer`, whose locks it takes; a request does one page at most.

| op | fields | reply |
|---|---|---|
| start | target, wait_s | opens the source; a local one with a reader's lock |
| destination | target, wait_s | opens it; locks a local one until the process has ended |
| plan | names, repositories | collections |
| limits | names, repositories | nothing; steps follow |
| copy | name, repositories, existing | nothing; steps follow |
| step | | phase, name and done; result or excess at the end |

To keep one store it starts as the writer does, and knows:

| op | fields | reply |
|---|---|---|
| discard | | deleted, the copies that were not ready |
| upgrade | samples, dry_run | nothing; steps follow |
| step | | name and done; a result for each collection, then end |
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from ...errors import Busy, Unavailable
from .. import client as clients
from .. import writer
from ..locking import acquire_in_turn
from ..target import Target
from . import ends, transfer, upgrading
from .ends import End

_TIMEOUT_S = 60.0
_PATIENCE_S = 10.0


class Mover(writer.Session):
    """One run: two ends, and the work that is under way."""

    source: End
    destination: End | None = None
    _work: Iterator[dict[str, Any]]

    def do_start(self, target: dict[str, Any], wait_s: float) -> dict[str, Any]:
        """Open the source. Its lock is held as long as the process lives."""
        self.target = Target.from_message(target)
        if self.target.kind == "persistent":
            self._reader_lock = _lock_for_reading(self.target, wait_s)
        self.source = _opened(self.target)
        return {"max_batch": self.source.most}

    def do_destination(self, target: dict[str, Any], wait_s: float) -> dict[str, Any]:
        """Lock and open the destination."""
        self.target = Target.from_message(target)
        if self.target.kind == "persistent":
            self._lock(wait_s)
        self.destination = _opened(self.target)
        return {}

    def do_plan(self, names: Sequence[str], repositories: Sequence[str]) -> dict[str, Any]:
        """Look at both ends."""
        planned = transfer.plan(self.source, self.destination, names, repositories)
        return {"collections": [asdict(one) for one in planned]}

    def do_limits(self, names: Sequence[str], repositories: Sequence[str]) -> dict[str, Any]:
        """Begin to look for what Chroma Cloud refuses."""
        self._work = transfer.exceeding(self.source, names, repositories)
        return {}

    def do_copy(
        self, name: str, repositories: Sequence[str], existing: transfer.Existing
    ) -> dict[str, Any]:
        """Begin to copy a collection."""
        self._work = transfer.transfer(self.source, self._required(), name, repositories, existing)
        return {}

    def do_step(self) -> dict[str, Any]:
        """Go on by a page."""
        return next(self._work)

    def _required(self) -> End:
        if self.destination is None:
            raise Unavailable("the destination is not open")
        return self.destination


class Keeper(writer.Session):
    """One run on one store, which it has for itself."""

    _work: Iterator[dict[str, Any]]

    def do_discard(self) -> dict[str, Any]:
        """Delete what copies that were cut off have left."""
        end = End(self.client, self.target)
        unready = [name for name in end.names() if ends.is_unready(name)]
        for name in unready:
            end.do(partial(end.client.delete_collection, name))
        return {"deleted": unready}

    def do_upgrade(self, samples: dict[str, Any], dry_run: bool) -> dict[str, Any]:
        """Begin to upgrade."""
        self._work = upgrading.steps(End(self.client, self.target), samples, dry_run)
        return {}

    def do_step(self) -> dict[str, Any]:
        """Go on by a page."""
        return next(self._work)


def _opened(target: Target) -> End:
    try:
        return End(clients.open_client(target, _TIMEOUT_S, _PATIENCE_S), target)
    except Exception as error:
        raise clients.explain(error, target) from error


def _lock_for_reading(target: Target, wait_s: float) -> int | None:
    """Return a descriptor that keeps writers away, None where nobody could write."""
    if not clients.database_of(target).is_file():
        raise Unavailable(f"there is no Chroma store in {target.store}")
    if not os.access(target.lock_file.parent, os.W_OK):
        return None
    busy = Busy(f"the Chroma store {target.store} is being written", "try again in a moment")
    lock = acquire_in_turn(target.lock_file, True, wait_s, busy)
    if os.fstat(lock).st_size:
        # A writer was killed. What it left makes Chroma write while it reads: do it alone.
        os.close(lock)
        lock = acquire_in_turn(target.lock_file, False, wait_s, busy)
    return lock


if __name__ == "__main__":
    try:
        status = writer.main(Mover() if sys.argv[1:] == ["move"] else Keeper())
    except BrokenPipeError:
        status = 1  # Whoever asked is gone; the next run goes on.
    os._exit(status)
