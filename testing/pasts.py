"""Repositories with a past whose lines have known fates, and learnings to hold against it.

In: a folder. Out: `Past`, which commits on days that are counted back from a fixed one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from git_skillmesh.learnings.model import Example, Learning, Matcher, MatcherKind, Scope, State

from .repos import Repo, make_repo

NEWEST = datetime(2026, 6, 1, 12, tzinfo=UTC)

TIMEOUT = Learning(
    learning_id="timeout",
    title="Give every request a timeout",
    description="Without one a call waits for ever.",
    matcher=Matcher(MatcherKind.REGEX, regex=r"requests\.get\([^,)]*\)"),
    state=State.WARN,
    languages=("python",),
    bad=(Example("requests.get(u)\n"),),
    good=(Example("requests.get(u, timeout=3)\n"),),
)
PRINTED = Learning(
    learning_id="printed",
    title="Do not print",
    description="Use the log.",
    matcher=Matcher(MatcherKind.AST, Scope.FILE, rule={"pattern": "print($$$A)"}),
    state=State.BLOCK,
    languages=("python",),
)
CHANGELOG = Learning(
    learning_id="changelog",
    title="Tell of it in the changelog",
    description="Users read it.",
    matcher=Matcher(MatcherKind.PATHS, accompany=("CHANGES.md",)),
    state=State.WARN,
    paths=("src/**",),
)
UNFINISHED = Learning(
    learning_id="unfinished",
    title="Say what was done",
    description="Not that it is not done.",
    matcher=Matcher(MatcherKind.MESSAGE, regex=r"\A(?i:wip)\b"),
    state=State.WARN,
)
LEARNINGS = (TIMEOUT, PRINTED, CHANGELOG, UNFINISHED)


class Past:
    """A repository whose commits are made on days before `NEWEST`."""

    def __init__(self, folder: Path) -> None:
        self.repo: Repo = make_repo(folder)

    def commit(
        self, days: float, files: Mapping[str, str | bytes | None], message: str = "change"
    ) -> str:
        """Commit files so many days before the newest day."""
        for name, content in files.items():
            if content is None:
                (self.repo.path / name).unlink()
            else:
                self.repo.write(name, content)
        self.repo.git("add", "--all")
        return self.on(days, "commit", "--quiet", "--allow-empty", "-m", message)

    def on(self, days: float, *command: str) -> str:
        """Run git on a day and return what HEAD is then."""
        date = (NEWEST - timedelta(days=days)).isoformat()
        self.repo.git(*command, env={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date})
        return self.repo.head

    def quiet(self, commits: int, days: float = 0) -> None:
        """Add commits that change nothing, so that what was before is old."""
        for _ in range(commits):
            self.on(days, "commit", "--quiet", "--allow-empty", "-m", "nothing")
