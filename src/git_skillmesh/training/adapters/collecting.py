"""Collect what nobody needs: old adapters, their judgements, folders that a killed training left.

In: the folder of adapters, how many to keep. Out: `Collected`. Kept are: what is active, what a
rollback goes to, the last N others that were deployed, the parents of all these, the newest adapter
(training goes on from it), what an interrupted training goes on from, what is too young, and what a
process uses.
"""

import fcntl
import itertools
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import Damaged
from ...sessions.serving import Deployment, read_deployments
from . import manifest as manifests
from .judgements import judgement_path
from .store import JUDGEMENTS, Store

_DAY = 86_400.0
_WEEK = 7 * _DAY
_WAIT_SECONDS = 10.0
_GONE = ".gone-"
_OURS = (".in-use", ".lock")


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed: adapters and folders by name, `size` bytes; `used` could not be removed."""

    adapters: tuple[str, ...]
    leftovers: tuple[str, ...]
    size: int
    used: tuple[str, ...] = ()


def needed(
    history: Sequence[Deployment], active: str, parents: Mapping[str, str], keep: int,
    names: Sequence[str],
) -> set[str]:  # fmt: skip
    """Return which adapters are to stay.

    `parents` gives each adapter's parent, "" for none; `names` are sorted by age.
    """
    recent = [name for name in dict.fromkeys(one.adapter for one in reversed(history)) if name]
    kept = {active, *[name for name in recent if name != active][:keep], *names[-1:]}
    if history:
        kept.add(history[-1].back)
    kept |= {parents.get(name, "") for name in kept}
    return kept - {""}


def collect(
    store: Store, keep: int, *, days: float = 1.0, dry_run: bool = False, now: float | None = None
) -> Collected:
    """Remove what is not needed and older than `days`. Raises `Busy`, `ReadOnly`, `Damaged`.

    What begins with a dot goes after a week, unless a training still holds its lock: until then an
    interrupted training can be taken up again.
    """
    if not store.folder.is_dir():
        return Collected((), (), 0)
    moment = time.time() if now is None else now
    with store.writing(_WAIT_SECONDS):
        entries = list(store.entries())
        # A damaged one counts by its name: it may be the active one.
        parents = {one.name: one.adapter.parent if one.adapter else "" for one in entries}
        history = read_deployments(store.folder)
        stay = needed(history, _active(store), parents, keep, [one.name for one in entries])
        stay |= _gone_on_from(store.folder)
        gone, used, size = [], [], 0
        for one in entries:
            if one.name in stay or moment - _touched(one.folder) < days * _DAY:
                continue
            with store.unused(one.name) as free:
                if not free:
                    used.append(one.name)
                    continue
                gone.append(one.name)
                size += one.size
                if not dry_run:
                    # Under another name first: half an adapter is never there under its own.
                    aside = store.folder / f"{_GONE}{one.name}"
                    shutil.rmtree(aside, ignore_errors=True)
                    one.folder.rename(aside)
                    judgement_path(store.folder, one.name).unlink(missing_ok=True)
                    shutil.rmtree(aside)
        left = list(_leftovers(store.folder, moment))
        for path in left:
            size += sum(told.st_size for told in _told(path))
            if not dry_run:
                _remove(path)
    return Collected(tuple(gone), tuple(path.name for path in left), size, tuple(used))


def _gone_on_from(folder: Path) -> set[str]:
    """Return the adapters that trainings go on from which were interrupted."""
    found = set()
    for path in folder.glob(".training-*/plan.json"):
        try:
            found.add(Path(json.loads(path.read_bytes())["parent"]).name)
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            continue  # this one cannot be taken up again
    return found


def _active(store: Store) -> str:
    """Return what is active; what cannot be told must not be collected. Raises `Damaged`."""
    data = manifests.read(store.folder)
    return manifests.opened(data)[0].deployment.adapter if data else ""


def _leftovers(folder: Path, moment: float) -> Iterator[Path]:
    """Yield hidden files and folders that a process which was killed has left."""
    for path in sorted((*folder.glob(".*"), *(folder / JUDGEMENTS).glob(".*"))):
        half = path.name.startswith(_GONE)
        if path.name in _OURS or _at_work(path):
            continue
        if half or moment - _touched(path) >= _WEEK:
            yield path


def _at_work(path: Path) -> bool:
    """Return whether a training holds its lock, which lies beside its folder."""
    lock = path if path.suffix == ".lock" else path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _touched(path: Path) -> float:
    """Return when anything in a folder was last written, in seconds since the epoch."""
    return max((told.st_mtime for told in _told(path)), default=0.0)


def _told(path: Path) -> Iterator[os.stat_result]:
    """Yield what is known of a path and of all that is in it; a training may take files away."""
    inside = os.walk(path) if path.is_dir() and not path.is_symlink() else ()
    names = (Path(where, name) for where, folders, files in inside for name in (*folders, *files))
    for each in itertools.chain([path], names):
        with suppress(FileNotFoundError):
            yield each.lstat()


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise Damaged(f"cannot remove {path.name}", error.strerror or str(error)) from None
