"""`git skillmesh prune` and `git skillmesh collections`."""

import json
from pathlib import Path

import pytest

from testing.commands import call
from testing.indexing import dump
from testing.repos import Repo, Result, make_repo

NAMES = ["codebase_v1", "chat_history_v1", "derived_learnings_v1", "thinking_sessions_v1",
         "skillmesh_experts"]  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={f"f{n}.py": f"def number_{n}():\n    return {n}\n" * 9
                                      for n in range(30)})  # fmt: skip


def test_nothing_to_prune(repo: Repo) -> None:
    assert call(repo.path, "prune") == Result(0, "", "there is no index\n")
    assert not repo.state_dir.exists()
    call(repo.path, "index", "--chroma", "off", "-q")
    said = call(repo.path, "prune", "--days", "0", "--json")
    document = json.loads(said.stdout)
    assert (said.returncode, said.stderr, document["file_versions"]) == (0, "", 0)
    assert set(document) == {"file_versions", "bytes_before", "bytes_after"}


def test_old_versions_go_and_answers_stay(repo: Repo) -> None:
    call(repo.path, "index", "--chroma", "off", "-q")
    repo.write("draft.py", "def never_committed():\n    return 1\n")
    assert call(repo.path, "query", "never_committed").returncode == 0
    (repo.path / "draft.py").unlink()
    before = dump(repo)
    kept = json.loads(call(repo.path, "prune", "--json").stdout)
    assert kept["file_versions"] == 0, "within the grace period nothing goes"
    said = call(repo.path, "prune", "--days", "0")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("1 file versions forgotten, ")
    assert dump(repo) == before
    assert call(repo.path, "doctor").returncode == 0
    assert call(repo.path, "query", "number_3").returncode == 0


def test_trees_used_before_are_kept(repo: Repo) -> None:
    call(repo.path, "index", "--chroma", "off", "-q")
    repo.commit("second", {"f1.py": "def changed():\n    return 0\n"})
    call(repo.path, "index", "--chroma", "off", "-q")
    assert call(repo.path, "prune", "--days", "0").stdout.startswith("0 file versions forgotten, ")
    repo.git("checkout", "--quiet", "HEAD~1")
    assert call(repo.path, "index", "--chroma", "off").stderr == "the index is up to date\n"


def test_the_schemas_need_no_chroma(repo: Repo) -> None:
    said = call(repo.path, "collections", "--schema", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    document = json.loads(said.stdout)
    assert sorted(document) == sorted(NAMES)
    assert list(document["codebase_v1"]["fields"])[:5] == [
        "chunk_id", "repo_id", "file_path", "blob_sha", "commit_sha",
    ]  # fmt: skip
    lines = call(repo.path, "collections", "--schema").stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(document)


def test_collections_when_the_tier_is_off(repo: Repo) -> None:
    assert call(repo.path, "collections") == Result(
        5,
        "",
        "git-skillmesh: the Chroma tier is off: git config skillmesh.chroma.impl persistent\n",
    )


def test_collections_are_made_and_checked(repo: Repo) -> None:
    repo.git("config", "skillmesh.chroma.impl", "persistent")
    repo.git("config", "skillmesh.chroma.path", ".store")
    local = {"CHROMA_DB_IMPL": None}
    made = call(repo.path, "collections", "--json", env=local)
    assert (made.returncode, made.stderr) == (0, "")
    document = json.loads(made.stdout)
    assert sorted(report["name"] for report in document["collections"]) == sorted(NAMES)
    assert {report["status"] for report in document["collections"]} == {"created"}
    checked = call(repo.path, "collections", "--check", env=local)
    assert checked == Result(
        0,
        f"the folder {repo.path}/.store\n"
        + "".join(f"  {report['name']:<22} ok                0 rows\n"
                  for report in document["collections"]),
        "",
    )  # fmt: skip
