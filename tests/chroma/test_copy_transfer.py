"""One collection on its way between two real stores: whole, resumed, merged, refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma import own_store, store
from git_skillmesh.chroma.moving import ends, patience, process, records, transfer
from git_skillmesh.chroma.moving.ends import End
from git_skillmesh.chroma.moving.transfer import Existing
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, Unavailable, UsageError
from testing.chroma_server import ChromaServer
from testing.moving import add, content, filled, opened, vector_of
from testing.narrow_proxy import NarrowProxy

NAMES = ["codebase_v1", "notes", "void"]
SECRET = "s3cret-value"  # noqa: S105


@pytest.fixture(scope="module")
def source(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[End]:
    """A folder that no test changes."""
    folder = tmp_path_factory.mktemp("source") / "chroma"
    with opened(Target("persistent", path=folder)) as end:
        filled(end)
        yield end


@pytest.fixture
def there(tmp_path: Path) -> Iterator[End]:
    with opened(Target("persistent", path=tmp_path / "there")) as end:
        yield end


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "MOST_RECORDS", 20)
    monkeypatch.setattr(ends, "SERVER_MOST", 10)


def copied(
    source: End,
    there: End,
    name: str,
    repos: list[str] | None = None,
    existing: Existing = "refuse",
) -> dict[str, Any]:
    *_, last = transfer.transfer(source, there, name, repos or [], existing)
    found: dict[str, Any] = last["result"]
    return found


def names(end: End) -> list[str]:
    return sorted(one.name for one in end.client.list_collections())


def test_everything_is_kept_there_and_back(
    source: End, database: Callable[[str], Target], there: End
) -> None:
    with opened(database("whole")) as server:
        done = [copied(source, server, name) for name in NAMES]
        assert [(one["rows"], one["written"], one["notes"]) for one in done] == [
            (25, 25, []), (11, 11, []), (0, 0, []),
        ]  # fmt: skip
        for name in NAMES:
            assert content(server, name) == content(source, name)
        assert content(source, "notes")["index"]["ef_construction"] == 77
        assert content(source, "void")["function"] == "default"
        for name in NAMES:
            back = copied(server, there, name)
            assert back["digest"] == copied(source, there, name)["digest"]
            assert content(there, name) == content(source, name)
    assert names(there) == NAMES
    collection, original = there.find("notes"), source.find("notes")
    assert collection is not None
    assert original is not None
    hnsw = ends.hnsw_of(collection)
    assert hnsw == ends.hnsw_of(original)
    assert (hnsw["num_threads"], hnsw["batch_size"]) == (1, 50), "what Chroma's own list leaves out"


def test_the_second_copy_writes_nothing(source: End, there: End) -> None:
    first, again = (copied(source, there, "notes") for _ in range(2))
    assert (first["written"], again["written"]) == (11, 0)
    assert first["digest"] == again["digest"]
    assert (again["rows"], again["documents"], again["searched"]) == (11, 9, 11)


@pytest.mark.usefixtures("small_pages")
def test_cut_off_anywhere_it_goes_on(source: End, there: End) -> None:
    expected = content(source, "codebase_v1")
    whole = sum(1 for _ in transfer.transfer(source, there, "codebase_v1", [], "refuse"))
    for steps in range(whole - 1):
        there.client.delete_collection("codebase_v1")
        work = transfer.transfer(source, there, "codebase_v1", [], "refuse")
        for _ in range(steps):
            next(work)
        del work
        assert "codebase_v1" not in names(there), "nobody sees half of it"
        if steps:
            assert len(names(there)) == 1
            [planned] = transfer.plan(source, there, ["codebase_v1"], [])
            assert planned.state == "unfinished"
        done = copied(source, there, "codebase_v1")
        assert (done["rows"], done["searched"]) == (25, 25)
        assert names(there) == ["codebase_v1"]
        assert content(there, "codebase_v1") == expected


@pytest.mark.usefixtures("small_pages")
def test_a_source_that_changes_meanwhile(tmp_path: Path, there: End) -> None:
    with opened(Target("persistent", path=tmp_path / "lively")) as lively:
        notes = lively.client.create_collection("notes", embedding_function=None)
        add(notes, range(20), 3)
        for number, _ in enumerate(transfer.transfer(lively, there, "notes", [], "refuse")):
            if number == 0:  # one that was copied goes and one changes, one is new
                notes.delete(ids=["id-0"])
                notes.update(ids=["id-1"], metadatas=[{"n": -1, "more": "x"}])
                add(notes, range(30, 31), 3)
        assert content(there, "notes") == content(lively, "notes")
        assert len(content(there, "notes")["rows"]) == 20
        assert "id-0" not in content(there, "notes")["rows"]

        add(notes, range(40, 46), 3)

        def restless() -> None:
            for number, _ in enumerate(transfer.transfer(lively, there, "notes", [], "replace")):
                notes.update(ids=["id-45"], metadatas=[{"n": number}])

        with pytest.raises(Unavailable) as told:
            restless()
        assert str(told.value).startswith("notes keeps changing while it is copied: stop ")


def test_beginnings_can_be_thrown_away(source: End, there: End) -> None:
    next(transfer.transfer(source, there, "notes", [], "refuse"))
    there.client.create_collection("mine__copy_x", embedding_function=None)
    assert [name for name in names(there) if own_store.is_own(name)] == ["mine__copy_x"]
    keeper = process.Keeper()
    keeper.client, keeper.target = there.client, there.target
    [begun] = keeper.do_discard()["deleted"]
    assert begun.startswith("notes__copy_")
    assert names(there) == ["mine__copy_x"]


def test_rows_of_a_repository(source: End, there: End) -> None:
    done = copied(source, there, "codebase_v1", ["repo-b"])
    assert (done["rows"], done["written"]) == (5, 5)
    held = content(there, "codebase_v1")
    assert {row[1]["repo_id"] for row in held["rows"].values()} == {"repo-b"}
    claims = {key for key in held["metadata"] if key.endswith(":repo-a")}
    assert claims == set(), "they would speak of rows that are not there"
    assert held["metadata"]["mirror:repo-b"] == "t2"
    # Another repository's rows come beside them, a user's own collection comes whole.
    assert copied(source, there, "codebase_v1", ["repo-a"])["written"] == 20
    assert held["rows"].items() <= content(there, "codebase_v1")["rows"].items()
    assert copied(source, there, "notes", ["repo-a"])["rows"] == 11
    with pytest.raises(UsageError) as unknown:
        transfer.plan(source, None, ["notes", "x\x1b[31m"], [])
    assert str(unknown.value) == (
        f"there is no collection 'x\\x1b[31m' in {source.target.describe()}: "
        "there are: codebase_v1, notes, void"
    )
    planned = transfer.plan(source, None, [], ["repo-a", "repo-b"])
    assert [(one.name, one.rows, one.state) for one in planned] == [
        ("codebase_v1", 25, "new"), ("notes", 11, "new"), ("void", 0, "new"),
    ]  # fmt: skip


def test_rows_that_are_there_with_another_content(source: End, there: End) -> None:
    copied(source, there, "notes")
    notes = there.find("notes")
    assert notes is not None
    notes.update(ids=["id-1", "id-2"], metadatas=[{"mine": 1}, {"mine": 2}])
    notes.update(ids=["id-3"], embeddings=[vector_of(99, 3)])
    notes.delete(ids=["id-4"])
    add(notes, range(50, 52), 3)
    before = content(there, "notes")
    with pytest.raises(UsageError) as refused:
        copied(source, there, "notes")
    assert str(refused.value) == (
        "3 rows of notes have another content there: id-1, id-2, id-3; nothing was changed: "
        "--existing keep or --existing replace"
    )
    assert content(there, "notes") == before
    kept = copied(source, there, "notes", existing="keep")
    assert (kept["written"], kept["kept"], kept["rows"]) == (1, 3, 8)
    assert content(there, "notes")["rows"]["id-1"][1] == {"n": 1, "mine": 1}
    replaced = copied(source, there, "notes", existing="replace")
    assert (replaced["written"], replaced["kept"], replaced["rows"]) == (3, 0, 11)
    held = content(there, "notes")["rows"]
    assert content(source, "notes")["rows"].items() <= held.items()
    assert {"id-50", "id-51"} <= held.keys(), "what the source does not have stays"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (("model-2", 4), "its model_id is model-2, not model-1"),
        (("model-1", 8), "its dimension is 8, not 4"),
    ],
)
def test_a_collection_of_another_kind_is_left_alone(
    source: End, there: End, made: tuple[str, int], why: str
) -> None:
    other = store.create(there.client, "codebase_v1", *made)
    add(other, range(3), made[1])
    before = content(there, "codebase_v1")
    with pytest.raises(ConfigurationError, match=why):
        copied(source, there, "codebase_v1")
    assert content(there, "codebase_v1") == before
    assert names(there) == ["codebase_v1"]
    there.client.create_collection("notes", embedding_function=None)
    [planned] = transfer.plan(source, there, ["notes"], [])
    assert planned.problems == []
    there.client.create_collection("void", metadata={"hnsw:space": "l2"})
    [planned] = transfer.plan(source, there, ["void"], [])
    assert planned.problems == ["its space is l2, not ip"]


def test_a_proxy_that_takes_little_and_wants_patience(
    source: End, database: Callable[[str], Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.01)
    target = database("narrow")
    with (
        NarrowProxy(target.url, largest=600, busy=2) as proxy,
        opened(replace(target, url=proxy.url)) as narrow,
    ):
        done = copied(source, narrow, "codebase_v1")
        assert (done["rows"], done["written"]) == (25, 25)
        assert content(narrow, "codebase_v1")["rows"] == content(source, "codebase_v1")["rows"]
        proxy.largest = 10
        with pytest.raises(Unavailable) as refused:
            copied(source, narrow, "notes")
        assert str(refused.value) == (
            f"the server {proxy.url} (narrow) finds the record 'id-0' too large: "
            "raise its limit, as client_max_body_size of nginx"
        )
    assert proxy.refused[:2] == [429, 429]
    assert set(proxy.refused[2:]) == {413}


def test_what_the_cloud_would_refuse(server: ChromaServer, source: End, tmp_path: Path) -> None:
    # The hosted service cannot be reached from a test: its client is pointed at a local server.
    target = Target("cloud", url=server.url, api_key=SECRET)
    with opened(target) as cloud, opened(Target("persistent", path=tmp_path / "large")) as large:
        notes = large.client.create_collection("cloudy-notes", embedding_function=None)
        add(notes, range(3), 3)
        *_, told = transfer.exceeding(large, ["cloudy-notes"], [])
        assert told == {"excess": []}
        notes.upsert(
            ids=["x" * 129, "y"],
            embeddings=[vector_of(1, 3), vector_of(2, 3)],
            documents=["ü" * 8193, "z"],
            metadatas=[{"k" * 37: "v"}, {"v": "v" * 4097}],
        )
        *_, told = transfer.exceeding(large, ["cloudy-notes"], [])
        assert told["excess"] == [
            ["an id of more than 128 bytes", 1, "x" * 129],
            ["a document of more than 16,384 bytes", 1, "x" * 129],
            ["a key of more than 36 bytes", 1, "x" * 129],
            ["'v' of more than 4,096 bytes", 1, "y"],
        ]
        done = copied(large, cloud, "cloudy-notes")
        assert (done["rows"], done["notes"]) == (
            5, ["its index is of Chroma Cloud's kind: the space is kept"],
        )  # fmt: skip
        assert content(cloud, "cloudy-notes")["rows"] == content(large, "cloudy-notes")["rows"]
        assert cloud.most <= 300 >= cloud.page, "its limit for a request"


def test_large_records_make_small_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PAGE_BYTES", 5000)
    monkeypatch.setattr(records, "_FIRST_PAGE", 2)
    with opened(Target("persistent", path=tmp_path / "large")) as large:
        notes = large.client.create_collection("notes", embedding_function=None)
        sizes = [10, 10, 10, 3000, 3000, 3000, 9000, 10, 10]
        notes.upsert(
            ids=[str(n) for n in range(len(sizes))],
            embeddings=[vector_of(1, 1)] * len(sizes),
            documents=["x" * size for size in sizes],
        )
        found = list(records.pages(notes, None, 100, large.do))
        assert [record.id for page in found for record in page] == list("012345678")
        assert [len(page) for page in found] == [2, 7]
        parts = list(records.batches([r for page in found for r in page], 3, 6100))
        assert [[r.id for r in part] for part in parts] == [
            ["0", "1", "2"], ["3", "4"], ["5"], ["6"], ["7", "8"],
        ]  # fmt: skip


def test_a_vector_that_a_search_does_not_find(source: End, there: End) -> None:
    copied(source, there, "notes")
    notes = there.find("notes")
    assert notes is not None
    known = records.by_ids(notes, ["id-1", "id-2", "bare"], there.do)
    assert records.lost(notes, list(known.values()), "l2", there.do) == []
    notes.delete(ids=["id-1"])
    found = records.lost(notes, list(known.values()), "l2", there.do)
    assert [record.id for record in found] == ["id-1"], "a vector of zeros is near nothing"
