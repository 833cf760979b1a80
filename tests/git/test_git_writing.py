"""Writing objects: git has exactly what was put, in one process, in both object formats."""

import hashlib
from pathlib import Path

import pytest

from git_skillmesh.errors import Damaged
from git_skillmesh.git.commits import Commit, new_commit, parse_commit
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.process import Git, GitFailed
from git_skillmesh.git.repository import discover
from git_skillmesh.git.writing import ObjectWriter, unwritable
from testing.repos import make_repo

NOISE = hashlib.shake_256(b"noise").digest(300_000)
CONTENTS = [b"", b"\n", b"x" * 15, b"x" * 16, b"y" * 2047, b"y" * 2048, b"\0" * 70_000, NOISE]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("many", [0, 300])
def test_what_was_put_is_there(tmp_path: Path, object_format: str, many: int) -> None:
    repo = make_repo(tmp_path, object_format=object_format)
    repository = discover(repo.path)
    contents = CONTENTS + [b"%d\n" % number for number in range(many)]
    writer = ObjectWriter(repository)
    ids = [writer.put("blob", data) for data in contents]
    assert ids == [writer.put("blob", data) for data in contents]
    assert ids == [repository.hash_blob(data) for data in contents]
    writer.flush()
    with ObjectDatabase(repository) as db:
        assert list(db.reader.read_many(ids)) == contents
    counts = dict(line.split(": ") for line in repo.git("count-objects", "-v").splitlines())
    assert (int(counts["count"]), int(counts["in-pack"])) == (
        (0, len(contents)) if many else (len(contents), 0)
    )
    repo.git("fsck", "--strict", "--no-dangling")


def test_nothing_is_nothing_and_everything_goes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = discover(make_repo(tmp_path).path)
    started: list[str] = []
    run = Git.run

    def counted(self: Git, *args: str, stdin: bytes = b"") -> bytes:
        started.append(args[0])
        return run(self, *args, stdin=stdin)

    monkeypatch.setattr(Git, "run", counted)
    writer = ObjectWriter(repository)
    writer.flush()
    assert started == []
    for number in range(50):
        writer.put("blob", b"%d\n" % number)
    writer.flush()
    writer.flush()
    assert started == ["unpack-objects"]


def test_much_is_handed_over_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("git_skillmesh.git.writing._FLUSH_BYTES", 200_000)
    repository = discover(make_repo(tmp_path).path)
    writer = ObjectWriter(repository)
    oid = writer.put("blob", NOISE)
    with ObjectDatabase(repository) as db:
        assert db.reader.read(oid) == NOISE


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"error: unable to create temporary file: Read-only file system\n", True),
        (b"error: insufficient permission for adding an object to repository database\n", True),
        (b"fatal: write error: No space left on device\n", True),
        (b"error: failed to write new configuration file /r/.git/config.lock\n", True),
        (b"fatal: bad object\n", False),
        (b"", False),
    ],
)
def test_a_place_that_cannot_be_written_is_recognised(said: bytes, shown: bool) -> None:
    error = GitFailed(("unpack-objects",), 128, said)
    assert (unwritable(error) is not None) == shown


def test_commits_come_back(tmp_path: Path) -> None:
    commit = new_commit("a" * 40, ("b" * 40, "c" * 40), "say what", 1_700_000_000)
    assert parse_commit("x", commit.to_bytes()) == commit
    assert commit.time == 1_700_000_000
    signed = (
        b"tree 1\nauthor A <a> 1 +0000\ncommitter B <b> 2 -0130\ngpgsig x\n y\n\nhello\n\nyou\n"
    )
    assert parse_commit("x", signed) == Commit(
        "1", (), "A <a> 1 +0000", "B <b> 2 -0130", b"hello\n\nyou\n"
    )
    with pytest.raises(Damaged, match="is no commit"):
        parse_commit("x" * 40, b"junk")


def test_a_name_that_leads_to_no_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.git("update-ref", "refs/skillmesh/odd", "HEAD:a")
    with ObjectDatabase(discover(repo.path)) as db:
        assert db.tip("refs/skillmesh/none") is None
        with pytest.raises(Damaged) as failed:
            db.tip("refs/skillmesh/odd")
    assert failed.value.mend == "git update-ref -d refs/skillmesh/odd"
