"""Adapters, what is said of them, and what training at night remembers, brought back.

In: an unpacked backup, a repository. Out: `Adapters`. Only what is not here is written, and only
where it was asked for: a backup from somebody else would otherwise decide what is deployed. An
adapter appears with all of its files or not at all.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ..config import Config
from ..errors import ReadOnly
from ..git.repository import Repository
from ..sessions.serving import ACTIVE, ADAPTER, adapters_folder
from .gathering import NIGHTLY, TRAINED, is_beside
from .manifest import ADAPTERS, TRAINING, Member
from .unpacking import Unpacked
from .workfiles import write_file

_WAIT_SECONDS = 10.0


@dataclass(slots=True)
class Adapters:
    """What came back: `adapters` by name, `files` beside them and of training; what was left."""

    adapters: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def restore_adapters(
    found: Unpacked, repository: Repository, config: Config, wanted: bool, *, dry_run: bool
) -> Adapters:
    """Bring back what is missing. Raises `ReadOnly`, `Busy`."""
    from ..training.adapters.store import Store

    members = found.manifest.below(ADAPTERS)
    trained = found.manifest.below(TRAINING)
    done = Adapters()
    if not wanted:
        done.left = sorted(set(found.manifest.adapters["names"]) if members else ())
        return done
    folder = adapters_folder(repository, config)
    groups: dict[str, dict[str, Member]] = {}
    for path, member in members.items():
        name, _, rest = path.partition("/")
        if ADAPTER.fullmatch(name) and rest:
            groups.setdefault(name, {})[rest] = member
    done.adapters = [name for name in sorted(groups) if not os.path.lexists(folder / name)]
    there = {"", *groups, *(Store(folder).names() if folder.is_dir() else ())}
    for path in members:
        if not is_beside(path) or os.path.lexists(folder / path):
            continue
        (done.files if path != ACTIVE or _active(found) in there else done.left).append(path)
    state = repository.common_dir / NIGHTLY
    missing = [name for name in TRAINED if name in trained and not os.path.lexists(state / name)]
    if not dry_run:
        for name in missing:
            _copy(found, trained[name], state, name)
        if done.adapters or done.files:
            _make(folder)
            with Store(folder).writing(_WAIT_SECONDS):
                for name in done.adapters:
                    _whole(found, groups[name], folder, name)
                # What is active comes last, when all that it names is there.
                for path in sorted(done.files, key=lambda one: one == ACTIVE):
                    _copy(found, members[path], folder, path)
    done.files += missing
    return done


def _active(found: Unpacked) -> str:
    return str(found.manifest.adapters["active"])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {folder}", error.strerror or str(error)) from None


def _copy(found: Unpacked, member: Member, folder: Path, path: str) -> None:
    _make(folder)
    with found.file(member).open("rb") as source:
        write_file(folder, path, source.fileno(), member.executable)


def _whole(found: Unpacked, members: dict[str, Member], folder: Path, name: str) -> None:
    """Bring an adapter back under another name, which it loses when it is complete."""
    fresh = f".training-restored-{os.getpid()}"
    try:
        for path, member in members.items():
            _copy(found, member, folder, f"{fresh}/{path}")
        (folder / fresh).rename(folder / name)
    except OSError as error:
        raise ReadOnly(f"cannot write {folder / name}", error.strerror or str(error)) from None
    finally:
        shutil.rmtree(folder / fresh, ignore_errors=True)
