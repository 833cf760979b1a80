"""Mirrors of what several clones share in one store, so that none undoes what another has done.

In: as for `Run`, from a source that says how it is shared. Out: `Outcome`.

Rows of a commit (`HeadRun`): the store carries a mark, which commit its rows describe. A clone that
knows a newer one writes what differs between the two, one that knows an older one leaves the rows
alone. While rows are being written the mark says so; where it still does afterwards (a crash, two
that wrote at once) the next one reads everything again.

Rows of the memory (`UnionRun`): a clone writes what has changed in its own memory since it last
wrote, and deletes what was forgotten, never what it merely does not know. A row that was written by
somebody who knew less is written again by that same clone as soon as it knows more.
"""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .ledger import Known
from .ledger import Record as Mirrored
from .model import ByHead, ByUnion, Row, Standing
from .run import Batch, Order, Outcome, Run, chunks

_PATHS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """What the rows of a store describe: `commit`, and `state`, that of the source of the rows.

    While somebody writes, `whole` is False, `commit` is what the rows will be of, and `state` what
    they were. `rows` is how many there are, `token` that of the mirror which left the mark: where
    the store has another one, somebody wrote who knows nothing of marks.
    """

    commit: str
    state: str = ""
    whole: bool = False
    rows: int = 0
    token: str = ""

    @classmethod
    def parse(cls, text: str, token: str) -> "Mark | None":
        """Return what a store says, None if it says nothing that can be used.

        `token` is the store's.
        """
        try:
            found = json.loads(text)
            if isinstance(found, dict):  # as it was written before Chroma Cloud's limit was heeded
                found = [found[name] for name in ("commit", "state", "whole", "rows", "token")]
            commit, state, whole, rows, theirs = found
            if not isinstance(state, str):
                state = json.dumps(state)
            return cls(str(commit), state, whole is True and theirs == token, int(rows), token)
        except (ValueError, TypeError, KeyError):
            return None

    def __str__(self) -> str:
        """Return it in the 256 bytes that Chroma Cloud has for a value of a collection's own."""
        try:
            state = json.loads(self.state)
        except ValueError:
            state = self.state
        values = [self.commit, state, self.whole, self.rows, self.token]
        return json.dumps(values, separators=(",", ":"))


class HeadRun(Run):
    """A mirror of rows that describe a commit."""

    @property
    def _by(self) -> ByHead:
        by = self.source.sharing
        assert isinstance(by, ByHead)  # noqa: S101 - chosen by it
        return by

    def carry_out(self, order: Order, paths: set[str] | None) -> Outcome:
        """Bring the rows up to date, unless somebody else has those of a newer commit there."""
        state = self.source.state
        opened, known = self._open(order)
        mark = Mark.parse(opened["mark"], opened["token"])
        standing = self._by.standing(mark.commit) if mark else Standing.NEWER
        if mark and standing is Standing.OLDER:
            note = f"it has {mark.commit[:12]}, which is newer than this clone's: git fetch"
            return self._told(mark.rows, note)
        fresh = opened["staging"] or order != Order() or standing is Standing.REPLACED
        wanted = self._wanted(mark, known, fresh)
        here = mark is not None and mark.whole and standing is Standing.SAME and not fresh
        if mark and here and wanted is None:
            note = f"it has {mark.commit[:12]}, indexed with other settings or another model"
            return self._told(mark.rows, note)
        if mark and standing is Standing.SAME and wanted == set():
            self.ledger.complete(self.mirror, state, None)
            return self._told(mark.rows)
        return self._write_all(opened, mark, wanted, order)

    def _wanted(self, mark: Mark | None, known: Mirrored, fresh: bool) -> set[str] | None:
        """Return the paths whose rows may differ, None for all."""
        if mark is None or not mark.whole or fresh:
            return None
        since = self._by.since(mark.state, known.state)
        if since is None:
            return None
        everything, changed = self.source.changes(since)
        return None if everything else set(changed)

    def _write_all(
        self, opened: dict[str, Any], mark: Mark | None, paths: set[str] | None, order: Order
    ) -> Outcome:
        state, token = self.source.state, secrets.token_hex(8)
        if paths is not None and any(_is_odd(path) for path in paths):
            paths = None
        if paths is None:
            self._reread()
            before = self.ledger.count(self.mirror)
            self._doubt(order)
        else:
            self._reread_part(sorted(paths))
            before = mark.rows if mark else 0
        size = self.ledger.count(self.mirror)
        self.ledger.announce(self.mirror, token)
        claimed = Mark(self._by.commit, mark.state if mark else "", False, before)
        self._claim(token, claimed)
        self._pass(paths)
        done = self.writer.ask("finish", repo_id=self.source.repo_id, expected=None)
        self._adopt(opened)
        rows = before + self.ledger.count(self.mirror) - size
        if done["token"] == token:
            self._claim(token, Mark(self._by.commit, state, True, rows))
            self.ledger.complete(self.mirror, state, token)
        else:
            # Somebody else wrote at the same time: whoever comes next looks at everything.
            theirs = Mark.parse(done["mark"], done["token"]) or claimed
            self._claim(secrets.token_hex(8), replace(theirs, whole=False))
        return self._told(rows)

    def _told(self, rows: int, note: str = "") -> Outcome:
        self.ledger.tell(self.mirror, rows, note)
        return Outcome(self.upserted, self.deleted, rows, note)

    def _claim(self, token: str, mark: Mark) -> None:
        said = str(replace(mark, token=token))
        self.writer.ask("claim", repo_id=self.source.repo_id, token=token, mark=said)

    def _listed(self, **which: Any) -> Iterator[list[str]]:
        return super()._listed(**{"field": self._by.field, **which})

    def _reread_part(self, paths: Sequence[str]) -> None:
        """Believe the store in what it has of these paths, instead of the ledger."""
        for part in chunks(iter(paths), _PATHS_AT_ONCE):
            self.ledger.replace_part(self.mirror, part, list(self._listed(values=part)))


class UnionRun(Run):
    """A mirror of rows of the memory."""

    _new = 0  # rows that the store did not have

    @property
    def _by(self) -> ByUnion:
        by = self.source.sharing
        assert isinstance(by, ByUnion)  # noqa: S101 - chosen by it
        return by

    def carry_out(self, order: Order, paths: set[str] | None) -> Outcome:
        """Write what has changed in this clone's memory."""
        state = self.source.state
        opened, known = self._open(order)
        first = known.state is None or order.reread
        heard = self._by.tombstones != self.ledger.forgotten(self.mirror)
        if first or heard:
            # Somebody else may have written what was forgotten: only the store knows it all.
            self._reread()
        self._doubt(order)
        self._pass(None if first else paths)
        if heard and not first:
            self._forget()
        told = self.ledger.told(self.mirror)[0] + self._new - self.deleted
        guess = self.ledger.count(self.mirror) if first or heard else told
        done = self.writer.ask("finish", repo_id=self.source.repo_id, expected=guess)
        self._adopt(opened)
        self.ledger.complete(self.mirror, state, "")
        self.ledger.tell(self.mirror, int(done["rows"]), "", self._by.tombstones)
        return Outcome(self.upserted, self.deleted, int(done["rows"]))

    def _listed(self, **which: Any) -> Iterator[list[str]]:
        for id_, row_hash, session, commit in super()._listed(field=self._by.field, **which):
            yield [id_, row_hash, self._by.path_of(session), commit]

    def _known(self, rows: Sequence[Row]) -> dict[str, Known]:
        """Ask the store: another clone may have written what the ledger knows otherwise."""
        paths = {row.id: row.path for row in rows}
        ids = list(paths)
        noted = self.ledger.known(self.mirror, ids)
        there = self.writer.ask("look", ids=ids, field=self._by.field)["rows"]
        self._new += len(ids) - len(there)
        found = {}
        for id_, row_hash, _, commit in there:
            old = noted.get(id_)
            if old is not None and old.row_hash in ("", row_hash):
                found[id_] = old
            else:
                found[id_] = Known(paths[id_], row_hash, "", commit)
        return found

    def _forget(self) -> None:
        for ids in chunks(iter(self._gone(None, set())), self.writer.max_batch):
            self._send(Batch(delete=ids))

    def _gone(self, paths: Sequence[str] | None, seen: set[str]) -> list[str]:
        """Return the ids of what was forgotten."""
        if paths is None:
            paths = sorted(self.ledger.paths(self.mirror))
        forgotten = sorted(self._by.forgotten(paths))
        return [id_ for id_ in self.ledger.ids(self.mirror, forgotten) if id_ not in seen]


def _is_odd(path: str) -> bool:
    """Whether a path is no UTF-8: the store has it under a name that stands for others too."""
    return os.fsencode(path).decode(errors="replace") != path
