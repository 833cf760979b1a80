"""A repository with code and a learning, and a client of a server in this process."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mcp import Client

from git_skillmesh.mcp.host import Host
from git_skillmesh.mcp.server import make_server
from testing.learnings import files_of, learning
from testing.repos import Repo, make_repo

Ask = Callable[..., Any]
RETRY = '''\
def retry(times):
    """Try again, waiting longer each time."""
    for n in range(times):
        wait(n)
'''


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with an index, which tests add to."""
    folder = tmp_path_factory.mktemp("collections")
    made = make_repo(folder, "depot", files={"src/retry.py": RETRY, "README.md": "# Depot\n"})
    rule = learning("wait-longer", "Wait longer before each retry of a request")
    made.commit("rule", files_of(rule))
    done = made.skillmesh("index", "-q", "--chroma", "off")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def ask(repo: Repo) -> Iterator[Ask]:
    """Return a function that calls a tool and returns its JSON, or its error as text."""
    host = Host(repo.path)
    server = make_server(host, ("collections",))

    def call(name: str, **arguments: Any) -> Any:
        async def run() -> Any:
            async with Client(server) as client:
                return await client.call_tool(name, arguments)

        result = asyncio.run(run())
        text = result.content[0].text
        return text if result.is_error else json.loads(text)

    yield call
    host.close()
