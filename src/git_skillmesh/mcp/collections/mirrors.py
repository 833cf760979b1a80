"""Read the collections that mirror git: from the local tier, which is never behind.

In: the name of a collection, a question or ids. Out: `Record`s with the metadata of the schema. The
ids are those of the rows in Chroma.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...errors import Unavailable
from ..host import Host
from ..shelf import Shelf
from .fixed import CHATS, CODE, EXPERTS, LEARNINGS, THOUGHTS
from .ranking import MOST_LEARNINGS, Record, together

if TYPE_CHECKING:
    from ...index.view import View
    from ...learnings.model import Learning
    from ...registry.model import Card
    from ...retrieval.chats import ChatHit
    from ...retrieval.results import Hit
    from ...thinking.model import Thought

MOST_RESULTS = 50
_MOST_CHATS = 50
# Beside documents of other kinds a learning that is less likely only takes room.
_LIKELY = 0.2


@contextmanager
def _view(host: Host) -> "Iterator[View]":
    from ...index.store import Store
    from ...index.vectors import source_of
    from ...index.view import NoIndexError, Scope, open_view

    repository, config = host.repository, host.config
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    scope = Scope.COMMITTED if repository.is_bare else Scope.WORKING_TREE
    try:
        view = open_view(repository, config, store, source, scope)
    except NoIndexError:
        raise Unavailable("the code is not indexed yet", "git skillmesh index") from None
    try:
        yield view
    finally:
        view.close()


class Mirrors:
    """The collections that mirror git, of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shelf = Shelf(host)

    def search(self, name: str, query: str, n: int, learned: bool) -> list[Record]:
        """Return up to `n` records that answer a query, best first.

        With `learned` learnings that answer it too stand where they belong. Raises `Unavailable`
        where the code is not indexed yet.
        """
        if name == THOUGHTS:
            found = _thoughts(self._host, query, n)
            return together(found, self.learnings(query)) if learned else found
        kinds = (_KINDS[name], "learnings") if learned and name != LEARNINGS else (_KINDS[name],)
        from ..engine import Wanted

        page = self._host.engine.search(Wanted(query, kinds, limit=n))
        if not page.hits and page.notes:
            raise Unavailable(page.notes[0])
        repo = self._repo()
        records = [_RECORDS[one.kind](repo, one.hit) for one in page.hits]
        spare = [one for one in records if one.collection == LEARNINGS][MOST_LEARNINGS:]
        return [one for one in records if name == LEARNINGS or one not in spare]

    def learnings(self, query: str) -> list[Record]:
        """Return the few learnings that are likely to answer a query."""
        from ..engine import Wanted

        page = self._host.engine.search(Wanted(query, ("learnings",), limit=MOST_LEARNINGS))
        likely = [one for one in page.hits if one.likelihood >= _LIKELY]
        repo = self._repo()
        return [_RECORDS[one.kind](repo, one.hit) for one in likely]

    def by_ids(self, name: str, ids: Collection[str]) -> list[Record]:
        """Return the records of these ids; others are left out. Raises like `search`."""
        wanted = frozenset(ids)
        if name == EXPERTS:
            cards = self._shelf.registry.cards
            return [_whole_expert(card) for card in cards if card.id in wanted]
        return _READERS[name](self._host, wanted)

    def _repo(self) -> str:
        from ...index.identity import repo_id

        return repo_id(self._host.repository, self._host.config)


def _code(repo: str, hit: "Hit") -> Record:
    return Record(
        CODE,
        hit.chunk_id,
        hit.text,
        {
            "chunk_id": hit.chunk_id,
            "file_path": hit.path,
            "start_line": hit.start_line,
            "end_line": hit.end_line,
            "language": hit.language,
            "symbol": hit.symbol,
            "kind": hit.kind,
            "commit_sha": hit.commit or "",
            "sessions": ",".join(hit.sessions),
        },
    )


def _chat(repo: str, hit: "ChatHit") -> Record:
    from ...index.identity import chat_id

    return Record(
        CHATS,
        chat_id(repo, hit.session, hit.exchange),
        hit.text if hit.part == "prompt" else f"{hit.asked}\n{hit.text}",
        {
            "session_id": hit.session,
            "exchange_id": hit.exchange,
            "timestamp": hit.started,
            "prompt_summary": hit.asked,
            "involved_entities": ",".join(hit.paths),
            "agent": hit.agent,
        },
    )


def _thoughts(host: Host, query: str, n: int) -> list[Record]:
    from ...index.identity import repo_id
    from ..tools.thinking import finder_of

    repo = repo_id(host.repository, host.config)
    found = finder_of(host).find(query, host.config, limit=n)
    return [_thought(repo, hit.thought, hit.score) for hit in found.hits]


def _thought(repo: str, one: "Thought", alike: float) -> Record:
    from ...index.identity import chunk_id
    from ...sessions import layout

    folder = f"{layout.THOUGHTS}/{layout.thinking_key(one.session_id)}"
    place = f"{layout.branch_key(one.branch)}/{one.number}/{one.revision}"
    return Record(
        THOUGHTS,
        chunk_id(repo, folder, place),
        one.text,
        {
            "session_id": one.session_id,
            "thought_number": one.number,
            "total_thoughts": one.total,
            "branch_id": one.branch,
            "next_thought_needed": one.needs_more,
            "timestamp": one.time,
        },
        alike,
    )


def _learning(repo: str, learning: "Learning", path: str, alike: float) -> Record:
    from ...index.identity import learning_key

    fix = f"\nFix: {learning.fix.text}" if learning.fix.text else ""
    return Record(
        LEARNINGS,
        learning_key(repo, learning.learning_id),
        f"{learning.title}\n{learning.description}{fix}",
        {
            "learning_id": learning.learning_id,
            "title": learning.title,
            "state": str(learning.state),
            "severity": str(learning.severity),
            "category": learning.category,
            "tags": ",".join(learning.tags),
            "languages": ",".join(learning.languages),
            "source_chat_id": learning.source_chat_id,
            "path": path,
        },
        alike,
    )


def _expert(card: "Card") -> Record:
    return Record(
        EXPERTS,
        card.id,
        f"{card.title}\n{card.description}",
        {
            "expert_id": card.id,
            "title": card.title,
            "domain": card.domain,
            "tags": ",".join(card.tags),
            "risk_level": str(card.risk_level),
            "maturity": str(card.maturity),
        },
    )


def _whole_expert(card: "Card") -> Record:
    from ...yamlnodes import Unreadable

    short = _expert(card)
    try:
        text = card.instructions
    except Unreadable:
        text = ""
    return Record(EXPERTS, card.id, f"{short.document}\n\n{text}", short.metadata)


def _code_by_ids(host: Host, ids: frozenset[str]) -> list[Record]:
    from ...index.identity import chat_id, chunk_id, repo_id

    repo = repo_id(host.repository, host.config)
    found = []
    with _view(host) as view:
        files = {row.id: row for row in view.live_files()}
        chunks = [
            *(
                view.catalogue.rows("SELECT file, ordinal, coalesce(key, symbol) FROM chunks")
                if view.catalogue
                else ()
            ),
            *(
                (number, chunk.ordinal, chunk.key)
                for number, file in view.extra_files.items()
                for chunk in file.chunks
            ),
        ]
        for number, ordinal, key in chunks:
            if number not in files:
                continue
            file = files[number]
            name = chunk_id(repo, file.path, key)
            if name not in ids:
                continue
            chunk = view.chunk(number, ordinal)
            lines = view.texts([file])[number].decode(errors="replace").split("\n")
            origins = view.origins(file).get(ordinal, ())[:_MOST_CHATS]
            metadata = {
                "chunk_id": name,
                "file_path": file.path,
                "start_line": chunk.start_line,
                "end_line": chunk.end_line,
                "language": file.language,
                "symbol": chunk.symbol,
                "kind": chunk.kind,
                "blob_sha": file.blob,
                "commit_sha": view.commits([file]).get(number, ""),
                "related_chat_ids": ",".join(chat_id(repo, o.session, o.exchange) for o in origins),
            }
            text = "\n".join(
                line.removesuffix("\r") for line in lines[chunk.start_line - 1 : chunk.end_line]
            )
            found.append(Record(CODE, name, text, metadata))
    return found


def _chats_by_ids(host: Host, ids: frozenset[str]) -> list[Record]:
    from ...chroma.chats import exchange_rows

    with exchange_rows(host.repository, host.config) as rows:
        if rows is None:
            return []
        return [
            Record(CHATS, row.id, row.document or "", row.metadata)
            for row in rows.rows(rows.paths_of(ids), documents=True)
            if row.id in ids
        ]


def _learnings_by_ids(host: Host, ids: frozenset[str]) -> list[Record]:
    from ...index.identity import repo_id
    from ...learnings.files import learnings_at, learnings_on_disk

    repository = host.repository
    files = (
        learnings_at(repository, repository.head_tree()[1])
        if repository.is_bare
        else learnings_on_disk(repository)
    )
    repo = repo_id(repository, host.config)
    found = [
        _learning(repo, file.learning, file.path, 0.0)
        for file in files.values()
        if file.learning is not None
    ]
    return [one for one in found if ids & {one.id, str(one.metadata["learning_id"])}]


def _thoughts_by_ids(host: Host, ids: frozenset[str]) -> list[Record]:
    from ...chroma.thoughts import thought_rows

    with thought_rows(host.repository, host.config) as rows:
        if rows is None:
            return []
        everything = rows.rows(rows.changes(None)[1], documents=True)
        return [
            Record(THOUGHTS, row.id, row.document or "", row.metadata)
            for row in everything
            if row.id in ids
        ]


_READERS: Mapping[str, Callable[[Host, frozenset[str]], list[Record]]] = {
    CODE: _code_by_ids,
    CHATS: _chats_by_ids,
    LEARNINGS: _learnings_by_ids,
    THOUGHTS: _thoughts_by_ids,
}
_KINDS = {CODE: "code", CHATS: "chats", LEARNINGS: "learnings", EXPERTS: "skills"}
_RECORDS: Mapping[str, Callable[[str, Any], Record]] = {
    "code": _code,
    "chat": _chat,
    "learning": lambda repo, hit: _learning(repo, hit.learning, hit.path, hit.cosine),
    "skill": lambda repo, hit: _expert(hit.card),
}
