"""Locks between real processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from git_skillmesh.errors import Busy, ReadOnly
from git_skillmesh.index.locks import exclusive

_HOLD = """
import sys
from pathlib import Path
from git_skillmesh.index.locks import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "a.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_held_lock_is_busy_at_once(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    with pytest.raises(Busy) as error, exclusive(tmp_path / "a.lock"):
        pass
    assert str(error.value) == "another process is writing the index: try again in a moment"
    holder.kill()
    holder.wait()


def test_a_killed_holder_lets_go(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    with exclusive(tmp_path / "a.lock", wait_seconds=10):
        taken = True
    assert taken
    holder.wait()


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "a.lock"):
        raise ZeroDivisionError
    with exclusive(tmp_path / "a.lock"), pytest.raises(Busy), exclusive(tmp_path / "a.lock"):
        pass


def test_a_place_that_cannot_be_written_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReadOnly), exclusive(tmp_path / "file" / "a.lock"):
        pass
