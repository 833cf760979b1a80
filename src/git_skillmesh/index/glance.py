"""What the indexes know of names, at a glance: for a hook that has no time to load numpy.

In: the state folder of a repository. Out: paths and symbols of the tree that was indexed last, who
made their lines, and of each exchange what it was asked and which files it touched. Everything is
read as it is; nothing is brought up to date.
"""

import json
import os
import sqlite3
from array import array
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from ..errors import SkillmeshError
from .database import open_database

_CATALOGUES = ("index", "chats")
# Names looked for at once: every one costs a comparison with every chunk.
_MOST_NAMES = 8


class Place(NamedTuple):
    """A definition in the tree: `file` and `ordinal` are its chunk's."""

    path: str
    symbol: str
    file: int
    ordinal: int
    start_line: int
    end_line: int


class Past(NamedTuple):
    """An exchange of the memory: `asked` is the first telling line of its prompt."""

    session: str
    exchange: str
    agent: str
    started: str
    title: str
    asked: str
    paths: tuple[str, ...]


class Glance:
    """The catalogues of code and of conversations, open for reading; either may be missing."""

    def __init__(self, state: Path) -> None:
        self._code, self._chats = (_opened(state / name / "catalogue.db") for name in _CATALOGUES)

    def __enter__(self) -> "Glance":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close both."""
        for connection in (self._code, self._chats):
            if connection is not None:
                connection.close()

    @cached_property
    def paths(self) -> Mapping[str, int]:
        """Path → file of the tree that was indexed last."""
        if self._code is None:
            return {}
        rows = self._code.execute("SELECT members FROM trees ORDER BY used_at DESC LIMIT 1")
        newest = rows.fetchone()
        if newest is None or len(newest[0]) % 4:
            return {}
        members = frozenset(array("i", newest[0]))
        files = self._code.execute("SELECT id, path FROM files")
        return {os.fsdecode(path): number for number, path in files if number in members}

    @cached_property
    def _path_of(self) -> Mapping[int, str]:
        return {number: path for path, number in self.paths.items()}

    def definitions(self, names: Collection[str]) -> dict[str, list[Place]]:
        """Return name → where it is defined; a name is the last part of a symbol or all of it."""
        wanted = list(names)[:_MOST_NAMES]
        if self._code is None or not wanted:
            return {}
        told = " OR ".join(["instr(symbol, ?) OR instr(outline, ?)"] * len(wanted))
        last = [name.rpartition(".")[2] for name in wanted]
        rows = self._code.execute(
            "SELECT file, ordinal, symbol, kind, start_line, end_line, outline FROM chunks"
            f" WHERE {told}",
            [name for name in last for _ in range(2)],
        )
        from .outlines import decode  # with all languages, which most prompts need not

        found: dict[str, list[Place]] = {}
        for file, ordinal, symbol, kind, start, end, outline in rows:
            path = self._path_of.get(file)
            if path is None:
                continue
            for one in decode(outline, symbol, kind, start, end):
                for name in wanted:
                    if one.symbol == name or one.symbol.endswith((f".{name}", f"::{name}")):
                        place = Place(path, one.symbol, file, ordinal, one.start_line, one.end_line)
                        found.setdefault(name, []).append(place)
        return found

    def chunks_at(self, file: int, first: int, last: int) -> list[int]:
        """Return the chunks of a file that have some of these lines."""
        if self._code is None:
            return []
        rows = self._code.execute(
            "SELECT ordinal FROM chunks WHERE file = ? AND start_line <= ? AND end_line >= ?",
            (file, last, first),
        )
        return [int(number) for (number,) in rows]

    def makers(self, file: int, ordinals: Collection[int] = ()) -> list[tuple[str, str, int]]:
        """Return (session, exchange, lines) of who made a file, or chunks of it, most first."""
        if self._code is None:
            return []
        chosen = f" AND ordinal IN ({','.join('?' * len(ordinals))})" if ordinals else ""
        rows = self._code.execute(
            "SELECT session, exchange, sum(lines) FROM origins WHERE file = ?"
            f"{chosen} GROUP BY session, exchange ORDER BY 3 DESC, 1, 2",
            (file, *ordinals),
        )
        return [(str(session), str(exchange), int(lines)) for session, exchange, lines in rows]

    def commits(self, session: str, exchange: str) -> list[str]:
        """Return the commits that have lines of an exchange, most lines first."""
        if self._code is None:
            return []
        rows = self._code.execute(
            "SELECT commit_id FROM links WHERE session = ? AND exchange = ?"
            " ORDER BY lines DESC, commit_id",
            (session, exchange),
        )
        return [bytes(commit).hex() for (commit,) in rows]

    def past(self) -> Iterator[Past]:
        """Yield every exchange of the memory."""
        if self._chats is None:
            return
        rows = self._chats.execute(
            "SELECT session, exchange, agent, started, title, symbol, paths FROM exchanges"
            " LEFT JOIN chunks ON chunks.file = exchanges.file AND ordinal = 0"
            " ORDER BY started, session, exchange"
        )
        for row in rows:
            session, exchange, agent, started, title, asked = (str(text or "") for text in row[:6])
            paths = tuple(json.loads(row[6]))
            yield Past(session, exchange, agent, started, title, asked, paths)

    def touched_by(self, session: str, exchanges: int) -> list[str]:
        """Return the files of the last exchanges of a session, as far as it is stored."""
        if self._chats is None:
            return []
        rows = self._chats.execute(
            "SELECT paths FROM exchanges WHERE session = ?"
            " ORDER BY started DESC, file DESC LIMIT ?",
            (session, exchanges),
        )
        return list(dict.fromkeys(path for (paths,) in rows for path in json.loads(paths)))


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        return open_database(path, write=False)
    except (FileNotFoundError, SkillmeshError):
        return None
