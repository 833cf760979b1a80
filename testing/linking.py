"""Sessions that wrote something, commits at a time, and the links that came of it.

In: edits, commands, files, minutes. Out: sessions in memory, commits, links by line. All times are
minutes after noon of one day.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from git_skillmesh.config import load
from git_skillmesh.sessions.linking.linker import Outcome, link_new_commits
from git_skillmesh.sessions.links import Link, lines_linked, read_links
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.memory import open_memory
from testing.repos import Repo

_CALLS = count()


def clock(minute: float) -> str:
    """Return a time as transcripts have it."""
    noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    return (noon + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def wrote(
    minute: float | None, path: str, before: str | None, after: str | None, *,
    whole: bool = False, line: int = 0,
) -> ToolCall:  # fmt: skip
    """Return an edit of a file, at no known time for None."""
    edit = Edit(path, before, after, whole=whole, line=line)
    time = "" if minute is None else clock(minute)
    name = f"call-{next(_CALLS)}"
    return ToolCall(name, "Edit", Act.EDIT, time=time, paths=(path,), edits=(edit,))


def ran(minute: float, command: str, output: str = "", commits: tuple[str, ...] = ()) -> ToolCall:
    """Return a command."""
    name, time = f"call-{next(_CALLS)}", clock(minute)
    return ToolCall(name, "Bash", Act.BASH, command, output, time=time, commits=commits)


def remember(
    repo: Repo, session: str, *calls: ToolCall, exchange: str = "", parent: str = ""
) -> None:
    """Store an exchange of a session with these calls; its id is that of the session by default."""
    times = [call.time for call in calls if call.time]
    told = Exchange(
        exchange or f"{session}-1", "do it", "done", min(times, default=""),
        max(times, default=""), tools=calls,
    )  # fmt: skip
    open_memory(repo).add([Session(session, "claude-code", (told,), parent=parent)])


def commit(
    repo: Repo, minute: float, files: Mapping[str, str | bytes | None] | None = None,
    message: str = "change", *options: str, authored: float | None = None,
) -> str:  # fmt: skip
    """Commit everything there is at a time; `authored` is when it was first made."""
    for name, content in (files or {}).items():
        if content is None:
            (repo.path / name).unlink()
        else:
            repo.write(name, content)
    date = {
        "GIT_AUTHOR_DATE": clock(minute if authored is None else authored),
        "GIT_COMMITTER_DATE": clock(minute),
    }
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--allow-empty", "-m", message, *options, env=date)
    return repo.head


def link(repo: Repo) -> Outcome:
    """Link what is new, as after a commit."""
    repository = repo.opened()
    return link_new_commits(repository, load(repository, environ=os.environ))


def links_of(repo: Repo, commit: str = "") -> tuple[Link, ...]:
    """Return the links in the note of a commit."""
    if len(commit) < 40:
        commit = repo.git("rev-parse", commit) if commit else repo.head
    return read_links(repo.opened(), [commit]).get(commit, ())


def by_line(repo: Repo, path: str, commit: str = "") -> dict[int, str]:
    """Return line of a file → the exchange and the kind of evidence, for a commit."""
    commit = commit or repo.head
    blob = repo.git("rev-parse", f"{commit}:{path}")
    linked = lines_linked(links_of(repo, commit), path, blob)
    return {line: f"{one.exchange} {one.evidence}" for line, one in sorted(linked.items())}


def on_files(repo: Repo, commit: str = "") -> list[str]:
    """Return the links of a commit that are about no lines, as text."""
    return sorted(
        " ".join(filter(None, [link.exchange, link.evidence, link.path]))
        for link in links_of(repo, commit)
        if not link.ranges
    )
