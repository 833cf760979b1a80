"""A short afternoon of a team; the long ones are `python -m benchmarks.afternoon`."""

from collections.abc import Callable
from pathlib import Path

from git_skillmesh.chroma.target import Target
from testing.afternoon import Afternoon
from testing.chroma_server import ChromaServer
from testing.hostile import HostileProxy
from testing.team import Team


def test_everybody_agrees_in_the_end(
    server: ChromaServer, database: Callable[[str], Target], tmp_path: Path
) -> None:
    settings = {"chroma.database": database("afternoon").database}
    with HostileProxy(server.url).running() as proxy:
        afternoon = Afternoon(Team(tmp_path, proxy.url, settings), proxy, seed=11)
        afternoon.work(30)
        afternoon.settle()
        rows = afternoon.check()
        assert len(proxy.seen) > proxy.count("pass"), "the seed has trouble in it"
    assert set(rows) >= {"codebase_v1", "chat_history_v1"}
