"""`git skillmesh init`, as users run it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_skillmesh.cli.init import _purge
from git_skillmesh.git.repository import discover
from testing.commands import call
from testing.embedding import Provider
from testing.repos import Repo, Result, make_repo
from testing.terminal import at_a_terminal

Wait = Callable[[Repo], str]


def test_init_installs_and_indexes_and_a_commit_is_followed(
    tmp_path: Path, wait_for_worker: Wait
) -> None:
    repo = make_repo(tmp_path, files={"deep/a.py": "def first():\n    return 1\n"})
    pinned = discover(repo.path).derive_id()
    said = repo.skillmesh("-C", "deep", "init")
    assert said.returncode == 0, said
    assert said.stdout == (
        f"hooks in {repo.hooks_dir}\n"
        "  post-commit: installed\n"
        "  post-merge: installed\n"
        "  post-checkout: installed\n"
        "  post-rewrite: installed\n"
        "  pre-push: installed\n"
        "  pre-commit: installed\n"
        "  commit-msg: installed\n"
        "  git config: notes.rewriteRef = refs/notes/skillmesh*\n"
        f"  git config: skillmesh.repoid = {pinned}\n"
    )
    assert said.stderr.startswith("indexed 1 file, ")
    repo.commit("second", {"deep/b.py": "def second():\n    return 2\n"})
    assert " end after " in wait_for_worker(repo)
    found = repo.skillmesh("query", "--committed", "second")
    assert found.returncode == 0
    assert "deep/b.py" in found.stdout


def test_a_second_init_says_the_same_about_hooks_and_nothing_about_settings(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-merge", "#!/bin/sh\nexit 0\n")
    repo.skillmesh("init", "--no-index")
    assert repo.skillmesh("init", "--no-index") == Result(
        0,
        f"hooks in {repo.hooks_dir}\n"
        "  post-commit: installed\n"
        "  post-merge: installed; post-merge.before-skillmesh runs first\n"
        "  post-checkout: installed\n"
        "  post-rewrite: installed\n"
        "  pre-push: installed\n"
        "  pre-commit: installed\n"
        "  commit-msg: installed\n",
        "",
    )
    assert not repo.state_dir.exists()


def test_remove_keeps_the_index_and_purge_does_not(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "def first():\n    return 1\n"})
    config = (repo.common_dir / "config").read_bytes()
    pinned = discover(repo.path).derive_id()
    repo.skillmesh("init")
    assert repo.skillmesh("init", "--remove") == Result(
        0,
        f"removed from {repo.hooks_dir}\n"
        "  post-commit: removed\n"
        "  post-merge: removed\n"
        "  post-checkout: removed\n"
        "  post-rewrite: removed\n"
        "  pre-push: removed\n"
        "  pre-commit: removed\n"
        "  commit-msg: removed\n"
        "  git config: notes.rewriteRef = refs/notes/skillmesh*\n"
        f"  git config: skillmesh.repoid = {pinned}\n",
        "",
    )
    assert (repo.common_dir / "config").read_bytes() == config
    assert repo.state_dir.is_dir()
    said = repo.skillmesh("init", "--remove", "--purge")
    assert said == Result(0, f"nothing installed in {repo.hooks_dir}\n", "")
    assert not repo.state_dir.exists()
    assert repo.git("status", "--porcelain", "--ignored") == ""


def test_purge_waits_for_a_worker_that_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook of a commit has started it; it makes its folder when all seems to be gone."""
    state = discover(make_repo(tmp_path, files={"a.txt": "1\n"}).path).state_dir
    (state / "requests").mkdir(parents=True)
    waited: list[float] = []

    def late(seconds: float) -> None:
        assert not list(state.parent.glob("skillmesh*"))
        if not waited:
            (state / "requests").mkdir(parents=True)
        waited.append(seconds)

    monkeypatch.setattr("git_skillmesh.cli.init.time.sleep", late)
    _purge(discover(state.parents[1]))
    assert len(waited) == 2
    assert not state.exists()


def test_purge_alone_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    assert repo.skillmesh("init", "--purge") == Result(
        2, "", "git-skillmesh: --purge belongs to --remove: git skillmesh init --remove --purge\n"
    )


def test_a_hooks_folder_of_all_repositories_is_refused_with_a_way_on(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    shared = tmp_path / "shared"
    repo.git("config", "--global", "core.hooksPath", os.fspath(shared))
    assert repo.skillmesh("init", "--no-index") == Result(
        2,
        "",
        f"git-skillmesh: core.hooksPath leads out of this repository, to {shared}: `git skillmesh "
        "init --shared-hooks` installs there, for every repository that has an index; or give "
        f"this one hooks of its own with `git config core.hooksPath {repo.common_dir}/hooks`\n",
    )
    assert not shared.exists()
    said = repo.skillmesh("init", "--no-index", "--shared-hooks")
    assert (said.returncode, said.stdout.splitlines()[0]) == (0, f"hooks in {shared}")


def test_notes_about_the_working_tree_go_to_standard_error(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.git("config", "core.hooksPath", ".githooks")
    said = repo.skillmesh("init", "--no-index")
    assert said.returncode == 0
    assert said.stderr == (
        f"{repo.path}/.githooks is part of the working tree: do not commit the shims, they name "
        "programs of this machine\n"
    )


def test_a_repository_without_commits_can_be_initialised(
    tmp_path: Path, wait_for_worker: Wait
) -> None:
    repo = make_repo(tmp_path)
    assert repo.skillmesh("init").returncode == 0
    repo.commit("the first", {"a.py": "def first():\n    return 1\n"})
    assert " end after " in wait_for_worker(repo)


def test_a_control_character_in_a_path_does_not_reach_the_terminal(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, "bell\x1b]0;title\x07", files={"a.txt": "1\n"})
    said = repo.skillmesh("init", "--no-index")
    assert said.returncode == 0
    assert not set("\x1b\x07") & set(said.stdout + said.stderr)


def test_everything_can_be_deleted_and_made_again(tmp_path: Path, wait_for_worker: Wait) -> None:
    repo = make_repo(tmp_path, files={"a.py": "def first():\n    return 1\n"})
    repo.skillmesh("init")
    shutil.rmtree(repo.state_dir)
    repo.commit("after the deletion", {"b.py": "def second():\n    return 2\n"})
    assert " end after " in wait_for_worker(repo)
    assert "a.py" in repo.skillmesh("query", "--committed", "first").stdout


def test_it_says_who_gets_text_where_a_file_of_the_clone_decides_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMA_DB_IMPL", raising=False)
    server = '[chroma]\nimpl = "http"\nurl = "https://chroma.example"\n'
    repo = make_repo(tmp_path, files={".skillmesh/config.toml": server})
    asked = (repo.path, "init", "--no-index", "--no-fetch")
    refused = (
        "chroma.url stands in .skillmesh/config.toml, and nothing is sent where only a clone says: "
        "if you trust it: git config skillmesh.chroma.url https://chroma.example\n"
    )
    assert call(*asked).stderr == refused
    checked = call(repo.path, "doctor", "--repair")
    assert (checked.returncode, "Traceback" in checked.stderr) == (8, False)
    assert "BAD chroma   chroma.url stands in .skillmesh/config.toml, and nothing" in checked.stdout
    repo.git("config", "skillmesh.chroma.impl", "off")
    assert call(*asked).stderr == ""

    repo.git("config", "skillmesh.chroma.impl", "http")  # wanted, but not to that place
    assert call(*asked).stderr == refused
    repo.git("config", "skillmesh.chroma.url", "https://ours.example")
    assert call(*asked).stderr == ""
    repo.git("config", "--unset", "skillmesh.chroma.impl")
    assert call(*asked).stderr == (
        "text of code and conversations goes to https://ours.example (chroma.impl=http, "
        ".skillmesh/config.toml); to keep it here: git config skillmesh.chroma.impl off\n"
    )
    repo.git("config", "skillmesh.chroma.impl", "http")

    repo.write(".env", "EMBEDDING_MODEL_PROVIDER=openai\x1b\n")
    assert call(*asked).stderr == (
        "text of code and conversations goes to openai␛ (embedding.provider=openai␛, .env); "
        "to keep it here: EMBEDDING_MODEL_PROVIDER=builtin in the environment\n"
    )
    quiet = call(*asked, env={"EMBEDDING_MODEL_PROVIDER": "builtin"})
    assert (quiet.returncode, quiet.stderr) == (0, "")


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.server.shutdown()


def test_a_provider_that_a_clone_names_gets_nothing_before_the_user_agrees(
    tmp_path: Path, provider: Provider, wait_for_worker: Callable[[Repo], str]
) -> None:
    named_by_it = f'[embedding]\nprovider = "huggingface_server"\nname = "{provider.url}"\n'
    files = {".skillmesh/config.toml": named_by_it, "a.py": "def first():\n    return 1\n"}
    repo = make_repo(tmp_path, files=files)
    named = f"the embedding provider huggingface_server:{provider.url} in .skillmesh/config.toml"
    end = "to agree: git skillmesh init --yes"
    waiting = f"{named} is not used, you have not agreed; {end}\n"
    assert waiting in call(repo.path, "init", "--no-fetch").stderr
    assert waiting in call(repo.path, "index", "--chroma", "off").stderr
    assert f"provider    {waiting}" in call(repo.path, "status").stdout
    assert f"ok  model    {waiting}" in call(repo.path, "doctor").stdout

    asked = ("init", "--no-index", "--no-fetch")
    said = at_a_terminal(repo, *asked, typed="\n")
    assert "let it have the text of code and conversations? [y/N] " in said.stdout
    refused = f"{named} is not used, you said no; {end}\n"
    assert call(repo.path, *asked).stderr == refused
    assert json.loads(call(repo.path, "status", "--json").stdout)["proposed"]["refused"]
    wait_for_worker(repo)  # what agreeing changes is for the command below to see
    assert provider.texts == []

    goes = (
        "text of code and conversations goes to huggingface_server (embedding.provider="
        "huggingface_server, .skillmesh/config.toml); to keep it here: "
        "git config skillmesh.embedding.provider builtin\n"
    )
    assert call(repo.path, *asked, "--yes").stderr == goes
    assert call(repo.path, *asked).stderr == goes
    said = call(repo.path, "index", "--chroma", "off")
    assert said.stderr == "the index is up to date\nembedded 2 chunks with another model\n"
    assert any("def first" in text for text in provider.texts)
