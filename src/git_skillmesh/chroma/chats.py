"""The rows of `chat_history_v1`: the exchanges of the memory, with what became of them.

In: the memory, the index of exchanges, the links. Out: `ExchangeRows` for mirror and doctor, one
row an exchange, whose path is the key of its session. A row says in summaries what was asked and
answered; the whole text stays in git. The vector is the mean of those of the exchange's pieces.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..config import Config
from ..errors import Damaged, Unavailable
from ..git.database import ObjectDatabase
from ..git.notes import REF as NOTES
from ..git.process import GitFailed
from ..git.refs import reached, read_ref
from ..git.repository import Repository, main_repository
from ..git.trees import diff_trees
from ..index.catalogue import Catalogue, FileRow
from ..index.exchanges import READING, exchange_store, read_infos
from ..index.identity import chat_id, chunk_id, repo_id
from ..index.provenance import chunks_of_session, commits_of_session
from ..index.rules import rules_of
from ..index.store import Store
from ..index.update import update_exchanges
from ..index.vectors import Vectors, open_vectors, source_of, unit_rows, vector_path
from ..sessions import layout
from ..sessions.confidence import Fate
from ..sessions.context import context_of
from ..sessions.events import Status, statuses
from ..sessions.links import read_links
from ..sessions.model import Session
from ..sessions.reading import MemoryReader, changed_folders
from ..sessions.serving import Served, adapters_folder, read_served
from .followed import by_union, followed
from .model import ByUnion, Row

COLLECTION = "chat_history_v1"
_WAIT_SECONDS = 600
# Of the commits and chunks of an exchange, so many are named.
_MOST_NAMED = 200


@dataclass(slots=True)
class _Outcome:
    """What became of an exchange: commits that HEAD reaches, chunks at HEAD with lines of it."""

    commits: list[str] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    lines: int = 0
    alive: int = 0

    @property
    def fate(self) -> Fate:
        """The same as the confidence takes it."""
        alive = min(self.alive, self.lines) if self.lines else None
        return Fate(bool(self.commits), self.lines, alive)


class ExchangeRows:
    """A `RowSource` (chroma/model.py) over open indexes; use `exchange_rows` to get one."""

    def __init__(
        self,
        repository: Repository,
        repo: str,
        model_id: str,
        db: ObjectDatabase,
        chats: tuple[Store, Catalogue],
        code: Catalogue | None,
        members: frozenset[int],
        served: Served,
        head: str,
        sharing: ByUnion | None,
    ) -> None:
        self.repo_id = repo
        self.sharing = sharing
        self._served = served
        self.model_id = model_id
        self._repository = repository
        self._db = db
        store, self._catalogue = chats
        self._code = code
        self._members = members  # file versions at HEAD
        known = self._catalogue.latest_trees(READING)[:1]
        self._tree = known[0][0] if known else ""
        stored = self._catalogue.tree(*known[0]) if known else None
        files = self._catalogue.files(stored[0].tolist() if stored else ())
        self._files: dict[str, list[FileRow]] = {}
        for row in files.values():
            self._files.setdefault(row.path.partition("/")[0], []).append(row)
        self._notes = read_ref(repository, NOTES) or ""
        self._head = head
        self._events = MemoryReader(repository).all_events()
        self._vectors = {
            number: open_vectors(vector_path(store.stem(number), model_id))
            for number, _, _ in self._catalogue.segments()
        }
        shapes = [vectors.rows.shape for vectors in self._vectors.values()]
        self.dimension: int = shapes[0][1] if shapes else 0

    @property
    def state(self) -> str:
        """Fingerprint of everything the rows depend on."""
        return json.dumps([READING, self.model_id, self._tree, self._notes, self._head])

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Return the keys of sessions that changed since a state, or whose links or chunks did."""
        try:
            reading, model, tree, notes, head = json.loads(since or "null")
            if (reading, model) == (READING, self.model_id) and tree:
                changed = set(changed_folders(self._db, tree, self._tree))
                changed |= self._relinked(notes)
                if head != self._head:  # chunks may have moved: those with links look again
                    changed |= self._linked()
                return False, sorted(changed)
        except (TypeError, ValueError, GitFailed, Damaged):
            pass
        return True, sorted(self._files)

    def _relinked(self, notes: str) -> set[str]:
        """Return the keys of the sessions that links of changed notes name."""
        if notes == self._notes:
            return set()
        if not notes or not self._notes:
            return self._linked()
        changes = diff_trees(self._repository, f"{notes}^{{tree}}", f"{self._notes}^{{tree}}")
        links = read_links(self._repository, [change.path.replace("/", "") for change in changes])
        return {layout.key_of(link.session) for found in links.values() for link in found}

    def _linked(self) -> set[str]:
        if self._code is None:
            return set()
        rows = self._code.rows("SELECT DISTINCT session FROM links")
        return {layout.key_of(str(session)) for (session,) in rows}

    def paths_of(self, ids: Collection[str]) -> list[str]:
        """Return the keys of the sessions that have exchanges of these ids, which are hashes."""
        infos = read_infos(
            self._catalogue, [row.id for rows in self._files.values() for row in rows]
        )
        return sorted(
            {
                layout.key_of(info.session)
                for info in infos.values()
                if chat_id(self.repo_id, info.session, info.exchange) in ids
            }
        )

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the rows of these sessions."""
        reader = MemoryReader(self._repository)
        for key in paths:
            files = self._files.get(key, [])
            infos = read_infos(self._catalogue, [row.id for row in files])
            if not infos:
                continue
            session = reader.session(next(iter(infos.values())).session)
            yield from self._rows_of(key, session, files, documents)

    def _rows_of(
        self, key: str, session: Session, files: Iterable[FileRow], documents: bool
    ) -> Iterator[Row]:
        exchanges = {layout.exchange_key(e.exchange_id): e for e in session.exchanges}
        outcomes = self._outcomes(session.session_id)
        status = statuses(self._events.get(key, ()))
        for row in files:
            exchange = exchanges.get(row.path.partition("/")[2])
            if exchange is None or row.segment is None or row.first_row is None:
                continue
            became = outcomes.get(exchange.exchange_id, _Outcome())
            has_edits = any(call.edits for call in exchange.tools)
            # Where no commit is linked to any exchange, nobody may have looked yet.
            fate = became.fate if outcomes and has_edits else None
            context = context_of(session, exchange, fate, self._served)
            summary = f"{context.prompt_summary}\n{context.response_summary}"
            yield Row(
                id=chat_id(self.repo_id, session.session_id, exchange.exchange_id),
                path=key,
                embedding=self._embedding(row),
                metadata={
                    "session_id": session.session_id,
                    "exchange_id": exchange.exchange_id,
                    "timestamp": exchange.started or exchange.ended,
                    "prompt_summary": context.prompt_summary,
                    "response_summary": context.response_summary,
                    "involved_entities": ",".join(context.involved_entities),
                    "raw_prompt_hash": context.raw_prompt_hash,
                    "raw_response_hash": context.raw_response_hash,
                    "status": status.get(exchange.exchange_id, Status.CAPTURED).value,
                    "code_context": context.code_context,
                    "diff_summary": context.diff_summary,
                    "tool_sequence": context.tool_sequence,
                    "modification_type": str(context.modification_type),
                    "confidence_score": context.confidence_score,
                    "agent": session.agent,
                    "model_version": context.model_version,
                    "repo_id": self.repo_id,
                    "commit_shas": ",".join(became.commits[:_MOST_NAMED]),
                    "related_code_chunks": ",".join(became.chunks[:_MOST_NAMED]),
                },
                document=summary if documents else None,
                content_hash=row.blob,
            )

    def _outcomes(self, session: str) -> dict[str, _Outcome]:
        """Return exchange id → what became of it, for those that commits at HEAD are linked to."""
        found: dict[str, _Outcome] = {}
        if self._code is None:
            return found
        linked = commits_of_session(self._code, session)
        here = reached(self._repository, (commit for _, commit, _ in linked), self._head)
        for exchange, commit, lines in linked:
            if commit in here:
                became = found.setdefault(exchange, _Outcome())
                became.commits.append(commit)
                became.lines += lines
        places = [row for row in chunks_of_session(self._code, session) if row[1] in self._members]
        files = self._code.files({file for _, file, _, _ in places})
        for exchange, file, ordinal, lines in places:
            key = self._code.chunk(file, ordinal).key
            became = found.setdefault(exchange, _Outcome())
            became.chunks.append(chunk_id(self.repo_id, files[file].path, key))
            became.alive += lines
        return found

    def _embedding(self, row: FileRow) -> list[float]:
        """Return the direction of the mean of the pieces' vectors; zeros if nothing is known."""
        import numpy as np

        assert row.segment is not None  # noqa: S101 - the caller has looked
        assert row.first_row is not None  # noqa: S101
        vectors = self._vectors[row.segment]
        part = slice(row.first_row, row.first_row + row.chunks)
        mean = unit_rows(Vectors(vectors.rows[part], vectors.norms[part])).mean(axis=0)
        length = float(np.linalg.norm(mean))
        found: list[float] = (mean / length if length else mean).tolist()
        return found

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return nothing: these rows have no commit of their own."""
        return frozenset()


@contextmanager
def exchange_rows(
    repository: Repository, config: Config, update_first: bool = True
) -> Iterator[ExchangeRows | None]:
    """Open the rows of the memory as it is now; None where there is no memory, nor ever was.

    Commits and chunks are those of the main working tree, as in codebase_v1. Raises `Unavailable`
    when the embedding model is; `Busy`, `ReadOnly`, `Damaged`.
    """
    repository = main_repository(repository)
    store = exchange_store(repository)
    source = source_of(config, store.embeddings_path)
    model = source.model_id
    if update_first:
        update_exchanges(repository, config, _WAIT_SECONDS)
    catalogue = store.reader_if_any()
    if catalogue is None:
        yield None
        return
    what = followed(repository, config)
    code = Store(repository).reader_if_any()
    try:
        stored = None
        if code is not None:
            stored = code.tree(what.tree, rules_of(config, {}).settings_id)
        members = frozenset(stored[0].tolist() if stored else ())
        models = catalogue.models()
        if not all(model in models.get(number, ()) for number, _, _ in catalogue.segments()):
            raise Unavailable("the conversations have no vectors", "git skillmesh index")
        with ObjectDatabase(repository) as db:
            repo = repo_id(repository, config)
            served = read_served(adapters_folder(repository, config))
            rows = ExchangeRows(
                repository, repo, model, db, (store, catalogue), code, members, served,
                what.commit or "", by_union(repository, config, layout.key_of),
            )  # fmt: skip
            if not rows.dimension:  # everything was forgotten, and has to leave the collection
                rows.dimension = len(source.embed_query("nothing"))
            yield rows
    finally:
        catalogue.close()
        if code is not None:
            code.close()
