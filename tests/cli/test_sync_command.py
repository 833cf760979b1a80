"""`git skillmesh sync`, as users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from git_skillmesh.git.notes import add_lines
from git_skillmesh.git.repository import discover
from testing.commands import call
from testing.memory import make_session, open_memory
from testing.remotes import http_backend, make_hub, silent_server
from testing.repos import Repo, Result, make_repo
from testing.terminal import at_a_terminal

REF = "refs/skillmesh/memory"
NONE = {"new": 0, "grown": 0, "forgotten": 0, "notes": 0, "thoughts": 0}


@pytest.fixture
def hub(tmp_path: Path) -> Repo:
    return make_hub(tmp_path)


@pytest.fixture
def repo(tmp_path: Path, hub: Repo) -> Repo:
    repo = make_repo(tmp_path, files={"deep/a": "1\n"})
    repo.git("remote", "add", "origin", hub.path.as_uri())
    open_memory(repo).add([make_session("s", 2)])
    add_lines(discover(repo.path), {repo.head: ["{}"]})
    return repo


def agreed(repo: Repo) -> list[str]:
    return repo.run("config", "--get-all", "skillmesh.sync.agreed").stdout.splitlines()


def test_the_first_share_says_what_and_where(hub: Repo, repo: Repo) -> None:
    url = hub.path.as_uri()
    assert repo.skillmesh("sync") == Result(
        0,
        "origin: shared: 1 new session, notes of 1 commit\n",
        f"sharing 1 new session, notes of 1 commit with {url}\n",
    )
    assert agreed(repo) == [url]
    assert repo.skillmesh("sync") == Result(0, "origin: nothing to do\n", "")
    open_memory(repo).add([make_session("s", 3), make_session("t", 1)])
    assert repo.skillmesh("-C", "deep", "sync", "origin") == Result(
        0, "origin: shared: 1 new session and 1 session that grew\n", ""
    )


def test_at_a_terminal_it_asks_once(hub: Repo, repo: Repo) -> None:
    url = hub.path.as_uri()
    question = f"share 1 new session, notes of 1 commit with {url}? [y/N] "
    said = at_a_terminal(repo, "sync", typed="n\n")
    assert said.stdout == (
        f"{question}origin: not shared: 1 new session, notes of 1 commit (you said no)\n"
    )
    assert hub.git("for-each-ref") == ""
    refused = f"(you said no to {url}; --yes to share)"
    for again in (at_a_terminal(repo, "sync"), repo.skillmesh("sync")):
        assert again == Result(
            0, f"origin: not shared: 1 new session, notes of 1 commit {refused}\n", ""
        )
    assert repo.skillmesh("sync", "--yes").stdout == (
        "origin: shared: 1 new session, notes of 1 commit\n"
    )
    assert agreed(repo) == [url]
    assert repo.run("config", "--get-all", "skillmesh.sync.refused").stdout == ""
    open_memory(repo).add([make_session("t", 1)])
    assert at_a_terminal(repo, "sync").stdout == "origin: shared: 1 new session\n"


def test_a_yes_at_a_terminal(hub: Repo, repo: Repo) -> None:
    said = at_a_terminal(repo, "sync", typed="Yes\n")
    assert said.stdout.endswith("? [y/N] origin: shared: 1 new session, notes of 1 commit\n")
    assert agreed(repo) == [hub.path.as_uri()]


def test_another_address_is_asked_about_anew(tmp_path: Path, hub: Repo, repo: Repo) -> None:
    repo.skillmesh("sync")
    fork = make_hub(tmp_path, "fork.git")
    repo.git("remote", "set-url", "--push", "origin", fork.path.as_uri())
    open_memory(repo).add([make_session("t", 1)])
    said = repo.skillmesh("sync")
    assert said.stderr.startswith("sharing ")
    assert said.stderr.endswith(f" with {fork.path.as_uri()}\n")


def test_a_dry_run_changes_nothing(hub: Repo, repo: Repo) -> None:
    assert repo.skillmesh("sync", "--dry-run") == Result(
        0, "origin: would be shared: 1 new session, notes of 1 commit\n", ""
    )
    assert hub.git("for-each-ref") == ""
    assert agreed(repo) == []


def test_fetching_only(tmp_path: Path, hub: Repo, repo: Repo) -> None:
    repo.skillmesh("sync")
    other = make_repo(tmp_path, "other", files={"a": "1\n"})
    other.git("remote", "add", "origin", hub.path.as_uri())
    open_memory(other).add([make_session("mine", 1)])
    assert other.skillmesh("sync", "--fetch-only") == Result(
        0,
        "origin: fetched: 1 new session, notes of 1 commit; not shared: 1 new session\n",
        "",
    )


@pytest.mark.parametrize("how", ["git config", "environment", ".skillmesh/config.toml"])
def test_a_repository_that_keeps_its_memory_local(hub: Repo, repo: Repo, how: str) -> None:
    env = {}
    if how == "git config":
        repo.git("config", "skillmesh.sync.push", "never")
    elif how == "environment":
        env = {"SKILLMESH_SYNC_PUSH": "never"}
    else:
        repo.write(".skillmesh/config.toml", '[sync]\npush = "never"\n')
    assert repo.skillmesh("sync", "--yes", env=env) == Result(
        0,
        f"origin: not shared: 1 new session, notes of 1 commit (sync.push is never ({how}))\n",
        "",
    )
    assert hub.git("for-each-ref") == ""


def test_json(hub: Repo, repo: Repo) -> None:
    said = repo.skillmesh("sync", "--json", "-q")
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout) == {
        "remote": "origin",
        "url": hub.path.as_uri(),
        "fetched": NONE,
        "shared": {**NONE, "new": 1, "notes": 1},
        "waiting": NONE,
        "rewritten": False,
        "attempts": 1,
        "reason": "",
    }
    open_memory(repo).forget("s")
    said = repo.skillmesh("sync", "--json", "--dry-run")
    planned = json.loads(said.stdout)
    assert (planned["waiting"], planned["rewritten"]) == ({**NONE, "forgotten": 1}, True)
    assert repo.skillmesh("sync").stdout == (
        "origin: shared: 1 session forgotten; its history was rewritten without what was "
        "forgotten\n"
    )


def test_mistakes_are_one_line(tmp_path: Path, repo: Repo) -> None:
    assert call(repo.path, "sync", "upstream") == Result(
        2, "", "git-skillmesh: no such remote: upstream: git remote -v lists them\n"
    )
    lonely = make_repo(tmp_path, "lonely", files={"a": "1\n"})
    assert call(lonely.path, "sync") == Result(
        2,
        "",
        "git-skillmesh: there is no remote to sync with, or none of several is the default: "
        "git skillmesh sync REMOTE\n",
    )
    lonely.git("remote", "add", "origin", "https://ada:secret@127.0.0.1:1/x.git")
    said = call(lonely.path, "sync")
    assert (said.returncode, said.stdout) == (7, "")
    assert said.stderr.startswith("git-skillmesh: cannot reach origin: unable to access 'https://1")
    assert said.stderr.count("\n") == 1
    assert "secret" not in said.stderr


def test_words_of_a_remote_do_not_reach_the_terminal_raw(hub: Repo, repo: Repo) -> None:
    hub.hook("pre-receive", "#!/bin/sh\nprintf 'no \\033]0;title\\007 here\\n' >&2\nexit 1\n")
    said = repo.skillmesh("sync")
    assert said.returncode == 7
    assert "pre-receive hook declined: no \u241b]0;title" in said.stderr
    assert not set("\x1b\x07") & set(said.stdout + said.stderr)


def test_a_login_is_never_waited_for_without_a_terminal(tmp_path: Path, repo: Repo) -> None:
    root = tmp_path / "served"
    make_hub(root)
    with http_backend(root, "nobody knows it") as address:
        repo.git("remote", "set-url", "origin", f"{address}/hub.git")
        said = repo.skillmesh("sync")
    assert said.returncode == 7
    assert said.stderr == (
        f"git-skillmesh: cannot reach origin: could not read Username for '{address}': terminal "
        "prompts disabled (log in once: git ls-remote origin)\n"
    )


def test_a_fresh_clone_gets_everything_with_init(tmp_path: Path, hub: Repo, repo: Repo) -> None:
    repo.git("push", "--quiet", "origin", "main")
    repo.skillmesh("sync")
    clone = hub.clone(tmp_path / "clone", "--branch=main")
    said = clone.skillmesh("init", "--no-index")
    assert said.returncode == 0
    assert said.stdout.splitlines()[-1] == "fetched from origin: 1 new session, notes of 1 commit"
    assert open_memory(clone).session("s") == make_session("s", 2)
    assert clone.git("notes", "--ref=skillmesh", "show", repo.head) == "{}"
    again = clone.skillmesh("init", "--no-index")
    assert "fetched" not in again.stdout + again.stderr


def test_init_without_a_network_is_one_line(tmp_path: Path, hub: Repo, repo: Repo) -> None:
    repo.git("remote", "set-url", "origin", "file:///nonexistent/hub.git")
    said = repo.skillmesh("init", "--no-index")
    assert (said.returncode, said.stderr) == (
        0,
        "no conversations fetched, cannot reach origin: '/nonexistent/hub.git' does not appear to "
        "be a git repository; later: git skillmesh sync\n",
    )
    assert repo.skillmesh("init", "--no-index", "--no-fetch").stderr == ""


def test_init_says_that_the_clone_wants_to_share(hub: Repo, repo: Repo) -> None:
    repo.write(".skillmesh/config.toml", '[sync]\npush = "auto"\n')
    wish = (
        ".skillmesh/config.toml wants a push to share your conversations; it does not, to agree: "
        "git skillmesh init --yes\n"
    )
    assert repo.skillmesh("init", "--no-index").stderr == wish
    asked = at_a_terminal(repo, "init", "--no-index", typed="n\n").stdout
    assert f"share your conversations with {hub.path.as_uri()}: agree? [y/N] " in asked
    assert repo.skillmesh("init", "--no-index").stderr == ""
    assert "; to keep them here: " in repo.skillmesh("init", "--no-index", "--yes").stderr
    repo.git("config", "skillmesh.sync.push", "never")
    assert repo.skillmesh("init", "--no-index").stderr == ""


def test_init_can_let_git_fetch_bring_conversations(tmp_path: Path, hub: Repo, repo: Repo) -> None:
    repo.git("push", "--quiet", "origin", "main")
    clone = hub.clone(tmp_path / "clone", "--branch=main")
    config = (clone.common_dir / "config").read_bytes()
    said = clone.skillmesh("init", "--no-index", "--track")
    assert said.stdout.splitlines()[-4:] == [
        "  git config: remote.origin.fetch = "
        "+refs/skillmesh/memory*:refs/skillmesh/remotes/origin/memory*",
        "  git config: remote.origin.fetch = "
        "+refs/notes/skillmesh*:refs/skillmesh/remotes/origin/notes*",
        "  git config: notes.rewriteRef = refs/notes/skillmesh*",
        f"  git config: skillmesh.repoid = {discover(clone.path).derive_id()}",
    ]
    repo.skillmesh("sync")
    clone.git("fetch", "--quiet")
    assert clone.git("rev-parse", "refs/skillmesh/remotes/origin/memory") == hub.git(
        "rev-parse", REF
    )
    assert clone.skillmesh("init", "--remove").returncode == 0
    assert (clone.common_dir / "config").read_bytes() == config
    lonely = make_repo(tmp_path, "lonely", files={"a": "1\n"})
    assert lonely.skillmesh("init", "--track").stderr == (
        "git-skillmesh: --track needs a remote: git remote add origin ADDRESS\n"
    )


def test_a_server_that_says_nothing_can_be_left_with_ctrl_c(repo: Repo) -> None:
    import signal
    import time

    with silent_server() as address:
        repo.git("remote", "set-url", "origin", f"{address}/x.git")
        process = subprocess.Popen(
            [sys.executable, "-m", "git_skillmesh", "sync"], cwd=repo.path, stderr=subprocess.PIPE
        )
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == b"git-skillmesh: interrupted; run it again to go on\n"
