"""A real model with random weights is asked: its garbage is no finding, and no error."""

import json
import threading
from pathlib import Path

import pytest

from git_skillmesh.cli.context import Context
from testing.advising import with_a_change
from testing.commands import call

pytest.importorskip("peft", reason="needs git-skillmesh[train]: run scripts/test-training")
generating = pytest.importorskip("git_skillmesh.training.adapters.generating")
serving = pytest.importorskip("git_skillmesh.training.adapters.serving")
adapters = pytest.importorskip("git_skillmesh.cli.adapters")
trained = pytest.importorskip("testing.trained")


def test_garbage_of_a_tiny_model(tmp_path: Path) -> None:
    repo = with_a_change(tmp_path / "parcels")
    base = trained.random_base(tmp_path / "base")
    opened = adapters.opened(Context(folder=repo.path))
    engine = generating.ModelEngine(*opened, base=str(base), tell=lambda line: None)
    engine.follow()
    server = serving.Server(engine, 0, "")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        asked = ("--endpoint", server.url, "--model", engine.names()[0], "--context", "1200")
        done = call(repo.path, "advise", *asked, "--json")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["advice"] == []
    assert set(document["problems"]) <= {"an answer broke off at the most tokens it may have"}
    assert document["requests"]["answered"] == document["requests"]["asked"] == 1
