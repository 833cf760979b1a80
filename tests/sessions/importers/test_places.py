"""Paths of a transcript, on this machine and on another."""

import pytest

from git_skillmesh.sessions.importers.places import Roots, clean
from git_skillmesh.sessions.importers.records import Misfit

HERE = Roots.of("/src/lamp", "/src/lamp/.trees/blink", "/trees/red")


@pytest.mark.parametrize(
    ("path", "directory", "home", "meant"),
    [
        ("/src/lamp/a.py", "", "", "a.py"),
        ("/src/lamp/./lib//../a.py", "", "", "a.py"),
        ("/src/lamp-old/a.py", "", "", "/src/lamp-old/a.py"),
        ("/src/lamp", "", "", "."),
        ("/src/lamp/.trees/blink/lib/a.py", "", "", "lib/a.py"),
        ("/trees/red/a.py", "", "", "a.py"),
        ("a.py", "/src/lamp/lib", "", "lib/a.py"),
        ("../a.py", "/src/lamp/lib", "", "a.py"),
        ("a.py", "", "", "a.py"),
        # Another machine: the folder that is called like the repository is its root.
        ("/Users/me/lamp/a.py", "", "/Users/me/lamp", "a.py"),
        ("/Users/me/lamp/a.py", "", "/Users/me/lamp/lib", "a.py"),
        ("/Users/me/light/a.py", "", "/Users/me/light", "/Users/me/light/a.py"),
        ("/Users/me/other/a.py", "", "/Users/me/lamp", "/Users/me/other/a.py"),
        ("C:\\me\\lamp\\lib\\a.py", "", "C:\\me\\lamp", "lib/a.py"),
        # A session that began here says nothing of other machines.
        ("/Users/me/lamp/a.py", "", "/src/lamp", "/Users/me/lamp/a.py"),
    ],
)
def test_what_a_path_means(path: str, directory: str, home: str, meant: str) -> None:
    assert HERE.relative(path, directory, home) == meant


def test_a_transcript_from_the_repository_itself_began_at_its_root() -> None:
    inside = Roots.of("/src/lamp", inside=True)
    assert inside.relative("/Users/me/light/a.py", "", "/Users/me/light") == "a.py"
    assert inside.relative("/etc/hosts", "", "/Users/me/light") == "/etc/hosts"


@pytest.mark.parametrize("path", ["", "a\0b", "a\nb"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(Misfit):
        clean(path)
