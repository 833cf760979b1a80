"""Copy collections between two stores: plan, copy, and prove that nothing is missing.

In: two `Target`s and what is wanted. Out: `Planned` and `Done`. Both ends are opened by one
short-lived process, which holds the locks of local stores; this one only asks it for the next page,
so that it may end at any time and the next run goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import Busy, ConfigurationError, Unavailable, UsageError
from .. import client as clients
from ..pipe import LOCK_WAIT_S, Writer
from ..target import Target
from .openers import openers
from .transfer import Done, Existing, Planned

# What is done, a collection's name, rows so far, rows in all.
Progress = Callable[[str, str, int, int], None]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be copied: `repositories` and `names` empty mean all.

    `limits` says whether records that Chroma Cloud would refuse are looked for before.
    """

    names: Sequence[str] = ()
    repositories: Sequence[str] = ()
    existing: Existing = "refuse"
    limits: bool = True


class _Mover(Writer):
    program = ("git_skillmesh.chroma.moving.process", "move")


class _Keeper(Writer):
    program = ("git_skillmesh.chroma.moving.process", "keep")


def plan(source: Target, destination: Target, state_dir: Path, wanted: Wanted) -> list[Planned]:
    """Say what would be copied; nothing is changed, and no local store comes into being.

    Raises `UsageError` for two ends that are one, and for an unknown collection; `Busy`,
    `Unavailable`, `ConfigurationError`, `ReadOnly` and `Damaged` as the ends do.
    """
    with _opened(source, destination, state_dir, look=True) as mover:
        planned = _planned(mover, wanted)
        _check_limits(mover, destination, planned, wanted, None)
    return planned


def copy(
    source: Target,
    destination: Target,
    state_dir: Path,
    wanted: Wanted,
    progress: Progress | None = None,
) -> list[Done]:
    """Copy, and compare every row that was copied with its source.

    Nothing is written where a collection at the destination is of another kind: that, and what
    Chroma Cloud would refuse, raises `ConfigurationError` first. Raises as `plan` besides.
    """
    with _opened(source, destination, state_dir, look=False) as mover:
        planned = _planned(mover, wanted)
        wrong = [one for one in planned if one.problems]
        if wrong:
            raise ConfigurationError(
                f"{wrong[0].name} cannot take these rows: {'; '.join(wrong[0].problems)}",
                "nothing was copied; choose another database, or collections with --collection",
            )
        _check_limits(mover, destination, planned, wanted, progress)
        return [_copied(mover, one, wanted, progress) for one in planned]


def discard(target: Target, state_dir: Path) -> list[str]:
    """Delete what copies that were cut off have left; return their names. Raises as `Writer`."""
    if not _exists(target):
        raise Unavailable(f"there is no Chroma store in {target.store}")
    with _Keeper(target, state_dir) as keeper:
        return list(keeper.ask("discard")["deleted"])


@contextmanager
def _opened(
    source: Target, destination: Target, state_dir: Path, *, look: bool
) -> Iterator[Writer]:
    if source.fingerprint == destination.fingerprint or _same_folder(source, destination):
        raise UsageError(f"both ends are {source.describe()}", "--from and --to must differ")
    if not _exists(source):
        raise Unavailable(f"there is no Chroma store in {source.store}")
    busy = openers(destination)
    if busy and not look:
        raise Busy(
            f"{', '.join(busy[:_SHOWN])} has the Chroma store {destination.store} open",
            "end it first: a local store does not survive several writers",
        )
    state_dir.mkdir(parents=True, exist_ok=True)
    with _Mover(source, state_dir) as mover:
        if not look or _exists(destination):
            mover.ask("destination", target=destination.to_message(), wait_s=LOCK_WAIT_S)
        yield mover


def _planned(mover: Writer, wanted: Wanted) -> list[Planned]:
    reply = mover.ask("plan", names=list(wanted.names), repositories=list(wanted.repositories))
    return [Planned(**fields) for fields in reply["collections"]]


def _check_limits(
    mover: Writer,
    destination: Target,
    planned: Sequence[Planned],
    wanted: Wanted,
    progress: Progress | None,
) -> None:
    if not destination.is_hosted or not wanted.limits:
        return
    names = [one.name for one in planned]
    mover.ask("limits", names=names, repositories=list(wanted.repositories))
    totals = {one.name: one.rows for one in planned}
    for step in _steps(mover):
        if "excess" in step:
            excess = step["excess"]
            break
        if progress:
            progress(step["phase"], step["name"], step["done"], totals[step["name"]])
    if excess:
        told = "; ".join(f"{n} with {phrase} (as {id_!r:.80})" for phrase, n, id_ in excess)
        raise ConfigurationError(
            f"Chroma Cloud would refuse records: {told}",
            "nothing was copied; ask for higher quotas, then use --ignore-limits",
        )


def _copied(mover: Writer, one: Planned, wanted: Wanted, progress: Progress | None) -> Done:
    mover.ask(
        "copy", name=one.name, repositories=list(wanted.repositories), existing=wanted.existing
    )
    for step in _steps(mover):
        if "result" in step:
            return Done(**step["result"])
        if progress:
            progress(step["phase"], step["name"], step["done"], one.rows)
    raise AssertionError("unreachable")


def _steps(mover: Writer) -> Iterator[dict[str, Any]]:
    while True:
        yield mover.ask("step")


def _exists(target: Target) -> bool:
    return target.kind != "persistent" or clients.database_of(target).is_file()


def _same_folder(a: Target, b: Target) -> bool:
    if a.kind != "persistent" or b.kind != "persistent":
        return False
    return a.store.resolve() == b.store.resolve()
