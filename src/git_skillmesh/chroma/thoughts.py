"""The rows of `thinking_sessions_v1`: the thoughts of the memory, one row for each revision.

In: the memory, the arrays that a search has. Out: `ThoughtRows` for mirror and doctor, whose path
is the key of a session. The vectors are those that a search adds up.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from ..config import Config
from ..errors import Damaged
from ..git.database import ObjectDatabase
from ..git.repository import Repository, main_repository
from ..git.treeobjects import FOLDER, Entry
from ..index.identity import chunk_id, repo_id
from ..sessions import layout
from ..sessions.reading import differing
from ..thinking.history import history
from ..thinking.model import Thought
from ..thinking.records import from_bytes
from ..thinking.search import Finder, cache_path
from ..thinking.terms import VERSION, Terms, ids, unpacked
from .followed import by_union
from .model import ByUnion, Row

COLLECTION = "thinking_sessions_v1"


class ThoughtRows:
    """A `RowSource` (chroma/model.py) over an open memory; use `thought_rows` to get one."""

    def __init__(
        self, repo: str, db: ObjectDatabase, terms: Terms, sharing: ByUnion | None
    ) -> None:
        self.repo_id = repo
        self.sharing = sharing
        self.model_id, self.dimension = terms.model, int(terms.rows.shape[1])
        self._db = db
        self._terms = terms
        self._keys: dict[str, list[int]] = {}
        for row, name in enumerate(ids(terms.names)):
            self._keys.setdefault(unpacked(name)[0], []).append(row)

    @property
    def state(self) -> str:
        """Fingerprint of everything the rows depend on."""
        return json.dumps([VERSION, self.model_id, self._terms.tree])

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Return the keys of sessions that changed since a state, those that are gone included."""
        try:
            version, model, tree = json.loads(since or "null")
            if (version, model) == (VERSION, self.model_id):
                return False, sorted(self._changed(tree))
        except (TypeError, ValueError, Damaged):
            pass
        return True, sorted(self._keys)

    def _changed(self, tree: str) -> set[str]:
        old, new = (Entry(FOLDER, one) if one else None for one in (tree, self._terms.tree))
        return set(differing(self._db, old, new))

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the rows of these sessions."""
        for key in paths:
            numbers = self._keys.get(key, [])
            oids = [self._terms.oids[row].tobytes().hex() for row in numbers]
            read = zip(numbers, map(from_bytes, self._db.reader.read_many(oids)), strict=True)
            own = {
                row: one
                for row, one in read
                if one is not None and layout.thinking_key(one.session_id) == key
            }
            if own:
                places = {(one.branch, one.number, one.text): row for row, one in own.items()}
                name = next(iter(own.values())).session_id
                for step in history(name, own.values()).steps:
                    for one in step.versions:
                        row = places[one.branch, one.number, one.text]
                        yield self._row(key, one, row, step.branch, documents)

    def _row(self, key: str, one: Thought, row: int, branch: str, documents: bool) -> Row:
        place = f"{layout.branch_key(branch)}/{one.number}/{one.revision}"
        return Row(
            id=chunk_id(self.repo_id, f"{layout.THOUGHTS}/{key}", place),
            path=key,
            embedding=self._embedding(row),
            metadata={
                "session_id": one.session_id,
                "thought_number": one.number,
                "total_thoughts": one.total,
                "branch_id": one.branch,
                "branch_from_thought": one.branched_from,
                "revision": one.revision,
                "revises_thought": one.revises,
                "next_thought_needed": one.needs_more,
                "timestamp": one.time,
                "repo_id": self.repo_id,
            },
            document=one.text if documents else None,
            content_hash=hashlib.sha256(one.text.encode()).hexdigest()[:40],
        )

    def _embedding(self, row: int) -> list[float]:
        norm = float(self._terms.norms[row])
        values = self._terms.rows[row].astype(np.float32)
        found: list[float] = (values / np.float32(norm) if norm else values).tolist()
        return found

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return nothing: these rows have no commit of their own."""
        return frozenset()


@contextmanager
def thought_rows(repository: Repository, config: Config) -> Iterator[ThoughtRows | None]:
    """Open the rows of the thoughts as they are now; None where there are none, nor ever were.

    Raises `Unavailable` when the embedding model is, `Damaged`.
    """
    repository = main_repository(repository)
    with ObjectDatabase(repository) as db:
        tip = db.tip(layout.REF)
        there = tip is not None and db.trees.at(tip.commit.tree, layout.THOUGHTS) is not None
        if not there and not cache_path(repository).exists():
            yield None
            return
        terms = Finder(repository).terms(db, config)
        sharing = by_union(repository, config, layout.thinking_key)
        yield ThoughtRows(repo_id(repository, config), db, terms, sharing)
