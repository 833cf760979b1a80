"""Working memory in the repository: thoughts under `refs/skillmesh/memory`, written and read.

In: thoughts. Out: what became of them; sessions and their histories. docs/memory.md shows the
files. What is stored is never changed, only added to, until a session is forgotten.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import UsageError
from ..git.database import ObjectDatabase
from ..git.refs import until_moved
from ..git.repository import Repository
from ..git.treeobjects import Entries
from ..sessions import layout
from ..sessions.forgetting import Forgotten, forget_folders
from .drafts import Drafted
from .history import History, history
from .model import ThinkingSession, Thought, checked
from .records import from_bytes, name_of, to_bytes

Redact = Callable[[str], str]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """A thought as it is stored, and its session with it.

    `fate` is "new", "revision" or "known": nothing was written, because it was told before.
    """

    thought: Thought
    fate: str
    thoughts: int
    branches: tuple[str, ...]


class ThoughtStore:
    """Reads and writes the thoughts under a ref.

    `redact` is applied to every text before anything is written. It has no default, so that nobody
    stores secrets by leaving it out.
    """

    def __init__(self, repository: Repository, redact: Redact, ref: str = layout.REF) -> None:
        self.repository = repository
        self.ref = ref
        self._redact = redact

    def record(self, thought: Thought) -> Recorded:
        """Store a thought. Raises as `record_all`."""
        return self.record_all([thought])[0]

    def record_all(self, thoughts: Sequence[Thought]) -> list[Recorded]:
        """Store thoughts, in one commit, and return what became of each.

        A thought without a session id begins a session, one without a number is the next of its
        line. The same thought again is nothing new, another one of the same number is a revision.
        Nothing is lost when several processes record at once.

        Raises:
            UsageError: a thought has no text or is too long; its session was forgotten.
            ReadOnly: the repository cannot be written.
            Busy: another process keeps the ref locked.
            Damaged: git cannot read what is stored.
        """
        fresh = new_session_id()
        wanted = [checked(thought) for thought in thoughts]
        clean = [
            replace(one, text=self._redact(one.text), session_id=one.session_id or fresh)
            for one in wanted
        ]
        with ObjectDatabase(self.repository) as db:
            return until_moved(lambda: self._attempt(db, clean), self.ref)

    def _attempt(self, db: ObjectDatabase, thoughts: Sequence[Thought]) -> list[Recorded]:
        tip = db.tip(self.ref)
        tree = tip.commit.tree if tip else None
        sessions: dict[str, Drafted] = {}
        changes: dict[str, str | None] = {}
        found = []
        for thought in thoughts:
            key = layout.thinking_key(thought.session_id)
            session = sessions.get(key)
            if session is None:
                if db.trees.at(tree, layout.tombstone_path(key)):
                    what = f"session {thought.session_id} was forgotten and stays away"
                    raise UsageError(what, "take another id")
                files = db.trees.folder(tree, layout.thoughts_path(key))
                session = sessions[key] = Drafted(files, lambda names: _thoughts_in(db, names))
            stored, fate = session.take(thought)
            if fate != "known":
                content = to_bytes(stored)
                path = f"{layout.thoughts_path(key)}/{name_of(stored, content)}"
                changes[path] = db.blob(content)
            found.append((session, stored, fate))
        if changes:
            now = max(int(time.time()), tip.commit.time if tip else 0)
            message = f"thoughts: {len(changes)} recorded"
            new = db.trees.change(tree, changes)
            commit = db.commit(new, (tip.oid,) if tip else (), message, now)
            db.move(self.ref, commit, tip.oid if tip else None, f"skillmesh: {message}")
        return [
            Recorded(stored, fate, session.count, session.branches)
            for session, stored, fate in found
        ]

    def history(self, session_id: str) -> History:
        """Return a session. Raises `UsageError` when there is none of this id, `Damaged`."""
        key = layout.thinking_key(session_id)
        with ObjectDatabase(self.repository) as db:
            tip = db.tip(self.ref)
            tree = tip.commit.tree if tip else None
            thoughts = _own(db, key, db.trees.folder(tree, layout.thoughts_path(key)))
        if not thoughts:
            raise UsageError(f"no such session of thoughts: {session_id}", "think sessions")
        return history(thoughts[0].session_id, thoughts)

    def histories(self) -> list[History]:
        """Return all sessions, the one that was active last at the end. Raises `Damaged`."""
        with ObjectDatabase(self.repository) as db:
            tip = db.tip(self.ref)
            folders = thinking_folders(db, tip.commit.tree) if tip else {}
            listed = dict(zip(folders, db.trees.many(list(folders.values())), strict=True))
            owners = [(key, entry.oid) for key, names in listed.items()
                      for name, entry in names.items() if layout.thought_place(name)]  # fmt: skip
            data = db.reader.read_many([oid for _, oid in owners])
            found: dict[str, list[Thought]] = {}
            for (key, _), content in zip(owners, data, strict=True):
                thought = from_bytes(content)
                if thought and layout.thinking_key(thought.session_id) == key:
                    found.setdefault(key, []).append(thought)
        made = [history(thoughts[0].session_id, thoughts) for thoughts in found.values()]
        return sorted(made, key=lambda one: (one.last.time, one.session_id))

    def sessions(self) -> list[ThinkingSession]:
        """Return what is known of all sessions, in the order of `histories`. Raises `Damaged`."""
        return [one.session() for one in self.histories()]

    def find(self, text: str) -> History:
        """Return the session whose id a text is, or begins; the latest for "".

        Raises `UsageError`, `Damaged`.
        """
        if text:
            with ObjectDatabase(self.repository) as db:
                tip = db.tip(self.ref)
                path = layout.thoughts_path(layout.thinking_key(text))
                exact = tip is not None and bool(db.trees.folder(tip.commit.tree, path))
            if exact:
                return self.history(text)
            if self.is_forgotten(text):
                raise UsageError(f"session {text} was forgotten")
        known = self.histories()
        if not known:
            raise UsageError("no thoughts are recorded yet", "git skillmesh think record TEXT")
        found = [one for one in known if one.session_id.startswith(text)]
        if not text or len(found) == 1:
            return found[-1]
        if found:
            names = ", ".join(one.session_id for one in found[:_SHOWN])
            raise UsageError(f"{text} is the beginning of several sessions", names)
        raise UsageError(f"no such session of thoughts: {text}", "git skillmesh think sessions")

    def is_forgotten(self, session_id: str) -> bool:
        """Return whether a session was forgotten: then it is not stored again."""
        path = layout.tombstone_path(layout.thinking_key(session_id))
        with ObjectDatabase(self.repository) as db:
            tip = db.tip(self.ref)
            return tip is not None and db.trees.at(tip.commit.tree, path) is not None

    def forget(self, session_id: str) -> Forgotten:
        """Remove a session for good, its history included; see `sessions.forgetting`."""
        keys = [layout.thinking_key(session_id)]

        def attempt() -> Forgotten:
            return forget_folders(
                self.repository, self.ref, [session_id], keys, layout.thoughts_path
            )

        return until_moved(attempt, self.ref)


def new_session_id() -> str:
    """Return the id of a session that has none yet."""
    return f"think-{uuid.uuid4().hex[:12]}"


def counted(repository: Repository) -> dict[str, int]:
    """Count the sessions of thoughts and the thoughts, without reading any. Raises `Damaged`."""
    with ObjectDatabase(repository) as db:
        tip = db.tip(layout.REF)
        folders = thinking_folders(db, tip.commit.tree) if tip else {}
        listed = db.trees.many(list(folders.values()))
    counts = [sum(bool(layout.thought_place(name)) for name in names) for names in listed]
    return {"sessions": sum(map(bool, counts)), "thoughts": sum(counts)}


def thinking_folders(db: ObjectDatabase, tree: str) -> dict[str, str]:
    """Return key → tree of every session of thoughts. Raises `Damaged`."""
    top = db.trees.at(tree, layout.THOUGHTS)
    level = [top.oid] if top and top.is_folder else []
    for _ in range(2):
        below = db.trees.many(level)
        level = [entry.oid for names in below for entry in names.values() if entry.is_folder]
    return {
        key: entry.oid
        for names in db.trees.many(level)
        for key, entry in names.items()
        if entry.is_folder and layout.is_key(key)
    }


def _thoughts_in(db: ObjectDatabase, entries: Entries) -> Iterator[Thought]:
    for data in db.reader.read_many(entry.oid for entry in entries.values()):
        thought = from_bytes(data)
        if thought is not None:
            yield thought


def _own(db: ObjectDatabase, key: str, files: Entries) -> list[Thought]:
    """Return the thoughts in a session's folder; what belongs elsewhere is left out."""
    names = {name: entry for name, entry in files.items() if layout.thought_place(name)}
    found = _thoughts_in(db, names)
    return [one for one in found if layout.thinking_key(one.session_id) == key]
