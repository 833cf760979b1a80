"""`git skillmesh forget`: asks, removes, and says who still has it."""

import json
import os
import pty
import sys
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.layout import REF
from git_skillmesh.sessions.summed import summaries
from testing.commands import call
from testing.conversations import damage, link, remember
from testing.memory import make_session
from testing.repos import Repo, Result, make_repo
from testing.schemas import fits

TRACKING = "refs/skillmesh/remotes/origin/memory"


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("original"), files={"a.txt": "one\n"})
    remember(repo, make_session("kept"))
    remember(repo, make_session("secret-1"), make_session("secret-1-sub", parent="secret-1"))
    link(repo, "HEAD", "a.txt", [1], "secret-1", "secret-1-1")
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def everything(repo: Repo) -> str:
    """Return all objects' ids that the repository has."""
    return repo.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")


def blobs_with(repo: Repo, text: str) -> list[str]:
    found = []
    for oid in everything(repo).split():
        if text in repo.run("cat-file", "-p", oid).stdout:
            found.append(oid)
    return found


def test_it_is_gone_with_its_history(repo: Repo) -> None:
    call(repo.path, "sessions", "--all")
    assert call(repo.path, "forget", "--yes", "secret-1") == Result(
        0,
        "forgotten  secret-1\n"
        "forgotten  secret-1-sub\n"
        f"1 commit of {REF} rewritten; no import brings it back\n"
        "git gc drops 19 objects when older than 2.weeks.ago, at once with:\n"
        "  git gc --prune=now\n"
        "notes of 1 commit in refs/notes/skillmesh keep the id, and nothing else\n",
        "",
    )
    assert "secret" not in repo.git("log", "-p", REF, "--", "sessions")
    assert call(repo.path, "sessions", "--all").stdout.count("\n") == 2
    assert call(repo.path, "show", "secret-1").stderr == (
        "git-skillmesh: session secret-1 was forgotten\n"
    )
    remember(repo, make_session("secret-1"))
    assert call(repo.path, "sessions", "--all").stdout.count("\n") == 2


def test_the_cache_of_openings_goes_too(repo: Repo) -> None:
    remember(repo, make_session("untitled", title=""))
    call(repo.path, "sessions")
    assert "change 1" in (repo.state_dir / "openings.json").read_text()
    assert summaries(discover(repo.path), REF)
    assert "untitled" in (repo.state_dir / "sessions.json").read_text()
    assert call(repo.path, "forget", "--yes", "untitled").returncode == 0
    assert not (repo.state_dir / "openings.json").exists()
    assert not (repo.state_dir / "sessions.json").exists()


def test_gc_drops_the_objects_at_once(repo: Repo) -> None:
    assert blobs_with(repo, "edited 0 of secret-1")
    said = call(repo.path, "forget", "--yes", "--gc", "secret-1")
    assert "the objects are gone\n" in said.stdout
    assert blobs_with(repo, "edited 0 of secret-1") == []
    assert blobs_with(repo, "edited 0 of kept")


def test_who_still_holds_it(repo: Repo, tmp_path: Path) -> None:
    remote = make_repo(tmp_path, "remote", bare=True)
    away = make_repo(tmp_path, "away", bare=True)
    repo.git("remote", "add", "origin", str(remote.path))
    repo.git("remote", "add", "far-away", str(away.path))
    repo.git("push", "-q", "origin", f"{REF}:{REF}")
    repo.git("fetch", "-q", "origin", f"{REF}:{TRACKING}")
    repo.git("update-ref", "refs/backup/memory", REF)
    said = call(repo.path, "forget", "--yes", "secret-1").stdout.splitlines()
    command = "git skillmesh sync origin"
    assert said[
        said.index("notes of 1 commit in refs/notes/skillmesh keep the id, and nothing else") + 1 :
    ] == [
        "refs/backup/memory still holds it here",
        "  git update-ref -d refs/backup/memory",
        f"origin held it when it was last fetched ({TRACKING})",
        f"  {command}",
        "what far-away holds is not known here",
        f"  git ls-remote far-away {REF}",
    ]
    assert call(repo.path, *command.split(" ")[2:]).returncode == 0
    repo.git("fetch", "-q", "origin", f"+{REF}:{TRACKING}")
    repo.git("update-ref", "-d", "refs/backup/memory")
    again = call(repo.path, "forget", "--yes", "secret-1").stdout
    assert "held it" not in again
    assert "still holds" not in again
    assert "secret" not in remote.git("log", "-p", REF, "--", "sessions")


def test_a_broken_session_can_be_forgotten(repo: Repo) -> None:
    damage(repo, "kept", "session.json")
    assert call(repo.path, "show", "kept") == Result(
        8, "", "git-skillmesh: session kept has no session.json that can be read\n"
    )
    assert call(repo.path, "forget", "--yes", "kept").stdout.startswith("forgotten  kept\n")
    assert call(repo.path, "show", "kept").stderr == "git-skillmesh: session kept was forgotten\n"


def test_json(repo: Repo) -> None:
    said = call(repo.path, "forget", "--yes", "--json", "secret-1", "kept")
    document = json.loads(said.stdout)
    fits(document, "asking", "forget")
    assert document["sessions"] == ["secret-1", "secret-1-sub", "kept"]
    assert (document["notes"], document["elsewhere"]) == (1, [])
    assert call(repo.path, "forget", "--json", "kept").returncode == 2


def test_nobody_to_ask_and_nothing_to_forget(repo: Repo, tmp_path: Path) -> None:
    before = repo.git("rev-parse", REF)
    assert repo.skillmesh("forget", "secret-1") == Result(
        2,
        "",
        "git-skillmesh: forgetting cannot be undone: say --yes where nobody can be asked\n",
    )
    assert call(repo.path, "forget", "--yes", "kept", "nope").stderr.startswith(
        "git-skillmesh: no such session: nope"
    )
    assert repo.git("rev-parse", REF) == before
    assert call(make_repo(tmp_path, "empty").path, "forget", "--yes", "x").stderr == (
        "git-skillmesh: no conversations are stored in this repository yet: git skillmesh import\n"
    )


@pytest.mark.parametrize(
    ("answer", "goes"), [("y", True), ("YES", True), ("", False), ("n", False)]
)
def test_it_asks_on_a_terminal(repo: Repo, answer: str, goes: bool) -> None:
    shown, code = typed(repo, f"{answer}\n", "forget", "secret-1")
    assert "  secret-1  2024-03-01 12:03  claude-code  3 exchanges  Title of secret-1\r\n" in shown
    assert (
        "  secret-1-sub  2024-03-01 12:03  claude-code  3 exchanges  Title of secret-1-s…" in shown
    )
    assert "Forget 2 conversations for good? [y/N] " in shown
    assert ("forgotten  secret-1" in shown) is goes
    assert ("nothing was forgotten" in shown) is not goes
    assert code == (0 if goes else 1)


def typed(repo: Repo, keys: str, *words: str) -> tuple[str, int]:
    """Run the program on a pseudo-terminal, type, and return what it showed and its exit code."""
    child, controller = pty.fork()
    if child == 0:
        os.chdir(repo.path)
        # Not the environment of C, in which readline has left COLUMNS.
        command = [sys.executable, "-m", "git_skillmesh", *words]
        os.execve(sys.executable, command, {**os.environ, "TERM": "xterm"})  # noqa: S606
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(controller, 4096)
    os.write(controller, keys.encode())
    while True:
        try:
            shown += os.read(controller, 4096)
        except OSError:
            break
    _, status = os.waitpid(child, 0)
    return shown.decode(), os.waitstatus_to_exitcode(status)
