"""The explorer as a folder: the page and its documents, for the disk or any web server.

In: stores, a folder, how many documents at most. Out: `Written`. A document is a script that gives
its data to the page, since a page from the disk may load scripts and nothing else. The same state
of the repository gives the same bytes. All is written beside the folder, which is then replaced.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..display import plural
from ..errors import Busy, ReadOnly, SkillmeshError, UsageError
from .answers import answer, harmless
from .backtests import tried_learnings
from .data.index import search_index
from .data.overview import overview
from .learned import learnings_of
from .plan import Plan, plan
from .sizes import lines_by_path
from .static import PAGE, assets
from .stores import Reading, State, Stores

MARKER = ".skillmesh-explorer"
_MARK = b'{"schema": 1}\n'
# Times the patience of a server: here everything is waited for.
_PATIENCE = 300.0
_AT_ONCE = 3
_SERVED, _EXPORTED = b'data-mode="serve"', b'data-mode="export"'
# What stands in the way of one file and not of the others.
_NO_NAME = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EILSEQ)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: files, their bytes, and in words what was left out."""

    files: int
    size: int
    left_out: tuple[str, ...]


def export(stores: Stores, folder: Path, most: int, progress: Progress | None = None) -> Written:
    """Write the page into a folder that is empty, does not exist, or was written by an export.

    Raises `UsageError`, `ReadOnly`, `Busy`, `Damaged`.
    """
    check_folder(folder)
    state = stores.state()
    with stores.reading(state, patience=_PATIENCE) as reading:
        chosen = plan(reading, most)
        lines_by_path(reading)
        tried_learnings(reading, reading.patience)
    with _replaced(folder) as place:
        written = _write_documents(stores, state, chosen, place, progress)
        for name, asset in assets().items():
            data = asset.data.replace(_SERVED, _EXPORTED, 1) if name == PAGE else asset.data
            written += _put(place / name, data)
        _put(place / ".nojekyll", b"")  # GitHub Pages leaves out names that begin with _
        _put(place / MARKER, _MARK)
    return Written(written.files + 2, written.size + len(_MARK), written.left_out)


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds what no export has written. Raises `UsageError`."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    if next(folder.iterdir(), None) is not None and not (folder / MARKER).is_file():
        raise UsageError(
            f"{folder} holds other files", "name an empty folder, or one that explore has written"
        )


@dataclass(slots=True)
class _Sum:
    files: int = 0
    size: int = 0
    left_out: tuple[str, ...] = ()

    def __iadd__(self, size: int) -> "_Sum":
        self.files += 1
        self.size += size
        return self


def _write_documents(
    stores: Stores, state: State, chosen: Plan, place: Path, progress: Progress | None
) -> _Sum:
    found = _Sum()
    unnamed = unreadable = 0
    make = partial(_made, stores, state, chosen)
    later = chosen.paths[1:]  # the overview tells what was left out: it comes last
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            for done, (path, data) in enumerate(zip(later, pool.map(make, later), strict=True), 1):
                if data is None:
                    unreadable += 1
                elif _has_name(target := place / "data" / f"{path}.js", data):
                    found += len(data)
                else:
                    unnamed += 1
                    del target
                if progress:
                    progress(done, len(later))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    left_out = [*chosen.left_out]
    if unnamed:
        left_out.append(f"{plural(unnamed, 'document')} whose names the disk cannot hold")
    if unreadable:
        left_out.append(f"{plural(unreadable, 'document')} that cannot be read")
    found.left_out = tuple(left_out)
    with stores.reading(state, patience=_PATIENCE) as reading:
        document = harmless(overview(reading, found.left_out))
        document["state"] = _name_of(reading)
    found += _put(place / "data" / "overview.js", script_of("overview", document))
    return found


def _made(stores: Stores, state: State, chosen: Plan, path: str) -> bytes | None:
    """Return the script of a document, None for one that cannot be read."""
    try:
        with stores.reading(state, patience=_PATIENCE) as reading:
            if path == "search":
                document = harmless(search_index(reading, chosen.paths))
            else:
                document = answer(reading, path)
    except SkillmeshError:
        return None
    return None if document is None else script_of(path, document)


def script_of(path: str, document: Mapping[str, object]) -> bytes:
    """Return a document as a script; nothing in it can end one, be it in a page or alone."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)  # ASCII
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"skillmesh_give({json.dumps(path)}, {text});\n".encode()


def _name_of(reading: Reading) -> str:
    """Return a text that is another one for another state, and the same in every clone."""
    state, digest = reading.state, hashlib.sha256()
    for part in (state.head, state.memory, state.notes):
        digest.update(f"{part}\0".encode())
    for name, read in sorted(learnings_of(reading).items()):
        digest.update(f"{name}\0{read.learning!r}\0".encode("utf-8", "backslashreplace"))
    return digest.hexdigest()[:16]


def _put(path: Path, data: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:  # never over another one, as where case does not count
        return file.write(data)


def _has_name(path: Path, data: bytes) -> bool:
    """Write a document, and return whether the disk has a name for it."""
    try:
        _put(path, data)
    except OSError as error:
        if error.errno in _NO_NAME:
            return False
        raise
    return True


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Give a new folder, which takes the place of another one if the block ends well."""
    folder = Path(os.path.realpath(folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.{os.getpid()}-", dir=folder.parent))
    except OSError as error:
        raise ReadOnly(f"cannot write beside {folder}", error.strerror or "") from None
    try:
        mask = os.umask(0o077)
        os.umask(mask)
        place.chmod(0o777 & ~mask)
        yield place
        check_folder(folder)
        old = place.with_name(f"{place.name}.old")
        if folder.exists():
            folder.rename(old)
        place.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except FileExistsError:
        raise Busy(f"another process writes {folder}") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Delete what exports left behind that were killed."""
    for left in folder.parent.glob(f".{folder.name}.*-*"):
        number = left.name.removeprefix(f".{folder.name}.").partition("-")[0]
        if number.isdigit() and not _is_running(number):
            with suppress(OSError):
                shutil.rmtree(left)


def _is_running(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
