"""A folder of skills that were copied there, and the lock file that says what and from where.

In: files and where they came from. Out: the same files on disk: all of a skill or nothing of it,
whatever happens meanwhile. Only what the lock file names is ever replaced or removed.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Damaged, ReadOnly, UsageError
from ..files import rewrite_file
from ..yamlnodes import Unreadable
from .folders import FILE_LONGEST, SkillFiles, hash_of, tree_hash
from .texts import read_bytes, stays_inside
from .trees import SKILL_NAMES

VERSION = 1
_LOCK_LONGEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class Locked:
    """What was copied: `path` is its folder, `files` path → sha256, `source` where from.

    `subpath` is its folder there, `revision` what was asked for and `commit` what that was;
    `forced` are the problems it was taken in spite of.
    """

    path: str
    files: Mapping[str, str] = field(repr=False)
    source: str = ""
    subpath: str = ""
    revision: str = ""
    commit: str = ""
    licence: str = ""
    forced: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """One hash for all files."""
        return tree_hash(self.files)


@dataclass(frozen=True, slots=True)
class Difference:
    """How the files on disk differ from what was copied; paths in the skill."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)

    def edited(self, fresh: Collection[str] = ()) -> list[str]:
        """Return the files that are not as they were copied, or that `fresh` ones would hide."""
        return sorted({*self.changed, *self.missing, *(set(self.added) & set(fresh))})


class Shelf:
    """The skills in a folder, by id. Below `top` there may be no links on the way to them."""

    def __init__(self, folder: Path, lock: Path, top: Path) -> None:
        self.folder, self.lock, self.top = folder, lock, top

    def read(self) -> dict[str, Locked]:
        """Return what the lock file says; nothing where there is none. Raises `Damaged`."""
        if not self.lock.exists():
            return {}
        try:
            document = json.loads(read_bytes(self.lock, _LOCK_LONGEST))
            if document["version"] != VERSION:
                raise Damaged(f"{self.lock} is of another version", "a newer git skillmesh")
            return {name: _locked(one) for name, one in sorted(document["skills"].items())}
        except (Unreadable, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Damaged(f"{self.lock} cannot be read", "restore it from git") from None

    def difference(self, one: Locked) -> Difference:
        """Return how a skill on disk differs from what was copied."""
        place = self.folder / one.path
        found = {}
        for path in _paths(place):
            try:
                found[path] = hash_of(read_bytes(place / path, FILE_LONGEST))
            except Unreadable:
                found[path] = ""  # a link, or too large: not what was copied
            if (place / path).is_symlink():
                found[path] = ""
        both = found.keys() & one.files
        return Difference(
            tuple(sorted(path for path in both if found[path] != one.files[path])),
            tuple(sorted(one.files.keys() - found.keys())),
            tuple(sorted(found.keys() - one.files.keys())),
        )  # fmt: skip

    def put(self, skills: Mapping[str, "tuple[Locked, SkillFiles]"]) -> None:
        """Write skills, new ones or over what the lock file names, and keep files that are added.

        All of them are there at the end or none. Raises `UsageError` where something else is in
        the way, `ReadOnly`.
        """
        for one, _ in skills.values():
            self._refuse_links(self.folder / one.path)
        with _writing(self.folder), self._staged() as stage:
            known = self.read()
            for name, (one, _) in skills.items():
                self._make_way(name, one, known)
            for number, (name, (_, files)) in enumerate(skills.items()):
                fresh = stage / f"new-{number}"
                _write(fresh, files)
                if name in known:
                    self._carry_over(known[name], fresh, files)
            undo: list[tuple[Path, Path]] = []
            try:
                for number, (one, _) in enumerate(skills.values()):
                    target = self.folder / one.path
                    if target.exists():
                        _move(target, stage / f"old-{number}", undo)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _move(stage / f"new-{number}", target, undo)
                self._write_lock(known | {name: one for name, (one, _) in skills.items()})
            except BaseException:
                _take_back(undo)
                self._prune(one.path for one, _ in skills.values())
                raise

    def remove(self, names: Collection[str]) -> None:
        """Take away exactly the files that were copied; what somebody added stays."""
        self._refuse_links(self.folder)
        with _writing(self.folder), self._staged() as stage:
            known = self.read()
            for name in names:
                self._refuse_links(self.folder / known[name].path)
            undo: list[tuple[Path, Path]] = []
            try:
                for number, name in enumerate(sorted(names)):
                    one = known[name]
                    for place, path in enumerate(sorted(one.files)):
                        source = self.folder / one.path / path
                        outside = self.folder.resolve() not in source.parent.resolve().parents
                        if os.path.lexists(source) and not outside:
                            _move(source, stage / f"old-{number}-{place}", undo)
                self._write_lock({key: one for key, one in known.items() if key not in names})
            except BaseException:
                _take_back(undo)
                raise
        for name in names:
            self._prune_inside(known[name])
        self._prune(known[name].path for name in names)
        for parent in (self.folder, *self.folder.parents):
            if parent == self.top or (parent.exists() and any(parent.iterdir())):
                break
            if parent.exists():
                parent.rmdir()

    def _make_way(self, name: str, one: Locked, known: Mapping[str, Locked]) -> None:
        """Raise `UsageError` where a skill must not be written."""
        target = self.folder / one.path
        for parent in target.parents:
            if parent == self.folder:
                break
            inside = any((parent / skill).exists() for skill in SKILL_NAMES)
            if inside or (parent.exists() and not parent.is_dir()):
                raise UsageError(f"{parent} is in the way of {name}", "it is a skill or a file")
        if target.exists() and (name not in known or known[name].path != one.path):
            raise UsageError(f"{target} exists, and was not put there by this command",
                             "move it away")  # fmt: skip

    def _refuse_links(self, target: Path) -> None:
        for parent in (target, *target.parents):
            if parent == self.top:
                return
            if parent.is_symlink():
                raise UsageError(f"{parent} is a link", "skills are kept in plain folders only")

    def _carry_over(self, old: Locked, fresh: Path, files: SkillFiles) -> None:
        """Copy what somebody added to a skill into its new folder."""
        for path in self.difference(old).added:
            source, target = self.folder / old.path / path, fresh / path
            if path not in files.files:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """Yield a folder beside the skills; meanwhile no other process writes any."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            stage = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
            try:
                yield stage
            finally:
                shutil.rmtree(stage, ignore_errors=True)
        finally:
            os.close(descriptor)
            with suppress(OSError):  # not empty, which is as it should be
                self.folder.rmdir()

    def _prune_inside(self, one: Locked) -> None:
        """Remove the folders of a skill that are empty now."""
        folders = {Path(path).parent for path in one.files}
        inside = {parent for folder in folders for parent in (folder, *folder.parents)}
        for folder in sorted(inside, key=lambda path: -len(path.parts)):
            with suppress(OSError):
                (self.folder / one.path / folder).rmdir()

    def _prune(self, paths: "Iterator[str]") -> None:
        """Remove the folders above skills that are empty now."""
        for path in paths:
            for parent in Path(path).parents:
                with suppress(OSError):
                    (self.folder / parent).rmdir()

    def _write_lock(self, known: Mapping[str, Locked]) -> None:
        if not known:
            self.lock.unlink(missing_ok=True)
            return
        document = {"version": VERSION, "skills": {n: _fields(known[n]) for n in sorted(known)}}
        rewrite_file(self.lock, (json.dumps(document, indent=2) + "\n").encode())


def write(place: Path, data: bytes) -> None:
    """Write a file in one step, its permissions as they were. Raises `ReadOnly`."""
    with _writing(place):
        rewrite_file(place, data)


def delete(place: Path) -> None:
    """Delete a file. Raises `ReadOnly`."""
    with _writing(place):
        place.unlink()


def _fields(one: Locked) -> dict[str, Any]:
    fields = {
        "path": one.path,
        "source": one.source,
        "subpath": one.subpath,
        "revision": one.revision,
        "commit": one.commit,
        "licence": one.licence,
        "sha256": one.sha256,
        "files": dict(sorted(one.files.items())),
    }
    return fields | ({"forced": list(one.forced)} if one.forced else {})


def _locked(fields: Mapping[str, Any]) -> Locked:
    """Read an entry. The file may be anybody's: no path of it leaves the folder."""
    paths = [fields["path"], *fields["files"]]
    texts = [fields[name] for name in ("source", "subpath", "revision", "commit", "licence")]
    texts += fields["files"].values()
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("not text")
    plain = (isinstance(path, str) and stays_inside(path) for path in paths)
    if not all(plain) or any("" in path.split("/") or "." in path.split("/") for path in paths):
        raise ValueError("a path that leaves the folder")
    return Locked(
        fields["path"], dict(fields["files"]), fields["source"], fields["subpath"],
        fields["revision"], fields["commit"], fields["licence"],
        tuple(map(str, fields.get("forced", ()))),
    )  # fmt: skip


def _paths(place: Path) -> Iterator[str]:
    """Yield the files of a skill, links too."""
    for folder, folders, names in os.walk(place):
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(set(folders) - set(linked))
        for name in (*names, *linked):
            yield (Path(folder) / name).relative_to(place).as_posix()


def _write(place: Path, files: SkillFiles) -> None:
    for path, data in files.files.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o777 if path in files.executable else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(target, flags, mode), "wb") as file:
            file.write(data)


def _move(source: Path, target: Path, undo: "list[tuple[Path, Path]]") -> None:
    undo.append((source, target))  # before, so that an interruption finds it
    source.rename(target)


def _take_back(undo: "list[tuple[Path, Path]]") -> None:
    for source, target in reversed(undo):
        if os.path.lexists(target) and not os.path.lexists(source):
            target.rename(source)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say in the user's words that a place cannot be written."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise ReadOnly(f"cannot write {where}", error.strerror or "") from None
