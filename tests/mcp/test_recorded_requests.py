"""What agents have really sent, sent again: every request is answered, and as it should be."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import anyio
import pytest

from git_skillmesh.mcp.host import Host
from git_skillmesh.mcp.server import make_server
from testing.repos import Repo, make_repo

REQUESTS = Path(__file__).parent / "requests"
RETRY = '''\
def retry(times):
    """Try again, waiting longer each time."""
    for n in range(times):
        wait(n)
'''
# What is answered by nothing but its own notifications, as long as it lasts.
LASTING = "subscriptions/listen"


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The repository in which was recorded."""
    made = make_repo(tmp_path_factory.mktemp("recorded"), "depot", files={"src/retry.py": RETRY})
    assert made.skillmesh("index", "-q", "--chroma", "off").returncode == 0
    return made


class Wire:
    """The two ends of a server's streams."""

    def __init__(self, to_server: IO[bytes], from_server: IO[bytes]) -> None:
        self._to, self._from = to_server, from_server
        self.answers: dict[Any, dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []

    def send(self, line: bytes) -> None:
        """Send a line; wait for its answer if it has one."""
        self._to.write(line)
        self._to.flush()
        request = json.loads(line)
        if "id" in request and request["method"] != LASTING:
            while request["id"] not in self.answers:
                self.read()

    def read(self) -> None:
        """Read what the server says next: one JSON document a line, and nothing else."""
        message = json.loads(self._from.readline())
        if "id" in message:
            assert message["id"] not in self.answers
            self.answers[message["id"]] = message
        else:
            self.told.append(message)


@contextmanager
def served(repo: Repo) -> Iterator[Wire]:
    """Serve in this process, over pipes in the place of its standard streams."""
    host = Host(repo.path)
    server = make_server(host, ("collections",))
    (stdin, to_server), (from_server, stdout) = os.pipe(), os.pipe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", os.fdopen(stdin))
        patch.setattr(sys, "stdout", os.fdopen(stdout, "w"))
        thread = threading.Thread(target=anyio.run, args=(server.run_stdio_async,))
        thread.start()
        with os.fdopen(to_server, "wb") as writer, os.fdopen(from_server, "rb") as reader:
            yield Wire(writer, reader)
            writer.close()
            thread.join(30)
        assert not thread.is_alive()
    host.close()


@contextmanager
def started(repo: Repo) -> Iterator[Wire]:
    """Serve in a process of its own, as an agent starts it."""
    command = [sys.executable, "-m", "git_skillmesh", "mcp", "--toolset", "collections"]
    process = subprocess.Popen(
        command, cwd=repo.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    wire = Wire(process.stdin, process.stdout)
    try:
        yield wire
    finally:
        said, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, b"")
        # What lasts ends with the server.
        assert all(json.loads(line)["id"] == "listen:0" for line in said.splitlines())


def replay(wire: Wire, name: str) -> list[dict[str, Any]]:
    """Send a recording; return its requests."""
    lines = (REQUESTS / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    for line in lines:
        wire.send(line)
    return [json.loads(line) for line in lines]


def answer_to(wire: Wire, requests: list[dict[str, Any]], tool: str) -> str:
    """Return what a tool has answered; it must not be an error."""
    (number,) = (
        one["id"]
        for one in requests
        if one["method"] == "tools/call" and one["params"]["name"] == tool
    )
    result = wire.answers[number]["result"]
    assert result["isError"] is False
    text: str = result["content"][0]["text"]
    return text


def check(wire: Wire, requests: list[dict[str, Any]]) -> None:
    """Assert that everything that a recording asks for was answered as it should be."""
    for one in requests:
        if "id" not in one or one["method"] == LASTING:
            continue
        answer = wire.answers[one["id"]]
        if one["method"] == "initialize" and "error" in answer:
            # Claude Code has discovered the server before, and knows what this means.
            assert answer["error"]["code"] == -32022
            continue
        result = answer["result"]
        if one["method"] == "initialize":
            assert result["protocolVersion"] == one["params"]["protocolVersion"]
            assert result["serverInfo"]["name"] == "skillmesh"
        elif one["method"] == "server/discover":
            assert "2026-07-28" in result["supportedVersions"]
        elif one["method"] == "tools/list":
            names = [tool["name"] for tool in result["tools"]]
            assert {"search", "why", "think", "chroma_query_documents"} <= set(names)
        elif one["method"] in ("prompts/list", "resources/list"):
            assert isinstance(result[one["method"].partition("/")[0]], list)
        else:
            assert one["method"] == "tools/call"
            assert result["isError"] is False


def test_claude_code(repo: Repo) -> None:
    """In a process of its own. It sends null for a path, and a list where a text is wanted."""
    with started(repo) as wire:
        requests = replay(wire, "claude-code")
        check(wire, requests)
        assert answer_to(wire, requests, "search").startswith("<retrieved from=")
        found = json.loads(answer_to(wire, requests, "chroma_query_documents"))["retrieved"]
        assert found[0]["document"] == RETRY.rstrip()
        assert "session_id=retries (closed)" in answer_to(wire, requests, "think")
        missing = json.loads(answer_to(wire, requests, "chroma_get_documents_by_ids"))
        assert missing == {"missing": ["unknown"]}
        listening = [one["method"] for one in wire.told]
        assert listening == ["notifications/subscriptions/acknowledged"]
    shown = repo.skillmesh("query", "--in", "chats", "--json", "how does retry wait").stdout
    (chat,) = json.loads(shown)["exchanges"]
    assert chat["asked"] == "how does retry wait"


@pytest.mark.parametrize("name", ["codex", "gemini"])
def test_agents_that_call_tools(repo: Repo, name: str) -> None:
    """Codex sends numbers and truth as text, and null; Gemini what its own checks let through."""
    with served(repo) as wire:
        requests = replay(wire, name)
        check(wire, requests)
        found = json.loads(answer_to(wire, requests, "chroma_query_documents"))["retrieved"]
        assert found[0]["metadata"]["file_path"] == "src/retry.py"
        assert "session_id=retries (closed)" in answer_to(wire, requests, "think")
        said = json.loads(answer_to(wire, requests, "chroma_log_chat"))
        assert said["collection_name"] == "chat_history_v1"


def test_editors_and_what_the_protocol_has_beside_tools(repo: Repo) -> None:
    """Also a ping, a template, a level before `initialized`, a cancel of nothing, and nonsense."""
    for name in ("vscode", "cursor"):
        with served(repo) as wire:
            requests = replay(wire, name)
            check(wire, requests)
            for number, method in enumerate(("ping", "resources/templates/list"), 100):
                wire.send(_line({"jsonrpc": "2.0", "id": number, "method": method}))
                assert "result" in wire.answers[number]
            cancel = {"requestId": 999, "reason": "too late"}
            wire.send(_line({"jsonrpc": "2.0", "method": "notifications/cancelled",
                             "params": cancel}))  # fmt: skip
            for number, (method, fields) in enumerate(_UNKNOWN, 200):
                params = {"params": fields} if fields is not None else {}
                wire.send(_line({"jsonrpc": "2.0", "id": number, "method": method, **params}))
                answer = wire.answers[number]
                assert "error" in answer or answer["result"]["isError"]
                assert "Traceback" not in json.dumps(answer)
            wire.send(_line({"jsonrpc": "2.0", "id": "last", "method": "ping"}))


_UNKNOWN: list[tuple[str, dict[str, Any] | None]] = [
    ("tools/call", {"name": "no such tool", "arguments": {}}),
    ("tools/call", {"name": "why", "arguments": {"file": {"a": 1}, "lines": [1, 2]}}),
    ("tools/call", {"name": "why"}),
    ("no/such/method", {}),
]


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
