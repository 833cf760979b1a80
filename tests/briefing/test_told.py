"""What a session was told already."""

from pathlib import Path

from git_skillmesh.briefing.told import FOLDER, Told


def test_keys_are_remembered_by_session(tmp_path: Path) -> None:
    Told(tmp_path, "one").add(["a", "b"])
    Told(tmp_path, "one").add(["b", "c"])
    Told(tmp_path, "other").add(["d"])
    assert Told(tmp_path, "one").keys() == ["a", "b", "c"]
    assert Told(tmp_path, "other").keys() == ["d"]
    Told(tmp_path, "one").forget()
    assert Told(tmp_path, "one").keys() == []


def test_it_stays_small(tmp_path: Path) -> None:
    told = Told(tmp_path, "one")
    told.add([str(number) for number in range(1_000)])
    assert told.keys() == [str(number) for number in range(500, 1_000)]
    for number in range(103):
        Told(tmp_path, f"s{number}").add(["x"])
    assert len(list((tmp_path / FOLDER).iterdir())) == 100


def test_what_cannot_be_read_or_written_is_done_without(tmp_path: Path) -> None:
    told = Told(tmp_path, "one")
    told.add(["a"])
    file = next((tmp_path / FOLDER).iterdir())
    for damaged in (b"", b"{}", b"[1]", b"\xff", b"[" * 9_000):
        file.write_bytes(damaged)
        assert told.keys() == []
    Told(file, "one").add(["a"])  # the folder is a file
    Told(tmp_path, "").add(["a"])
    assert Told(tmp_path, "").keys() == []
