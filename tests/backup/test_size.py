"""What takes how much, and that commands give back what was said before."""

import json
import subprocess
from pathlib import Path

import pytest

from git_skillmesh.backup.measuring import backup_estimate, measure, size_of
from git_skillmesh.backup.reclaiming import offers
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.maintenance import prunable
from git_skillmesh.index.store import Store
from testing.commands import call
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo
from tests.backup.conftest import Kept


def test_what_takes_how_much(kept: Kept) -> None:
    assert call(kept.repo.path, "index", "-q").returncode == 0
    done = call(kept.repo.path, "size")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(call(kept.repo.path, "size", "--json").stdout)
    items = {item["name"]: item for item in document["items"]}
    assert set(items) >= {
        "code",
        "conversations",
        "learnings",
        "files",
        "memory",
        "links",
    }
    assert {items[name]["kind"] for name in ("code", "learnings")} == {"cache"}
    assert items["links"]["kind"] == "git"
    assert document["total"] == sum(item["size"] for item in document["items"])
    said = subprocess.run(
        ["du", "-s", "--block-size=1", kept.repo.state_dir], capture_output=True, check=True
    )
    whole = int(said.stdout.split()[0]) - items["monitoring"]["size"]
    assert items["monitoring"]["kind"] == "kept"
    assert document["caches"] <= whole <= document["caches"] + 8192  # and the folder itself
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert any(line.endswith("B caches, made again by git skillmesh index") for line in lines)
    assert any(line.endswith("B memory refs/skillmesh/memory") for line in lines)
    assert any(line.endswith("B a backup, at most about") for line in lines)


def test_a_backup_has_about_the_size_that_was_said(kept: Kept) -> None:
    repository = discover(kept.repo.path)
    estimate = backup_estimate(measure(repository, load(repository)))
    size = kept.file.stat().st_size
    assert size <= estimate <= 2 * size + 60_000


def test_without_anything(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "new"], check=True)
    done = call(tmp_path / "new", "size")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "      0 B  all of it\n  10.0 kB  a backup, at most about\n"


def test_prune_gives_back_what_was_said(tmp_path: Path) -> None:
    def text(name: str) -> str:
        return "".join(
            f"def {name}_{n}(parcel):\n    return parcel.{name}[{n}]\n\n\n" * 3 for n in range(40)
        )

    repo = make_repo(tmp_path, files={f"src/a{n}.py": text(f"a{n}") for n in range(30)})
    assert call(repo.path, "index", "-q").returncode == 0
    repo.commit("more", {f"src/b{n}.py": text(f"b{n}") for n in range(45)})
    assert call(repo.path, "index", "-q").returncode == 0
    repository = discover(repo.path)
    store = Store(repository)
    with store.writing(5) as catalogue:
        newest = catalogue.latest_trees()[0]
        with catalogue.transaction():
            catalogue.forget_trees([newest])
    before = store.size()
    with store.writing(5) as catalogue:
        said = prunable(catalogue, store, 0)
        catalogue.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    document = json.loads(call(repo.path, "prune", "--days", "0", "--json").stdout)
    given = before - store.size()
    assert document["file_versions"] == said.versions == 45
    assert said.size > 100_000
    assert 0.6 * said.size <= given <= 1.4 * said.size
    catalogue = store.reader()
    assert prunable(catalogue, store, 0).versions == 0
    assert catalogue.rows("PRAGMA freelist_count") == [(0,)]
    catalogue.close()


def test_git_gc_gives_back_at_least_what_was_said(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "a\n"})
    memory = open_memory(repo)
    for number in range(12):
        memory.add([make_session(f"s-{number}")])
    repository = discover(repo.path)
    (offer,) = offers(repository, load(repository))
    assert (offer.command, offer.least) == ("git gc", True)
    assert offer.size > 100_000
    before = size_of(repo.common_dir / "objects")
    repo.git("gc", "--quiet")
    given = before - size_of(repo.common_dir / "objects")
    assert given >= offer.size
    assert offers(repository, load(repository)) == []


def test_what_a_remote_has_counts_apart(kept: Kept, tmp_path: Path) -> None:
    repo: Repo = kept.repo
    other = repo.clone(tmp_path / "other")
    assert kept.restore(to=other).returncode == 0
    open_memory(other).add([make_session("theirs")])
    repo.git("fetch", "-q", str(other.path),
             "refs/skillmesh/memory:refs/skillmesh/remotes/origin/memory")  # fmt: skip
    sizes = measure(discover(repo.path), load(discover(repo.path)))
    assert 0 < sizes.of("of remotes") < sizes.of("memory")


@pytest.mark.parametrize("damage", [b"no database", b""])
def test_a_store_that_is_no_database(
    kept: Kept, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMA_DB_IMPL")
    folder = kept.repo.state_dir / "chroma"
    folder.mkdir(parents=True)
    (folder / "chroma.sqlite3").write_bytes(damage)
    document = json.loads(call(kept.repo.path, "size", "--json").stdout)
    assert document["collections"] == []
