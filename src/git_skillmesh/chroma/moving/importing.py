"""Take a chroma-mcp-server store in: conversations and thoughts, and learnings as proposals.

In: a `ForeignStore`. Out: `Taken`. What is taken in is redacted and carries where it came from;
taken in again, it is the same and nothing changes. Nothing becomes a rule by this: learnings are
proposed, and a person has to write what they are looked for by.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

from ...config import Config
from ...errors import UsageError
from ...git.repository import Repository
from ...git.rewrites import existing_commits
from ...git.trees import list_tree
from ...index.state import index_state
from ...learnings.files import put
from ...learnings.model import Learning
from ...learnings.promotion import read_draft, secret_in
from ...learnings.writing import write_learning
from ...sessions.importers.records import Imported, Report
from ...sessions.importers.source import Part, Reading
from ...sessions.importing import Intake
from ...sessions.known import alone
from ...sessions.model import Problem, Session
from ...sessions.redaction_policy import policy_of
from ...thinking.redacting import redactor_of
from ...thinking.store import Redact, ThoughtStore
from . import foreign_rows as rows
from .foreign import ForeignStore

_PART = 500  # rows of conversations that are ordered, redacted and stored at once


@dataclass
class Taken:
    """What became of one collection: `fates` counts rows, `redactions` what was taken out."""

    name: str
    rows: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    redactions: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Code:
    """How the chunks of the store compare with the repository: nothing of them is taken in."""

    rows: int = 0
    files: int = 0
    files_at_head: int = 0
    commits: int = 0
    commits_here: int = 0
    indexed_files: int = 0
    indexed_chunks: int = 0
    problems: list[Problem] = field(default_factory=list)


class Importer:
    """Takes one store in. With `dry_run` nothing is written."""

    def __init__(
        self, store: ForeignStore, repository: Repository, config: Config, *, dry_run: bool
    ) -> None:
        self._store, self._repository, self._config = store, repository, config
        self._dry_run = dry_run
        self._exchanges: dict[str, str] = {}  # of rows of conversations

    def ours(self) -> list[str]:
        """Return the collections that are no such program's but git skillmesh's."""
        names = set(self._store.names())
        return [name for name in (rows.CODE, rows.CHATS, rows.LEARNINGS, rows.THOUGHTS)
                if name in names and self._store.is_ours(name)]  # fmt: skip

    def others(self) -> list[str]:
        """Return the collections that nothing is known of."""
        known = {rows.CODE, rows.CHATS, rows.LEARNINGS, rows.THOUGHTS}
        return [name for name in self._store.names() if name not in known]

    def chats(self) -> Taken:
        """Take the conversations in. Raises as `Intake` and `alone` do."""
        taken = Taken(rows.CHATS, self._store.count(rows.CHATS))
        if not taken.rows:
            return taken
        report = Report(rows.CHATS)
        waiting = contextlib.nullcontext() if self._dry_run else alone(self._repository)
        with (
            waiting,
            contextlib.closing(
                Intake(self._repository, self._config, dry_run=self._dry_run)
            ) as intake,
        ):
            parts = (Part("", Imported(tuple(part))) for part in self._sessions(report, taken))
            done = intake.take(rows.ORIGIN, Reading(1, parts))
        taken.fates["new"] = done.exchanges
        taken.fates["forgotten"] = len(done.forgotten)
        known = taken.fates.pop("read") - done.exchanges - len(done.forgotten)
        taken.fates["known"] = max(0, known)
        taken.redactions = done.redactions
        taken.problems = [*report.problems, *done.problems]
        return taken

    def _sessions(self, report: Report, taken: Taken) -> Iterator[list[Session]]:
        knows = rows.Knows(lambda commits: _existing(self._repository, commits))
        taken.fates["read"] = 0
        waiting = self._store.rows(rows.CHATS)
        while part := list(islice(waiting, _PART)):
            knows.look_up(commit for row in part for commit in rows.commits_of(row))
            found: list[Session] = []
            for row in part:
                found += rows.sessions_from([row], report, knows)
                self._exchanges[row.id] = rows.exchange_id_of(row.id)
            taken.fates["read"] += len(found)
            yield sorted(found, key=lambda one: one.started)

    def thoughts(self) -> Taken:
        """Take the thoughts in. Raises as `ThoughtStore.record_all`, but for single thoughts."""
        taken = Taken(rows.THOUGHTS, self._store.count(rows.THOUGHTS))
        report = Report(rows.THOUGHTS)
        found = rows.thoughts_from(self._store.rows(rows.THOUGHTS), report)
        store = ThoughtStore(self._repository, redactor_of(self._config, taken.redactions))
        for session, group in groupby(found, key=lambda one: one.session_id):
            thoughts = list(group)
            if self._dry_run:
                taken.fates["new or known"] += len(thoughts)
            elif store.is_forgotten(session):
                taken.fates["forgotten"] += len(thoughts)
            else:
                taken.fates.update(one.fate for one in store.record_all(thoughts))
        taken.problems = list(report.problems)
        return taken

    def learnings(self) -> Taken:
        """Write a proposal for each learning; one whose file is there stays as it is."""
        taken = Taken(rows.LEARNINGS, self._store.count(rows.LEARNINGS))
        if taken.rows and self._repository.top is None:
            raise UsageError("a bare repository has no working tree", "import into a clone")
        report = Report(rows.LEARNINGS)
        clean = redactor_of(self._config, taken.redactions)
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        found = rows.learnings_from(
            self._store.rows(rows.LEARNINGS), report, self._exchanges, today
        )
        for learning in found:
            taken.fates[self._propose(learning, clean, report)] += 1
        del taken.fates[""]
        taken.problems = list(report.problems)
        return taken

    def _propose(self, learning: Learning, clean: Redact, report: Report) -> str:
        """Return the fate of a proposal, "" where it is none."""
        top = self._repository.top
        if top is None or (top / learning.path).exists() or (top / learning.path).is_symlink():
            return "known"
        learning = _cleaned(learning, clean)
        read = read_draft(write_learning(learning))
        if read.learning is None:
            report.add(0, f"{learning.learning_id}: {read.problems[0].what}")
            return ""
        secret = secret_in(learning, policy_of(self._config))
        if secret:
            report.add(0, secret)
            return ""
        if not self._dry_run:
            put(self._repository, learning)
        return "proposed"

    def code(self) -> Code:
        """Compare the chunks with what git has."""
        found = Code(self._store.count(rows.CODE))
        report = Report(rows.CODE)
        files: set[str] = set()
        commits: set[str] = set()
        for row in rows.code_from(self._store.rows(rows.CODE, texts=False), report):
            files.add(row.path)
            commits.add(row.commit)
        _, tree = self._repository.head_tree()
        index = index_state(self._repository, self._config, tree)
        found.files, found.commits = len(files), len(commits)
        found.files_at_head = len(files & set(list_tree(self._repository, tree)))
        found.commits_here = len(_existing(self._repository, commits))
        found.indexed_files, found.indexed_chunks = int(index["files"]), int(index["chunks"])
        found.problems = list(report.problems)
        return found


def _existing(repository: Repository, commits: Iterable[str]) -> set[str]:
    """Return those of the commits, whole or abbreviated, that the repository has."""
    asked = [commit for commit in commits if rows.is_commit(commit)]
    here = existing_commits(repository, asked) if asked else {}
    by_length = {len(commit): {oid[: len(commit)] for oid in here} for commit in asked}
    return {commit for commit in asked if commit in by_length[len(commit)]}


def _cleaned(learning: Learning, clean: Redact) -> Learning:
    names = ("title", "description", "category", "pattern", "example_code_reference")
    texts: dict[str, Any] = {name: clean(getattr(learning, name)) for name in names}
    return replace(learning, **texts, tags=tuple(clean(tag) for tag in learning.tags))
