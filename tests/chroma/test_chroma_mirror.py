import ctypes
import dataclasses
import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.chroma.ledger import Ledger
from git_skillmesh.chroma.locking import held
from git_skillmesh.chroma.mirror import Outcome, lag, mirror
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Busy, ReadOnly
from testing.chroma_rows import Files, Place, Rows, assert_equal, files_of, start_mirror, stored


def commits(place: Place) -> dict[str, str]:
    return {
        f"{row['metadata']['file_path']}:{row['metadata']['symbol']}": row["metadata"]["commit_sha"]
        for row in stored(place.target).values()
    }


def times_below(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_only_what_changed_is_written(filled: Place) -> None:
    rows, target, state_dir = filled.rows, filled.target, filled.state_dir
    before = times_below(target.store)
    rows.asked.clear()
    assert filled.mirror() == Outcome(0, 0, 60)
    assert rows.asked == []  # not even the rows were looked at
    assert times_below(target.store) == before

    # One body changes and grows, so that the chunks after it move; one chunk goes, one comes.
    rows.edit("c1", "src/module_3.py", f1="def f1():\n    x = 1\n    return x", f4=None, f9="new")
    rows.commit(
        "c2", {("moved.py" if p == "src/module_5.py" else p): c for p, c in rows.files.items()}
    )
    rows.remove("c3", "src/module_7.py")
    assert lag(rows, target, state_dir) == 4
    rows.asked.clear()
    seen: list[tuple[int, int]] = []
    outcome = mirror(
        rows, target, state_dir, progress=lambda done, total: seen.append((done, total))
    )
    # f0 and f9, f1 to f3 (blob and lines), five under a new name; f4, five under the old, five.
    assert outcome == Outcome(upserted=10, deleted=11, rows=55)
    assert rows.asked == [["moved.py", "src/module_3.py", "src/module_5.py", "src/module_7.py"]]
    assert seen == [(4, 4)]
    assert lag(rows, target, state_dir) == 0
    assert_equal(rows, target)
    # What is known of a chunk beats what is known of its file.
    assert {key: sha for key, sha in commits(filled).items() if "module_3" in key} == {
        "src/module_3.py:f0": "c0",
        "src/module_3.py:f1": "c1",
        "src/module_3.py:f2": "c0",
        "src/module_3.py:f3": "c0",
        "src/module_3.py:f9": "c1",
    }


def test_a_rewritten_commit_is_replaced(filled: Place) -> None:
    # The tree is the same, so nothing else would be looked at.
    filled.rows.reachable = {"c0-amended"}
    filled.rows.commits = dict.fromkeys(filled.rows.commits, "c0-amended")
    assert filled.mirror() == Outcome(upserted=60, deleted=0, rows=60)
    assert set(commits(filled).values()) == {"c0-amended"}
    assert filled.mirror() == Outcome(0, 0, 60)


def test_a_lost_ledger_is_read_back_from_the_store(filled: Place) -> None:
    for path in filled.state_dir.glob("mirror.db*"):
        path.unlink()
    (filled.state_dir / "mirror.db").write_bytes(b"garbage" * 5000)
    assert lag(filled.rows, filled.target, filled.state_dir) is None
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    outcome = filled.mirror()
    assert outcome == Outcome(upserted=5, deleted=0, rows=60)
    found = commits(filled)
    assert (found["src/module_1.py:f0"], found["src/module_1.py:f1"]) == ("c1", "c0")


def test_another_copy_of_the_store_is_noticed(filled: Place) -> None:
    # A restored backup or another clone's mirror: the token that the last run left is not there.
    other = {"symbol": "other", "row_hash": "0" * 32}
    with filled.tampering() as collection:
        (changed,) = collection.get(where={"symbol": "f1"}, limit=1)["ids"]
        collection.update(ids=[changed], metadatas=[other])
        collection.modify(metadata={**collection.metadata, "mirror:repo-a": "another"})
    filled.rows.edit("c2", "src/module_11.py", f0="changed")
    assert filled.mirror() == Outcome(upserted=6, deleted=0, rows=60)
    assert_equal(filled.rows, filled.target)


def test_a_stranger_s_deletion_is_noticed_by_the_count(filled: Place) -> None:
    with filled.tampering() as collection:
        collection.delete(ids=collection.get(limit=7)["ids"])
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    outcome = filled.mirror()
    assert outcome.rows == 60
    assert outcome.upserted >= 7
    assert_equal(filled.rows, filled.target)


def test_documents_come_and_go_with_the_setting_and_a_path_that_is_no_text(filled: Place) -> None:
    path = b"src/caf\xe9.py".decode("utf-8", "surrogateescape")
    filled.target = dataclasses.replace(filled.target, keeps_documents=True)
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    filled.rows.edit("c2", path, f="def f(): ...")
    assert filled.mirror() == Outcome(6, 0, 61)
    assert "src/caf\\udce9.py:f" in commits(filled)
    documents = {
        row["metadata"]["symbol"]: row["document"]
        for row in stored(filled.target).values()
        if row["metadata"]["file_path"] == "src/module_1.py"
    }
    assert documents == filled.rows.files["src/module_1.py"]
    filled.target = dataclasses.replace(filled.target, keeps_documents=False)
    filled.rows.edit("c3", "src/module_1.py", f0="changed again")
    filled.rows.remove("c4", path)
    assert filled.mirror() == Outcome(5, 1, 60)
    assert {row["document"] for row in stored(filled.target).values()} == {None}


def test_two_mirrors_at_once(filled: Place) -> None:
    with (
        held(filled.state_dir / "mirror.lock", False, 0, Busy("")),
        pytest.raises(Busy) as caught,
    ):
        filled.mirror()
    assert str(caught.value) == ("another mirror of this repository is at work: try again later")
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    started = [start_mirror(filled) for _ in range(2)]
    told = [process.communicate(timeout=60) for process in started]
    assert (b"[5, 0, 60]", b"") in told
    assert_equal(filled.rows, filled.target)
    assert filled.mirror() == Outcome(0, 0, 60)


def test_four_repositories_write_in_turn_into_one_folder(tmp_path: Path) -> None:
    # Records of writers that did not exit before the next one started were lost to the search.
    target = Target("persistent", path=tmp_path / "shared" / "chroma")
    places = [
        Place(target, tmp_path / name, Rows(files_of(60), repo_id=name))
        for name in ("a", "b", "c", "d")
    ]
    running = [start_mirror(place) for place in places]
    answers = [process.communicate(timeout=120) for process in running]
    for number, place in enumerate(places):
        # On a slow machine the turn of the last ones comes later than they wait for it.
        while answers[number][1].startswith(b"Busy: "):
            answers[number] = start_mirror(place).communicate(timeout=120)
    assert answers == [(b"[300, 0, 300]", b"")] * 4
    assert len(stored(target)) == 1200
    for place in places:
        assert_equal(place.rows, target)


@pytest.mark.usefixtures("cold_start")  # whoever is killed is to be the process itself
def test_kill_minus_nine_with_batches_in_flight(tmp_path: Path) -> None:
    chance = random.Random(7)
    state_dir = tmp_path / "state"
    place = Place(Target("persistent", path=state_dir / "chroma"), state_dir, Rows(files_of(240)))
    codes = []
    for sent, whom in ((1, "writer"), (550, "parent"), (1050, "both")):
        process = start_mirror(place)
        _wait_until_sent(state_dir / "mirror.db", sent, process)
        time.sleep(chance.uniform(0, 0.2))
        children = _children(process.pid)
        victims = {"writer": children, "parent": [process.pid], "both": [process.pid, *children]}
        for victim in victims[whom]:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        process.communicate(timeout=60)
        codes.append(process.returncode)
        place.rows.edit(f"k{sent}", f"src/module_{len(codes)}.py", f0=f"changed {sent}", f1=None)
    assert codes == [1, -signal.SIGKILL, -signal.SIGKILL]
    outcome = place.mirror()
    assert outcome.rows == 1197
    assert outcome.upserted < 900  # what was acknowledged is not written again
    assert place.mirror() == Outcome(0, 0, 1197)
    assert_equal(place.rows, place.target)


def _wait_until_sent(ledger: Path, rows: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the ledger says that so many rows were sent."""
    while process.poll() is None:
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(ledger)) as db:
            if db.execute("SELECT count(*) FROM row").fetchone()[0] >= rows:
                return
        time.sleep(0.01)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in listed.read_text().split()]
    except OSError:
        return []


def _without_the_powers_of_root() -> None:
    """Let file modes hold for root too: drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(24, capability, 0, 0, 0)


def test_places_that_cannot_be_written(filled: Place, tmp_path: Path) -> None:
    told = []
    filled.rows.edit("c1", "src/module_0.py", f0="changed")
    for closed in (filled.target.store, filled.state_dir):
        closed.chmod(0o555)
        process = start_mirror(filled, _without_the_powers_of_root)
        told.append(process.communicate(timeout=60)[1].decode())
        closed.chmod(0o755)
    assert told == [
        f"ReadOnly: cannot write {filled.target.store}\n",
        f"ReadOnly: cannot write {filled.state_dir / 'mirror.db'}:"
        " attempt to write a readonly database\n",
    ]
    (tmp_path / "file").touch()
    filled.target = Target("persistent", path=tmp_path / "file" / "chroma")
    with pytest.raises(ReadOnly):
        filled.mirror()


_TEXTS = st.sampled_from(["", "a", "a\nb", "other", "more\nthan\nthat"])
_FILES: st.SearchStrategy[Files] = st.dictionaries(
    st.sampled_from(["a.py", "b.py", "dir/c.py", "d"]),
    st.dictionaries(st.sampled_from(["f", "g", "h"]), _TEXTS, max_size=3),
    max_size=4,
)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(history=st.lists(_FILES, min_size=2, max_size=3))
def test_the_store_equals_the_source_after_any_history(
    tmp_path_factory: pytest.TempPathFactory, history: list[Files]
) -> None:
    state_dir = tmp_path_factory.mktemp("history")
    place = Place(Target("persistent", path=state_dir / "chroma"), state_dir, Rows())
    for n, files in enumerate(history):
        place.rows.commit(f"c{n}", files)
        place.mirror()
        assert_equal(place.rows, place.target)
        with Ledger(state_dir) as ledger:
            record = ledger.find(place.target.fingerprint, "repo-a", "codebase_v1")
            assert record is not None
            assert sorted(ledger.ids(record.id)) == sorted(place.rows.texts())
