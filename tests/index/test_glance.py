"""What the indexes know at a glance."""

import subprocess
import sys
from pathlib import Path

from git_skillmesh.index.glance import Glance
from testing.conversations import FIRST, SECOND
from testing.parcels import remembering
from testing.repos import make_repo


def test_paths_definitions_makers_and_past_exchanges(tmp_path: Path) -> None:
    repo = remembering(tmp_path, learnings=False)
    with Glance(repo.state_dir) as glance:
        assert set(glance.paths) == {
            "README.md", "src/parcels/durations.py", "src/parcels/tracking.py", "web/label.ts",
            "deploy/backup.sh", "src/parcels/__init__.py",
        }  # fmt: skip
        found = glance.definitions(["fetch_scans", "wrapAddress", "nothing", "lines"])
        assert {
            name: [(place.path, place.symbol, place.start_line, place.end_line) for place in places]
            for name, places in found.items()
        } == {
            "fetch_scans": [("src/parcels/tracking.py", "fetch_scans", 10, 19)],
            "wrapAddress": [("web/label.ts", "wrapAddress", 6, 13)],
        }
        place = found["fetch_scans"][0]
        assert glance.chunks_at(place.file, 12, 12) == [place.ordinal]
        makers = [(FIRST, "9d2e-1", 15), (FIRST, "9d2e-2", 3)]
        assert glance.makers(place.file) == makers
        assert glance.makers(place.file, [place.ordinal]) == makers
        assert glance.makers(glance.paths["web/label.ts"]) == []
        assert glance.commits(FIRST, "9d2e-2") == [repo.head]
        assert [(one.session, one.exchange) for one in glance.past()] == [
            (SECOND, "77ab-1"), (FIRST, "9d2e-1"), (FIRST, "9d2e-2"),
        ]  # fmt: skip
        assert glance.touched_by(FIRST, 1) == ["src/parcels/tracking.py"]
        assert glance.touched_by("nobody", 3) == []


def test_a_repository_without_an_index_knows_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    with Glance(repo.state_dir) as glance:
        assert dict(glance.paths) == {}
        assert glance.definitions(["main"]) == {}
        assert (glance.chunks_at(1, 1, 1), glance.makers(1), glance.commits("s", "e")) == ([],) * 3
        assert (list(glance.past()), glance.touched_by("s", 1)) == ([], [])


def test_it_needs_no_numpy() -> None:
    code = "import git_skillmesh.index.glance, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
