"""The parcels' repository, served: one for all tests that only read."""

import shutil
from pathlib import Path

import pytest

from testing.repos import Repo
from testing.serving import Served, make_story


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    """The repository with its conversations, notes and a learning; nothing may write to it."""
    return make_story(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="session")
def served(story: Repo) -> Served:
    """Its server."""
    return Served(story.path)


@pytest.fixture
def own(story: Repo, tmp_path: Path) -> Repo:
    """A copy to write to."""
    shutil.copytree(story.path, tmp_path / "own")
    return Repo(tmp_path / "own")
