"""Remotes: which one is meant, what a fetch leaves alone, what a push may do."""

import os
import shutil
import time
from pathlib import Path

import pytest

from git_skillmesh.errors import Unavailable, UsageError
from git_skillmesh.git.refs import RefMoved
from git_skillmesh.git.remotes import (
    Answer,
    Remote,
    Verdict,
    default_remote,
    fetch,
    fetch_settings,
    find_remote,
    known,
    push,
)
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.git.transport import Manners, reason_in
from testing.remotes import git_daemon, http_backend, make_hub, silent_server
from testing.repos import Repo, make_repo

# "ada:secret" as HTTP sends it.
BASIC = "YWRhOnNlY3JldA"
MEMORY, NOTES = "refs/skillmesh/memory", "refs/notes/skillmesh"
REFS = (MEMORY, NOTES)
SOON = Manners(seconds=60)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Repo, Repo]:
    """A bare remote, and a repository that calls it origin."""
    hub = make_hub(tmp_path)
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.git("remote", "add", "origin", hub.path.as_uri())
    return hub, repo


def at(repo: Repo) -> tuple[Repository, Remote]:
    repository = discover(repo.path)
    return repository, find_remote(repository, "origin")


def commit_on(repo: Repo, ref: str, text: str, *parents: str) -> str:
    blob = repo.git("hash-object", "-w", "--stdin", stdin=text)
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\tfile\n")
    onto = [word for parent in parents for word in ("-p", parent)]
    made = repo.git("commit-tree", tree, *onto, "-m", text)
    repo.git("update-ref", ref, made)
    return made


def test_the_default_remote(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repository = discover(repo.path)
    assert default_remote(repository) is None
    repo.git("remote", "add", "only", "https://ada:secret@example.org/p.git")
    assert default_remote(repository) == Remote("only", "https://example.org/p.git", "only")
    repo.git("remote", "add", "other", "x:y")
    assert default_remote(repository) is None
    repo.git("remote", "add", "origin", "/srv/p.git")
    assert default_remote(repository) == Remote("origin", "/srv/p.git", "origin")
    repo.git("config", "branch.main.remote", "other")
    assert default_remote(repository) == Remote("other", "x:y", "other")
    for none_of_them in (".", "https://example.org/gone.git"):
        repo.git("config", "branch.main.remote", none_of_them)
        assert default_remote(repository) == Remote("origin", "/srv/p.git", "origin")
    repo.git("checkout", "--quiet", "--detach")
    assert default_remote(repository) == Remote("origin", "/srv/p.git", "origin")


def test_a_remote_by_name_or_address(tmp_path: Path) -> None:
    hub = make_hub(tmp_path)
    repo = make_repo(tmp_path, files={"deep/a": "1\n"})
    repo.git("remote", "add", "origin", "git@example.org:team/p.git")
    repo.git("remote", "add", "a/b", "https://example.org/b")
    repo.git("config", "remote.forked.url", "https://example.org/up.git")
    repo.git("config", "remote.forked.pushurl", "https://example.org/down.git")
    repository = discover(repo.path / "deep")
    assert find_remote(repository, "a/b").key.startswith("remote-")
    for address in ("ssh://git@example.org:22/team/p", "git@example.org:team/p.git"):
        assert find_remote(repository, address).name == "origin"
    for address in ("https://example.org/up", "https://example.org/down.git"):
        assert find_remote(repository, address) == Remote(
            "forked", "https://example.org/down.git", "forked"
        )
    typed = find_remote(repository, "../../hub.git")
    assert (typed.name, typed.url) == (os.fspath(hub.path), os.fspath(hub.path))
    elsewhere = find_remote(repository, "https://ada:secret@example.com/x.git")
    assert elsewhere.name == "https://ada:secret@example.com/x.git"
    assert (elsewhere.shown, elsewhere.url) == ("https://example.com/x.git",) * 2
    assert elsewhere.tracking(NOTES) == f"refs/skillmesh/remotes/{elsewhere.key}/notes"
    for wrong in ("nowhere", "--upload-pack=evil", "", "-x:y"):
        with pytest.raises(UsageError, match="no such remote: "):
            find_remote(repository, wrong)


def test_a_fetch_leaves_everything_of_the_user_alone(
    tmp_path: Path, pair: tuple[Repo, Repo]
) -> None:
    hub, repo = pair
    other = make_repo(tmp_path, "other", files={"b": "1\n"})
    made = {ref: commit_on(other, ref, ref) for ref in REFS}
    other.git("tag", "v1", made[MEMORY])
    other.git("push", "--quiet", hub.path.as_uri(), *REFS, "v1", "main")
    mine = commit_on(repo, MEMORY, "my own")
    log = tmp_path / "hooks.log"
    for hook in ("reference-transaction", "post-merge", "post-checkout", "pre-push"):
        repo.hook(hook, f'#!/bin/sh\necho {hook} >>"{log}"\n')
    # Settings that would make a fetch do more than it should.
    for key, value in {
        "fetch.prune": "true", "fetch.recurseSubmodules": "true", "remote.origin.tagOpt": "--tags",
        "remote.origin.prune": "true", "fetch.writeCommitGraph": "true", "gc.auto": "1",
        "fetch.output": "compact", "transfer.fsckObjects": "false",
    }.items():  # fmt: skip
        repo.git("config", key, value)
    repository, remote = at(repo)
    assert known(repository, remote, REFS) == {MEMORY: None, NOTES: None}
    assert fetch(repository, remote, REFS, SOON) == made
    assert known(repository, remote, REFS) == made
    refs = repo.git("for-each-ref", "--format=%(refname)").splitlines()
    assert refs == [
        "refs/heads/main",
        MEMORY,
        "refs/skillmesh/remotes/origin/memory",
        "refs/skillmesh/remotes/origin/notes",
    ]
    assert repo.git("rev-parse", MEMORY) == mine
    assert not (repo.git_dir / "FETCH_HEAD").exists()
    assert not log.exists()


def test_what_is_gone_or_rewritten_at_the_remote_is_seen(pair: tuple[Repo, Repo]) -> None:
    hub, repo = pair
    repository, remote = at(repo)
    assert fetch(repository, remote, REFS, SOON) == {MEMORY: None, NOTES: None}
    first = commit_on(hub, MEMORY, "first")
    assert fetch(repository, remote, REFS, SOON) == {MEMORY: first, NOTES: None}
    rewritten, notes = commit_on(hub, MEMORY, "another"), commit_on(hub, NOTES, "notes")
    assert fetch(repository, remote, REFS, SOON) == {MEMORY: rewritten, NOTES: notes}
    hub.git("update-ref", "-d", MEMORY)
    with pytest.raises(RefMoved):  # it was there the last time; whoever asks again is told
        fetch(repository, remote, REFS, SOON)
    assert fetch(repository, remote, REFS, SOON) == {MEMORY: None, NOTES: notes}


def test_a_push_only_grows_unless_it_has_a_lease(pair: tuple[Repo, Repo]) -> None:
    hub, repo = pair
    repo.git("config", "remote.origin.mirror", "true")
    repo.git("config", "push.pushOption", "ci.skip")
    repo.hook("pre-push", "#!/bin/sh\nexit 1\n")
    repository, remote = at(repo)
    first = commit_on(repo, MEMORY, "first")
    done, moved = Answer(Verdict.DONE), Answer(Verdict.MOVED, "non-fast-forward")
    assert push(repository, remote, {MEMORY: first}, {}, SOON) == {MEMORY: done}
    other = commit_on(repo, "refs/heads/x", "other")
    notes = commit_on(repo, NOTES, "notes")
    both = {MEMORY: other, NOTES: notes}
    assert push(repository, remote, both, {}, SOON) == {MEMORY: moved, NOTES: done}
    stale = push(repository, remote, {MEMORY: other}, {MEMORY: notes}, SOON)
    assert stale == {MEMORY: Answer(Verdict.MOVED, "stale info")}
    leased = push(repository, remote, {MEMORY: other}, {MEMORY: first}, SOON)
    assert leased == {MEMORY: done}
    assert hub.git("for-each-ref", "--format=%(objectname) %(refname)").splitlines() == [
        f"{notes} {NOTES}",
        f"{other} {MEMORY}",
    ]


def test_a_remote_with_several_addresses(tmp_path: Path, pair: tuple[Repo, Repo]) -> None:
    hub, repo = pair
    mirror = make_hub(tmp_path, "mirror.git")
    for place in (hub, mirror):
        repo.git("remote", "set-url", "--add", "--push", "origin", place.path.as_uri())
    repository, remote = at(repo)
    assert remote.url == f"{hub.path.as_uri()}, {mirror.path.as_uri()}"
    first = commit_on(repo, MEMORY, "first")
    done = push(repository, remote, {MEMORY: first}, {}, SOON)
    assert done == {MEMORY: Answer(Verdict.DONE)}
    assert hub.git("rev-parse", MEMORY) == mirror.git("rev-parse", MEMORY) == first
    hub.git("config", "receive.hideRefs", "refs/notes")
    notes = commit_on(repo, NOTES, "notes")
    refused = push(repository, remote, {NOTES: notes}, {}, SOON)
    assert refused == {NOTES: Answer(Verdict.REFUSED, "deny updating a hidden ref")}


def test_what_a_remote_refuses_is_said_in_its_own_words(pair: tuple[Repo, Repo]) -> None:
    hub, repo = pair
    repository, remote = at(repo)
    first, other = commit_on(repo, MEMORY, "first"), commit_on(repo, NOTES, "other")
    push(repository, remote, {MEMORY: first}, {}, SOON)
    hub.git("config", "receive.hideRefs", "refs/notes")
    assert push(repository, remote, {NOTES: other}, {}, SOON) == {
        NOTES: Answer(Verdict.REFUSED, "deny updating a hidden ref")
    }
    grown = commit_on(repo, MEMORY, "grown", first)
    hub.hook("update", "#!/bin/sh\nprintf 'only maintainers \\033[31mhere\\n' >&2\nexit 1\n")
    assert push(repository, remote, {MEMORY: grown}, {}, SOON) == {
        MEMORY: Answer(Verdict.REFUSED, "hook declined: only maintainers \x1b[31mhere")
    }


def test_a_remote_that_is_not_there(tmp_path: Path, pair: tuple[Repo, Repo]) -> None:
    hub, repo = pair
    repository, remote = at(repo)
    shutil.rmtree(hub.path)
    commit = commit_on(repo, MEMORY, "first")
    said = f"cannot reach origin: '{hub.path}' does not appear to be a git repository"
    for work in (
        lambda: fetch(repository, remote, REFS, SOON),
        lambda: push(repository, remote, {MEMORY: commit}, {}, SOON),
    ):
        with pytest.raises(Unavailable) as failed:
            work()
        assert str(failed.value) == said
    nowhere = find_remote(repository, "https://ada:secret@127.0.0.1:1/x.git")
    with pytest.raises(Unavailable, match=r"^cannot reach https://127\.0\.0\.1:1/x\.git: ") as told:
        fetch(repository, nowhere, REFS, SOON)
    assert "secret" not in str(told.value)


def test_a_server_that_says_nothing_is_left_after_a_while(
    tmp_path: Path, pair: tuple[Repo, Repo]
) -> None:
    _, repo = pair
    repository = discover(repo.path)
    with silent_server() as address:
        remote = find_remote(repository, f"{address}/p.git")
        started = time.monotonic()
        with pytest.raises(Unavailable, match="no end after 1 s"):
            fetch(repository, remote, REFS, Manners(seconds=1))
        assert time.monotonic() - started < 20


def test_nothing_asks_for_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    askpass = tmp_path / "askpass"
    askpass.write_text(f'#!/bin/sh\necho "$1" >>"{asked}"\necho secret\n')
    askpass.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", os.fspath(askpass))
    monkeypatch.setenv("GIT_ASKPASS", os.fspath(askpass))
    root = tmp_path / "served"
    hub = make_hub(root)
    hub.git("config", "http.receivepack", "true")
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.git("config", "core.askPass", os.fspath(askpass))
    repository = discover(repo.path)
    with http_backend(root, password=BASIC) as address:
        remote = find_remote(repository, f"{address}/hub.git")
        with pytest.raises(Unavailable, match=r"log in once: git ls-remote http://127"):
            fetch(repository, remote, REFS, SOON)
        assert not asked.exists()
        named = f"{address}/hub.git".replace("//", "//ada:secret@")
        remote = find_remote(repository, named)
        commit = commit_on(repo, MEMORY, "first")
        assert push(repository, remote, {MEMORY: commit}, {}, SOON)[MEMORY].verdict is Verdict.DONE
        assert fetch(repository, remote, REFS, SOON) == {MEMORY: commit, NOTES: None}


def test_ssh_is_told_not_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for ssh notes how it was called; the name decides whether it is OpenSSH's."""
    words = tmp_path / "words"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("ssh", "plink"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{words}"\nexit 1\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    repo = make_repo(tmp_path, files={"a": "1\n"})
    remote = Remote("git@example.org:p.git", "git@example.org:p.git", "x")

    def called(**settings: str) -> str:
        words.unlink(missing_ok=True)
        for key, value in settings.items():
            monkeypatch.setenv(key, value)
        with pytest.raises(Unavailable, match=r"cannot reach git@example\.org:p\.git"):
            fetch(discover(repo.path), remote, REFS, SOON)
        return words.read_text().splitlines()[-1].partition(" git@")[0]

    batch = "-oBatchMode=yes -oConnectTimeout=15"
    assert called().startswith(f"ssh {batch}")
    repo.git("config", "core.sshCommand", f"{programs}/ssh -i 'my key'")
    assert called().startswith(f"ssh -i my key {batch}")
    repo.git("config", "core.sshCommand", "plink -batch")
    assert called().startswith("plink -batch")
    repo.git("config", "--unset", "core.sshCommand")
    assert called(GIT_SSH="plink") == "plink"
    assert called(GIT_SSH_COMMAND="ssh -v").startswith(f"ssh -v {batch}")


def test_protocols_that_the_user_forbids_stay_forbidden(
    pair: tuple[Repo, Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, repo = pair
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "https:ssh")
    repository, remote = at(repo)
    with pytest.raises(Unavailable, match="transport 'file' not allowed"):
        fetch(repository, remote, REFS, SOON)


def test_a_partial_clone_gets_everything(tmp_path: Path) -> None:
    hub = make_hub(tmp_path)
    hub.git("config", "uploadpack.allowFilter", "true")
    first = commit_on(hub, MEMORY, "whole")
    source = make_repo(tmp_path, "source", files={"a": "1\n"})
    source.git("push", "--quiet", hub.path.as_uri(), "main")
    clone = hub.clone(tmp_path / "clone", "--filter=blob:none", "--branch=main")
    repository, remote = at(clone)
    assert fetch(repository, remote, REFS, SOON)[MEMORY] == first
    assert clone.git("rev-list", "--objects", "--missing=print", MEMORY_HERE).count("?") == 0


MEMORY_HERE = "refs/skillmesh/remotes/origin/memory"


def test_a_shallow_clone_gets_the_whole_history(tmp_path: Path) -> None:
    hub = make_hub(tmp_path)
    first = commit_on(hub, MEMORY, "one")
    commit_on(hub, MEMORY, "two", first)
    source = make_repo(tmp_path, "source", files={"a": "1\n"})
    source.commit("two", {"a": "2\n"})
    source.git("push", "--quiet", hub.path.as_uri(), "main")
    clone = hub.clone(tmp_path / "clone", "--depth=1", "--branch=main")
    repository, remote = at(clone)
    fetch(repository, remote, REFS, SOON)
    assert clone.git("rev-list", "--count", MEMORY_HERE) == "2"
    assert clone.git("rev-list", "--count", "HEAD") == "1"


def test_a_fetch_of_the_user_brings_the_refs_where_it_is_configured(
    pair: tuple[Repo, Repo],
) -> None:
    hub, repo = pair
    repository, remote = at(repo)
    for key, value in fetch_settings(remote, REFS):
        repo.git("config", "--add", key, value)
    repo.git("fetch", "--quiet", "--prune")  # the remote has neither, and that is no error
    first = commit_on(hub, MEMORY, "first")
    repo.git("fetch", "--quiet", "--prune")
    assert known(repository, remote, REFS) == {MEMORY: first, NOTES: None}


def test_another_protocol(tmp_path: Path) -> None:
    root = tmp_path / "served"
    repo = make_repo(tmp_path, files={"a": "1\n"})
    make_hub(root)
    with git_daemon(root) as address:
        repo.git("remote", "add", "origin", f"{address}/hub.git")
        repository, remote = at(repo)
        commit = commit_on(repo, NOTES, "notes")
        assert push(repository, remote, {NOTES: commit}, {}, SOON)[NOTES].verdict is Verdict.DONE
        assert fetch(repository, remote, REFS, SOON) == {MEMORY: None, NOTES: commit}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "git gave no reason"),
        (
            "fatal: the remote end hung up unexpectedly\n",
            "fatal: the remote end hung up unexpectedly",
        ),
        (
            "git@example.org: Permission denied (publickey).\n"
            "fatal: Could not read from remote repository.\n\n"
            "Please make sure you have the correct access rights\nand the repository exists.\n",
            "git@example.org: Permission denied (publickey).",
        ),
        (
            "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n",
            "ERROR: Repository not found.",
        ),
        (
            "remote: Invalid username or password.\n"
            "fatal: Authentication failed for 'https://ada:x@example.org/'\n",
            "Authentication failed for 'https://example.org/'",
        ),
    ],
)
def test_the_line_that_tells_most(said: str, reason: str) -> None:
    assert reason_in(said.encode()).removeprefix("fatal: ") == reason.removeprefix("fatal: ")
