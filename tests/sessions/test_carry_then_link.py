"""An amend with more work of an agent in it: both parts keep their conversation."""

from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.carrying import carry_links
from testing.linking import by_line, commit, link, links_of, remember, wrote
from testing.repos import make_repo

FIRST = "def weigh(parcel):\n    return parcel.grams\n"
SECOND = "\n\ndef label(parcel):\n    return parcel.name.upper()\n"


def test_an_amend_with_more_work(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"README.md": "# Parcels\n"})
    repo.git("config", "notes.rewriteRef", "refs/notes/skillmesh*")
    remember(repo, "first", wrote(1, "a.py", None, FIRST, whole=True))
    before = commit(repo, 2, {"a.py": FIRST})
    link(repo)
    carry_links(discover(repo.path))
    assert set(by_line(repo, "a.py").values()) == {"first-1 edit"}

    remember(repo, "second", wrote(3, "a.py", FIRST, FIRST + SECOND, whole=True))
    commit(repo, 4, {"a.py": FIRST + SECOND}, "weigh and label", "--amend")
    assert by_line(repo, "a.py") == {}, "the copied note is about another version of the file"
    carry_links(discover(repo.path))
    assert by_line(repo, "a.py") == {1: "first-1 edit", 2: "first-1 edit"}
    link(repo)
    assert by_line(repo, "a.py") == {
        1: "first-1 edit", 2: "first-1 edit", 3: "second-1 edit", 4: "second-1 edit",
        5: "second-1 edit", 6: "second-1 edit",
    }  # fmt: skip
    blob = repo.git("rev-parse", "HEAD:a.py")
    way = {link.exchange: link.via for link in links_of(repo) if link.blob == blob}
    assert way == {"first-1": (before,), "second-1": ()}
    assert link(repo).links == {}
