"""Which learnings came of a conversation, of a commit, or of a piece of code.

In: a repository. Out: `Sources`, made of the files of the working tree, or of HEAD where there is
none. Only files that may fit are parsed: this runs beside a command that answers at once.
"""

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..git.objects import BlobReader
from ..git.repository import Repository
from ..yamlnodes import LONGEST
from .files import SUFFIXES, blobs_at
from .model import FOLDER, Learning, State
from .reading import read_learning

# A session may be named by its beginning, a commit by fewer.
_START, _SHORTEST_COMMIT = 8, 7
_CHAT = re.compile(rb"source_chat_id[\"']?\s*:\s*[\"']?([^\s\"'#,}]+)")
_ORDER = {State.BLOCK: 0, State.WARN: 1, State.PROPOSED: 2, State.RETIRED: 3}


@dataclass(frozen=True, slots=True)
class Talk:
    """An exchange, or a session, as a learning may name it.

    `key` is its id in collections, `parent` the session that started its own.
    """

    session: str
    exchange: str = ""
    number: int = 0
    key: str = ""
    parent: str = ""

    def sessions(self) -> tuple[str, ...]:
        """Return what the session is called: its id, and what a subagent's adds to its parent's."""
        own = self.session.removeprefix(f"{self.parent}-") if self.parent else self.session
        return self.session, own


class Sources:
    """The files of learnings and what they say that they came of."""

    def __init__(self, repository: Repository) -> None:
        self._files = dict(_contents(repository))
        self._learnings: dict[str, Learning | None] = {}
        self._by_start: dict[str, list[str]] = {}
        for path, data in self._files.items():
            for found in _CHAT.findall(data):
                chat = found.decode(errors="replace")
                self._by_start.setdefault(chat.partition("/")[0][:_START], []).append(path)

    def __bool__(self) -> bool:
        return bool(self._files)

    @property
    def has_references(self) -> bool:
        """Whether any learning names a chunk of code."""
        return any(b"example_code_reference" in data for data in self._files.values())

    def of_talk(self, talk: Talk) -> list[Learning]:
        """Return the learnings that name an exchange, or its session; of a whole session all."""
        starts = {name[:_START] for name in (*talk.sessions(), talk.exchange, talk.key) if name}
        paths = {path for start in starts for path in self._by_start.get(start, ())}
        return self._sorted(paths, lambda learning: came_of(learning, talk))

    def of_commits(self, commits: Collection[str]) -> list[Learning]:
        """Return the learnings that came of one of these commits."""
        starts = [commit[:_SHORTEST_COMMIT].encode() for commit in commits]
        return self._sorted(
            self._with(starts),
            lambda one: any(c.startswith(short) for short in one.source_commits for c in commits),
        )

    def of_code(self, chunks: Collection[str]) -> list[Learning]:
        """Return the learnings whose example is one of these chunks."""
        wanted = [chunk.encode() for chunk in chunks]
        return self._sorted(self._with(wanted), lambda one: one.example_code_reference in chunks)

    def all(self) -> list[Learning]:
        """Return all learnings that can be used."""
        return self._sorted(self._files, lambda _: True)

    def _with(self, words: Collection[bytes]) -> Iterator[str]:
        for path, data in self._files.items():
            if any(word in data for word in words):
                yield path

    def _sorted(self, paths: Iterable[str], fits: Callable[[Learning], bool]) -> list[Learning]:
        """Return what fits, the most trusted first."""
        found = [one for one in map(self._learning, paths) if one is not None and fits(one)]
        return sorted(found, key=lambda one: (_ORDER[one.state], one.learning_id))

    def _learning(self, path: str) -> Learning | None:
        if path not in self._learnings:
            self._learnings[path] = read_learning(path, self._files[path]).learning
        return self._learnings[path]


def came_of(learning: Learning, talk: Talk) -> bool:
    """Return whether a learning names an exchange or its session as its source."""
    chat = learning.source_chat_id
    if not chat:
        return False
    if chat in (talk.exchange, talk.key) or _names(chat, talk):
        return True
    session, slash, exchange = chat.rpartition("/")
    if not slash or not _names(session, talk):
        return False
    if not talk.exchange:
        return True
    return exchange in (talk.exchange, str(talk.number)) or (
        len(exchange) >= _START and talk.exchange.startswith(exchange)
    )


def names_session(learning: Learning, talk: Talk) -> bool:
    """Return whether a learning names a session as a whole as its source."""
    return bool(learning.source_chat_id) and _names(learning.source_chat_id, talk)


def _names(text: str, talk: Talk) -> bool:
    return any(
        text == name or (len(text) >= _START and name.startswith(text)) for name in talk.sessions()
    )


def _contents(repository: Repository) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of each file that is no longer than it may be."""
    if repository.top is None:
        tree = repository.head_tree()[1]
        blobs = blobs_at(repository, tree)
        with BlobReader(repository) as reader:
            for path, data in zip(blobs, reader.read_many(blobs.values()), strict=True):
                if data is not None and len(data) <= LONGEST:
                    yield path, data
        return
    folder = repository.top / FOLDER
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        for place in sorted(folder.iterdir()):
            data = _regular(place) if place.name.endswith(SUFFIXES) else None
            if data is not None:
                yield f"{FOLDER}/{place.name}", data


def _regular(place: Path) -> bytes | None:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            usable = stat.S_ISREG(info.st_mode) and info.st_size <= LONGEST
            return file.read() if usable else None
    except OSError:
        return None
