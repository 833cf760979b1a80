"""Servers at their worst: silent, slow, broken. What is given up, and that all arrives once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.connection import open_session
from git_skillmesh.chroma.mirror import mirror
from git_skillmesh.chroma.pipe import WriterWhenNeeded
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Unreachable
from testing.chroma_rows import Place, Rows, assert_equal, files_of
from testing.chroma_server import ChromaServer
from testing.hostile import HostileProxy, always


@pytest.fixture
def proxy(server: ChromaServer) -> Iterator[HostileProxy]:
    with HostileProxy(server.url).running() as one:
        yield one


@pytest.fixture
def place(proxy: HostileProxy, database: Callable[[str], Target], tmp_path: Path) -> Place:
    target = replace(database(tmp_path.name), url=proxy.url)
    return Place(target, tmp_path / "state", Rows(files_of(3)))


@pytest.mark.parametrize("what", ["hang", "drip", "drip-headers"])
def test_no_request_takes_longer_than_it_may(proxy: HostileProxy, what: str) -> None:
    target = Target("http", url=proxy.url)
    proxy.plan = always(what)
    started = time.monotonic()
    with (
        open_session(target, 0.4, 2) as session,
        pytest.raises(Exception, match="timed out") as told,
    ):
        session.get(f"{proxy.url}/api/v2/heartbeat")
    assert 0.3 < time.monotonic() - started < 5
    assert str(clients.explain(told.value, target)) == (
        f"the server {proxy.url} does not answer: timed out: the next run catches up"
    )


def test_a_busy_server_is_waited_for_where_nobody_waits_for_the_answer(
    proxy: HostileProxy, place: Place
) -> None:
    late = f"late/{2 * clients.CONNECT_TIMEOUT_S}"
    proxy.plan = lambda method, path, n: late if path.endswith("/heartbeat") else "pass"
    with pytest.raises(Unreachable, match="timed out"), ChromaReader(place.target):
        pass
    assert place.mirror().rows == 15
    assert proxy.count(late) == 2, "one for each, none was asked for again"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("500", "does not answer: it says 500 Internal Server Error: the next run catches up"),
        ("502", "does not answer: it says 502 Bad Gateway: the next run catches up"),
        ("half", "peer closed connection without sending complete message body"),
        ("lose", "Server disconnected without sending a response."),
        ("garbage", "is no Chroma server"),
    ],
)
def test_what_is_no_answer_is_one_clear_line(proxy: HostileProxy, what: str, said: str) -> None:
    target = Target("http", url=proxy.url)
    proxy.plan = always(what)
    with pytest.raises(Exception) as told:
        clients.open_client(target, 2)
    line = str(clients.explain(told.value, target))
    assert said in line
    assert line.isprintable()
    assert clients.explain(told.value, target).exit_code == Unreachable.exit_code


def nth_write(number: int, what: str) -> Callable[[str, str, int], str]:
    """Do something with one upsert; afterwards all is well."""
    counts = {"upsert": 0}

    def plan(method: str, path: str, before: int) -> str:
        if not path.endswith("/upsert"):
            return "pass"
        counts["upsert"] += 1
        return what if counts["upsert"] == number else "pass"

    return plan


def test_a_batch_arrives_once_whatever_happens_to_its_answer(
    proxy: HostileProxy, place: Place
) -> None:
    with WriterWhenNeeded(place.target, place.state_dir) as one:
        for number, what in enumerate(("lost", "lose", "500", "502", "half", "503/1"), 1):
            place.rows.edit(f"c{number}", "src/module_0.py", f0=what, **{f"g{number}": what})
            proxy.plan = nth_write(1, what)
            started = time.monotonic()
            done = mirror(place.rows, place.target, place.state_dir, writers=one)
            assert (done.rows, proxy.count(what)) == (15 + number, 1)
            if what == "503/1":  # the server asked for a second
                assert time.monotonic() - started > 1
    assert_equal(place.rows, place.target)


def test_a_server_that_goes_away_in_the_middle_and_comes_back(
    proxy: HostileProxy, place: Place
) -> None:
    proxy.plan = lambda method, path, n: "lost" if path.endswith("/upsert") else "pass"
    # The batch is there, and nobody knows it.
    with pytest.raises(Unreachable):
        place.mirror()
    place.rows.edit("c1", "src/module_0.py", f0="new", f1=None)
    proxy.plan = always("pass")
    assert place.mirror().rows == 14
    assert_equal(place.rows, place.target)
