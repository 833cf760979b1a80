"""The drill: everything is destroyed, brought back, and answers as before, byte for byte."""

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.footprint import vacuumable
from git_skillmesh.chroma.target import target_of
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import State
from testing.commands import call
from testing.conversations import tell_the_parcels_story
from testing.docs_pages import make_sample
from testing.learnings import files_of, literal
from testing.own_collections import DOCUMENTS, fill, held
from testing.repos import Repo
from testing.thoughts import record_sessions

Held = dict[str, list[dict[str, Any]]]
QUESTIONS = (
    ("query", "--json", "retry", "lost", "scans"),
    ("query", "--json", "--in", "chats", "depots are down"),
    ("query", "--json", "--in", "learnings", "never sleep"),
    ("sessions", "--json"),
    ("log", "--json"),
    ("blame", "--json", "src/parcels/tracking.py"),
    ("why", "--json", "src/parcels/tracking.py:3"),
    ("learnings", "list", "--json"),
    ("think", "sessions", "--json"),
)


@pytest.fixture(autouse=True)
def local_tier_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tiers, in the folder of the repository."""
    monkeypatch.delenv("CHROMA_DB_IMPL", raising=False)


def answers(repo: Repo) -> dict[str, str]:
    said = {}
    for words in QUESTIONS:
        done = call(repo.path, *words)
        assert (done.returncode, done.stderr) == (0, ""), (words, done)
        said[" ".join(words)] = done.stdout
    return said


def test_the_drill(tmp_path: Path) -> None:
    repo = make_sample(tmp_path)
    tell_the_parcels_story(repo)
    repo.commit("learn", files_of(literal("never-sleep", "time.sleep", State.WARN)))
    record_sessions(repo)
    for path, text in files_of(literal("no-print", "print(", State.PROPOSED)).items():
        assert text is not None
        repo.write(path, text)
    fill(repo)
    assert call(repo.path, "index", "--quiet", "--chroma", "off").returncode == 0
    before, documents, refs = answers(repo), held(repo), repo.git("for-each-ref")
    file = tmp_path / "backup.tar"
    assert call(repo.path, "backup", "--quiet", str(file)).stderr == ""
    assert call(tmp_path, "backup", "--verify", "--quiet", str(file)).stderr == ""

    shutil.rmtree(repo.state_dir)
    shutil.rmtree(repo.path / ".skillmesh")
    for name in ("refs/skillmesh/memory", "refs/notes/skillmesh"):
        repo.git("update-ref", "-d", name)
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")
    assert call(repo.path, "sessions").returncode == 1
    assert held(repo) == {}

    done = call(repo.path, "restore", str(file))
    assert (done.returncode, done.stderr) == (0, ""), done
    assert f"  collection   decisions: {len(DOCUMENTS)} documents added\n" in done.stdout
    assert call(repo.path, "index", "--quiet", "--chroma", "wait").returncode == 0
    checked = call(repo.path, "doctor")
    assert (checked.returncode, "BAD" in checked.stdout) == (0, False), checked.stdout
    assert repo.git("for-each-ref") == refs
    assert_alike(held(repo), documents)
    after = answers(repo)
    assert after.keys() == before.keys()
    for question, answer in before.items():
        assert after[question] == answer, question

    again = call(repo.path, "restore", str(file))
    assert (
        f"  collection   decisions: {len(DOCUMENTS)} documents as in the backup\n" in again.stdout
    )
    a_vacuum_gives_back_what_size_says(repo)


def assert_alike(found: Held, wanted: Held) -> None:
    """Chroma brings vectors to length 1 whenever it takes them: their last bit may differ."""
    assert found.keys() == wanted.keys()
    for name, records in wanted.items():
        for one, other in zip(found[name], records, strict=True):
            left, right = (
                np.frombuffer(base64.b64decode(each.pop("vector", "")), "<f4")
                for each in (one, other)
            )
            assert one == other
            assert np.allclose(left, right, atol=1e-6)


def a_vacuum_gives_back_what_size_says(repo: Repo) -> None:
    """With Chroma's own program, on a copy of the store from which half has been deleted."""
    config = load(discover(repo.path))
    target = target_of(config, discover(repo.path))
    assert target is not None
    client = clients.open_client(target, 20)
    client.delete_collection("codebase_v1")
    clients.close(client)
    said = vacuumable(target)
    database = clients.database_of(target)
    before = database.stat().st_size
    program = shutil.which("chroma")
    if program is None:
        return
    subprocess.run(
        [program, "vacuum", "--force", "--path", target.store], capture_output=True, check=True
    )
    assert said <= before - database.stat().st_size <= said + before // 4
