import os
import subprocess
import sys
import threading
import time

import pytest

from git_skillmesh.chroma.locking import acquire_in_turn, held
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Busy, Unavailable
from testing.chroma_rows import Place, vector_of


def test_count_query_and_get(filled: Place) -> None:
    text = filled.rows.files["src/module_4.py"]["f2"]
    where = {"file_path": "src/module_4.py"}
    with ChromaReader(filled.target) as reader:
        assert reader.count("codebase_v1", "repo-a") == 60
        assert reader.count("codebase_v1", "repo-b") == 0
        hits = reader.query("codebase_v1", vector_of(text, "model-1", 16), 3, where, "model-1")
        got = list(reader.get("codebase_v1", where=where, include=("metadatas", "documents")))
        one = list(reader.get("codebase_v1", ids=[hits[0][0], "unknown"], include=()))
        assert list(reader.get("codebase_v1", ids=[])) == []
    assert hits[0][2]["symbol"] == "f2"
    assert abs(hits[0][1]) < 1e-5
    assert [hit[1] for hit in hits] == sorted(hit[1] for hit in hits)
    assert {record["metadata"]["symbol"] for record in got} == {f"f{n}" for n in range(5)}
    assert {record["document"] for record in got} == {None}
    assert one == [{"id": hits[0][0]}]


def test_pages(filled: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("git_skillmesh.chroma.pages.MOST", 7)
    with ChromaReader(filled.target) as reader:
        everything = [record["id"] for record in reader.get("codebase_v1", include=())]
        by_id = [r["id"] for r in reader.get("codebase_v1", ids=everything, include=())]
        assert reader.count("codebase_v1", "repo-a") == 60
    assert sorted(everything) == sorted(by_id) == sorted(filled.rows.texts())


def test_no_store_no_collection(filled: Place) -> None:
    nowhere = Target("persistent", path=filled.state_dir / "nowhere")
    with pytest.raises(Unavailable) as caught, ChromaReader(nowhere):
        pass
    assert str(caught.value) == f"there is no Chroma store in {nowhere.path}: git skillmesh index"
    assert not nowhere.store.exists()
    with ChromaReader(filled.target) as reader, pytest.raises(Unavailable) as caught:
        reader.count("chat_history_v1", "repo-a")
    assert str(caught.value) == (
        f"there is no collection chat_history_v1 in the folder {filled.target.path}:"
        " git skillmesh index"
    )


def test_a_writer_at_work_is_waited_for_briefly(filled: Place) -> None:
    started = time.monotonic()
    with (
        held(filled.target.lock_file, False, 0, Busy("")),
        pytest.raises(Busy) as caught,
        ChromaReader(filled.target, 0.1),
    ):
        pass
    assert time.monotonic() - started < 1
    assert str(caught.value) == "the Chroma store is being written: try again in a moment"


def test_readers_share_but_not_after_a_writer_was_killed(filled: Place) -> None:
    with ChromaReader(filled.target), held(filled.target.lock_file, True, 0, Busy("")):
        pass
    filled.target.lock_file.write_text("writing\n")
    with (
        ChromaReader(filled.target),
        pytest.raises(Busy),
        held(filled.target.lock_file, True, 0, Busy("")),
    ):
        pass


def test_readers_do_not_starve_a_writer(filled: Place) -> None:
    lock, over = filled.target.lock_file, threading.Event()

    def read() -> None:
        while not over.is_set():
            descriptor = acquire_in_turn(lock, True, 10, Busy("a reader"))
            over.wait(0.05)
            os.close(descriptor)

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(5):
            os.close(acquire_in_turn(lock, False, 5, Busy("a writer")))
    finally:
        over.set()
        for reader in readers:
            reader.join()


def test_the_light_half_imports_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "import git_skillmesh.chroma.mirror, git_skillmesh.chroma.doctor\n"
        "import git_skillmesh.chroma.reader, git_skillmesh.chroma.collections\n"
        "print(sorted({'chromadb', 'numpy', 'httpx', 'tenacity', 'pydantic'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
