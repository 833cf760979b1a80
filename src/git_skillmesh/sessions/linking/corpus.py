"""Questions to the cache: who wrote this line, who took it away, who named this file.

In: paths, lines and times. Out: texts that exchanges wrote, each with where it comes from.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from .cache import Cache, unpacked
from .lines import key
from .shell import same_file
from .written import UNKNOWN

_NEWEST = 24  # texts that hold the same line of the same file: more of them tell nothing more
_RARE = 64
_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Source:
    """The exchange that something comes from; `family` is the session that started it all."""

    session: str
    exchange: str
    family: str
    branch: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A writing as the cache has it."""

    id: int
    exchange: int
    path: str
    at: int
    kind: str
    after: tuple[str, ...]
    new: bytes
    replaced: str
    replacement: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether its path is absolute: of another machine, or outside of the repository."""
        return self.path.startswith("/")


@dataclass(frozen=True, slots=True)
class Named:
    """Something an exchange's command names: a file, or the message of a commit."""

    exchange: int
    at: int
    name: str
    value: str


class Corpus:
    """Answers from a cache, remembering what it has read."""

    def __init__(self, cache: Cache) -> None:
        self._db = cache.db
        self._sources: dict[int, Source] = {}
        self._candidates: dict[int, Candidate] = {}
        self._files: dict[str, int] = {}

    def source(self, exchange: int) -> Source:
        """Return where an exchange belongs."""
        found = self._sources.get(exchange)
        if found is None:
            session, name, parent, branch = self._db.execute(
                "SELECT s.id, e.exchange_id, s.parent, s.branch FROM exchanges e"
                " JOIN sessions s ON s.key = e.session WHERE e.id = ?", (exchange,)
            ).fetchone()  # fmt: skip
            found = Source(session, name, self._family(session, parent), branch)
            self._sources[exchange] = found
        return found

    def family_of(self, session: str) -> str:
        """Return the session that started a session, directly or not; itself if none did."""
        row = self._db.execute("SELECT parent FROM sessions WHERE id = ?", (session,)).fetchone()
        return self._family(session, row[0] if row else "")

    def _family(self, session: str, parent: str) -> str:
        seen = {session}
        while parent and parent not in seen:
            seen.add(parent)
            session = parent
            row = self._db.execute("SELECT parent FROM sessions WHERE id = ?", (parent,)).fetchone()
            parent = row[0] if row else ""
        return session

    def paths(self, name: str) -> list[int]:
        """Return the numbers of a path as agents wrote it: relative, or absolute elsewhere."""
        if not _can_be_said(name):
            return []
        rows = self._db.execute(
            "SELECT id, path FROM paths WHERE base = ?", (posixpath.basename(name),)
        )
        return [
            number
            for number, path in rows
            if path == name or (path.startswith("/") and path.endswith(f"/{name}"))
        ]

    def writers(
        self, paths: Iterable[int], lines: Iterable[str], since: int, until: int, *,
        gone: bool = False,
    ) -> dict[int, int]:  # fmt: skip
        """Return writing → number of lines it wrote (or took away) of those asked for."""
        found: dict[int, int] = {}
        asked = {key(line) for line in lines}
        for path in paths:
            for line in asked:
                rows = self._db.execute(
                    "SELECT writing FROM lines WHERE line = ? AND gone = ? AND path = ?"
                    " AND (at BETWEEN ? AND ? OR at = ?) ORDER BY at DESC LIMIT ?",
                    (line, gone, path, since, until, UNKNOWN, _NEWEST),
                )
                for (writing,) in rows:
                    found[writing] = found.get(writing, 0) + 1
        return found

    def writers_anywhere(self, lines: Iterable[str], since: int, until: int) -> dict[int, int]:
        """Return writing → number of lines it wrote of those asked for, in whatever file."""
        found: dict[int, int] = {}
        for line in {key(line) for line in lines}:
            rows = self._db.execute(
                "SELECT writing FROM lines WHERE line = ? AND gone = 0 AND at BETWEEN ? AND ?"
                " LIMIT ?", (line, since, until, _NEWEST),
            ).fetchall()  # fmt: skip
            if len(rows) < _NEWEST:
                for (writing,) in rows:
                    found[writing] = found.get(writing, 0) + 1
        return found

    def newest(self, paths: Iterable[int], since: int, until: int) -> list[int]:
        """Return the last writings of files."""
        found = []
        for path in paths:
            rows = self._db.execute(
                "SELECT id FROM writings WHERE path = ? AND (at BETWEEN ? AND ? OR at = ?)"
                " ORDER BY at DESC LIMIT ?", (path, since, until, UNKNOWN, _NEWEST),
            )  # fmt: skip
            found += [row[0] for row in rows]
        return found

    def candidates(self, writings: Iterable[int]) -> list[Candidate]:
        """Return the texts of writings."""
        found = []
        for number in writings:
            known = self._candidates.get(number)
            if known is None:
                exchange, path, at, kind, text, new, small = self._db.execute(
                    "SELECT w.exchange, p.path, w.at, w.kind, w.text, w.new, w.small"
                    " FROM writings w JOIN paths p ON p.id = w.path WHERE w.id = ?", (number,)
                ).fetchone()  # fmt: skip
                after = tuple(unpacked(text).split("\n")) if new else ()
                edit = unpacked(small).split("\0", 1) if small else ["", ""]
                known = Candidate(number, exchange, path, at, kind, after, new, edit[0], edit[1])
                self._candidates[number] = known
            found.append(known)
        return found

    def files_with(self, line: str) -> int:
        """Return in how many files exchanges wrote a line, 64 at most."""
        known = self._files.get(line)
        if known is None:
            known = self._db.execute(
                "SELECT count(DISTINCT path) FROM (SELECT path FROM lines"
                " WHERE line = ? AND gone = 0 LIMIT ?)", (key(line), _RARE)
            ).fetchone()[0]  # fmt: skip
            self._files[line] = known
        return known

    def named(self, path: str, since: int, until: int) -> list[Named]:
        """Return the commands that may have changed a file, the latest first."""
        base = posixpath.basename(path)
        found = [*self._events("named", base, since, until)]
        return [event for event in found if same_file(event.value, path)]

    def origins(self, path: str, since: int, until: int) -> list[Named]:
        """Return moves and copies to a path; `name` becomes the path it had before."""
        found = []
        for event in self._events("moved", posixpath.basename(path), since, until):
            old, _, new = event.value.partition("\0")
            if same_file(new, path):
                found.append(Named(event.exchange, event.at, old, new))
        return found

    def commits_run(self, since: int, until: int) -> list[Named]:
        """Return the commands that ran `git commit`."""
        return self._events("committed", "", since, until)

    def quotes(self, commit: str) -> list[Named]:
        """Return where an output names a commit as made by its command."""
        events = self._events("quoted", commit[:7], UNKNOWN, _EVER)
        return [event for event in events if commit.startswith(event.value)]

    def attributed(self, commit: str) -> list[tuple[int, str, str]]:
        """Return (exchange, path, ranges) that git-ai had noted of a commit."""
        events = self._events("attributed", commit[:7], UNKNOWN, _EVER)
        found = []
        for event in events:
            of, path, ranges = event.value.split("\0")
            if of == commit:
                found.append((event.exchange, path, ranges))
        return found

    def _events(self, kind: str, name: str, since: int, until: int) -> list[Named]:
        if not _can_be_said(name):
            return []
        rows = self._db.execute(
            "SELECT exchange, at, name, value FROM events WHERE kind = ? AND name = ?"
            " AND at BETWEEN ? AND ? ORDER BY at DESC", (kind, name, since, until),
        )  # fmt: skip
        return [Named(*row) for row in rows]


def _can_be_said(name: str) -> bool:
    """Whether a conversation, which is UTF-8, can name a file that git knows by these bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
