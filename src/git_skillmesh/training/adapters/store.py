"""The folder of adapters: what is in it, and whether each adapter is whole.

In: a folder. Out: `Entry` for each adapter, hashes of its files, locks. Nothing here needs torch:
an adapter is looked at as files, its tensors by the header alone.
"""

import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import Damaged, UsageError
from ...index.locks import exclusive
from ...sessions.serving import ADAPTER
from ..model import Adapter, Form

WEIGHTS = "adapter_model.safetensors"
CONFIGURATION = "adapter_config.json"
RECORD = "training.json"
JUDGEMENTS = "judgements"
_LOCK = ".lock"
_LOCKS = ".in-use"
_MOST_JSON = 4_000_000
_MOST_HEADER = 100_000_000
_MOST_FILES = 1_000
_BLOCK = 1 << 20
_HASH = re.compile(r"[0-9a-f]{64}")


class File(NamedTuple):
    """What a file has to be: its SHA-256 and its bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An adapter of the folder. `trouble` says why it cannot be used, "" if it can.

    `adapter` is None where not even its record can be read; `size` is in bytes on the disk.
    """

    name: str
    folder: Path
    adapter: Adapter | None
    size: int
    trouble: str = ""


class Store:
    """The folder of adapters."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Return the names of all adapters, oldest first."""
        try:
            found = [one.name for one in os.scandir(self.folder) if one.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Damaged(f"cannot read {self.folder}", error.strerror or str(error)) from None
        return sorted(filter(ADAPTER.fullmatch, found), key=age_of)

    def entries(self) -> Iterator[Entry]:
        """Yield every adapter, also those that are damaged."""
        for name in self.names():
            yield self.entry(name)

    def entry(self, name: str) -> Entry:
        """Return an adapter, damaged or not. Raises `UsageError` where there is none."""
        folder = self.folder_of(name)
        if not folder.is_dir():
            raise UsageError(f"no such adapter: {name}", "git skillmesh adapters list")
        adapter, size = None, 0
        try:
            told = [one for _, one in _files(folder)]
            size = sum({(one.st_dev, one.st_ino): one.st_size for one in told}.values())
            adapter = adapter_of(_json(folder / RECORD), name)
            _check_configuration(folder / CONFIGURATION)
            check_tensors(folder / WEIGHTS)
        except Damaged as error:
            return Entry(name, folder, adapter, size, str(error))
        return Entry(name, folder, adapter, size)

    def usable(self, name: str) -> tuple[Entry, Adapter]:
        """Return an adapter that is whole. Raises `UsageError`, `Damaged`."""
        entry = self.entry(name)
        if entry.trouble or entry.adapter is None:
            raise Damaged(f"{name} is damaged", entry.trouble)
        return entry, entry.adapter

    def folder_of(self, name: str) -> Path:
        """Return where an adapter is. Raises `UsageError` for what cannot be a name."""
        if not ADAPTER.fullmatch(name):
            raise UsageError(f"not the name of an adapter: {name}", "lora_codelearn_YYYYMMDD[.N]")
        return self.folder / name

    def files(self, name: str) -> dict[str, File]:
        """Return the files of an adapter with their hashes. Raises `Damaged`."""
        folder = self.folder_of(name)
        found: dict[str, File] = {}
        seen: dict[tuple[int, int], str] = {}
        for path, told in sorted(_files(folder), key=lambda one: one[0]):
            same = (told.st_dev, told.st_ino)  # the weights are there under two names
            if same not in seen:
                seen[same] = _sha256(folder / path)
            found[path] = File(seen[same], told.st_size)
        return found

    def check_files(self, name: str, wanted: Mapping[str, File]) -> None:
        """Raise `Damaged` unless an adapter has just these files."""
        try:
            found = self.files(name)
        except FileNotFoundError:
            raise Damaged(f"{name} is not there any more") from None
        for path in sorted({*found, *wanted}):
            if path not in found:
                raise Damaged(f"{name} is damaged", f"{path} is missing")
            if path not in wanted:
                raise Damaged(f"{name} is not as it was", f"{path} was added")
            if found[path] != wanted[path]:
                raise Damaged(f"{name} is not as it was", f"{path} has changed")

    @contextmanager
    def writing(self, wait_seconds: float) -> Iterator[None]:
        """Hold the lock of deployments. Raises `Busy`, `ReadOnly`."""
        with exclusive(self.folder / _LOCK, wait_seconds, "the adapters"):
            yield

    @contextmanager
    def using(self, name: str) -> Iterator[None]:
        """Keep an adapter from being collected while the block runs.

        Where the folder cannot be written, nothing is kept from anything. Raises `UsageError`
        where there is no such adapter.
        """
        self.entry(name)
        descriptor = self._lock_file(name)
        try:
            if descriptor is not None:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            self.entry(name)
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @contextmanager
    def unused(self, name: str) -> Iterator[bool]:
        """Tell whether nobody uses an adapter, and keep it so while the block runs."""
        descriptor = self._lock_file(name)
        try:
            if descriptor is None:
                yield False
                return
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True
            if not self.folder_of(name).exists():
                (self.folder / _LOCKS / name).unlink(missing_ok=True)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _lock_file(self, name: str) -> int | None:
        path = self.folder / _LOCKS / name
        try:
            path.parent.mkdir(exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            return None


@contextmanager
def used(adapter: Path | None) -> Iterator[None]:
    """Keep an adapter, given by its folder, from being collected while the block runs.

    Nothing is done for none, and for a folder that has no adapter's name. Raises `UsageError`.
    """
    if adapter is None or not ADAPTER.fullmatch(adapter.name):
        yield
        return
    with Store(adapter.parent).using(adapter.name):
        yield


def age_of(name: str) -> tuple[str, int]:
    """Return what names are sorted by: the date, then the number of that date."""
    date, _, number = name.removeprefix("lora_codelearn_").partition(".")
    return date, int(number or 1)


# -- one adapter -----------------------------------------------------------------------------------


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files of a folder by their path. Raises `Damaged`."""
    found = 0
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(where, name)
            try:
                told = path.lstat()
            except OSError as error:
                raise Damaged(f"cannot read {name}", error.strerror or str(error)) from None
            if stat.S_ISDIR(told.st_mode):
                continue
            found += 1
            if not stat.S_ISREG(told.st_mode):
                raise Damaged(f"{name} is neither a file nor a folder")
            if found > _MOST_FILES:
                raise Damaged(f"more than {_MOST_FILES:,} files")
            yield path.relative_to(folder).as_posix(), told


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise Damaged(f"cannot read {path.name}", error.strerror or str(error)) from None
    return digest.hexdigest()


def _json(path: Path) -> dict[str, Any]:
    """Return the object in a small file. Raises `Damaged`."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_JSON + 1)
        found = json.loads(data) if len(data) <= _MOST_JSON else None
    except OSError as error:
        reason = "it is missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise Damaged(f"cannot read {path.name}", reason) from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Damaged(f"{path.name} is no JSON object")
    return found


def adapter_of(document: Mapping[str, Any], name: str) -> Adapter:
    """Return what `training.json` tells. Raises `Damaged`."""
    if document.get("schema") != 1:
        raise Damaged(f"{RECORD} has an unknown schema: {str(document.get('schema'))[:20]}")
    if document.get("name") != name:
        raise Damaged(f"{RECORD} is of another adapter")
    texts = {}
    for key in ("base", "base_sha256", "method", "data_sha256", "parent", "commit", "time"):
        value = document.get(key, "")
        if not isinstance(value, str):
            raise Damaged(f"{RECORD}: {key} is no text")
        texts[key] = value
    try:
        texts["method"] = Form(texts["method"])
        seed, steps = int(document.get("seed", 0)), int(document.get("steps", 0))
    except (ValueError, TypeError):
        raise Damaged(f"{RECORD} cannot be understood") from None
    if not texts["base"] or not _HASH.fullmatch(texts["base_sha256"]):
        raise Damaged(f"{RECORD} does not say what the base is")
    if texts["parent"] and not ADAPTER.fullmatch(texts["parent"]):
        raise Damaged(f"{RECORD}: parent is no name of an adapter")
    numbers = document.get("metrics", {})
    metrics = {
        str(key): float(value)
        for key, value in (numbers.items() if isinstance(numbers, dict) else ())
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return Adapter(name, seed=seed, steps=steps, metrics=metrics, **texts)  # type: ignore[arg-type]


def _check_configuration(path: Path) -> None:
    found = _json(path)
    if found.get("peft_type") != "LORA" or not isinstance(found.get("r"), int):
        raise Damaged(f"{path.name} is not that of a LoRA adapter")


def check_tensors(path: Path) -> None:
    """Raise `Damaged` unless a safetensors file has a header, and all the bytes that it tells of.

    The format: eight bytes with the length of the header, the header as JSON, the tensors.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(_MOST_HEADER, size - 8):
                raise Damaged(f"{path.name} is cut off")
            header = json.loads(file.read(length))
    except OSError as error:
        reason = "it is missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise Damaged(f"cannot read {path.name}", reason) from None
    except (ValueError, RecursionError):
        raise Damaged(f"{path.name} has no header") from None
    tensors = {k: v for k, v in header.items() if k != "__metadata__"} if header else {}
    try:
        end = max(int(tensor["data_offsets"][1]) for tensor in tensors.values())
    except (ValueError, TypeError, KeyError, IndexError):
        raise Damaged(f"{path.name} has no tensors") from None
    if end != size - 8 - length:
        raise Damaged(f"{path.name} is cut off")
