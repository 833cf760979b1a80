"""Events written by many at once, taken out while they write, cut off, switched off."""

import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_skillmesh.monitoring import journal as journal_module
from git_skillmesh.monitoring.journal import MOST_BYTES, Journal, Key, fold, read_journal
from git_skillmesh.monitoring.record import EVENTS, FOLDER, FULL_BYTES, record

OK = Key("query", "command", "ok")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "skillmesh"
    made.mkdir()
    return made


@pytest.fixture
def sure() -> Iterator[list[int]]:
    """Processes that are waited for, whatever happens."""
    started: list[int] = []
    yield started
    for process in started:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def child(work: Callable[[], None]) -> int:
    process = os.fork()
    if not process:
        try:
            work()
        finally:
            os._exit(0)
    return process


def counts(state: Path) -> dict[str, int]:
    return {" ".join(key): tally.count for key, tally in read_journal(state).ever.items()}


def test_what_is_recorded_is_read(state: Path) -> None:
    record(state, "query", "command", "ok", 0.25)
    record(state, "hook", "post-commit", "ok")
    found = read_journal(state)
    assert counts(state) == {"hook post-commit ok": 1, "query command ok": 1}
    assert found.ever[OK].total == 250_000
    assert list(found.days) == sorted({journal_module.day_of(found.began / 1000)})
    mode = (state / FOLDER / EVENTS).stat().st_mode & 0o777, (state / FOLDER).stat().st_mode & 0o777
    assert mode == (0o600, 0o700)


def test_nothing_is_written_where_there_is_no_state_folder(tmp_path: Path) -> None:
    record(tmp_path / "none", "query", "command", "ok", 0.1)
    assert list(tmp_path.iterdir()) == []
    assert read_journal(tmp_path / "none") == Journal()


def test_the_environment_and_the_file_switch_it_off(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLMESH_MONITORING", "Off")
    record(state, "query", "command", "ok", 0.1)
    assert not (state / FOLDER).exists()
    monkeypatch.delenv("SKILLMESH_MONITORING")
    (state / FOLDER).mkdir()
    (state / FOLDER / "off").touch()
    record(state, "query", "command", "ok", 0.1)
    assert counts(state) == {}


def test_a_link_is_not_followed_and_a_pipe_not_waited_for(state: Path, tmp_path: Path) -> None:
    (state / FOLDER).mkdir()
    (state / FOLDER / EVENTS).symlink_to(tmp_path / "elsewhere")
    record(state, "query", "command", "ok", 0.1)
    (state / FOLDER / EVENTS).unlink()
    os.mkfifo(state / FOLDER / EVENTS)
    record(state, "query", "command", "ok", 0.1)
    assert not (tmp_path / "elsewhere").exists()
    assert counts(state) == {}


def test_a_file_where_the_folder_should_be_is_nobodys_trouble(state: Path) -> None:
    (state / FOLDER).touch()
    record(state, "query", "command", "ok", 0.1)
    assert (counts(state), fold(state, 0)) == ({}, False)


def test_lines_that_were_cut_off_or_are_none_of_ours_are_left_out(state: Path) -> None:
    record(state, "query", "command", "ok", 0.1)
    path = state / FOLDER / EVENTS
    whole = path.read_bytes().strip()
    lines = [
        whole[:-2],  # without the point: the duration may be cut off
        whole.replace(b" ok ", b" ../x "),
        whole.replace(b"1 ", b"2 ", 1),
        b"1 99999999999999 query command ok 5 .",  # of the far future
        b"\xff\0\xfe", b"",
    ]  # fmt: skip
    path.write_bytes(path.read_bytes() + b"\n".join(lines) + b"\n")
    record(state, "query", "command", "ok", 0.1)
    assert counts(state) == {"query command ok": 2}


def test_a_disk_that_is_full_costs_one_line(state: Path) -> None:
    """The limit of a process cuts a write as a full disk does."""
    record(state, "query", "command", "ok", 0.1)
    path = state / FOLDER / EVENTS

    def cut_off() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20,) * 2)
        record(state, "query", "command", "ok", 0.1)

    os.waitpid(child(cut_off), 0)
    assert not path.read_bytes().endswith(b".\n")
    record(state, "query", "command", "ok", 0.1)
    assert counts(state) == {"query command ok": 2}


def test_many_write_while_others_take_out(state: Path, sure: list[int]) -> None:
    def write() -> None:
        for _ in range(250):
            record(state, "hook", "agent", "ok", 0.02)

    writers = [child(write) for _ in range(4)]
    sure += writers
    folded = 0
    while writers:
        folded += fold(state, 0)
        done, _ = os.waitpid(-1, os.WNOHANG)
        if done in writers:
            writers.remove(done)
            sure.remove(done)
    assert counts(state) == {"hook agent ok": 1_000}
    assert folded > 1


def test_what_was_folded_reads_the_same(state: Path) -> None:
    for number in range(50):
        record(state, "check", "pre-commit", "ok", number / 1000)
    before = read_journal(state)
    assert fold(state, 0)
    assert not (state / FOLDER / EVENTS).exists()
    assert read_journal(state) == before


def test_killed_before_the_lines_were_deleted_counts_nothing_twice(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "query", "command", "ok", 0.1)
    unlink = Path.unlink

    def killed(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".taken":
            raise OSError("killed")
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        assert not fold(state, 0)
    assert (state / FOLDER / "days.json").exists()
    assert len(list((state / FOLDER).glob("*.taken"))) == 1
    assert counts(state) == {"query command ok": 1}
    record(state, "query", "command", "ok", 0.1)
    assert fold(state, 0)
    assert counts(state) == {"query command ok": 2}
    assert list((state / FOLDER).glob("*.taken")) == []


def test_killed_before_the_sums_were_written_loses_nothing(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "query", "command", "ok", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("killed")))
        assert not fold(state, 0)
    assert counts(state) == {"query command ok": 1}
    assert fold(state, 0)
    assert counts(state) == {"query command ok": 1}


def test_sums_that_cannot_be_read_are_none(state: Path) -> None:
    record(state, "query", "command", "ok", 0.1)
    days = state / FOLDER / "days.json"
    for broken in (b"{", b"[]", b'{"schema": 9}', b'{"schema": 1, "days": {"x": {"a": 1}}}'):
        days.write_bytes(broken)
        assert counts(state) == {"query command ok": 1}


def test_sums_that_cannot_be_read_now_or_by_us_are_not_written_anew(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "query", "command", "ok", 0.1)
    assert fold(state, 0)
    days = state / FOLDER / "days.json"
    whole, read = days.read_bytes(), Path.read_bytes
    record(state, "query", "command", "ok", 0.1)

    def fails(path: Path) -> bytes:
        if path == days:
            raise OSError(5, "Input/output error")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fails)
        assert not fold(state, 0)
        assert counts(state) == {"query command ok": 1}
    assert days.read_bytes() == whole
    assert counts(state) == {"query command ok": 2}
    days.write_bytes(b'{"schema": 9, "more": "than we know"}')
    assert not fold(state, 0)
    assert days.read_bytes() == b'{"schema": 9, "more": "than we know"}'
    assert sorted(path.name for path in (state / FOLDER).iterdir()) == [
        "days.json", EVENTS, "lock",
    ]  # fmt: skip


def test_a_buffer_that_nobody_empties_stops_growing(state: Path) -> None:
    record(state, "query", "command", "ok", 0.1)
    path = state / FOLDER / EVENTS
    with path.open("ab") as stream:
        stream.write(b"\n" * FULL_BYTES)
    size = path.stat().st_size
    record(state, "query", "command", "ok", 0.1)
    assert path.stat().st_size == size < MOST_BYTES


def test_sums_stay_small_however_much_is_told_apart(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "DAYS_BYTES", 20_000)
    monkeypatch.setattr(journal_module, "_MOST_OF_A_DAY", 20)
    for number in range(300):
        record(state, "finding", f"learning-{number}", "fired")
    assert fold(state, 0)
    path = state / FOLDER / "days.json"
    document = json.loads(path.read_bytes())
    (today,) = document["days"].values()
    assert len(today) == 21
    assert today["finding other fired"][0] == 280
    monkeypatch.setattr(journal_module, "DAYS_BYTES", 12_000)
    record(state, "query", "command", "ok", 0.1)
    assert fold(state, 0)
    assert json.loads(path.read_bytes())["days"] == {}
    assert sum(counts(state).values()) == 301


def test_only_so_many_days_are_kept(state: Path) -> None:
    (state / FOLDER).mkdir()
    path = state / FOLDER / EVENTS
    day = 86_400_000
    lines = (b"1 %d query command ok 5 .\n" % (1_700_000_000_000 + n * day) for n in range(450))
    path.write_bytes(b"".join(lines))
    assert fold(state, 0)
    journal = read_journal(state)
    assert (len(journal.days), min(journal.days)) == (400, "2024-01-03")
    assert journal.ever[OK].count == 450
    assert journal.began == 1_700_000_000_000
