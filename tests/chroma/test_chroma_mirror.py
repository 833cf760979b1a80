import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.chroma.ledger import Ledger
from git_skillmesh.chroma.locking import held
from git_skillmesh.chroma.mirror import Outcome, lag, mirror
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Busy
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
    assert outcome == Outcome(upserted=10, deleted=11, rows=54)
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
    rows = filled.rows
    rows.edit("c1", "src/module_0.py", f0="one")
    filled.mirror()
    rows.reachable.remove("c1")
    rows.commits["src/module_0.py"] = "c1-amended"
    rows.reachable.add("c1-amended")
    # The tree is the same, so nothing else would be looked at.
    assert filled.mirror() == Outcome(upserted=1, deleted=0, rows=60)
    found = commits(filled)
    assert (found["src/module_0.py:f0"], found["src/module_0.py:f1"]) == ("c1-amended", "c0")
    assert filled.mirror() == Outcome(0, 0, 60)


@pytest.mark.parametrize("content", [None, b"garbage" * 5000])
def test_a_lost_ledger_is_read_back_from_the_store(filled: Place, content: bytes | None) -> None:
    for path in filled.state_dir.glob("mirror.db*"):
        path.unlink()
    if content:
        (filled.state_dir / "mirror.db").write_bytes(content)
    assert lag(filled.rows, filled.target, filled.state_dir) is None
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    outcome = filled.mirror()
    assert outcome == Outcome(upserted=5, deleted=0, rows=60)
    found = commits(filled)
    assert (found["src/module_1.py:f0"], found["src/module_1.py:f1"]) == ("c1", "c0")


def test_a_removed_store_is_filled_again(filled: Place) -> None:
    filled.target.store.rename(filled.state_dir / "elsewhere")
    assert lag(filled.rows, filled.target, filled.state_dir) is None
    assert filled.mirror() == Outcome(60, 0, 60)
    assert_equal(filled.rows, filled.target)


def test_an_older_copy_of_the_store_is_noticed(filled: Place, template: Place) -> None:
    import shutil

    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    filled.mirror()
    shutil.rmtree(filled.target.store)
    shutil.copytree(template.target.store, filled.target.store)
    filled.rows.edit("c2", "src/module_2.py", f0="changed too")
    assert filled.mirror() == Outcome(upserted=10, deleted=0, rows=60)
    assert_equal(filled.rows, filled.target)


def test_a_stranger_s_deletion_is_noticed_by_the_count(filled: Place) -> None:
    with filled.tampering() as collection:
        collection.delete(ids=collection.get(limit=7)["ids"])
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    outcome = filled.mirror()
    assert outcome.rows == 60
    assert outcome.upserted >= 7
    assert_equal(filled.rows, filled.target)


def test_documents_come_and_go_with_the_setting(filled: Place) -> None:
    filled.target = dataclasses.replace(filled.target, keeps_documents=True)
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    filled.mirror()
    documents = {
        row["metadata"]["symbol"]: row["document"]
        for row in stored(filled.target).values()
        if row["metadata"]["file_path"] == "src/module_1.py"
    }
    assert documents == filled.rows.files["src/module_1.py"]
    filled.target = dataclasses.replace(filled.target, keeps_documents=False)
    filled.rows.edit("c2", "src/module_1.py", f0="changed again")
    filled.mirror()
    assert {row["document"] for row in stored(filled.target).values()} == {None}


def test_two_mirrors_at_once(filled: Place) -> None:
    with (
        held(filled.state_dir / "mirror.lock", False, 0, Busy("")),
        pytest.raises(Busy) as caught,
    ):
        filled.mirror()
    assert str(caught.value) == (
        "another mirror of this repository is at work: it will finish the work"
    )
    filled.rows.edit("c1", "src/module_1.py", f0="changed")
    started = [start_mirror(filled) for _ in range(2)]
    codes = {process.wait(60) for process in started}
    for process in started:
        assert process.stdout is not None
        process.stdout.close()
    assert 0 in codes
    assert_equal(filled.rows, filled.target)


def test_four_repositories_write_in_turn_into_one_folder(tmp_path: Path) -> None:
    # Records of writers that did not exit before the next one started were lost to the search.
    target = Target("persistent", path=tmp_path / "shared" / "chroma")
    places = [
        Place(target, tmp_path / name, Rows(files_of(60), repo_id=name))
        for name in ("a", "b", "c", "d")
    ]
    running = [start_mirror(place) for place in places]
    answers = [process.communicate(timeout=120)[0] for process in running]
    assert answers == [b"[300, 0, 300]"] * 4
    assert len(stored(target)) == 1200
    for place in places:
        assert_equal(place.rows, target)


def test_kill_minus_nine_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    state_dir = tmp_path / "state"
    place = Place(Target("persistent", path=state_dir / "chroma"), state_dir, Rows(files_of(300)))
    finished = 0
    for attempt in range(5):
        process = start_mirror(place)
        assert process.stdout is not None
        with process.stdout:
            _wait_for(place.target.lock_file, process)
            time.sleep(chance.uniform(0.2, 2.0))
            children = _children(process.pid)
            victims = children if attempt % 2 else [process.pid, *children]
            for victim in victims[: 1 if attempt == 4 else None]:
                os.kill(victim, signal.SIGKILL)
            finished += process.wait(60) == 0
        place.rows.edit(f"k{attempt}", f"src/module_{attempt}.py", f0=f"changed {attempt}", f1=None)
    assert finished < 5
    outcome = place.mirror()
    assert outcome.rows == 1495
    assert place.mirror() == Outcome(0, 0, 1495)
    assert_equal(place.rows, place.target)


def _wait_for(lock: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a writer holds the store, or the run is over."""
    while process.poll() is None:
        try:
            with held(lock, True, 0, Busy("")):
                time.sleep(0.02)
        except Busy:
            return


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in listed.read_text().split()]
    except OSError:
        return []


def test_an_undecodable_path(filled: Place) -> None:
    path = b"src/caf\xe9.py".decode("utf-8", "surrogateescape")
    filled.rows.edit("c1", path, f="def f(): ...")
    assert filled.mirror() == Outcome(1, 0, 61)
    assert "src/caf\\udce9.py:f" in commits(filled)
    filled.rows.remove("c2", path)
    assert filled.mirror() == Outcome(0, 1, 60)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    program = (
        "import os, sys; os.setgid(65534); os.setuid(65534)\n"
        "from pathlib import Path\n"
        "from git_skillmesh.chroma.mirror import carry_out, Order\n"
        "from git_skillmesh.chroma.pipe import Writer\n"
        "from git_skillmesh.chroma.target import Target\n"
        "from git_skillmesh.errors import ReadOnly\n"
        "try:\n"
        "    Writer(Target('persistent', path=Path(sys.argv[1])), Path('/')).__enter__()\n"
        "except ReadOnly as error:\n"
        "    print(error)\n"
    )
    (tmp_path / "store").mkdir(mode=0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "store" / "chroma"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = f"cannot write {tmp_path / 'store' / 'chroma.lock'}: Permission denied\n"
    assert (done.stdout, done.stderr) == (told, "")


_TEXTS = st.sampled_from(["", "a", "a\nb", "other", "more\nthan\nthat"])
_FILES: st.SearchStrategy[Files] = st.dictionaries(
    st.sampled_from(["a.py", "b.py", "dir/c.py", "d"]),
    st.dictionaries(st.sampled_from(["f", "g", "h"]), _TEXTS, max_size=3),
    max_size=4,
)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(history=st.lists(_FILES, min_size=2, max_size=4))
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
