"""One repository for all tests of reports: it is only read."""

from pathlib import Path

import pytest

from testing.reported import reported
from testing.repos import Repo


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The repository of which it is known what a report has to say."""
    folder: Path = tmp_path_factory.mktemp("reported")
    return reported(folder)
