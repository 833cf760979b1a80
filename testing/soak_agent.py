"""A client of one MCP server that searches and writes without rest (soak.py).

In: the run it belongs to. Out: what it does is counted there; an answer that is stale or wrong is a
failure of the run. A call that was cut off because the server was killed is made again.
"""

import asyncio
import json
import random
import sys
import time
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

if TYPE_CHECKING:
    from .soak import Soak

PROGRAM = [sys.executable, "-m", "git_skillmesh"]
FILES = 12
CALL_SECONDS = 240.0
NOTES = "notes"
_WORDS = [
    "scale", "depot", "parcel", "label", "carrier", "retry", "timeout", "address", "window",
    "driver", "route", "pallet", "barcode", "scanner", "shelf", "invoice", "customs", "weight",
    "volume", "pickup", "return", "damage", "insurance", "tracking", "printer", "holiday",
]  # fmt: skip


class Agent:
    """A client of one server, which is started again whenever it was killed."""

    def __init__(self, soak: "Soak", number: int) -> None:
        self._soak = soak
        self._number = number
        self._chance = random.Random(soak.seed + 10 + number)
        self._again: tuple[str, dict[str, Any]] | None = None
        self._seen = -1
        self._step = 0
        self.said = soak.folder / f"server-{number}.log"

    def run(self) -> None:
        """Work until told to stop."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        while not self._soak.stop.is_set():
            note = self._soak.folder / f"server-{self._number}.pid"
            note.unlink(missing_ok=True)
            line = f'echo $$ > "{note}"; exec "$@"'
            parameters = StdioServerParameters(
                command="sh",
                args=["-c", line, "sh", *PROGRAM, "mcp", "--toolset", "collections"],
                cwd=self._soak.repo.path,
                env=self._soak.env,
            )
            pid = 0
            try:
                with self.said.open("a") as errors:
                    async with Client(stdio_client(parameters, errors)) as client:
                        pid = int(note.read_text())
                        self._soak.pids[self._number] = pid
                        self._soak.count("servers started")
                        await self._work(client)
            except BaseException as error:
                if pid not in self._soak.killed:
                    self._soak.fail(f"server {self._number}: {self.said.read_text()[-2000:]}")
                    raise
                self._soak.count("calls cut off")
                if not isinstance(error, Exception | BaseExceptionGroup):
                    raise
            finally:
                self._soak.pids.pop(self._number, None)

    async def _work(self, client: Client) -> None:
        names = {tool.name for tool in (await client.list_tools()).tools}
        while not self._soak.stop.is_set():
            if self._again is None:
                self._again = await self._next(client, names)
            if self._again is not None:
                await self._write(client, *self._again)
                self._again = None

    async def _call(self, client: Client, name: str, arguments: dict[str, Any]) -> str:
        started = time.monotonic()
        result = await asyncio.wait_for(client.call_tool(name, arguments), CALL_SECONDS)
        text: str = result.content[0].text  # type: ignore[union-attr]
        self._soak.count(name)
        if result.is_error:
            if "another process has" in text or "is being written" in text:
                self._soak.count("told to try again later")
                await asyncio.sleep(0.5)
                return await self._call(client, name, arguments)
            raise AssertionError(f"{name} {arguments}: {text}")
        if time.monotonic() - started > 60:
            self._soak.count("calls over a minute")
        return text

    async def _write(self, client: Client, name: str, arguments: dict[str, Any]) -> None:
        """Write something; called again after a kill, it must not be there twice."""
        text = await self._call(client, name, arguments)
        written = self._soak.written
        if name in ("log_chat", "chroma_log_chat"):
            written.prompts.append(arguments.get("prompt") or arguments["prompt_summary"])
        elif name in ("think", "chroma_sequential_thinking"):
            written.thoughts.append(arguments["thought"])
        elif name == "chroma_add_document_with_metadata":
            written.documents[json.loads(text)["id"]] = arguments["document"]

    async def _next(self, client: Client, names: set[str]) -> tuple[str, dict[str, Any]] | None:
        """Do what reads at once; return what writes, for it may have to be done again."""
        if self._seen != self._soak.version:
            await self._look(client, names)
            return None
        self._step += 1
        text = f"agent {self._number} said {self._step}"
        what = self._chance.choice(
            ("look", "log", "think", "add", "add", "find", "find", "why", "check", "list")
        )
        if what == "log":
            if "log_chat" in names and self._chance.random() < 0.5:
                session = f"agent-{self._number}"
                return "log_chat", {"prompt": text, "response": "noted", "session_id": session}
            return "chroma_log_chat", {"prompt_summary": text, "response_summary": "noted"}
        if what == "think" and "think" in names:
            name = self._chance.choice(("think", "chroma_sequential_thinking"))
            return name, {
                "thought": text, "thought_number": self._step, "total_thoughts": self._step,
                "session_id": f"agent-{self._number}",
            }  # fmt: skip
        if what == "add":
            await self._call(client, "chroma_create_collection", {"collection_name": NOTES})
            words = random.Random(text).sample(_WORDS, 12)
            document = f"{text}: {' '.join(words)}"
            return "chroma_add_document_with_metadata", {
                "collection_name": NOTES, "document": document, "metadata": {"step": self._step},
            }  # fmt: skip
        if what == "find" and self._soak.written.documents:
            number, document = self._chance.choice(list(self._soak.written.documents.items()))
            found = await self._call(
                client, "chroma_query_documents",
                {"collection_name": NOTES, "query": document, "n_results": "1"},
            )  # fmt: skip
            if number not in found:
                self._soak.fail(f"{document!r} is not found by a server: {found[:200]}")
        elif what == "why" and "why" in names:
            await self._call(client, "why", {"file": f"src/part_{self._step % FILES}.py"})
        elif what == "check" and "check" in names:
            await self._call(client, "check", {})
        elif what == "list":
            await self._call(client, "chroma_list_collections", {})
        else:
            await self._look(client, names)
        return None

    async def _look(self, client: Client, names: set[str]) -> None:
        """Search for what the last change brought, and for what it took away."""
        soak = self._soak
        with soak.turns.looking():
            self._seen = soak.version
            visible = soak.branches[soak.branch]
            hidden = {name for names in soak.branches.values() for name in names} - set(visible)
            await self._expect(client, names, visible[-1], True)
            if hidden:
                await self._expect(client, names, self._chance.choice(sorted(hidden)), False)

    async def _expect(self, client: Client, names: set[str], name: str, there: bool) -> None:
        tools = ["chroma_query_documents"] + ["search"] * ("search" in names)
        for tool in tools:
            arguments: dict[str, Any] = {"query": name}
            if tool == "chroma_query_documents":
                arguments |= {"collection_name": "codebase_v1", "n_results": 5}
            found = await self._call(client, tool, arguments)
            if (f"def {name}(" in found) is not there:
                what = "is not found" if there else "is still found"
                self._soak.fail(f"{name} {what} by {tool} of server {self._number}: {found[:300]}")
