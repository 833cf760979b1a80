"""What is judged again when something changes: all that it concerns, and little else."""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.training.model import Pair
from git_skillmesh.training.rewards.judging import Age, Judged
from testing.examples import examples
from testing.linking import commit, link, remember, wrote
from testing.memory import open_memory
from testing.rewards import DAY, OTHER, PARSER, REPORT, Deeds

TEXTS = (
    PARSER,
    REPORT,
    OTHER,
    PARSER.replace("raw", "data"),
    PARSER + "\n\n" + REPORT,
    "import re\n",
)
PATHS = ("a.py", "b.py", "lib/a.py", "lib/c.py")


class Life:
    """A repository in which anything happens."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.deeds = Deeds(folder)
        self.random = random.Random(seed)
        self.day = 0.0
        self.number = 0

    def step(self) -> None:
        """Let something happen."""
        self.day += self.random.choice((0.01, 0.1, 1.0))
        weights = {
            self.write: 4, self.commit: 4, self.unlinked: 2, self.quiet: 2, self.move: 1,
            self.revert: 1, self.side: 1, self.amend: 1, self.forget: 1, self.late: 1,
            self.ignore: 0.3,
        }  # fmt: skip
        self.random.choices(list(weights), list(weights.values()))[0]()

    def write(self) -> None:
        path, text = self.random.choice(PATHS), self.random.choice(TEXTS)
        file = self.deeds.repo.path / path
        before = file.read_text() if file.exists() else None
        self.number += 1
        session = self.random.choice("stu")
        self.deeds.write(f"e{self.number}", self.day, path, text, before, session=session)

    def late(self) -> None:
        """An exchange comes to memory long after it happened."""
        self.number += 1
        when = max(self.day - 3, 0) * DAY
        path, text = self.random.choice(PATHS), self.random.choice(TEXTS)
        call = wrote(when, path, self.random.choice((None, OTHER)), text, whole=True, line=1)
        remember(self.deeds.repo, self.random.choice("tv"), call, exchange=f"e{self.number}")

    def commit(self) -> None:
        self.deeds.commit(self.day)

    def unlinked(self) -> None:
        path, text = self.random.choice(PATHS), self.random.choice(TEXTS)
        commit(self.deeds.repo, self.day * DAY, {path: text})
        if self.random.random() < 0.3:
            link(self.deeds.repo)

    def quiet(self) -> None:
        self.day += self.random.choice((0.5, 3))
        self.deeds.quiet(self.day, self.random.choice((1, 3)))

    def move(self) -> None:
        there = [path for path in PATHS if (self.deeds.repo.path / path).exists()]
        free = [path for path in PATHS if path not in there]
        if there and free:
            old, new = self.deeds.repo.path / there[0], self.deeds.repo.path / free[0]
            new.parent.mkdir(exist_ok=True)
            old.rename(new)
            self.deeds.commit(self.day)

    def revert(self) -> None:
        commits = self.deeds.repo.git("rev-list", "--no-merges", "-n5", "HEAD").split()
        target = self.random.choice(commits)
        repo = self.deeds.repo
        commit(repo, self.day * DAY)
        if repo.run("git", "revert", "--no-commit", target).returncode:
            repo.git("reset", "-q", "--hard")  # somebody has changed it since
            return
        commit(repo, self.day * DAY, None, f'Revert "x"\n\nThis reverts commit {target}.')

    def side(self) -> None:
        """A branch is made, worked on, and merged."""
        repo = self.deeds.repo
        commit(repo, self.day * DAY)
        home = repo.git("symbolic-ref", "--short", "HEAD")
        back = self.random.choice((0, 1, 2))
        count = len(repo.git("rev-list", "--first-parent", "HEAD").split())
        repo.git("checkout", "-q", "-B", "side", f"HEAD~{min(back, count - 1)}")
        self.number += 1
        path = f"side/{self.number}.py"
        self.deeds.write(f"e{self.number}", self.day, path, self.random.choice(TEXTS), session="w")
        self.deeds.commit(self.day)
        repo.git("checkout", "-q", home)
        if self.random.random() < 0.7:
            env = {"GIT_COMMITTER_DATE": f"{int(1709294400 + self.day * 86400)} +0000"}
            repo.git("merge", "-q", "--no-ff", "-m", "merge", "side", env=env)
            link(repo)

    def amend(self) -> None:
        if self.random.random() < 0.5:
            if self.number > 2:
                self.deeds.repo.git("reset", "-q", "--hard", "HEAD~1")
        else:
            self.deeds.repo.git("commit", "-q", "--amend", "-m", "other words", "--allow-empty")
        link(self.deeds.repo)

    def forget(self) -> None:
        store = open_memory(self.deeds.repo)
        sessions = [one.head.session_id for one in store.sessions()]
        if len(sessions) > 2 and self.random.random() < 0.4:
            store.forget(self.random.choice(sessions))

    def ignore(self) -> None:
        commit(self.deeds.repo, self.day * DAY, {".gitignore": "lib\n"})


def anew(deeds: Deeds, age: Age) -> Mapping[Pair, Judged]:
    """Judge with nothing known of before."""
    database = deeds.repo.state_dir / "training.db"
    others = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    kept = {path: path.read_bytes() for path in others if path.exists()}
    for path in kept:
        path.unlink()
    judged = deeds.outcome(age).judged
    for path in others:
        path.unlink(missing_ok=True)
    for path, data in kept.items():
        path.write_bytes(data)
    return judged


@settings(max_examples=examples(2), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 30))
def test_judging_what_changed_is_judging_everything(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    life = Life(tmp_path_factory.mktemp("life"), seed)
    age = Age(3, 2)
    for _ in range(life.random.choice((4, 8))):
        for _ in range(life.random.choice((1, 1, 3))):
            life.step()
        done = life.deeds.outcome(age, write=life.random.random() < 0.8)
        assert done.judged == anew(life.deeds, age)
    assert life.deeds.outcome(age, write=True).judged == anew(life.deeds, age)
    assert life.deeds.outcome(age, write=True).fresh is False


def test_a_commit_costs_what_it_concerns(tmp_path: Path) -> None:
    """With twice the history as many exchanges are judged again."""
    deeds = Deeds(tmp_path)
    again = []
    for half in range(2):
        for number in range(3):
            name = f"{half}{number}"
            deeds.write(name, half * 9, f"{name}.py", PARSER.replace("raw", f"raw_{name}"))
            deeds.commit(half * 9 + 0.1)
        deeds.quiet(half * 9 + 8)
        assert deeds.outcome(write=True).fresh
        deeds.commit(half * 9 + 8.5, {f"{half}1.py": REPORT})
        done = deeds.outcome(write=True)
        again.append(done.again)
        assert len(done.judged) == (half + 1) * 3
        assert done.judged["s", f"{half}1"].evidence.alive == 0
        assert deeds.outcome(write=True).again == 0
    assert again == [1, 1]
