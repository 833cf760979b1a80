"""Resources: sessions, learnings and skills under addresses of their own.

In: `skillmesh://session/ID`, `skillmesh://learning/ID`, `skillmesh://skill/ID`. Out: Markdown with
the retrieved text marked as data, bounded like an answer of a tool. What was active last is listed.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.types import ListResourcesResult, PaginatedRequestParams, Resource

from ..errors import NotARepository, SkillmeshError, UsageError
from .answers import one_line, page, pieces, quoted, writable
from .host import Host
from .shelf import Shelf
from .tooling import error_line

SCHEME = "skillmesh://"
MOST_LISTED = 50
_MOST_OF_A_KIND = 20
_BUDGET = 8_000
_TYPE = "text/markdown"
_WIDTH = 120


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the templates, and the list of what is recent."""
    shelf = host.shelf

    def session(id: str) -> str:  # noqa: A002  # the name stands in the address
        from .tools.sessions import read

        return read(host, _some(id), budget=_BUDGET)

    def learning(id: str) -> str:  # noqa: A002
        return learning_text(host, _some(id))

    def skill(id: str) -> str:  # noqa: A002
        from .tools.skills import read

        return read(shelf, _some(id), "", budget=_BUDGET)

    for function, description in (
        (session, "A conversation with an agent, or SESSION/NUMBER: one exchange of it"),
        (learning, "A learning of the team"),
        (skill, "The instructions of a skill"),
    ):
        address = f"{SCHEME}{function.__name__}/{{+id}}"
        server.resource(address, description=description, mime_type=_TYPE)(_told(function))

    async def listed(_context: Any, _params: PaginatedRequestParams | None) -> ListResourcesResult:
        found = await anyio.to_thread.run_sync(lambda: list(recent(host, shelf)))
        return ListResourcesResult(resources=found[:MOST_LISTED])

    # The SDK lists only what was added once; what is recent changes.
    server._lowlevel_server.add_request_handler("resources/list", PaginatedRequestParams, listed)


def _told(function: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function whose mistakes of the user are those of the protocol."""

    @functools.wraps(function)
    def read(id: str) -> str:  # noqa: A002
        try:
            return writable(function(id))
        except SkillmeshError as error:
            raise ResourceNotFoundError(error_line(error)) from None

    return read


def _some(name: str) -> str:
    if not name.strip():
        raise UsageError("which one?", "the address ends with an id")
    return name


def learning_text(host: Host, name: str) -> str:
    """Return the file of a learning. Raises `UsageError`."""
    from ..learnings.sources import Sources

    found = [one for one in Sources(host.repository).all() if one.learning_id == name]
    if not found:
        raise UsageError(f"no such learning: {name}", "git skillmesh learnings")
    from ..learnings.writing import write_learning

    about = {"state": str(found[0].state), "severity": str(found[0].severity)}
    blocks = [
        quoted(each, found[0].path, about if not place else None)
        for place, each in enumerate(pieces(write_learning(found[0])))
    ]
    return page(blocks, _BUDGET, first=f"# Learning {found[0].learning_id}")


def recent(host: Host, shelf: Shelf) -> Iterator[Resource]:
    """Yield what is worth listing: the latest sessions, learnings, the repository's own skills."""
    from ..learnings.sources import Sources
    from ..registry.choosing import third_party
    from ..sessions.listing import Filter, list_sessions
    from ..sessions.reading import MemoryReader

    try:
        repository = host.repository
    except NotARepository:
        return
    for row in list_sessions(MemoryReader(repository), Filter(), _MOST_OF_A_KIND).rows:
        yield _resource("session", row.head.session_id, row.title)
    learnings = [one for one in Sources(repository).all() if one.state.enforced]
    for one in learnings[:_MOST_OF_A_KIND]:
        yield _resource("learning", one.learning_id, f"[{one.state}] {one.title}")
    cards = shelf.registry.cards
    own = third_party(cards)
    for card in [card for card in cards if card.id in own][:_MOST_OF_A_KIND]:
        yield _resource("skill", card.id, card.title)


def _resource(kind: str, name: str, title: str) -> Resource:
    name = writable(name)
    shown = one_line(f"{kind} {name}", _WIDTH)
    return Resource(
        uri=f"{SCHEME}{kind}/{quote(name, safe='/')}",
        name=shown,
        title=one_line(writable(title), _WIDTH) or shown,
        mime_type=_TYPE,
    )
