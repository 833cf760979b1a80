"""Which chunk some lines are part of: the id that the index gives it, or nothing."""

import json
from pathlib import Path

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.references import chunk_with
from testing.commands import call
from testing.docs_pages import make_sample
from testing.repos import make_repo


def test_it_is_the_chunk_that_a_query_names(tmp_path: Path) -> None:
    repo = make_sample(tmp_path)
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    said = call(repo.path, "query", "--json", "wait longer after each failure")
    (hit,) = [
        one for one in json.loads(said.stdout)["results"] if one["path"].endswith("tracking.py")
    ]
    repository = discover(repo.path)
    path, line = "src/parcels/tracking.py", "  time.sleep(delay)"
    assert chunk_with(repository, load(repository), path, [line, "x"]) in hit["chunk_ids"]


def test_a_gap_beats_a_wrong_reference(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "def f():\n    return 1\n", "d/x": "1\n"})
    repository = discover(repo.path)
    config = load(repository)
    for path, lines in (
        ("a.py", ["return 2"]),
        ("a.py", ["}"]),
        ("a.py", []),
        ("d", ["return 1"]),
        ("../a.py", ["return 1"]),
        ("no.py", ["return 1"]),
        ("a\ud800.py", ["return 1"]),
        ("a\0.py", ["return 1"]),
    ):
        assert chunk_with(repository, config, path, lines) == ""
    empty = discover(make_repo(tmp_path, "empty").path)
    assert chunk_with(empty, load(empty), "a.py", ["return 1"]) == ""
