"""Where skills of others come from: a folder, or a git repository at one commit.

In: what the user typed. Out: `Found` skills with all of their files, and what is wrong with them.
"""

import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from ..files import expanded
from ..git.snapshot import snapshot
from ..git.transport import Manners, without_credentials
from ..yamlnodes import Unreadable
from . import texts, trees
from .cards import slug
from .fields import ROLE_ID
from .folders import Commit, Folder, Place, SkillFiles, take
from .loading import read_registry
from .model import ID, Problem
from .shelf import Locked
from .validation import validate

_OVER_NETWORK = ("https", "ssh")
_SCHEME = re.compile(r"(https|ssh)://[^/\s-][^\s]*", re.I)
_OTHER_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)(://|::)", re.I)
_SCP_LIKE = re.compile(r"(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_][\w.-]+:(?!//)[^\s-]\S*")
_OWN_ID = re.compile(rf"^[ \t]+id:[ \t]*['\"]?({ID})['\"]?[ \t]*$", re.M)
_OWN_NAME = re.compile(rf"^name:[ \t]*['\"]?({ROLE_ID})['\"]?[ \t]*$", re.M)
_LICENCES = re.compile(r"(LICEN[CS]E|COPYING)([.-][\w.-]+)?", re.I)
_SKILL_TEXTS = (*trees.SKILL_NAMES, trees.CARD)


@dataclass(frozen=True, slots=True)
class Source:
    """A folder (`git` False), or a repository: its address, and what of it is wanted.

    `shown` is how it stands in the lock file: without a password, relative to the project.
    """

    address: str
    shown: str
    git: bool
    revision: str = ""
    protocols: tuple[str, ...] = _OVER_NETWORK


@dataclass(frozen=True)
class Found:
    """A skill that can be added: where it goes, its files, and what is wrong with it."""

    id: str
    locked: Locked
    files: SkillFiles = field(repr=False)
    problems: tuple[Problem, ...] = ()


def read_source(text: str, base: Path, top: Path) -> Source:
    """Return what the user means by a path or address, `base` being where the user stands.

    Raises `UsageError` for what is neither, or for an address that is not let in.
    """
    if not text.strip() or text.startswith("-") or "\0" in text:
        raise UsageError(f"not a folder, nor an address: {text}")
    if (base / text).exists():
        return _local(base / text, "", top)
    address, _, revision = text.rpartition("#") if "#" in text else (text, "", "")
    if address.lower().startswith("file://"):
        address = address[len("file://") :]
    if address and (base / expanded(address)).exists():
        return _local(base / expanded(address), revision, top)
    if _SCHEME.fullmatch(address) or (
        _SCP_LIKE.fullmatch(address) and not _OTHER_SCHEME.match(address)
    ):
        return Source(address, without_credentials(address), True, revision)
    other = _OTHER_SCHEME.match(address)
    if other:
        raise UsageError(f"{other[1]} is not let in", "https://…, ssh://… or user@host:path")
    raise UsageError(
        f"neither a folder nor an address: {text}", "https://…, ssh://… or user@host:path"
    )


def _local(place: Path, revision: str, top: Path) -> Source:
    place = place.resolve()
    if place.is_file() and place.name in trees.SKILL_NAMES:
        place = place.parent
    if not place.is_dir():
        raise UsageError(f"{place} is not a folder")
    bare = (place / "HEAD").is_file() and (place / "objects").is_dir()
    shown = Path(os.path.relpath(place, top.resolve())).as_posix()
    is_git = bool(revision) or bare
    return Source(os.fspath(place), shown, is_git, revision, ("file",) if is_git else ())


@contextmanager
def open_source(source: Source, manners: Manners) -> Iterator["Opened"]:
    """Fetch a repository, or look at a folder. Raises `UsageError`, `Unavailable`."""
    with tempfile.TemporaryDirectory(prefix="git-skillmesh-") as name:
        folder = Path(name)
        if not source.git:
            yield Opened(source, folder, None)
            return
        with snapshot(
            source.address, source.revision, folder / "git", source.protocols, manners
        ) as taken:
            whole = Commit(taken, "")
            yield Opened(source, folder, lambda prefix: Commit(taken, prefix) if prefix else whole)


class Opened:
    """A source while it is looked at; `folder` is for what has to lie on disk meanwhile."""

    def __init__(self, source: Source, folder: Path, commit: "object") -> None:
        self._source, self._folder, self._commit = source, folder, commit
        self._number = 0

    def place(self, subpath: str) -> Place:
        """Return the files of a folder of the source, "" for all. Raises `UsageError`."""
        subpath = subpath.strip("/")
        if subpath and not texts.stays_inside(subpath):
            raise UsageError(f"{subpath} leaves the source")
        if callable(self._commit):
            found: Place = self._commit(f"{subpath}/" if subpath else "")
        else:
            root = Path(self._source.address, subpath)
            top = Path(self._source.address).resolve()
            if root.resolve() != top and top not in root.resolve().parents:
                raise UsageError(f"{subpath} leaves the source")
            if not root.is_dir():
                raise UsageError(f"{self._source.shown} has no folder {subpath}")
            found = Folder(root)
        if not found.files:
            raise UsageError(f"{self._source.shown} has no folder {subpath or 'with files'}")
        return found

    def skills(self, subpath: str, known: Collection[str]) -> list[Found]:
        """Return the skills of a folder, with what is wrong with each.

        `known` are ids that they may refer to. Raises `UsageError` where there is none.
        """
        subpath = subpath.strip("/")
        place = self.place(subpath)
        looked_at = self._scratch() / (self._name(subpath) or "skill")
        _lay_out(place, looked_at)
        listed = list(trees.places(looked_at))
        if not listed:
            where = f"{self._source.shown}{f', in {subpath}' if subpath else ''}"
            raise UsageError(f"no SKILL.md in {where}", "--path SUB names another folder")
        names = {card.instruction_file: card.id for card in read_registry(looked_at).registry.cards}
        folders = [one.skill.rpartition("/")[0] for one in listed]
        found = []
        for one, folder in zip(listed, folders, strict=True):
            prefix = f"{folder}/" if folder else ""
            others = [f"{other}/" for other in folders if other and other.startswith(prefix)]
            files = take(place, prefix, [other for other in others if other != prefix])
            identity = _own_id(files) or ("" if folder else _own_name(files))
            identity = identity or names.get(one.skill) or one.id
            locked = Locked(
                _path_of(identity),
                files.hashes,
                self._source.shown,
                "/".join(part for part in (subpath, folder) if part),
                self._source.revision,
                place.commit,
                _licence(files, place),
            )
            found.append(Found(identity, locked, files))
        return self._checked(_different(found), known)

    def _checked(self, found: "list[Found]", known: Collection[str]) -> "list[Found]":
        """Lay the skills out as they will lie, and say what is wrong there."""
        root = self._scratch()
        for one in found:
            for path, data in one.files.files.items():
                target = root / one.locked.path / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        problems = validate(root, known)
        checked = []
        for one in found:
            mine = [each for each in problems if each.path.startswith(f"{one.locked.path}/")]
            checked.append(Found(one.id, one.locked, one.files, tuple(mine)))
        return checked

    def _scratch(self) -> Path:
        self._number += 1
        place = self._folder / str(self._number)
        place.mkdir()
        return place

    def _name(self, subpath: str) -> str:
        """Return what a skill that is the whole folder is called after."""
        last = (subpath or self._source.address.rstrip("/")).replace(":", "/").rpartition("/")[2]
        return slug(last.removesuffix(".git"))


def _lay_out(place: Place, root: Path) -> None:
    """Write what says which skills there are: texts of their names, the small ones."""
    root.mkdir(parents=True)
    paths = [
        path
        for path, one in place.files.items()
        if path.rpartition("/")[2] in _SKILL_TEXTS
        and one.kind == "file"
        and one.size <= texts.SKILL_LONGEST
        and texts.stays_inside(path)
    ]
    for path, data in zip(paths, place.read(paths), strict=True):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _own_id(files: SkillFiles) -> str:
    """Return the id that a card gives itself: the folders above it may not have been named."""
    found = _OWN_ID.search(_front(files)) if trees.CARD in files.files else None
    return found[1] if found else ""


def _own_name(files: SkillFiles) -> str:
    """Return the name of a skill that is a whole source: nothing else says what to call it."""
    found = _OWN_NAME.search(_front(files))
    return found[1] if found else ""


def _front(files: SkillFiles) -> str:
    """Return the front matter of a skill."""
    skill = next((files.files[name] for name in trees.SKILL_NAMES if name in files.files), b"")
    try:
        return texts.divide(texts.decode(skill)).front
    except Unreadable:
        return ""


def _path_of(identity: str) -> str:
    """Return the folder of a skill below the others; it leads back to the same id."""
    return "/".join(part for part in map(slug, identity.split(".")) if part) or "skill"


def _different(found: "list[Found]") -> "list[Found]":
    """Raise `UsageError` where two skills would lie in one folder, or one inside another."""
    paths: dict[str, str] = {}
    for one in found:
        if one.locked.path in paths:
            other = paths[one.locked.path]
            raise UsageError(f"{other} and {one.locked.subpath} are both {one.id}", "--path SUB")
        paths[one.locked.path] = one.locked.subpath
    for path in paths:
        above = next((up.as_posix() for up in Path(path).parents if up.as_posix() in paths), "")
        if above:
            raise UsageError(f"{paths[path]} would lie inside of {above}", "--path SUB")
    return found


def _licence(files: SkillFiles, place: Place) -> str:
    """Return what the front matter says, or the name of a file that does."""
    said = re.search(r"^license:[ \t]*(.+?)[ \t]*$", _front(files), re.M)
    if said:
        return " ".join(said[1].strip("'\"").split())[:200]
    inside = next((path for path in sorted(files.files) if _LICENCES.fullmatch(path)), "")
    above = next((path for path in sorted(place.files) if _LICENCES.fullmatch(path)), "")
    return inside or (f"{above} of the source" if above else "")
