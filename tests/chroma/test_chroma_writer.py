"""The writer's process: what it answers, and when it lets go of the store."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from git_skillmesh.chroma.locking import held
from git_skillmesh.chroma.pipe import Writer
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Busy, Unavailable
from testing.chroma_rows import Place, stored


@pytest.mark.usefixtures("cold_start")  # when the process itself lets go is what is tested
def test_the_lock_is_held_until_the_process_is_gone(filled: Place) -> None:
    lock = filled.target.lock_file
    with Writer(filled.target, filled.state_dir) as writer:
        assert lock.read_bytes() == b"writing\n"
        with pytest.raises(Busy), held(lock, True, 0, Busy("")):
            pass
        with pytest.raises(Busy) as caught, Writer(filled.target, filled.state_dir, wait_s=0.1):
            pass
        assert str(caught.value) == (
            f"another process has the Chroma store {filled.target.path} open: try again later"
        )
        os.kill(writer.pid, signal.SIGKILL)
        with pytest.raises(Unavailable) as died:
            writer.ask("probe")
        assert str(died.value) == (
            "the Chroma writer was killed by signal 9: the next run catches up"
        )
    with held(lock, False, 0, Busy("")):
        assert lock.read_bytes() == b"writing\n"


@contextmanager
def strange_environment(folder: Path) -> Iterator[None]:
    """Have variables, and a file in the folder, that Chroma's settings would trip over."""
    (folder / ".env").write_text("CHROMA_SERVER_HTTP_PORT=none\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CHROMA_SERVER_HTTP_PORT", "none")
        patch.setenv("CHROMA_SERVER_HOST", "elsewhere.example.org")
        patch.setenv("MIGRATIONS", "none")
        yield


@pytest.mark.usefixtures("cold_start")  # what chromadb reads when it is loaded
def test_it_writes_exactly_what_it_is_told_whatever_the_environment_says(
    filled: Place, tmp_path: Path
) -> None:
    target = Target("persistent", path=filled.state_dir / "fresh")
    vectors = np.eye(4, dtype="<f4")[:2]

    def wire(chosen: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> str:
        return base64.b64encode(chosen.tobytes()).decode()

    with strange_environment(tmp_path), Writer(target, filled.state_dir) as writer:
        opened = writer.ask(
            "open", name="codebase_v1", repo_id="r", model_id="m", dimension=4, rebuild=False
        )
        assert {k: opened[k] for k in ("name", "staging", "token")} == {
            "name": "codebase_v1",
            "staging": False,
            "token": "",
        }
        rows = [["a", {"repo_id": "r", "x": 1}, "text"], ["b", {"repo_id": "r", "y": 2}, None]]
        reply = writer.ask("write", upsert=rows, vectors=wire(vectors), update=[], delete=[])
        assert reply == {"missing": []}
        # A field and a document that are no longer given go; an update of the unknown is told.
        again = [["a", {"repo_id": "r", "z": True}, None]]
        changes = [["b", {"repo_id": "r", "y": 3}], ["c", {"repo_id": "r"}]]
        reply = writer.ask(
            "write", upsert=again, vectors=wire(vectors[1:]), update=changes, delete=["gone"]
        )
        assert reply == {"missing": ["c"]}
        writer.ask("claim", repo_id="r", token="t")  # noqa: S106
        assert writer.ask("finish", repo_id="r", expected=2) == {
            "rows": 2,
            "token": "t",
            "mark": "",
        }
        page = writer.ask("list", repo_id="r", offset=0)
        assert sorted(page["rows"]) == [["a", "", "", ""], ["b", "", "", ""]]
        assert page["more"] is False
    assert target.lock_file.read_bytes() == b""
    found = stored(target)
    assert {id_: (row["metadata"], row["document"]) for id_, row in found.items()} == {
        "a": ({"repo_id": "r", "z": True}, None),
        "b": ({"repo_id": "r", "y": 3}, None),
    }
    assert np.allclose(found["a"]["embedding"], vectors[1])


def test_a_failure_is_one_line_and_ends_it(filled: Place) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh.chroma.writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate(b'{"op": "nonsense"}\n{"op": "probe"}\n', timeout=30)
    assert process.returncode == 1
    assert err == b""
    (line,) = out.splitlines()
    assert json.loads(line)["error"]["kind"] == "Unavailable"
