"""Start an MCP server as an agent does, and ask it for its tools.

In: a command and its arguments. Out: the names of the tools, or why there are none.
"""

import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SECONDS = 30.0
_VERSION = "2025-06-18"


class NoAnswer(Exception):
    """The server does not do what it should."""


def tools_of(command: Sequence[str], folder: Path) -> list[str]:
    """Return the names of a server's tools. Raises `NoAnswer`."""
    try:
        process = subprocess.Popen(
            list(command), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise NoAnswer(error.strerror or "cannot be started") from None
    with process:
        try:
            line = _Line(process)
            client = {"name": "git-skillmesh-doctor", "version": "1"}
            line.ask(1, "initialize", protocolVersion=_VERSION, capabilities={}, clientInfo=client)
            line.tell("notifications/initialized")
            found = line.ask(2, "tools/list").get("tools")
            return [str(tool.get("name")) for tool in found or () if isinstance(tool, dict)]
        finally:
            process.kill()


class _Line:
    """One message a line, as MCP has it on standard input and output."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._kept = b""
        self._deadline = time.monotonic() + _SECONDS

    def tell(self, method: str, **more: Any) -> None:
        """Send a message that has no answer, or whose answer `ask` waits for."""
        message = {"jsonrpc": "2.0", "method": method, **more}
        if self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def ask(self, number: int, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return its result. Raises `NoAnswer`."""
        self.tell(method, id=number, params=params)
        while True:
            try:
                answer = json.loads(self._next())
            except ValueError:
                raise NoAnswer("writes something else than messages to standard output") from None
            if isinstance(answer, dict) and answer.get("id") == number:
                if isinstance(answer.get("result"), dict):
                    return dict(answer["result"])
                raise NoAnswer(f"refuses {method}: {answer.get('error')}")

    def _next(self) -> bytes:
        stream = self._process.stdout
        while stream is not None and b"\n" not in self._kept:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise NoAnswer(f"does not answer within {_SECONDS:.0f} s")
            part = os.read(stream.fileno(), 1 << 16)
            if not part:
                raise self._ended()
            self._kept += part
        found, _, self._kept = self._kept.partition(b"\n")
        return found

    def _ended(self) -> NoAnswer:
        self._process.kill()
        _, said = self._process.communicate()
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return NoAnswer(lines[-1] if lines else "ends without a word")
