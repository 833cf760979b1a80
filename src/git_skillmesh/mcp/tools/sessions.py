"""The tools `session` and `log_chat`: read conversations, and store one.

In: names of sessions and exchanges; an exchange in words. Out: pages of retrieved blocks; the
memory, by the way that every conversation takes into it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from ...display import plural
from ...errors import Damaged, UsageError
from ..answers import MOST_TOKENS, bounded, one_line, page, quoted, some
from ..conversation import commit_blocks, exchange_block, exchange_pieces
from ..host import Host
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...sessions.layout import Head
    from ...sessions.lookup import Lookup

_LONGEST_NAME = 200
_WIDTH = 120


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tools."""

    def session(
        name: Annotated[
            str, Field(description="id or its beginning, SESSION/NUMBER, commit; empty: latest")
        ] = "",
        offset: int = 0,
        budget: int = MOST_TOKENS,
    ) -> str:
        return read(host, name, offset, budget)

    def log_chat(
        prompt: str,
        response: str,
        session_id: str = "",
        agent: str = "",
        model: str = "",
        files: Annotated[list[str], Field(description="changed since HEAD")] = [],  # noqa: B006
        tools: Annotated[list[str], Field(description="NAME or NAME=INPUT")] = [],  # noqa: B006
    ) -> str:
        return log(host, prompt, response, session_id, agent, model, files, tools)

    add_tool(
        server,
        session,
        """Read stored conversations with agents: list the latest, read one in pages, or one
        exchange whole (SESSION/NUMBER). Use to follow what `why` or `search` names.""",
    )
    add_tool(
        server,
        log_chat,
        """Store this exchange, redacted. Only where nothing captures it by itself. Pass the
        returned session_id to go on; a repeated call stores nothing twice.""",
        writes=True,
    )


def read(host: Host, name: str, offset: int = 0, budget: int = MOST_TOKENS) -> str:
    """Return a page of what a name means: a list, a session, an exchange, a commit."""
    from ...sessions.finding import find_any
    from ...sessions.reading import MemoryReader

    budget = bounded(budget, offset)
    if "\0" in name:
        raise UsageError("not a name: it has a NUL")
    reader = MemoryReader(host.repository)
    if not name.strip():
        return _latest(host, offset, budget)
    found = find_any(reader, name.strip())
    if found.commit:
        first, blocks = commit_blocks(host.repository, found.commit)
        return page(blocks[offset:], budget, offset, first=first, total=len(blocks))
    head = reader.head(found.session)
    if found.exchange:
        one = reader.exchange(found.exchange, found.session)
        blocks = exchange_pieces(one, found.session, _number(host, found.session, found.exchange))
        first = _about(head, "one exchange, whole")
        return page(blocks[offset:], budget, offset, first=first, total=len(blocks))
    return _session(host, head, offset, budget)


def _latest(host: Host, offset: int, budget: int) -> str:
    """Return the list of sessions, newest first."""
    from ...sessions.finding import HOW_TO_GET_SOME, NO_MEMORY, short_ids
    from ...sessions.listing import Filter, list_sessions
    from ...sessions.reading import MemoryReader

    rows = list_sessions(MemoryReader(host.repository), Filter()).rows
    if not rows:
        return f"{NO_MEMORY}: {HOW_TO_GET_SOME}"
    short = short_ids({row.head.session_id: row.head.parent for row in rows})
    blocks = []
    for row in rows[offset:]:
        about = {
            "when": row.head.ended or row.head.started,
            "agent": row.head.agent,
            "made": f"{plural(row.files, 'file')} in {plural(row.commits, 'commit')}",
        }
        title = one_line(row.title) or "(no title)"
        source = f"session {short[row.head.session_id]}"
        blocks.append(quoted(f"{title} ({plural(row.exchanges, 'exchange')})", source, about))
    first = f"{plural(len(rows), 'session')}, the latest first."
    return page(blocks, budget, offset, first=first, total=len(rows))


def _session(host: Host, head: "Head", offset: int, budget: int) -> str:
    from ...git.database import ObjectDatabase
    from ...sessions.lookup import Lookup

    with ObjectDatabase(host.repository) as db:
        lookup = Lookup(db)
        count = lookup.count(head.session_id)
        blocks = some(_blocks(lookup, head, offset), budget)
    first = _about(head, plural(count, "exchange"))
    return page(blocks, budget, offset, first=first, total=count)


def _blocks(lookup: "Lookup", head: "Head", offset: int) -> Iterator[str]:
    from ...sessions.finding import short_ids

    short = short_ids({head.session_id: head.parent})[head.session_id]
    for number, one in lookup.exchanges(head.session_id, skip=offset):
        if isinstance(one, Damaged):
            yield f"exchange {number}: {one_line(str(one))}"
        else:
            yield exchange_block(one, f"{short}/{number}")


def _about(head: "Head", what: str) -> str:
    """Return the head of a session as retrieved text: strangers have written it."""
    about = {
        "agent": head.agent,
        "began": head.started,
        "ended": head.ended,
        "parent": head.parent,
    }
    title = f"{one_line(head.title, _WIDTH)}: " if head.title else ""
    return quoted(f"{title}{what}", f"session {head.session_id}", about)


def _number(host: Host, session: str, exchange: str) -> int:
    from ...git.database import ObjectDatabase
    from ...sessions.lookup import Lookup

    with ObjectDatabase(host.repository) as db:
        return Lookup(db).number(session, exchange)


def log(
    host: Host, prompt: str, response: str, session_id: str, agent: str, model: str,
    files: list[str], tools: list[str],
) -> str:  # fmt: skip
    """Store an exchange, each once, and return how it is called. Raises `UsageError` and others."""
    from ...sessions.handing_over import Words, changes_in, session_of, store

    for name, value in (("session_id", session_id), ("agent", agent), ("model", model)):
        if len(value) > _LONGEST_NAME or not (value.isprintable() and value == value.strip()):
            raise UsageError(f"{name} is no name", f"at most {_LONGEST_NAME} printable characters")
    repository = host.repository
    words = Words(
        prompt.strip(), response.strip(), session_id, agent, model, tools=tools, files=files
    )
    changes = changes_in(repository, repository.top or repository.git_dir)
    session = session_of(repository, words, changes, once=True)
    report = store(repository, host.config, [session])
    host.go_on()
    (exchange,) = session.exchanges
    said = "stored" if report.new or report.grown else "known already"
    lines = [f"{said}: session_id={session.session_id}", f"exchange {exchange.exchange_id}"]
    if report.redactions:
        kinds = (f"{rule} {count}" for rule, count in report.redactions.most_common())
        lines.append(f"redacted: {', '.join(kinds)}")
    return "\n".join(lines)
