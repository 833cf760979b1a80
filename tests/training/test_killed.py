"""Judging and exporting, killed or interrupted at any point: what is there is old or new.

The next run gives what an undisturbed one gives, to the byte.
"""

import json
import random
import shutil
import signal
from pathlib import Path

import pytest

from git_skillmesh.errors import ExitCode
from testing.commands import call
from testing.datasets import tell_the_attempts, tell_the_depots
from testing.killing import calls_of, ended
from testing.repos import Repo
from testing.rewards import OTHER, PARSER, REPORT, Deeds

# Of each run that is interrupted; twice as many of one that is killed.
POINTS = 1
MEMORY = "refs/skillmesh/memory"
JUDGE = ("rewards", "--commits", "3", "--days", "2")


def copy_of(repo: Repo, folder: Path) -> Repo:
    shutil.copytree(repo.path, folder)
    return Repo(folder)


def points(calls: int, by: signal.Signals, seed: int) -> list[int]:
    """Return points of a run, one in each part of it; more of what nothing can catch."""
    chosen, count = random.Random(seed), POINTS * (1 + (by == signal.SIGKILL))
    return [round((place + chosen.random()) * calls / count) for place in range(count)]


def judged_in(repo: Repo) -> tuple[str, str]:
    """Return the memory, and what judging without keeping anything says."""
    said = call(repo.path, *JUDGE, "--dry-run", "--json")
    document = json.loads(said.stdout)
    return repo.git("rev-parse", f"{MEMORY}^{{tree}}"), json.dumps(document["exchanges"])


@pytest.fixture(scope="module")
def deeds(tmp_path_factory: pytest.TempPathFactory) -> Deeds:
    made = Deeds(tmp_path_factory.mktemp("deeds"))
    made.write("e", 0, "a.py", PARSER)
    made.commit(0.1)
    made.write("f", 0.2, "b.py", REPORT, session="t")
    made.commit(0.3)
    made.quiet(4)
    assert call(made.repo.path, *JUDGE).returncode == 0
    made.write("g", 5, "a.py", OTHER, PARSER)
    made.commit(5.1)
    made.commit(5.2, {"b.py": "import re\n"})
    made.quiet(9)
    return made


@pytest.mark.parametrize(
    ("by", "known"), [(signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGINT, True)]
)
def test_judging_ends_in_the_middle(
    deeds: Deeds, tmp_path: Path, by: signal.Signals, *, known: bool
) -> None:
    old = deeds.repo.git("rev-parse", f"{MEMORY}^{{tree}}")
    calm = copy_of(deeds.repo, tmp_path / "calm")
    calls = calls_of(lambda: call(calm.path, *JUDGE).returncode)
    new, said = judged_in(calm)
    assert new != old
    for number, at in enumerate(points(calls, by, 3)):
        repo = copy_of(deeds.repo, tmp_path / str(number))
        if not known:
            shutil.rmtree(repo.state_dir)
        code = ended(lambda repo=repo: call(repo.path, *JUDGE).returncode, at, by)  # type: ignore[misc]
        assert code in ((-by,) if by == signal.SIGKILL else (ExitCode.INTERRUPTED, 0))
        assert repo.git("rev-parse", f"{MEMORY}^{{tree}}") in (old, new)
        assert call(repo.path, *JUDGE).returncode == 0
        assert judged_in(repo) == (new, said)
        assert "0 are new" in call(repo.path, *JUDGE).stderr


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = tell_the_depots(tmp_path_factory.mktemp("made"))
    tell_the_attempts(made)
    return made


# Each form chooses and writes lines of its own.
@pytest.mark.parametrize(
    ("form", "by"), [("sft", signal.SIGINT), ("kto", signal.SIGKILL), ("dpo", signal.SIGKILL)]
)
def test_exporting_ends_in_the_middle(
    attempts: Repo, tmp_path: Path, form: str, by: signal.Signals
) -> None:
    made = copy_of(attempts, tmp_path / "made")
    export = ("export-rl", "--date", "20260401", "--output", "out", "--format", form)
    assert call(made.path, *export, "--context-tokens", "50").returncode == 0
    old = {path.name: path.read_bytes() for path in (made.path / "out").iterdir()}
    calm = copy_of(made, tmp_path / "calm")
    calls = calls_of(lambda: call(calm.path, *export).returncode)
    new = {path.name: path.read_bytes() for path in (calm.path / "out").iterdir()}
    assert new.keys() == old.keys()
    data = "rl_dataset_20260401.jsonl"
    assert new[data] != old[data]
    for number, at in enumerate(points(calls, by, 3)):
        repo = copy_of(made, tmp_path / str(number))
        code = ended(lambda repo=repo: call(repo.path, *export).returncode, at, by)  # type: ignore[misc]
        assert code in ((-by,) if by == signal.SIGKILL else (ExitCode.INTERRUPTED, 0))
        out = repo.path / "out"
        assert all((out / name).read_bytes() in (old[name], new[name]) for name in new)
        assert call(repo.path, *export).returncode == 0
        assert {path.name: path.read_bytes() for path in out.iterdir()} == new
        assert call(repo.path, "export-rl", "--check", f"out/{data}").returncode == 0
