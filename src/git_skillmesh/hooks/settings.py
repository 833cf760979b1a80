"""The lines that `init` adds to the repository's git configuration, and how they go away again.

In: a repository. Out: `notes.rewriteRef` and `skillmesh.repoid` in the local configuration, and a
record from which `undo` restores the file byte by byte as long as nobody else has changed it.
"""

import base64
import contextlib
import fnmatch
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config import load
from ..errors import Busy
from ..files import replace_file
from ..git.configuring import change_config
from ..git.repository import Repository

NOTES_REF = "refs/notes/skillmesh"
# As a pattern, because git warns at every amend about an exact name that does not exist yet.
NOTES_PATTERN = NOTES_REF + "*"

_REWRITE, _REPOID = "notes.rewriteRef", "skillmesh.repoid"


@dataclass(slots=True)
class Record:
    """What `init` did. `folders`: hooks folder → whether it was made; `cuts`: inserted text."""

    folders: dict[Path, bool] = field(default_factory=dict)
    added: list[tuple[str, str]] = field(default_factory=list)
    cuts: list[tuple[int, bytes]] = field(default_factory=list)
    config_sum: str = ""

    def add_folder(self, folder: Path, made: bool) -> None:
        """Remember a hooks folder."""
        self.folders[folder] = self.folders.get(folder, False) or made

    def save(self, repository: Repository) -> None:
        """Write the record. Raises OSError."""
        document = {
            "version": 1,
            "folders": {os.fspath(path): made for path, made in self.folders.items()},
            "added": self.added,
            "cuts": [[at, base64.b64encode(text).decode()] for at, text in self.cuts],
            "config_sum": self.config_sum,
        }
        replace_file(record_path(repository), (json.dumps(document, indent=1) + "\n").encode())

    def delete(self, repository: Repository) -> None:
        """Remove the record. Raises OSError."""
        record_path(repository).unlink(missing_ok=True)


def load_record(repository: Repository) -> Record:
    """Read the record, an empty one if there is none or it cannot be read."""
    try:
        found: dict[str, Any] = json.loads(record_path(repository).read_bytes())
        return Record(
            {Path(path): bool(made) for path, made in found["folders"].items()},
            [(str(key), str(value)) for key, value in found["added"]],
            [(int(at), base64.b64decode(text)) for at, text in found["cuts"]],
            str(found["config_sum"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Record()


def write(
    repository: Repository, record: Record, more: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Add what is missing, and `more`, and return it as "key = value"."""
    wanted = [
        (key, value)
        for key, value in more
        if value not in _values(repository, "--local", "--get-all", key)
    ]
    refs = _values(repository, "--get-all", _REWRITE)
    if not any(fnmatch.fnmatchcase(NOTES_REF, ref) for ref in refs):
        wanted.append((_REWRITE, NOTES_PATTERN))
    pinned = _values(repository, "--local", "--get-all", _REPOID)
    if not pinned and not load(repository)["repoid"]:  # what a team has committed is for all
        wanted.append((_REPOID, repository.derive_id()))
    if not wanted:
        return []
    config = _config_file(repository)
    data = config.read_bytes()
    exact = not record.added or _sum(data) == record.config_sum
    for key, value in wanted:
        # Not --add: two that begin at once would both add it.
        change_config(repository, "--replace-all", key, value, f"^{re.escape(value)}$")
        now = config.read_bytes()
        cut = _insertion(data, now)
        exact = exact and cut is not None
        record.cuts += [cut] if cut else []
        record.added.append((key, value))
        data = now
    record.config_sum = _sum(data) if exact else ""
    record.save(repository)
    return [f"{key} = {value}" for key, value in wanted]


def undo(repository: Repository, record: Record) -> list[str]:
    """Take away what `write` added, and return it. Raises `Busy` while git writes the file."""
    if not record.folders:  # no record: only what is unmistakably ours
        record.added = [(_REWRITE, NOTES_PATTERN), (_REPOID, repository.derive_id())]
    there = [
        (key, value)
        for key, value in record.added
        if value in _values(repository, "--local", "--get-all", key)
    ]
    config = _config_file(repository)
    with _locked(config) as lock:
        data = config.read_bytes()
        if there and record.config_sum == _sum(data):
            for at, text in reversed(record.cuts):
                data = data[:at] + data[at + len(text) :]
            lock.write_bytes(data)
            lock.chmod(config.stat().st_mode & 0o7777)
            lock.replace(config)
            return [f"{key} = {value}" for key, value in there]
    for key, value in there:
        change_config(repository, "--unset-all", key, f"^{re.escape(value)}$")
    return [f"{key} = {value}" for key, value in there]


def record_path(repository: Repository) -> Path:
    """Return where `init` keeps what it did; the file is there until that is undone."""
    return repository.common_dir / "skillmesh-init.json"


def _config_file(repository: Repository) -> Path:
    return (repository.common_dir / "config").resolve()


def _values(repository: Repository, *args: str) -> list[str]:
    out = repository.git.run_unchecked("config", "-z", *args).stdout
    return os.fsdecode(out).split("\0")[:-1]


def _insertion(before: bytes, after: bytes) -> tuple[int, bytes] | None:
    """Return (offset, text) whose removal from `after` gives `before`, None if that cannot be."""
    pairs = enumerate(zip(before, after, strict=False))
    at = next((i for i, (old, new) in pairs if old != new), min(len(before), len(after)))
    text = after[at : at + len(after) - len(before)]
    return (at, text) if text and after[:at] + after[at + len(text) :] == before else None


@contextlib.contextmanager
def _locked(config: Path) -> Iterator[Path]:
    """Hold the lock file that git itself takes when it writes a configuration."""
    lock = config.with_name(config.name + ".lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise Busy(f"git is writing {config}", f"if not, remove {lock}") from None
    try:
        yield lock
    finally:
        lock.unlink(missing_ok=True)


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
