"""The load of a team in short: three clients at once, and every row looked at."""

from pathlib import Path

import numpy as np

from benchmarks.team_load import make_clients, verify, work_together
from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.target import Target
from testing.chroma_server import ChromaServer
from testing.repos import Repo


def command(repo: Repo, words: tuple[str, ...]) -> tuple[int, float]:
    return repo.skillmesh(*words).returncode, 0.0


def test_three_clients_on_one_server(tmp_path: Path) -> None:
    server = ChromaServer(tmp_path / "chroma")
    server.start()
    try:
        team = make_clients(tmp_path, 3, 3, command)
        for one in team:
            one.prepare(server)
        work_together(team, server, seconds=0, pause=0, searches=3)
        assert [one.errors for one in team] == [[], [], []]
        # On a busy machine a server may be too slow for a run; what is behind catches up.
        assert [len(one.arrived) + len(one.caught_up) for one in team] == [1, 1, 1]
        assert verify(team, server) == []

        # What the check is worth: a row of another version, one too few, one that nobody has.
        client = clients.open_client(Target("http", url=server.url), 20)
        rows = client.get_collection("codebase_v1", embedding_function=None)
        first, second = rows.get(where={"repo_id": "client-01"}, limit=2, include=[])["ids"]
        rows.update(ids=[first], metadatas=[{"blob_sha": "0" * 40}])
        rows.delete(ids=[second])
        vector = np.full((1, 256), 0.1, dtype=np.float32)
        rows.add(ids=["x"], embeddings=vector, metadatas=[{"repo_id": "nobody"}])
        wrong = verify(team, server)
        assert {line.partition(": ")[0] for line in wrong[:-1]} == {"client-01"}
        assert any(line.endswith(" is of another version") for line in wrong)
        assert any(" rows, " in line and line.endswith(" expected") for line in wrong)
        assert wrong[-1].startswith("the collection has ")
    finally:
        server.stop()
