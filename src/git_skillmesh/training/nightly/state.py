"""What the pipeline remembers from run to run, in the common git directory beside the cache.

In: a repository. Out: `Store`: the state (written whole, or not at all), results of steps, logs of
the last runs, a lock that says who holds it. The folder is no cache: what has been trained on, and
what was deployed and taken back, stands nowhere else.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import Busy, Damaged, ReadOnly
from ...files import replace_file
from ...git.repository import Repository

FOLDER = "skillmesh-nightly"
SCHEMA = 1
_RUNS_KEPT, _LOG_BYTES = 30, 20_000_000
_DATASETS_KEPT = 3


@dataclass(slots=True)
class Done:
    """A step that succeeded: what it was made from, and its result as it printed it."""

    inputs: dict[str, Any]
    result: dict[str, Any]
    time: str = ""
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "inputs": self.inputs,
            "result": self.result,
            "time": self.time,
            "seconds": self.seconds,
        }


@dataclass(slots=True)
class State:
    """Steps that succeeded, the one that is going on (`token` marks its processes), the last run.

    `deployed` are the adapters that were deployed by the pipeline, the last one last.
    """

    done: dict[str, Done] = field(default_factory=dict)
    running: dict[str, Any] = field(default_factory=dict)
    deployed: list[str] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "schema": SCHEMA,
            "done": {name: one.document() for name, one in self.done.items()},
            "running": self.running,
            "deployed": self.deployed,
            "last": self.last,
        }


class Store:
    """The folder of the pipeline."""

    def __init__(self, repository: Repository) -> None:
        self.folder = repository.common_dir / FOLDER
        self.datasets = self.folder / "datasets"
        self.logs = self.folder / "log"

    def load(self) -> State:
        """Return the state, an empty one at first. Raises `Damaged`."""
        path = self.folder / "state.json"
        try:
            found = json.loads(path.read_bytes())
            if found["schema"] != SCHEMA:
                raise ValueError("another version")
            done = {name: Done(**one) for name, one in found["done"].items()}
            return State(done, found["running"], found["deployed"], found["last"])
        except FileNotFoundError:
            return State()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Damaged(f"cannot read {path}", "remove it: all steps are done again") from None

    def save(self, state: State) -> None:
        """Write the state. Raises `ReadOnly`."""
        self.write("state.json", json.dumps(state.document()).encode() + b"\n")

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the folder, all of it or nothing. Raises `ReadOnly`."""
        path = self.folder / name
        try:
            replace_file(path, data)
        except OSError as error:
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None

    def trained(self) -> frozenset[str]:
        """Return the ids of the lines of the last training."""
        try:
            return frozenset((self.folder / "trained.txt").read_text("utf-8").split("\n")) - {""}
        except (OSError, ValueError):
            return frozenset()

    def remember_trained(self, ids: Iterable[str]) -> None:
        """Keep the ids of the lines of a training. Raises `ReadOnly`."""
        self.write("trained.txt", "".join(f"{one}\n" for one in ids).encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the pipeline. Raises `Busy`, `ReadOnly`."""
        path = self.folder / "lock"
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy("nightly is running already", _holder(path)) from None
            except OSError as error:
                raise ReadOnly(f"cannot lock {path}", error.strerror or str(error)) from None
            said = {"pid": os.getpid(), "host": socket.gethostname(), "since": now()}
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(said).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def new_log(self) -> Path:
        """Return the path of the log of this run, and remove the oldest ones."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        size = 0
        for number, path in enumerate(sorted(self.logs.glob("*.log"), reverse=True), 1):
            size += path.stat().st_size
            if number >= _RUNS_KEPT or size > _LOG_BYTES:
                path.unlink(missing_ok=True)
        return self.logs / f"{stamp}Z-{os.getpid()}.log"

    def sweep_datasets(self, keep: str) -> None:
        """Remove all but the newest data sets that the pipeline has written; never `keep`."""
        found = sorted(self.datasets.glob("rl_dataset_*.jsonl"), reverse=True)
        for path in found[_DATASETS_KEPT:]:
            if str(path) != keep:
                for suffix in (".manifest.json", ".md", ".jsonl"):
                    path.with_suffix(suffix).unlink(missing_ok=True)


def now() -> str:
    """Return the time, ISO 8601 in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _holder(path: Path) -> str:
    try:
        said = json.loads(path.read_bytes())
        return f"process {said['pid']} on {said['host']} since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "try again later"
