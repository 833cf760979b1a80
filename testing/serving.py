"""A server of one repository, asked by a real client in the same process.

In: a repository. Out: `Served`: answers of tools, resources and prompts as text.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent, TextResourceContents

from git_skillmesh.learnings.model import Fix, Learning, State
from git_skillmesh.mcp.host import Host
from git_skillmesh.mcp.server import make_server
from testing.conversations import tell_the_correction, tell_the_parcels_story
from testing.docs_pages import make_sample
from testing.learnings import files_of, literal, with_examples
from testing.repos import Repo, dated

_T = TypeVar("_T")
# Of the commits of the story: each follows the conversation that led to it.
_DATES = (
    "2026-03-01T16:44:00Z", "2026-03-02T09:24:00Z", "2026-03-03T08:32:00Z",
    "2026-03-03T08:37:00Z", "2026-03-03T09:05:00Z",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool said."""

    text: str
    is_error: bool = False


class Served:
    """A server and its client; `went_on` counts how often background work was let begin."""

    def __init__(self, folder: Path, toolsets: Sequence[str] = ()) -> None:
        self.folder = folder
        self.went_on = 0
        self.server = make_server(Host(folder, go_on=self._go_on), toolsets)

    def _go_on(self) -> None:
        self.went_on += 1

    def ask(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool; arguments go through JSON, as they do on the way to a real server."""
        return self.ask_all((tool, arguments))[0]

    def ask_all(self, *calls: tuple[str, dict[str, Any]]) -> list[Answer]:
        """Call tools, all at the same time."""

        async def asked(client: Client) -> list[Answer]:
            return await asyncio.gather(*(_call(client, *one) for one in calls))

        return self._with(asked)

    def tools(self) -> list[dict[str, Any]]:
        """Return the tools as a client gets them."""

        async def listed(client: Client) -> list[dict[str, Any]]:
            found = (await client.list_tools()).tools
            return [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in found]

        return self._with(listed)

    def resources(self) -> list[tuple[str, str]]:
        """Return address and title of what is listed."""

        async def listed(client: Client) -> list[tuple[str, str]]:
            return [
                (str(one.uri), one.title or "") for one in (await client.list_resources()).resources
            ]

        return self._with(listed)

    def read(self, address: str) -> str:
        """Return the text of a resource. Raises `MCPError`."""

        async def read(client: Client) -> str:
            (content,) = (await client.read_resource(address)).contents
            assert isinstance(content, TextResourceContents)
            return content.text

        return self._with(read)

    def prompt(self, name: str, **arguments: str) -> str:
        """Return the text of a prompt. Raises `MCPError`."""

        async def got(client: Client) -> str:
            (message,) = (await client.get_prompt(name, arguments)).messages
            assert isinstance(message.content, TextContent)
            return message.content.text

        return self._with(got)

    def _with(self, talk: Callable[[Client], Awaitable[_T]]) -> _T:
        async def run() -> _T | MCPError:
            async with Client(self.server) as client:
                try:
                    return await talk(client)
                except MCPError as error:  # not as one of a group
                    return error

        found = asyncio.run(run())
        if isinstance(found, MCPError):
            raise found
        return found


async def _call(client: Client, tool: str, arguments: dict[str, Any]) -> Answer:
    done = await client.call_tool(tool, json.loads(json.dumps(arguments)))
    assert isinstance(done, CallToolResult)
    (content,) = done.content
    assert isinstance(content, TextContent)
    return Answer(content.text.removeprefix(f"Error executing tool {tool}: "), bool(done.is_error))


def shared_client(state: State = State.BLOCK) -> Learning:
    """Return what the correction of the parcels' story taught."""
    made = literal(
        "use-the-shared-client", "requests.get(", state,
        fix=Fix("Use http.get, it has our timeouts."), source_chat_id="c4a7-2",
        languages=("python",),
    )  # fmt: skip
    told = "requests waits for ever; parcels.http has our timeouts."
    made = replace(made, title="Go through the shared client", description=told)
    return with_examples(made, ["requests.get(url)\n"], ["http.get(url)\n"])


def make_story(folder: Path) -> Repo:
    """Build the parcels' repository with its three conversations and a learning that blocks."""
    with dated(*_DATES):
        repo = make_sample(folder)
        tell_the_parcels_story(repo)
        tell_the_correction(repo)
        repo.commit("keep what we learned", files_of(shared_client()))
    return repo
