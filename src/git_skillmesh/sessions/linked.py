"""Links and texts at hand while links are carried: each note and each file is read once.

In: commits and blobs. Out: their links and lines, and those that were made but not yet written.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..git.added import Addition, added_between, added_lines
from ..git.commits import parse_commit
from ..git.objects import BlobReader, StoredObject
from ..git.repository import Repository
from .alignment import squeezed, telling
from .links import Link, lines_linked, read_links

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_KEPT_TEXTS = 2_000
_KEPT_BRANCHES = 300
_LARGEST = 4_000_000  # bytes of a file whose lines are compared


def within(link: Link, lines: int) -> Link:
    """Return a link whose ranges end with the file: a note may say anything."""
    ranges = tuple((first, min(last, lines)) for first, last in link.ranges if first <= lines)
    return replace(link, ranges=ranges)


class Texts:
    """Lines of blobs; None for what is missing, binary or very large."""

    def __init__(self, reader: BlobReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[str, list[bytes] | None] = OrderedDict()
        self._keys: OrderedDict[str, list[bytes]] = OrderedDict()

    def lines(self, blob: str) -> list[bytes] | None:
        """Return the lines of a blob."""
        if blob in self._kept:
            self._kept.move_to_end(blob)
            return self._kept[blob]
        data = self._reader.read(blob) if _OID.fullmatch(blob) else None
        lines = None
        if data is not None and len(data) <= _LARGEST and b"\0" not in data[:8000]:
            lines = data.split(b"\n")
            if not lines[-1]:
                lines.pop()
        self._kept[blob] = lines
        if len(self._kept) > _KEPT_TEXTS:
            self._kept.popitem(last=False)
        return lines

    def keys(self, blob: str) -> list[bytes]:
        """Return the lines of a blob without white space; b"" for those that say nothing."""
        if blob in self._keys:
            self._keys.move_to_end(blob)
            return self._keys[blob]
        lines = self.lines(blob) or []
        keys = [squeezed(line) if telling(line) else b"" for line in lines]
        self._keys[blob] = keys
        if len(self._keys) > _KEPT_TEXTS:
            self._keys.popitem(last=False)
        return keys

    def look_up(self, commit: str) -> StoredObject | None:
        """Return a commit, None if it is not here."""
        found = self._reader.look_up(commit)
        return found if found and found.kind == "commit" else None

    def blob_at(self, commit: str, path: str) -> str:
        """Return the blob of a path in a commit, "" if there is none."""
        if "\n" in path or not _OID.fullmatch(commit):  # a request is a line
            return ""
        if {"", ".", ".."} & set(path.split("/")):  # git dies of a relative path
            return ""
        try:
            path.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # no file can be called so
            return ""
        found = self._reader.look_up(f"{commit}:{path}")
        return found.oid if found is not None and found.kind == "blob" else ""


class Linked:
    """Links and additions of commits."""

    def __init__(self, repository: Repository, texts: Texts) -> None:
        self.repository = repository
        self.texts = texts
        self.made: dict[str, list[Link]] = {}
        self._branches: dict[tuple[str, str], frozenset[bytes]] = {}
        self._links: dict[str, tuple[Link, ...]] = {}
        self._additions: dict[str, list[Addition]] = {}

    def branch_keys(self, base: str, tip: str) -> frozenset[bytes]:
        """Return what the lines say that a branch brought, each branch read once."""
        if (base, tip) not in self._branches:
            if len(self._branches) >= _KEPT_BRANCHES:
                self._branches.clear()
            self._branches[base, tip] = frozenset(
                self.keys_of(added_between(self.repository, base, tip))
            )
        return self._branches[base, tip]

    def keys_of(self, additions: Iterable[Addition]) -> Iterator[bytes]:
        """Yield what the added lines say, those that say something."""
        for addition in additions:
            keys = self.texts.keys(addition.blob)
            yield from (keys[n - 1] for n in addition.lines() if n <= len(keys) and keys[n - 1])

    def load(self, commits: Iterable[str], additions: bool = True) -> None:
        """Read the links, and the additions, of many commits at once."""
        chosen = list(dict.fromkeys(commits))
        fresh = [commit for commit in chosen if commit not in self._links]
        if fresh:
            found = read_links(self.repository, fresh)
            self._links.update((commit, found.get(commit, ())) for commit in fresh)
        missing = [commit for commit in chosen if commit not in self._additions]
        if additions and missing:
            added = added_lines(self.repository, missing)
            self._additions.update((commit, added.get(commit, [])) for commit in missing)

    def links(self, commit: str) -> tuple[Link, ...]:
        """Return the links of a commit, those just made included."""
        if commit not in self._links:
            self.load([commit], additions=False)
        return (*self._links[commit], *self.made.get(commit, ()))

    def additions(self, commit: str) -> list[Addition]:
        """Return what a commit added."""
        if commit not in self._additions:
            self.load([commit])
        return self._additions[commit]

    def lines(self, commit: str, path: str, blob: str) -> dict[int, Link]:
        """Return line → link of one version of a file."""
        count = len(self.texts.lines(blob) or ())
        fitting = (link for link in self.links(commit) if (link.path, link.blob) == (path, blob))
        return lines_linked((within(link, count) for link in fitting), path, blob)

    def author(self, commit: str) -> str:
        """Return who wrote a commit, and when: git keeps both when it picks or rebases."""
        found = self.texts.look_up(commit)
        return parse_commit(commit, found.data).author if found else ""

    def stale(self, commit: str) -> list[Link]:
        """Return the links of a commit's note that are about other versions of its files."""
        blobs = {(each.path, each.blob) for each in self.additions(commit)}
        own = [link for link in self.links(commit) if link.path and link.ranges]
        return [
            link
            for link in own
            if (link.path, link.blob) not in blobs
            and self.texts.blob_at(commit, link.path) != link.blob
        ]
