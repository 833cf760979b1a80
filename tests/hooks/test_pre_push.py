"""A push that shares conversations, or does not: real pushes with the real shim."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.git.notes import add_lines
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.install import Report
from git_skillmesh.hooks.sharing import last_sharing
from testing.commands import call
from testing.environment import hook_processes
from testing.memory import make_session, open_memory
from testing.remotes import make_hub
from testing.repos import Repo, Result, make_repo, run

Install = Callable[[Repo], Report]
Wait = Callable[[Repo], str]
REF, NOTES = "refs/skillmesh/memory", "refs/notes/skillmesh"


@pytest.fixture
def hub(tmp_path: Path) -> Repo:
    return make_hub(tmp_path)


@pytest.fixture
def repo(tmp_path: Path, hub: Repo, install_hooks: Install) -> Repo:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.git("remote", "add", "origin", hub.path.as_uri())
    open_memory(repo).add([make_session("s", 2)])
    add_lines(discover(repo.path), {repo.head: ["{}"]})
    install_hooks(repo)
    return repo


def push(repo: Repo, *args: str, env: dict[str, str] | None = None) -> Result:
    return repo.run("push", "--quiet", *(args or ("origin", "main")), env=env)


def refs_of(hub: Repo) -> list[str]:
    return hub.git("for-each-ref", "--format=%(refname)").splitlines()


EVERYTHING = ["refs/heads/main", NOTES, REF]
QUIET = Result(0, "", "")


@pytest.mark.parametrize("setting", ["", "off", "never"])
def test_nothing_is_shared_unless_somebody_said_so(
    hub: Repo, repo: Repo, hermetic: str, wait_for_worker: Wait, setting: str
) -> None:
    if setting:
        repo.git("config", "skillmesh.sync.push", setting)
    assert push(repo) == QUIET
    assert hook_processes(hermetic) == []  # not even started
    assert wait_for_worker(repo) == ""
    assert refs_of(hub) == ["refs/heads/main"]
    assert not repo.state_dir.exists()


def test_auto_shares_in_the_background(hub: Repo, repo: Repo, wait_for_worker: Wait) -> None:
    repo.git("config", "skillmesh.sync.push", "auto")
    assert push(repo) == QUIET
    log = wait_for_worker(repo)
    assert "shared with origin: 1 new session, notes of 1 commit" in log
    assert refs_of(hub) == EVERYTHING
    assert push(repo) == QUIET
    assert "shared with origin: nothing" in wait_for_worker(repo)
    sharing = last_sharing(repo.state_dir)
    assert sharing is not None
    assert (sharing["what"], sharing["failed"]) == ("shared with origin: nothing", "no")


def test_auto_lets_the_push_end_first(
    tmp_path: Path, hub: Repo, repo: Repo, wait_for_worker: Wait
) -> None:
    order = tmp_path / "order"
    hub.hook("pre-receive", SLOW.format(order=order))
    repo.git("config", "skillmesh.sync.push", "auto")
    assert push(repo) == QUIET
    wait_for_worker(repo)
    assert order.read_text().split() == ["refs/heads/main", "done", NOTES, REF, "done"]


SLOW = """\
#!/bin/sh
sort -k 3 | while read -r old new ref; do echo "$ref" >>"{order}"; done
sleep 1
echo "done" >>"{order}"
"""


def test_wait_has_shared_when_the_push_is_over(hub: Repo, repo: Repo) -> None:
    repo.git("config", "skillmesh.sync.push", "wait")
    assert push(repo) == QUIET
    assert refs_of(hub) == EVERYTHING


def test_wait_says_in_one_line_what_went_wrong(hub: Repo, repo: Repo) -> None:
    repo.git("config", "skillmesh.sync.push", "wait")
    hub.git("config", "receive.hideRefs", "refs/skillmesh")
    assert push(repo) == Result(
        0,
        "",
        "git skillmesh: not shared: origin does not take refs/skillmesh/memory: deny updating a "
        "hidden ref\n",
    )
    assert refs_of(hub) == EVERYTHING[:2]


UNTIL_PUSHED = """\
#!/bin/sh
grep -q skillmesh || exit 0
for try in $(seq 120); do
    [ -e pushed ] && exit 0
    sleep 0.5
done
touch "gave up"
"""


def test_wait_ends(hub: Repo, repo: Repo, wait_for_worker: Wait) -> None:
    repo.git("config", "skillmesh.sync.push", "wait")
    repo.git("config", "skillmesh.sync.timeout", "1")
    hub.hook("pre-receive", UNTIL_PUSHED)
    said = push(repo)
    assert said == Result(
        0, "", "git skillmesh: nothing shared after 1 s, it goes on in the background\n"
    )
    assert not (hub.path / "gave up").exists()
    (hub.path / "pushed").touch()
    wait_for_worker(repo)
    assert refs_of(hub) == EVERYTHING


@pytest.mark.parametrize(
    ("setting", "status"), [("off", 3), ("auto", 0), ("auto", 3), ("wait", 0), ("wait", 3)]
)
def test_a_foreign_hook_decides_and_gets_what_git_gives(
    tmp_path: Path,
    hub: Repo,
    install_hooks: Install,
    wait_for_worker: Wait,
    setting: str,
    status: int,
) -> None:
    said = []
    for name in ("plain", "hooked"):
        repo = make_repo(tmp_path, name, files={"a": f"{name}\n"})
        repo.git("remote", "add", "origin", hub.path.as_uri())
        out = tmp_path / f"{name}.out"
        repo.hook("pre-push", f'#!/bin/sh\necho "$# $*" >"{out}"\ncat >>"{out}"\nexit {status}\n')
        if name == "hooked":
            repo.git("config", "skillmesh.sync.push", setting)
            open_memory(repo).add([make_session("s", 1)])
            install_hooks(repo)
        result = push(repo, "origin", f"main:{name}", "main:refs/heads/second-" + name)
        written = out.read_text().replace(repo.head, "HEAD").replace(name, "NAME")
        said.append((result.returncode, result.stdout, result.stderr, written))
        wait_for_worker(repo)
    assert said[0] == said[1]
    assert said[0][3].count("refs/heads/main HEAD refs/heads/") == 2
    assert (REF in refs_of(hub)) == (setting != "off" and not status)


def test_the_settings_of_a_team_and_of_a_person(
    hub: Repo, repo: Repo, wait_for_worker: Wait
) -> None:
    repo.write(".skillmesh/config.toml", '[index]\njobs = 1\n\n[sync]\npush = "auto"\n')
    repo.git("config", "skillmesh.sync.push", "off")
    push(repo)
    assert wait_for_worker(repo) == ""
    push(repo, env={"SKILLMESH_SYNC_PUSH": "never"})
    repo.git("config", "--unset", "skillmesh.sync.push")
    repo.write(".env", "OTHER=auto\nSKILLMESH_SYNC_PUSH=off")
    push(repo)
    assert wait_for_worker(repo) == ""
    (repo.path / ".env").unlink()
    # A file of the clone decides over nobody's conversations.
    push(repo)
    assert (
        "not shared with origin: only .skillmesh/config.toml says that a push shares; "
        "to agree: git skillmesh sync origin\n"
    ) in wait_for_worker(repo)
    repo.write(".env", "SKILLMESH_SYNC_PUSH=auto")
    repo.git("add", "--force", ".env")
    push(repo)
    assert "not shared with origin: only .env says" in wait_for_worker(repo)
    assert refs_of(hub) == ["refs/heads/main"]
    repo.git("rm", "--quiet", "--force", ".env")
    assert repo.skillmesh("init", "--no-index", "--yes").stderr == (
        f"a push shares your conversations with {hub.path.as_uri()}; "
        "to keep them here: git config skillmesh.sync.push never\n"
    )
    push(repo)
    assert "shared with origin: 1 new session" in wait_for_worker(repo)


def test_a_word_in_a_comment_shares_nothing(hub: Repo, repo: Repo, wait_for_worker: Wait) -> None:
    repo.write(".skillmesh/config.toml", '# push = "auto"\n')
    assert push(repo) == QUIET
    wait_for_worker(repo)
    assert refs_of(hub) == ["refs/heads/main"]


def test_other_places_have_to_be_named_once(
    tmp_path: Path, hub: Repo, repo: Repo, wait_for_worker: Wait
) -> None:
    repo.git("config", "skillmesh.sync.push", "auto")
    other = make_hub(tmp_path, "other.git")
    address = other.path.as_uri()
    assert push(repo, address, "main") == QUIET
    reason = f"it is not the default remote; to agree: git skillmesh sync {address}"
    assert f"not shared with {address}: {reason}" in wait_for_worker(repo)
    assert refs_of(other) == ["refs/heads/main"]
    assert call(repo.path, "sync", address).returncode == 0
    open_memory(repo).add([make_session("t", 1)])
    push(repo, address, "main")
    assert f"shared with {address}: 1 new session" in wait_for_worker(repo)
    repo.git("config", "--add", "skillmesh.sync.refused", hub.path.as_uri())
    push(repo)
    assert f"not shared with origin: you said no to {hub.path.as_uri()}" in wait_for_worker(repo)
    assert refs_of(hub) == ["refs/heads/main"]


def test_from_a_linked_worktree(
    tmp_path: Path, hub: Repo, repo: Repo, wait_for_worker: Wait
) -> None:
    repo.git("config", "skillmesh.sync.push", "auto")
    linked = repo.worktree(tmp_path / "linked tree", "topic")
    assert push(linked, "origin", "topic") == QUIET
    wait_for_worker(repo)
    assert REF in refs_of(hub)


def test_a_program_that_vanished_is_said(repo: Repo, hub: Repo) -> None:
    from git_skillmesh.hooks.shim import render

    gone = "/nonexistent/python"
    (repo.hooks_dir / "pre-push").write_bytes(render("pre-push", shared=False, python=gone))
    assert push(repo) == QUIET
    repo.git("config", "skillmesh.sync.push", "auto")
    repo.commit("more")
    assert push(repo) == Result(
        0,
        "",
        f'git skillmesh: nothing shared, cannot start {gone}; run "git skillmesh init" again\n',
    )


def test_shared_hooks_share_only_where_there_is_an_index(
    tmp_path: Path, hub: Repo, wait_for_worker: Wait
) -> None:
    from git_skillmesh.hooks.install import install

    shared = tmp_path / "shared"
    repos = [make_repo(tmp_path, name, files={"a": f"{name}\n"}) for name in ("with", "without")]
    for repo in repos:
        repo.git("config", "core.hooksPath", os.fspath(shared))
        repo.git("config", "skillmesh.sync.push", "auto")
        repo.git("remote", "add", "origin", hub.path.as_uri())
        open_memory(repo).add([make_session(repo.path.name, 1)])
    install(discover(repos[0].path), shared_hooks=True)
    assert push(repos[1], "origin", "main:one") == QUIET
    assert wait_for_worker(repos[1]) == ""
    assert push(repos[0], "origin", "main:two") == QUIET
    assert "shared with origin: 1 new session" in wait_for_worker(repos[0])


def test_hook_managers_call_the_program(hub: Repo, repo: Repo, wait_for_worker: Wait) -> None:
    import sys

    program = (sys.executable, "-m", "git_skillmesh.hooks", "pre-push")
    repo.git("config", "skillmesh.sync.push", "auto")
    assert run(*program, cwd=repo.path) == QUIET  # nobody says which remote
    assert wait_for_worker(repo) == ""
    assert run(*program, cwd=repo.path, env={"PRE_COMMIT_REMOTE_NAME": "origin"}) == QUIET
    assert "shared with origin: 1 new session" in wait_for_worker(repo)
    open_memory(repo).add([make_session("t", 1)])
    assert run(*program, "origin", hub.path.as_uri(), cwd=repo.path) == QUIET
    assert refs_of(hub) == [NOTES, REF]


def test_no_network_is_a_line_in_the_log(hub: Repo, repo: Repo, wait_for_worker: Wait) -> None:
    import shutil

    repo.git("config", "skillmesh.sync.push", "auto")
    push(repo)
    wait_for_worker(repo)
    shutil.rmtree(hub.path)
    assert push(repo).returncode == 128  # git's own complaint, before the hook
    assert run(*_hook(), "origin", cwd=repo.path) == QUIET
    log = wait_for_worker(repo)
    assert f"not shared: cannot reach origin: '{hub.path}' does not appear to be" in log
    assert " end after " in log.splitlines()[-1]  # the index goes on
    sharing = last_sharing(repo.state_dir)
    assert sharing is not None
    assert sharing["failed"] == "yes"
    (shown,) = [s for s in call(repo.path, "status").stdout.splitlines() if s.startswith("sharing")]
    assert shown == f"sharing     {sharing['time']} {sharing['what']}"


def _hook() -> tuple[str, ...]:
    import sys

    return (sys.executable, "-m", "git_skillmesh.hooks", "pre-push")


def test_what_git_fetch_brought_is_taken_over_by_the_next_hook(
    tmp_path: Path, hub: Repo, repo: Repo, wait_for_worker: Wait, install_hooks: Install
) -> None:
    assert call(repo.path, "sync").returncode == 0
    other = make_repo(tmp_path, "other", files={"b": "1\n"})
    other.git("remote", "add", "origin", hub.path.as_uri())
    install_hooks(other)
    other.git("fetch", "-q", "origin", f"{REF}:refs/skillmesh/remotes/origin/memory")
    other.commit("a commit")
    assert "taken over from what was fetched: 1 new session" in wait_for_worker(other)
    assert open_memory(other).session("s") == make_session("s", 2)
    blob = other.git("hash-object", "-w", "--stdin", stdin="x")
    tree = other.git("mktree", stdin=f"120000 blob {blob}\tsessions\n")
    evil = other.git("commit-tree", tree, "-m", "evil")
    other.git("update-ref", "refs/skillmesh/remotes/origin/memory", evil)
    before = other.git("rev-parse", REF)
    other.commit("another commit")
    log = wait_for_worker(other)
    assert "not taken over: refs/skillmesh/memory of origin is not usable, sessions is a " in log
    assert other.git("rev-parse", REF) == before
    assert " end after " in log.splitlines()[-1]
