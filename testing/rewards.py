"""Histories in which it is known what became of the work of an exchange.

In: a folder. Out: `Deeds`: exchanges write, commits are made on days, time goes by, and the
exchanges are judged. All days are counted from one noon.
"""

from collections.abc import Mapping
from copy import copy
from pathlib import Path

from git_skillmesh.sessions.model import ToolCall
from git_skillmesh.training.model import Reward
from git_skillmesh.training.rewards.judging import Age, Judged
from git_skillmesh.training.rewards.running import Outcome, reward
from testing.linking import commit, link, ran, remember, wrote
from testing.memory import open_memory
from testing.repos import Repo, make_repo

DAY = 1440.0
# Old enough in these short histories.
AGE = Age(commits=3, days=2)

PARSER = """\
def read_header(stream, limit):
    raw = stream.read(limit)
    if not raw.startswith(b"HDR"):
        raise ValueError("no header in the stream")
    fields = raw[3:].split(b";")
    return {name: value for name, value in map(split_field, fields)}
"""
REPORT = """\
def write_report(rows, target):
    for number, row in enumerate(rows):
        target.write(f"{number}: {row.title}\\n")
    target.write(f"{len(rows)} rows in all\\n")
"""
OTHER = """\
def read_header(source):
    magic, _, rest = source.partition("|")
    check_magic(magic)
    return dict(pair.split("=") for pair in rest.split(","))
"""


class Deeds:
    """A repository with a first commit, in which exchanges and people work."""

    def __init__(self, folder: Path, files: Mapping[str, str] | None = None) -> None:
        self.repo: Repo = make_repo(folder)
        self.commit(-1, {"README": "A program.\n", **(files or {})}, "first")

    def copied(self, folder: Path) -> "Deeds":
        """Return the same in a copy of the repository."""
        made = copy(self)
        made.repo = self.repo.copy(folder / "repo")
        return made

    def write(
        self, name: str, day: float, path: str, after: str, before: str | None = None,
        *more: ToolCall, session: str = "s",
    ) -> None:  # fmt: skip
        """Let an exchange write a file, in the working tree and in the memory."""
        self.repo.write(path, after)
        call = wrote(day * DAY, path, before, after, whole=True, line=1)
        remember(self.repo, session, call, *more, exchange=name)

    def commit(
        self, day: float, files: Mapping[str, str | bytes | None] | None = None, message: str = "x"
    ) -> str:
        """Commit everything on a day, and link it."""
        made = commit(self.repo, day * DAY, files, message)
        link(self.repo)
        return made

    def quiet(self, day: float, commits: int = 3) -> None:
        """Let commits of others go by."""
        for number in range(commits):
            commit(self.repo, day * DAY, {f"notes/{day}-{number}": f"{day} {number}\n"}, "notes")

    def outcome(self, age: Age = AGE, at: str = "", *, write: bool = False) -> Outcome:
        """Judge."""
        store = open_memory(self.repo)
        where = self.repo.git("rev-parse", at) if at else self.repo.head
        return reward(store, where, age, write=write)

    def judged(self, name: str = "e", at: str = "") -> Judged:
        """Return one exchange, judged."""
        found = {pair[1]: one for pair, one in self.outcome(at=at).judged.items()}
        return found[name]

    def reward(self, name: str = "e", at: str = "") -> Reward:
        """Return the reward of one exchange."""
        return self.judged(name, at).reward


def ran_tests(day: float, output: str) -> ToolCall:
    """Return a run of tests."""
    return ran(day * DAY, "pytest -q", output)
