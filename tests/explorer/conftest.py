"""The parcels' repository, indexed and asked: one for all tests that only read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testing.commands import call
from testing.explorer import Asked
from testing.repos import Repo
from testing.serving import make_story


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    """The repository with its conversations, links, a learning and an index; not to write to."""
    repo = make_story(tmp_path_factory.mktemp("explored"))
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    return repo


@pytest.fixture(scope="session")
def asked(story: Repo) -> Iterator[Asked]:
    """What answers of it."""
    asked = Asked(story.path)
    yield asked
    asked.stores.close()


@pytest.fixture
def stores_of() -> Iterator[Callable[[Path], Asked]]:
    """Return what opens a repository to be asked; closed at the end."""
    opened: list[Asked] = []

    def open_(folder: Path) -> Asked:
        opened.append(Asked(folder))
        return opened[-1]

    yield open_
    for one in opened:
        one.stores.close()
