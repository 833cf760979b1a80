"""`git skillmesh doctor`: whatever is broken in the local tier is found, and mended."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from git_skillmesh.learnings.model import FOLDER
from git_skillmesh.learnings.writing import write_learning
from testing.commands import call
from testing.indexing import documents, dump
from testing.learnings import learning
from testing.repos import Repo, Result, make_repo

HEALTHY = (
    "ok  local    the index equals HEAD\n"
    "ok  chroma   off by configuration\n"
    "ok  hooks    not installed (git skillmesh init)\n"
)
QUERIES = ("number_3", "return a number")


@pytest.fixture(scope="module")
def indexed(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with an index; never changed."""
    made = make_repo(tmp_path_factory.mktemp("indexed"))
    for part in range(3):  # three segments
        made.commit(
            f"part {part}",
            {f"p{part}/f{n}.py": f"def number_{n}():\n    return {n + part}\n" for n in range(6)},
        )
        assert call(made.path, "index", "--chroma", "off", "-q").returncode == 0
    return made


@pytest.fixture(scope="module")
def whole(indexed: Repo) -> tuple[object, object]:
    """What that index holds and answers."""
    return dump(indexed), documents(indexed, *QUERIES)


@pytest.fixture
def repo(indexed: Repo, tmp_path: Path) -> Repo:
    return indexed.copy(tmp_path / "repo")


def folder(repo: Repo) -> Path:
    return repo.state_dir / "index"


def segment(repo: Repo, ending: str) -> Path:
    return min((folder(repo) / "segments").glob(f"*{ending}"))


def execute(repo: Repo, *statements: str) -> None:
    with closing(sqlite3.connect(folder(repo) / "catalogue.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def delete_segment(repo: Repo) -> None:
    segment(repo, ".lex").unlink()


def delete_vectors(repo: Repo) -> None:
    segment(repo, ".vec").unlink()


def truncate_segment(repo: Repo) -> None:
    path = segment(repo, ".lex")
    path.write_bytes(path.read_bytes()[:-70])


def empty_segment(repo: Repo) -> None:
    segment(repo, ".lex").write_bytes(b"")


def garbage_in_a_segment(repo: Repo) -> None:
    segment(repo, ".lex").write_bytes(b"skillmesh segment 1\n{not json\n" + b"\xff" * 500)


def truncate_vectors(repo: Repo) -> None:
    path = segment(repo, ".vec")
    path.write_bytes(path.read_bytes()[:100])


def wrong_vectors(repo: Repo) -> None:
    first, second = sorted((folder(repo) / "segments").glob("*.vec"))[:2]
    shutil.copy(first, second)


def garbage_catalogue(repo: Repo) -> None:
    (folder(repo) / "catalogue.db").write_bytes(b"this is not a database\n" * 500)


def truncated_catalogue(repo: Repo) -> None:
    execute(repo, "PRAGMA journal_mode = DELETE")
    path = folder(repo) / "catalogue.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


def newer_catalogue(repo: Repo) -> None:
    execute(repo, "PRAGMA user_version = 99")


def removed_chunks(repo: Repo) -> None:
    execute(repo, "DELETE FROM chunks WHERE file IN (SELECT id FROM files LIMIT 2)")


def removed_files(repo: Repo) -> None:
    execute(repo, "DELETE FROM files WHERE id IN (SELECT id FROM files LIMIT 2)")


def removed_segment_row(repo: Repo) -> None:
    execute(repo, "DELETE FROM segments WHERE id = (SELECT min(id) FROM segments)")


def removed_members(repo: Repo) -> None:
    execute(repo, "UPDATE trees SET members = substr(members, 1, 8)")


def members_that_are_no_numbers(repo: Repo) -> None:
    execute(repo, "UPDATE trees SET members = x'00'")


def altered_segment(repo: Repo) -> None:
    path = segment(repo, ".lex")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def empty_catalogue(repo: Repo) -> None:
    execute(repo, "PRAGMA journal_mode = DELETE")
    (folder(repo) / "catalogue.db").write_bytes(b"")


def moved_rows(repo: Repo) -> None:
    execute(repo, "UPDATE files SET first_row = first_row + 1")


def deleted_index(repo: Repo) -> None:
    shutil.rmtree(folder(repo))


DAMAGES: tuple[Callable[[Repo], None], ...] = (
    delete_segment, delete_vectors, truncate_segment, empty_segment, garbage_in_a_segment,
    truncate_vectors, wrong_vectors, garbage_catalogue, truncated_catalogue, newer_catalogue,
    removed_chunks, removed_files, removed_segment_row, removed_members, empty_catalogue,
    members_that_are_no_numbers, moved_rows, deleted_index,
)  # fmt: skip


def test_all_is_well(repo: Repo) -> None:
    assert call(repo.path, "doctor") == Result(0, HEALTHY, "")
    document = json.loads(call(repo.path, "doctor", "--json").stdout)
    assert document == {
        "ok": True,
        "checks": [
            {"where": "local", "ok": True, "message": "the index equals HEAD", "mend": ""},
            {"where": "chroma", "ok": True, "message": "off by configuration", "mend": ""},
            {"where": "hooks", "ok": True, "message": "not installed (git skillmesh init)",
             "mend": ""},
        ],
    }  # fmt: skip
    assert call(repo.path, "doctor", "--repair") == Result(0, HEALTHY, "")


@pytest.mark.parametrize("damage", [*DAMAGES, altered_segment], ids=lambda damage: damage.__name__)
def test_damage_is_found_and_mended(
    repo: Repo, whole: tuple[object, object], damage: Callable[[Repo], None]
) -> None:
    damage(repo)
    found = call(repo.path, "doctor")
    assert (found.returncode, found.stderr) == (8, "")
    bad = [line for line in found.stdout.splitlines() if line.startswith("BAD ")]
    assert bad
    assert all(line.startswith("BAD local ") and "  → git skillmesh index" in line for line in bad)
    mended = call(repo.path, "doctor", "--repair")
    assert (mended.returncode, mended.stdout) == (0, HEALTHY)
    assert "Traceback" not in mended.stderr
    assert (dump(repo), documents(repo, *QUERIES)) == whole


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_no_command_shows_a_traceback_of_a_damaged_index(
    repo: Repo, damage: Callable[[Repo], None]
) -> None:
    damage(repo)
    for command in (["query", "number_3"], ["status"], ["prune"], ["index", "--chroma", "off"]):
        said = call(repo.path, *command)
        assert said.returncode in (0, 1, 8), said
        assert "internal error" not in said.stderr
        if said.returncode == 8:
            assert said.stdout == ""
            assert said.stderr.count("\n") == 1
            assert "git skillmesh index --rebuild" in said.stderr
    assert call(repo.path, "index", "--rebuild", "--chroma", "off", "-q").returncode == 0
    assert call(repo.path, "doctor").stdout == HEALTHY


def test_an_index_that_is_behind_is_found(repo: Repo) -> None:
    repo.commit("more", {"late.py": "def late():\n    return 1\n"})
    said = call(repo.path, "doctor")
    assert said.stdout.splitlines()[0] == (
        "BAD local    1 file of HEAD is not indexed  → git skillmesh index"
    )
    mended = call(repo.path, "doctor", "--repair")
    assert (mended.returncode, mended.stdout) == (0, HEALTHY)
    assert mended.stderr.startswith("indexed 1 file, 1 chunk in ")


def test_what_a_crash_leaves_behind_is_swept(repo: Repo) -> None:
    segments = folder(repo) / "segments"
    left = [segments / "new-1-0.lex", segments / "99.lex", segments / "99.lex.1.tmp"]
    for path in left:
        path.write_bytes(b"half a segment")
    assert call(repo.path, "doctor").stdout == HEALTHY
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    assert [path for path in left if path.exists()] == []
    assert call(repo.path, "doctor").stdout == HEALTHY


def test_outdated_hooks_are_found_and_named(repo: Repo) -> None:
    assert call(repo.path, "init", "--no-index").returncode == 0
    hook = repo.hooks_dir / "post-commit"
    said = call(repo.path, "doctor")
    assert said.stdout.splitlines()[2] == (
        "ok  hooks    post-commit, post-merge, post-checkout, post-rewrite, pre-push, pre-commit, "
        "commit-msg"
    )
    hook.write_text(hook.read_text() + "echo edited\n")
    said = call(repo.path, "doctor")
    wrong = [line for line in said.stdout.splitlines() if line.startswith("BAD hooks ")]
    assert (said.returncode, len(wrong)) == (8, 1)
    assert "post-commit: " in wrong[0]
    assert wrong[0].endswith("  → git skillmesh init")


def test_a_bare_repository(repo: Repo, tmp_path: Path) -> None:
    bare = repo.clone(tmp_path / "hub.git", "--bare")
    assert call(bare.path, "index", "--chroma", "off", "-q").returncode == 0
    assert call(bare.path, "doctor") == Result(
        0,
        "ok  local    the index equals HEAD\n"
        "ok  chroma   off by configuration\n"
        "ok  hooks    not installed (git skillmesh init)\n",
        "",
    )


def test_learnings_are_compared_with_their_index_and_mended(repo: Repo) -> None:
    one, path = learning("pause", "Do not sleep"), f"{FOLDER}/half.yaml"
    repo.commit("learn", {one.path: write_learning(one), path: "learning_id: half\n"})
    call(repo.path, "index", "--chroma", "off", "-q")
    said = call(repo.path, "doctor")
    assert said.returncode == 8
    assert f"BAD learnings {path}:1: title is missing  → mend the file\n" in said.stdout
    repo.commit("mend", {path: None})
    call(repo.path, "index", "--chroma", "off", "-q")
    healthy = call(repo.path, "doctor")
    assert healthy.returncode == 0
    assert "ok  learnings the index has all 1 of HEAD\n" in healthy.stdout
    segments = repo.state_dir / "learnings" / "segments"
    for vectors in segments.glob("*.vec"):
        vectors.write_bytes(vectors.read_bytes()[:-1])
    with closing(sqlite3.connect(repo.state_dir / "learnings" / "catalogue.db")) as database:
        database.execute("UPDATE learnings SET facts = replace(facts, '\"warn\"', '\"block\"')")
        database.commit()
    said = call(repo.path, "doctor")
    assert said.returncode == 8
    assert said.stdout.count("BAD learnings ") == 2
    said = call(repo.path, "doctor", "--repair")
    assert (said.returncode, said.stdout) == (0, healthy.stdout)
    assert said.stderr == "1 learnings read again\n"
