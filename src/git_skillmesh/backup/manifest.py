"""The manifest of a backup: what is in it, of which repository, from when.

In: JSON that anybody may have written. Out: `Manifest`, of which every name is one that a backup
may hold, or `Damaged`. Names are paths below the backup; bytes that are not UTF-8 are as
`os.fsdecode` has them.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import Damaged, UsageError

FORMAT, VERSION = "git-skillmesh-backup", 1
README, BUNDLE, SETTINGS = "README.txt", "memory.bundle", "settings.json"
FILES, COLLECTIONS, ADAPTERS, TRAINING = "files", "collections", "adapters", "training"
HOME = ".skillmesh"  # the folder of a working tree that is ours
_SINGLE = (README, BUNDLE, SETTINGS)
_FOLDERS = (FILES, COLLECTIONS, ADAPTERS, TRAINING)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_NAME = 4096
_LARGEST = 1 << 60
_COLLECTION_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,511}\.jsonl\.gz")


@dataclass(frozen=True, slots=True)
class Member:
    """A file within a backup.

    `committed` says that HEAD had it just so when the backup was made (files of the working tree).
    """

    path: str
    size: int
    sha256: str
    executable: bool = False
    committed: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        said = asdict(self)
        return {key: value for key, value in said.items() if value is not False}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    `refs` are ref → commit of the bundle, `memory` counts what these hold, `collections` describe
    those that only Chroma has, `adapters` names adapters, `left_out` is path → why.
    """

    created: str
    program: str
    repo_id: str
    roots: tuple[str, ...]
    head: str
    object_format: str
    refs: Mapping[str, str]
    memory: Mapping[str, int]
    collections: Sequence[Mapping[str, Any]]
    adapters: Mapping[str, Any]
    left_out: Mapping[str, str]
    members: tuple[Member, ...] = field(repr=False)

    def member(self, path: str) -> Member | None:
        """Return a member, None if there is none of that name."""
        return next((one for one in self.members if one.path == path), None)

    def below(self, folder: str) -> dict[str, Member]:
        """Return path below a folder → member."""
        start = f"{folder}/"
        return {
            one.path.removeprefix(start): one for one in self.members if one.path.startswith(start)
        }

    def to_bytes(self) -> bytes:
        """Return it as it stands in a backup: JSON, ASCII."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "created": self.created,
            "program": self.program,
            "repository": {
                "repo_id": self.repo_id,
                "roots": list(self.roots),
                "head": self.head,
                "object_format": self.object_format,
            },
            "refs": dict(self.refs),
            "memory": dict(self.memory),
            "collections": [dict(one) for one in self.collections],
            "adapters": dict(self.adapters),
            "left_out": dict(self.left_out),
            "members": [one.document() for one in self.members],
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def member_name(path: str) -> bytes:
    """Return the bytes of a member's name."""
    return os.fsencode(path)


def parse(text: bytes, where: str) -> Manifest:
    """Return the manifest in a backup. Raises `Damaged`, `UsageError` for a newer version."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise ValueError("it is not one of a backup")
        if not isinstance(found["version"], int) or found["version"] < 1:
            raise ValueError("it has no version")
        if found["version"] > VERSION:
            raise UsageError(
                f"{where} has format {found['version']}, this program knows {VERSION}",
                "upgrade git-skillmesh",
            )
        manifest = _manifest(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(f"{where} cannot be used, its manifest: {error!s:.200}") from None
    return manifest


def _manifest(found: Mapping[str, Any]) -> Manifest:
    repository = found["repository"]
    refs = {_text(name): _oid(oid) for name, oid in found["refs"].items()}
    if any(not name.startswith(("refs/skillmesh/", "refs/notes/")) for name in refs):
        raise ValueError("refs of somebody else")
    if not isinstance(found["members"], list):
        raise ValueError("its members are no list")
    members = tuple(_member(one) for one in found["members"])
    _check_names(members)
    if bool(refs) != (BUNDLE in {one.path for one in members}):
        raise ValueError("refs without a bundle")
    head = repository["head"]
    return Manifest(
        created=_text(found["created"]),
        program=_text(found["program"]),
        repo_id=_text(repository["repo_id"]),
        roots=tuple(_oid(oid) for oid in repository["roots"]),
        head=_oid(head) if head else "",
        object_format=_one_of(repository["object_format"], ("sha1", "sha256")),
        refs=refs,
        memory={_text(key): _count(value) for key, value in found["memory"].items()},
        collections=[_collection(one) for one in found["collections"]],
        adapters=_adapters(found["adapters"]),
        left_out={_text(path): _text(why) for path, why in found["left_out"].items()},
        members=members,
    )


def _collection(found: Mapping[str, Any]) -> dict[str, Any]:
    name = _text(found["name"])
    if not _COLLECTION_FILE.fullmatch(f"{name}.jsonl.gz"):
        raise ValueError(f"a collection {name!r:.80}")
    return {
        "name": name,
        "documents": _count(found["documents"]),
        "model_id": _text(found["model_id"]),
    }


def _adapters(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "active": _text(found["active"]),
        "names": [_text(name) for name in found["names"]],
        "included": bool(found["included"]),
    }


def _member(found: Mapping[str, Any]) -> Member:
    digest = _text(found["sha256"])
    if not _SHA256.fullmatch(digest):
        raise ValueError("a sum that is none")
    flags = [found.get(name, False) for name in ("executable", "committed")]
    if any(not isinstance(flag, bool) for flag in flags):
        raise ValueError("a flag that is none")
    return Member(_path(_text(found["path"])), _count(found["size"]), digest, *flags)


def _path(path: str) -> str:
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts)
    if not plain or "\0" in path or len(os.fsencode(path)) > _LONGEST_NAME:
        raise ValueError(f"a path {path!r:.80}")
    fits = path in _SINGLE if len(parts) == 1 else parts[0] in _FOLDERS
    if parts[0] == FILES:
        fits = len(parts) > 2 and parts[1] == HOME
    elif parts[0] == COLLECTIONS:
        fits = len(parts) == 2 and _COLLECTION_FILE.fullmatch(parts[1]) is not None
    elif parts[0] == TRAINING:
        fits = len(parts) == 2
    if not fits:
        raise ValueError(f"a path {path!r:.80}")
    return path


def _check_names(members: Sequence[Member]) -> None:
    """Refuse two members of one name, and one that would have to be a file and a folder."""
    names = {one.path for one in members}
    if len(names) < len(members):
        raise ValueError("two members of one name")
    for name in names:
        while "/" in name:
            name = name.rpartition("/")[0]
            if name in names:
                raise ValueError(f"a file that is a folder too, {name!r:.80}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no text: {value!r:.80}")
    return value


def _oid(value: Any) -> str:
    if not _OID.fullmatch(_text(value)):
        raise ValueError(f"no id of an object: {value!r:.80}")
    return str(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST:
        raise ValueError(f"no size: {value!r:.80}")
    return value


def _one_of(value: Any, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{value!r:.80}")
    return str(value)
