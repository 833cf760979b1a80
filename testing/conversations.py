"""Conversations and links, as an import and the linker would have stored them.

In: a repository. Out: its memory and notes filled; `tell_the_parcels_story` gives the repository of
the documentation's examples two conversations.
"""

from collections.abc import Iterable

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions import layout
from git_skillmesh.sessions.links import Link, ranges_of, write_links
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.memory import open_memory
from testing.repos import Repo

FIRST = "3f9c1d52-7a40-4be1-9d07-51c2a8e6b913"
SECOND = "b81e04c7-2f6d-4c3a-8e55-90d7f3a1c264"
THIRD = "5d20a6f8-19be-4f7c-b3a1-6c0e92d7f458"


def remember(repo: Repo, *sessions: Session) -> None:
    """Store sessions as they are."""
    open_memory(repo).add(sessions)


def link(
    repo: Repo,
    commit: str,
    path: str,
    lines: Iterable[int],
    session: str = "s",
    exchange: str = "s-1",
    *,
    confidence: float = 0.9,
    evidence: str = "edit",
    blob: str = "",
    via: tuple[str, ...] = (),
) -> Link:
    """Link lines of a file as a commit has it to an exchange."""
    blob = blob or repo.git("rev-parse", f"{commit}:{path}")
    made = Link(session, exchange, confidence, evidence, path, blob, ranges_of(lines), via)
    write_links(discover(repo.path), {repo.git("rev-parse", commit): [made]})
    return made


def damage(repo: Repo, session: str, what: str) -> None:
    """Replace a file of a session by what is none; `what` is how its path begins."""
    folder = layout.session_path(layout.key_of(session))
    paths = repo.git("ls-tree", "-r", "--name-only", layout.REF, f"{folder}/").splitlines()
    path = next(path for path in paths if path.startswith(f"{folder}/{what}"))
    blob = repo.git("hash-object", "-w", "--stdin", stdin='{"base": "x"}\n')
    env = {"GIT_INDEX_FILE": str(repo.path / ".git" / "scratch-index")}
    repo.git("read-tree", layout.REF, env=env)
    repo.git("update-index", "--index-info", env=env, stdin=f"100644 {blob}\t{path}\n")
    tree = repo.git("write-tree", env=env)
    commit = repo.git("commit-tree", "-p", layout.REF, "-m", "damage", tree)
    repo.git("update-ref", layout.REF, commit)


def edit_call(number: int, path: str, after: str, before: str | None = None) -> ToolCall:
    """Return a recorded edit."""
    edit = Edit(path, before, after, whole=before is None, line=1)
    return ToolCall(f"call-{number}", "Edit", Act.EDIT, path, "done", paths=(path,), edits=(edit,))


def tell_the_parcels_story(repo: Repo) -> None:
    """Give the repository of the examples its memory: two conversations, three exchanges."""
    path = "src/parcels/tracking.py"
    text = repo.read(path)
    plain = text.replace(
        "            time.sleep(delay)\n            delay *= 2\n", "            pass\n"
    )
    asked = Exchange(
        "9d2e-1",
        "Depots are sometimes down for a moment. Ask a second time before we say that a scan is "
        "lost.",
        "Let me look at the module first.\n\n`fetch_scans` now asks up to three times and raises "
        "`ScanLost` after the last failure.",
        "2026-03-02T09:14:00Z",
        "2026-03-02T09:16:30Z",
        "claude-opus-4-6",
        (
            ToolCall("call-1", "Read", Act.READ, path, "", paths=(path,)),
            edit_call(2, path, plain),
            ToolCall("call-3", "Bash", Act.BASH, "pytest -q tests/tracking", "4 passed in 0.11s\n"),
        ),
    )
    again = Exchange(
        "9d2e-2",
        "Three requests at once make it worse. Wait between them, longer each time.",
        "`fetch_scans` waits half a second after the first failure and twice as long after each "
        "further one, so that a depot that restarts is not asked in vain.",
        "2026-03-02T09:21:00Z",
        "2026-03-02T09:22:10Z",
        "claude-opus-4-6",
        (edit_call(4, path, text, plain),),
    )
    docs = Exchange(
        "77ab-1",
        "Add a section on deployment to the README.",
        "The README now says to run `deploy/backup.sh` first.",
        "2026-03-01T16:40:00Z",
        "2026-03-01T16:41:00Z",
        "gpt-5-codex",
        (edit_call(1, "README.md", repo.read("README.md")),),
    )
    remember(
        repo,
        Session(SECOND, "codex", (docs,)),
        Session(FIRST, "claude-code", (asked, again), "Retry lost scans", branch="main"),
    )
    numbers = range(1, len(text.splitlines()) + 1)
    waiting = [n for n, line in enumerate(text.splitlines(), 1) if "delay" in line]
    added = [n for n in numbers if n > 1 and n not in waiting]
    link(repo, "HEAD", path, added, FIRST, asked.exchange_id, confidence=0.98)
    link(repo, "HEAD", path, waiting, FIRST, again.exchange_id, confidence=0.98)
    readme = [n for n, line in enumerate(repo.read("README.md").splitlines(), 1) if "eploy" in line]
    link(repo, "HEAD~1", "README.md", readme, SECOND, "77ab-1", confidence=0.84, evidence="content")


def tell_the_correction(repo: Repo) -> None:
    """Give a repository with the parcels' files a third conversation, in which a person objects.

    The agent writes a client of the depots, is corrected, and the answer is committed.
    """
    path = "src/parcels/depots.py"
    raw = (
        "import requests\n\n\ndef scans_of(parcel):\n"
        '    return requests.get(f"https://depots.example/scans/{parcel}").json()\n'
    )
    mended = raw.replace("import requests", "from parcels import http").replace(
        "requests.", "http."
    )
    repo.commit("ask the depots", {path: raw})
    repo.commit("ask the depots by way of the shared client", {path: mended})
    asked = Exchange(
        "c4a7-1",
        "Write a function that asks a depot for the scans of a parcel.",
        "`scans_of` asks the depot and returns what it says.",
        "2026-03-03T08:30:00Z",
        "2026-03-03T08:31:20Z",
        "claude-opus-4-6",
        (edit_call(1, path, raw),),
    )
    corrected = Exchange(
        "c4a7-2",
        "No, we never call requests directly. Use http.get instead of requests.get, because it has "
        "our timeouts.",
        "`scans_of` goes through `parcels.http` now.",
        "2026-03-03T08:34:00Z",
        "2026-03-03T08:35:10Z",
        "claude-opus-4-6",
        (
            ToolCall("call-2", "Read", Act.READ, path, "", paths=(path,)),
            edit_call(3, path, mended, raw),
            ToolCall("call-4", "Bash", Act.BASH, "pytest -q tests/depots", "3 passed in 0.08s\n"),
        ),
    )
    remember(repo, Session(THIRD, "claude-code", (asked, corrected), "Scans", branch="main"))
    link(repo, "HEAD", path, [1, 5], THIRD, "c4a7-2", confidence=0.98)
