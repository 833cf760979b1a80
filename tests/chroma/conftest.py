"""One filled local store that tests copy instead of filling their own, and databases."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.target import Target
from testing.chroma_rows import Place, Rows, files_of
from testing.chroma_server import ChromaServer

FILES = 12


@pytest.fixture(scope="session")
def template(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store that holds 60 rows; never changed."""
    state_dir = tmp_path_factory.mktemp("template") / "state"
    place = Place(Target("persistent", path=state_dir / "chroma"), state_dir, Rows(files_of(FILES)))
    assert place.mirror() == Outcome(upserted=60, deleted=0, rows=60)
    return place


@pytest.fixture
def filled(template: Place, tmp_path: Path) -> Place:
    """A copy of the filled store."""
    state_dir = tmp_path / "state"
    shutil.copytree(template.state_dir, state_dir)
    target = Target("persistent", path=state_dir / "chroma")
    with sqlite3.connect(state_dir / "mirror.db") as ledger:
        ledger.execute("UPDATE mirror SET target=?", (target.fingerprint,))
    ledger.close()
    return Place(target, state_dir, Rows(files_of(FILES)))


@pytest.fixture
def database(server: ChromaServer, tmp_path: Path) -> Callable[[str], Target]:
    """Make a database on the server and return the target for it."""

    def make(name: str) -> Target:
        import chromadb
        from chromadb.config import DEFAULT_TENANT, Settings

        settings = Settings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host="127.0.0.1",
            chroma_server_http_port=server.port,
            anonymized_telemetry=False,
        )
        chromadb.AdminClient(settings).create_database(name, DEFAULT_TENANT)
        return Target("http", url=server.url, database=name, keeps_documents=True)

    return make
