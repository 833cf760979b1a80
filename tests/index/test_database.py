"""A disk that is full is no damaged database."""

import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from git_skillmesh.errors import ReadOnly
from git_skillmesh.git.repository import discover
from git_skillmesh.index.database import damage_reported, open_database
from git_skillmesh.sessions.linking.cache import Cache
from git_skillmesh.sessions.linking.cache import damage_reported as damage_of_links_reported
from testing.repos import make_repo


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_damages_nothing(tmp_path: Path) -> None:
    repository = discover(make_repo(tmp_path, files={"a.txt": "1\n"}).path)
    repository.state_dir.mkdir()
    path = tmp_path / "catalogue.db"
    open_database(path, write=True).close()
    Cache(repository).db.close()
    with full_disk():
        with pytest.raises(ReadOnly, match="disk I/O error: is the disk full"):
            open_database(path, write=True)
        with pytest.raises(ReadOnly, match="links cannot be written"):  # noqa: SIM117
            with damage_of_links_reported(repository), closing(Cache(repository).db) as db:
                db.execute("INSERT INTO looked VALUES ('', 0)")
        with closing(open_database(path, write=False)) as db, damage_reported():
            assert db.execute("SELECT count(*) FROM files").fetchone() == (0,)
