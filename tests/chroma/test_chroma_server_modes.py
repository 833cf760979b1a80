"""A team's server and Chroma Cloud's client, against a real server on the loopback interface."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import store
from git_skillmesh.chroma.directory import recorded
from git_skillmesh.chroma.doctor import examine
from git_skillmesh.chroma.mirror import Outcome, lag
from git_skillmesh.chroma.moving.copying import Wanted, copy
from git_skillmesh.chroma.pages import Pages
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, Unavailable
from testing.chroma_rows import Place, Rows, assert_equal, files_of, stored, vector_of
from testing.chroma_server import ChromaServer, free_port
from testing.hostile import HostileProxy
from testing.narrow_proxy import NarrowProxy

SECRET = "s3cret-value"  # noqa: S105


def test_a_server_that_was_down(server: ChromaServer, tmp_path: Path) -> None:
    # The tests' server stays up: it comes up at another address, where nobody listens yet.
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {SECRET}"}
    target = Target("http", url=url, headers=headers, keeps_documents=True)
    place = Place(target, tmp_path / "state", Rows(files_of(4), repo_id="down"))
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        place.mirror()
    assert time.monotonic() - started < 60
    assert str(caught.value) == (
        f"the server {url} does not answer: [Errno 111] Connection refused: the next run catches up"
    )
    assert SECRET not in str(caught.value) + repr(caught.value)
    assert lag(place.rows, target, place.state_dir) is None
    with pytest.raises(Unavailable), ChromaReader(target):
        pass
    with HostileProxy(server.url, port).running():
        assert place.mirror() == Outcome(20, 0, 20)
        place.rows.edit("c1", "src/module_0.py", f0="changed", f1=None)
        assert lag(place.rows, target, place.state_dir) == 1
        assert place.mirror() == Outcome(4, 1, 19)
        assert_equal(place.rows, target)
    for file in place.state_dir.iterdir():
        assert SECRET.encode() not in file.read_bytes()


def test_a_server_that_accepts_and_never_answers(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        target = Target("http", url=f"http://127.0.0.1:{deaf.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(Unavailable) as caught, ChromaReader(target):
            pass
        assert time.monotonic() - started < 60
    assert str(caught.value) == (
        f"the server {target.url} does not answer: timed out: the next run catches up"
    )


def test_a_server_that_allows_few_records_a_request(
    database: Callable[[str], Target], tmp_path: Path
) -> None:
    target = database("few")
    with NarrowProxy(target.url, largest=10**9, records=9) as proxy:
        narrow = replace(target, url=proxy.url)
        place = Place(narrow, tmp_path / "state", Rows(files_of(8)))
        Place(target, tmp_path / "other", Rows(files_of(1), repo_id="repo-b")).mirror()
        assert place.mirror() == Outcome(40, 0, 40)
        # Without its ledger a clone reads all that is there, and may not miss a row of it.
        clone = Place(narrow, tmp_path / "clone", Rows(files_of(7)))
        assert clone.mirror() == Outcome(0, 5, 35)
        assert_equal(clone.rows, target)
        assert examine(clone.rows, narrow, clone.state_dir) == []
        with ChromaReader(narrow) as reader:
            ids = [row["id"] for row in reader.get("codebase_v1")]
            assert len(ids) == len(set(ids)) == 40
            assert sorted(r["id"] for r in reader.get("codebase_v1", ids)) == sorted(ids)
            assert len(reader.query("codebase_v1", vector_of("x", "model-1", 16), 30)) == 9
    assert set(proxy.refused) == {422}
    cloud = replace(target, url="https://api.trychroma.com")
    assert (Pages(cloud).most, Pages(target).most) == (250, 2000)


def test_from_a_folder_to_a_server_rows_stay_as_they_are(
    filled: Place, database: Callable[[str], Target], tmp_path: Path
) -> None:
    target = replace(database("moved"), keeps_documents=None)
    copy(filled.target, target, filled.state_dir, Wanted())
    moved = replace(filled, target=target)
    assert moved.mirror() == Outcome(0, 0, 60)
    moved.rows.edit("c1", "src/module_1.py", f0="changed")
    assert moved.mirror() == Outcome(5, 0, 60)
    assert {row["document"] for row in stored(target).values()} == {None}
    assert examine(moved.rows, target, moved.state_dir) == []
    # What begins there has texts, and keeps them in a folder too; who asks for them gets them.
    other = Place(target, tmp_path / "other", Rows(files_of(2), repo_id="repo-b"))
    assert other.mirror() == Outcome(10, 0, 10)
    assert_equal(other.rows, target)
    texts = replace(target, keeps_documents=True)
    asked = Place(texts, tmp_path / "clone", moved.rows)
    assert asked.mirror() == Outcome(60, 0, 60)
    assert_equal(asked.rows, texts)
    back = Target("persistent", path=tmp_path / "back")
    copy(target, back, tmp_path / "clone", Wanted())
    assert replace(other, target=back).mirror() == Outcome(0, 0, 10)


def test_two_repositories_and_two_clones_share_a_collection(
    database: Callable[[str], Target], tmp_path: Path
) -> None:
    target = database("shared")
    first = Place(target, tmp_path / "first", Rows(files_of(4)))
    other = Place(target, tmp_path / "other", Rows(files_of(2), repo_id="repo-b"))
    assert first.mirror() == Outcome(20, 0, 20)
    assert other.mirror() == Outcome(10, 0, 10)
    assert_equal(first.rows, target)
    assert_equal(other.rows, target)

    # A second clone of the first repository finds everything there and knows whose commits.
    clone = Place(target, tmp_path / "clone", Rows(files_of(4)))
    clone.rows.edit("c1", "src/module_0.py", f0="from the clone")
    assert clone.mirror() == Outcome(5, 0, 20)
    # The first one sees that somebody else wrote, and does not trust its own ledger.
    first.rows.edit("c1b", "src/module_1.py", f0="from the first")
    assert first.mirror() == Outcome(10, 0, 20)
    assert_equal(first.rows, target)
    assert_equal(other.rows, target)

    with ChromaReader(target) as reader:
        assert reader.count("codebase_v1", "repo-a") == 20
        text = other.rows.files["src/module_1.py"]["f3"]
        ((_, distance, metadata),) = reader.query(
            "codebase_v1", vector_of(text, "model-1", 16), 1, {"repo_id": "repo-b"}, "model-1"
        )
        assert abs(distance) < 1e-5
        assert (metadata["file_path"], metadata["symbol"]) == ("src/module_1.py", "f3")

    # Another model would have to replace the other repository's vectors too.
    other.rows.model_id = "model-2"
    with pytest.raises(ConfigurationError) as caught:
        other.mirror()
    assert str(caught.value) == (
        "codebase_v1 also holds records of other repositories, made with model-1:"
        " use that model, or another database for model-2"
    )
    assert len(stored(target)) == 30


def test_clones_that_begin_at_once_fill_what_one_of_them_makes(
    database: Callable[[str], Target],
) -> None:
    target = database("at-once")
    team = [clients.open_client(target, 20) for _ in range(6)]
    start = threading.Barrier(len(team))

    def begin(number: int) -> tuple[str, bool]:
        start.wait()
        opened, replaces = store.open_for_writing(
            team[number], "codebase_v1", f"repo-{number}", "model-1", 16, rebuild=False
        )
        return str(opened.id), replaces

    with ThreadPoolExecutor(len(team)) as pool:
        found = list(pool.map(begin, range(len(team))))
    made = team[0].get_collection("codebase_v1", embedding_function=None)
    assert found == [(str(made.id), False)] * len(team)
    assert made.metadata == store.identity("codebase_v1", "model-1", 16)
    for client in team:
        clients.close(client)


def test_a_database_that_does_not_exist(server: ChromaServer) -> None:
    target = Target("http", url=server.url, database="nowhere")
    with pytest.raises(ConfigurationError) as caught, ChromaReader(target):
        pass
    assert str(caught.value) == (
        f"the server {server.url} (nowhere) has no such tenant or database:"
        " check chroma.tenant and chroma.database"
    )


def test_a_server_of_another_kind(server: ChromaServer) -> None:
    target = Target("http", url=f"{server.url}/elsewhere")
    with pytest.raises(Unavailable) as caught, ChromaReader(target):
        pass
    assert str(caught.value).startswith(f"the server {server.url}/elsewhere does not answer")


def test_the_cloud_client(server: ChromaServer, tmp_path: Path) -> None:
    # The hosted service cannot be reached from a test: its client is pointed at a local server.
    target = Target("cloud", url=server.url, api_key=SECRET, keeps_documents=True)
    place = Place(target, tmp_path / "state", Rows(files_of(3), repo_id="clouded"))
    assert place.mirror() == Outcome(15, 0, 15)
    with ChromaReader(target) as reader:
        found = reader.get("codebase_v1", where={"repo_id": "clouded"}, include=("documents",))
        texts = {record["document"] for record in found}
    assert texts == set(place.rows.texts().values())
    wrong = replace(target, database="nowhere")
    with pytest.raises(ConfigurationError) as refused, ChromaReader(wrong):
        pass
    assert str(refused.value) == (
        f"Chroma Cloud at {server.url} (nowhere) has no such tenant or database:"
        " check chroma.tenant and chroma.database"
    )
    dead = replace(target, url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable) as caught, ChromaReader(dead):
        pass
    assert SECRET not in str(caught.value)


@contextmanager
def closing(target: Target) -> Iterator[Any]:
    client = clients.open_client(target, 20)
    try:
        yield client
    finally:
        clients.close(client)


def test_a_collection_that_takes_no_more_marks(
    database: Callable[[str], Target], tmp_path: Path
) -> None:
    target = database("crowded")
    first = Place(target, tmp_path / "first", Rows(files_of(1), repo_id="repo-a"))
    assert first.mirror() == Outcome(5, 0, 5)
    with closing(target) as client:
        collection = client.get_collection("codebase_v1", embedding_function=None)
        crowd = {f"mirror:repo-{n}": "t" for n in range(11)}
        collection.modify(metadata={**collection.metadata, **crowd})
    with NarrowProxy(target.url, largest=10**9, keys=16) as proxy:
        narrow = replace(target, url=proxy.url)
        rows = Rows(files_of(3), repo_id="repo-b")
        here = Place(narrow, tmp_path / "here", rows)
        assert here.mirror() == Outcome(15, 0, 15)
        assert_equal(rows, target)
        rows.edit("c1", "src/module_0.py", f0="changed")
        assert here.mirror() == Outcome(5, 0, 15)
        # What it has left there is found again, and what somebody else has left is, too.
        assert rows.asked[-1] == ["src/module_0.py"]
        clone = Place(narrow, tmp_path / "clone", Rows(files_of(2), repo_id="repo-b"))
        assert clone.mirror() == Outcome(5, 5, 10)
        rows.edit("c2", "src/module_1.py", f1="changed")
        assert here.mirror().rows == 15
        assert_equal(rows, target)
    assert set(proxy.refused) == {422}
    with ChromaReader(target) as reader:
        assert recorded(reader) == []
    # With room again it stands with the others, and nothing of it beside them.
    with closing(target) as client:
        collection = client.get_collection("codebase_v1", embedding_function=None)
        listed = client.get_collection("skillmesh_repositories", embedding_function=None)
        assert listed.count() == 1
        wide = replace(here, target=target, state_dir=tmp_path / "wide")
        assert wide.mirror() == Outcome(0, 0, 15)
        assert listed.count() == 0
        fresh = client.get_collection("codebase_v1", embedding_function=None)
        assert fresh.metadata.keys() == collection.metadata.keys() | {"mirror:repo-b"}
    assert_equal(first.rows, target)
