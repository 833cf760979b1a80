"""Which paths git leaves alone, those included at which git itself ends."""

import os
from pathlib import Path

from git_skillmesh.git.ignored import ignored
from git_skillmesh.git.repository import discover
from testing.repos import make_repo


def test_what_git_leaves_alone(tmp_path: Path) -> None:
    files = {
        ".gitignore": "*.log\n!kept.log\nout/\n",
        "real/a.py": "a = 1\n",
        "sub/b.py": "b = 1\n",
    }
    repo = make_repo(tmp_path, files=files)
    (repo.path / "link").symlink_to("real")
    left_alone = {"x.log", "out/deep/y.py", "sub/z.log", "link/a.py", os.fsdecode(b"\xff.log")}
    others = {"real/a.py", "kept.log", ":(top)a.py", ":", "not there.py", os.fsdecode(b"\xff.py")}
    for folder in (repo.path, repo.path / "sub"):
        assert ignored(discover(folder), {*left_alone, *others, "", "a\0b"}) == left_alone


def test_nothing_is_asked_of_a_bare_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={".gitignore": "*.log\n"})
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    assert ignored(discover(tmp_path / "bare.git"), ["x.log"]) == set()
