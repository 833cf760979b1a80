"""Which files of a tree are indexed, and why the others are not.

In: paths, the tree's attributes, the configuration. Out: a verdict for each path. Content has its
say later, when a file is read (chunking/exclusion.py).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..chunking import CHUNKER_VERSION
from ..chunking.exclusion import Skip, skip_path
from ..config import Config
from ..git.attributes import check_attributes
from ..git.globs import Globs
from ..git.repository import Repository
from .documents import TERMS_VERSION

_GENERATED, _VENDORED = "linguist-generated", "linguist-vendored"
_INDEXED = "skillmesh-index"
_LOOKS_GENERATED = (Skip.GENERATED, Skip.LOCK, Skip.MINIFIED)
_FORCED = ".forced"
ATTRIBUTES = (_GENERATED, _VENDORED, _INDEXED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`skip` says why a path is left out; `forced`: read it although it looks generated."""

    skip: Skip | None
    forced: bool = False


@dataclass(frozen=True)
class Rules:
    """The rules in force for one tree: configuration, chunker and .gitattributes files."""

    exclude: tuple[str, ...]
    include: tuple[str, ...]
    max_bytes: int
    attribute_blobs: Mapping[str, str]

    def reading(self, forced: bool = False) -> str:
        """Identify everything that decides what is read out of the bytes of a file."""
        return f"{CHUNKER_VERSION}.{TERMS_VERSION}.{self.max_bytes}{_FORCED if forced else ''}"

    @cached_property
    def settings_id(self) -> str:
        """Identify everything but the tree that decides which of its files are members."""
        parts = [self.reading(), self.include, self.exclude]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def verdicts(self, repository: Repository, paths: Sequence[str]) -> dict[str, Verdict]:
        """Judge every path."""
        attributes: Mapping[str, Mapping[str, str]] = {}
        if self.attribute_blobs:
            attributes = check_attributes(repository, self.attribute_blobs, paths, ATTRIBUTES)
        return {path: self._verdict(path, attributes.get(path, {})) for path in paths}

    def _verdict(self, path: str, attributes: Mapping[str, str]) -> Verdict:
        wanted = attributes.get(_INDEXED)
        if wanted == "set" or self._included.match(path):
            return Verdict(None, forced=True)
        if wanted == "unset" or self._excluded.match(path):
            return Verdict(Skip.EXCLUDED)
        generated, vendored = attributes.get(_GENERATED), attributes.get(_VENDORED)
        if _is_on(generated):
            return Verdict(Skip.GENERATED)
        if _is_on(vendored):
            return Verdict(Skip.VENDORED)
        skip = skip_path(path)
        if skip is Skip.VENDORED and _is_off(vendored):
            skip = None
        if skip in _LOOKS_GENERATED and _is_off(generated):
            skip = None
        return Verdict(skip, forced=_is_off(generated))

    @cached_property
    def _included(self) -> Globs:
        return Globs(self.include)

    @cached_property
    def _excluded(self) -> Globs:
        return Globs(self.exclude)


def rules_of(config: Config, attribute_blobs: Mapping[str, str]) -> Rules:
    """Return the rules of a tree with these .gitattributes files (path → blob id)."""
    return Rules(
        config.globs("index.exclude"),
        config.globs("index.include"),
        config.number("index.maxbytes"),
        dict(sorted(attribute_blobs.items())),
    )


def _is_on(value: str | None) -> bool:
    return value is not None and value.lower() in ("set", "true")


def _is_off(value: str | None) -> bool:
    return value is not None and value.lower() in ("unset", "false")


def is_forced(reading: str) -> bool:
    """Whether a file is read although its content looks generated, see `Rules.reading`."""
    return reading.endswith(_FORCED)
