"""The server as a process: standard streams, signals, HTTP with its token."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.mcp.http import address_of, token_of
from testing.commands import call
from testing.repos import make_repo

_INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
_READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
_TOKEN = "a token of the tests, long enough"  # noqa: S105 - it guards nothing


def started(folder: Path, *args: str, **more: str) -> "subprocess.Popen[str]":
    """Start the server in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "-C", folder, "mcp", *args],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **more},
    )  # fmt: skip


def said(server: "subprocess.Popen[str]", *messages: object) -> dict[str, object]:
    """Send messages and return the answer to the last one."""
    assert server.stdin is not None
    assert server.stdout is not None
    for message in messages:
        server.stdin.write(json.dumps(message) + "\n")
    server.stdin.flush()
    answer: dict[str, object] = json.loads(server.stdout.readline())
    return answer


def test_standard_streams_carry_the_protocol_and_nothing_else(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "def weigh(): ...\n"})
    server = started(repo.path)
    assert "skillmesh" in json.dumps(said(server, _INITIALIZE))
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
           "params": {"name": "search", "arguments": {"query": "weigh"}}}  # fmt: skip
    assert "def weigh" in json.dumps(said(server, _READY, ask))
    assert server.stdin is not None
    server.stdin.close()
    assert server.wait(20) == 0
    assert server.stdout is not None
    assert server.stderr is not None
    assert (server.stdout.read(), server.stderr.read()) == ("", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_without_a_word(
    tmp_path: Path, number: signal.Signals
) -> None:
    server = started(tmp_path)
    said(server, _INITIALIZE)
    begun = time.monotonic()
    server.send_signal(number)
    assert server.wait(20) == 0
    assert time.monotonic() - begun < 5  # a busy machine; one second is promised
    assert server.stderr is not None
    assert server.stderr.read() == ""


def test_kill_leaves_nothing_broken(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "def weigh(): ...\n"})
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/call"}
    thought = {"thought": "weigh first", "thought_number": 1, "total_thoughts": 1,
               "next_thought_needed": False, "session_id": "plan"}  # fmt: skip
    server = started(repo.path)
    said(server, _INITIALIZE)
    said(server, _READY, ask | {"params": {"name": "think", "arguments": thought}})
    repo.write("b.py", "def weigh_again(): ...\n")
    assert server.stdin is not None
    last = ask | {"params": {"name": "search", "arguments": {"query": "weigh"}}}
    server.stdin.write(json.dumps(last) + "\n")
    server.stdin.flush()
    server.kill()
    server.communicate()
    found = call(repo.path, "query", "weigh again")
    assert (found.returncode, "b.py" in found.stdout) == (0, True)
    assert "weigh first" in call(repo.path, "think", "show", "plan").stdout
    assert call(repo.path, "doctor").returncode == 0
    repo.git("fsck", "--strict")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Iterator[str]:
    """The address of a server over HTTP."""
    folder = tmp_path_factory.mktemp("http")
    server = started(folder, "--http", "0", SKILLMESH_MCP_TOKEN=_TOKEN)
    assert server.stderr is not None
    yield server.stderr.readline().removeprefix("git-skillmesh: ").strip()
    server.terminate()
    assert server.wait(20) == 0
    assert server.stderr.read() == ""


def posted(address: str, **headers: str) -> int:
    """Return the status of an answer to `initialize`."""
    names = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(  # noqa: S310 - the address is ours
        address, json.dumps(_INITIALIZE).encode(), {**names, **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the same
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_over_http_only_who_has_the_token_is_answered(address: str) -> None:
    right = f"Bearer {_TOKEN}"
    assert posted(address, Authorization=right) == 200
    assert posted(address, Authorization=right.replace("Bearer", "bearer")) == 200
    assert posted(address) == 401
    for wrong in ("Bearer", f"Bearer {_TOKEN}x", f"Basic {_TOKEN}", _TOKEN):
        assert posted(address, Authorization=wrong) == 401


def test_over_http_a_page_from_elsewhere_is_not_answered(address: str) -> None:
    right = f"Bearer {_TOKEN}"
    port = address.rpartition(":")[2].partition("/")[0]
    assert posted(address, Authorization=right, Origin=f"http://localhost:{port}") == 200
    assert posted(address, Authorization=right, Origin="http://evil.example") == 403
    assert posted(address, Authorization=right, Origin="null") == 403
    assert posted(address, Authorization=right, Host=f"evil.example:{port}") == 421
    assert posted(address, Authorization=right, Host="127.0.0.1:1") == 421


def test_the_real_client_talks_over_http(address: str) -> None:
    import asyncio

    import httpx2
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    async def run() -> list[str]:
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return [tool.name for tool in (await client.list_tools()).tools]

    assert {"search", "status"} <= set(asyncio.run(run()))


def test_addresses_are_of_this_machine() -> None:
    assert address_of("8765") == ("127.0.0.1", 8765)
    assert address_of("localhost:1") == ("localhost", 1)
    assert address_of("[::1]:0") == ("::1", 0)
    for text in ("0.0.0.0:1", "192.168.1.2:80", "example.com:80", "::1", "x", "70000", ":", "1.5"):
        with pytest.raises(UsageError):
            address_of(text)


def test_a_token_is_given_or_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, made = token_of(None)
    assert made
    assert token_of(None)[0] != first
    assert len(first) >= 40
    path = tmp_path / "token"
    path.write_text(f"{_TOKEN}\n")
    assert token_of(str(path)) == (_TOKEN, False)
    for text in ("short", "x" * 5000, "long enough but\ntwo lines of it", "\u00fc" * 20):
        path.write_text(text)
        with pytest.raises(UsageError):
            token_of(str(path))
    with pytest.raises(UsageError, match="cannot read the token"):
        token_of(str(tmp_path / "none"))
    monkeypatch.setenv("SKILLMESH_MCP_TOKEN", _TOKEN)
    assert token_of(None) == (_TOKEN, False)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--toolset", "default,none"), "no such toolset: none: one of default, collections\n"),
        (("--token-file", "x"), "--token-file is for HTTP: add --http\n"),
    ],
)
def test_mistakes_are_told_before_anything_starts(
    tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    result = call(tmp_path, "mcp", *args)
    assert (result.returncode, result.stderr) == (2, f"git-skillmesh: {said}")
