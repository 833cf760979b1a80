"""Order, skipping, failure, interruption of the pipeline.

`rewards` and `export-rl` are the real ones. In the place of `train` and `adapters` stands a program
that keeps their contract and fails or waits on demand; tests/training/nightly/test_killed.py has
the real ones.
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.errors import Busy, Damaged
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.model import Session
from git_skillmesh.training.nightly.model import Outcome
from git_skillmesh.training.nightly.state import Store
from testing.datasets import asked_of, tell_the_depots
from testing.memory import open_memory
from testing.nightly import Night, told
from testing.repos import Repo, make_repo
from testing.rewarded import events_of

NAME = "lora_codelearn_20260401"
UNCHANGED = [(name, "skipped", "unchanged") for name in ("rewards", "export-rl", "train")]
ACTIVE = [(name, "skipped", f"{NAME} is active already") for name in ("evaluate", "deploy")]


@pytest.fixture(scope="module")
def depots(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return tell_the_depots(tmp_path_factory.mktemp("depots"))


@pytest.fixture(scope="module")
def judged(depots: Repo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The same after its rewards and its data set were made, which take most of the time."""
    folder = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STAND_IN", "")
        patch.setenv("INTERPRETER", "")
        night = Night(depots.copy(folder / "repo"), folder / "control")
        assert night.run(steps=("rewards", "export-rl")).outcome is Outcome.DONE
    return night.repo


@pytest.fixture
def night(judged: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.setenv("STAND_IN", "")
    monkeypatch.setenv("INTERPRETER", "")
    return Night(judged.copy(tmp_path / "repo"), tmp_path / "control")


@pytest.fixture
def first(depots: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A first night."""
    monkeypatch.setenv("STAND_IN", "")
    monkeypatch.setenv("INTERPRETER", "")
    return Night(depots.copy(tmp_path / "repo"), tmp_path / "control")


def hear(night: Night, number: int) -> None:
    """Let one more conversation come in."""
    name = f"n{number}"
    memory = open_memory(night.repo)
    memory.add([Session(name, "codex", (asked_of(number, name),), branch="main")])
    memory.append_to_many({name: events_of(f"{name}-{number}", 0.9)})


def test_all_steps_then_nothing_new(first: Night) -> None:
    report = first.run()
    assert (report.outcome, report.code, report.next) == (Outcome.DONE, 0, "")
    assert told(report) == [
        (name, "ran", "first run")
        for name in ("rewards", "export-rl", "train", "evaluate", "deploy")
    ]
    assert [dict(step.figures) for step in report.steps] == [
        {"judged": 12, "new": 0, "too_young": 12},
        {"lines": 8, "train": 6, "validation": 1, "test": 1, "tokens": 2082},
        {"adapter": NAME, "steps": 4, "loss": 1.5},
        {
            "adapter": NAME, "loss": [1.5, 1.25, 1.75], "loss of base": [1.5, 1.25, 1.75],
            "over base": [-0.5, -0.75, -0.25], "better": True,
        },
        {"active": NAME, "targets": 0},
    ]  # fmt: skip
    assert first.active == NAME
    assert first.calls() == ["train", "evaluate", "deploy"]
    again = first.run()
    assert (again.outcome, again.code) == (Outcome.NOTHING_NEW, 0)
    assert told(again) == [*UNCHANGED, *ACTIVE]
    assert first.calls() == []
    logs = sorted((first.repo.common_dir / "skillmesh-nightly" / "log").iterdir())
    assert len(logs) == 2
    assert str(logs[1]) == again.log


def test_new_conversations_go_on_from_the_active_adapter(night: Night) -> None:
    night.run()
    night.calls()
    hear(night, 30)
    few = night.run(minimum=2)
    assert told(few)[2:] == [
        ("train", "skipped", "1 new line: 2 make a training worth its while"),
        (
            "evaluate", "skipped",
            f"{NAME} was trained on an earlier data set, and judged by that",
        ),
        ("deploy", "skipped", f"{NAME} is active already"),
    ]  # fmt: skip
    night.repo.commit("more", {"notes.md": "more\n"})
    enough = night.run()
    assert told(enough) == [
        ("rewards", "ran", "commits changed"),
        ("export-rl", "ran", "commits changed"),
        ("train", "ran", "the data set changed"),
        ("evaluate", "ran", "the adapter and the data set and the active one changed"),
        ("deploy", "ran", "the adapter and the active one changed"),
    ]
    assert night.calls() == ["train --from", "evaluate", "deploy"]
    assert night.active == f"{NAME}.2"
    active = f"{NAME}.2 is active already"
    assert told(night.run(minimum=2)) == [
        *UNCHANGED, ("evaluate", "skipped", active), ("deploy", "skipped", active),
    ]  # fmt: skip


def test_an_adapter_that_knows_lines_of_the_test_is_no_parent(night: Night) -> None:
    store = Store(discover(night.repo.path))
    path = Path(store.load().done["export-rl"].result["paths"]["data"])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    known = [line["id"] for line in lines if line["split"] != "train"]
    night.tell("train", knows=known[0])
    night.run()
    night.calls()
    night.tell("train")
    state = store.load()
    state.done["train"].inputs["data"] = "another"
    store.save(state)
    store.remember_trained([])
    report = night.run()
    assert told(report)[2] == ("train", "ran", "the data set changed")
    assert night.calls()[0] == "train"
    said = f"train: {NAME} knows lines of the test: training begins with the base"
    assert said in Path(report.log).read_text()


def test_another_base_trains_anew(night: Night) -> None:
    night.run()
    night.calls()
    report = night.run(base="another/base", minimum=1000)
    assert told(report)[2] == ("train", "ran", "the base changed")
    assert night.calls() == ["train", "evaluate", "deploy"]
    other = night.run(base="another/base", more=("--epochs", "1"))
    assert told(other)[2] == ("train", "ran", "the options changed")
    assert other.steps[2].command[-2:] == ("--epochs", "1")


def test_what_is_not_better_is_not_deployed(night: Night) -> None:
    night.tell("evaluate", better=False)
    report = night.run()
    assert (report.outcome, report.code) == (Outcome.DONE, 0)
    assert told(report)[3:] == [
        ("evaluate", "ran", "first run"),
        ("deploy", "skipped", f"{NAME} is not better: over the base"),
    ]
    assert night.active == ""
    again = night.run()
    assert again.outcome is Outcome.NOTHING_NEW
    assert told(again)[3:] == [
        ("evaluate", "skipped", "unchanged"),
        ("deploy", "skipped", f"{NAME} is not better: over the base"),
    ]


def test_what_a_person_took_back_stays_so(night: Night) -> None:
    night.run()
    (night.repo.common_dir / "skillmesh-adapters" / "active.json").unlink()
    report = night.run()
    mend = f"git skillmesh adapters deploy {NAME}"
    assert told(report)[3:] == [
        ("evaluate", "skipped", "unchanged"),
        (
            "deploy", "skipped",
            f"{NAME} was deployed and taken back; to deploy it again: {mend}",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["train", "evaluate", "deploy"])
def test_it_stops_at_the_first_failure_and_goes_on_there(night: Night, step: str) -> None:
    night.tell(step, fail="no room left", code=9)
    report = night.run()
    assert (report.outcome, report.code, report.next) == (
        Outcome.FAILED, 9, "git skillmesh nightly",
    )  # fmt: skip
    failed = [one[0] for one in told(report)].index(step)
    assert told(report)[failed:] == [
        (step, "failed", "no room left"),
        *[
            (later, "skipped", f"{step} did not succeed")
            for later in ("train", "evaluate", "deploy")[failed - 1 :]
        ],
    ]
    before = night.calls()
    night.tell(step)
    again = night.run()
    assert again.outcome is Outcome.DONE
    assert [one[1] for one in told(again)] == ["skipped"] * failed + ["ran"] * (5 - failed)
    assert night.active == NAME
    assert night.calls()[0] == step
    assert before[-1] == step


def test_a_step_that_is_killed_says_so(night: Night) -> None:
    night.tell("train", wait=30)
    process = night.start()
    wait_for(night.control / "waits")
    os.kill(int((night.control / "pid").read_text()), signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == ("failed\n", 3)
    last = Store(discover(night.repo.path)).load().last
    assert last["steps"][2]["why"] == "it was ended by SIGKILL; is there enough memory?"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_step_save_what_it_has(
    night: Night, number: int, cold_start: None
) -> None:
    night.tell("train", wait=30)
    process = night.start()
    wait_for(night.control / "waits")
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    assert (out, process.returncode) == ("interrupted\n", 130), said
    assert (night.control / "checkpoint").read_text() == "half"
    night.tell("train")
    night.calls()
    report = night.run()
    assert told(report)[2] == ("train", "ran", "goes on where it was interrupted")
    assert night.calls() == ["train", "evaluate", "deploy"]
    assert night.active == NAME


def test_what_a_killed_run_has_left_is_ended(night: Night, cold_start: None) -> None:
    night.tell("train", wait=60)
    process = night.start()
    wait_for(night.control / "waits")
    process.kill()
    process.communicate()
    left = int((night.control / "pid").read_text())
    assert Path(f"/proc/{left}").exists()
    night.tell("train")
    report = night.run()
    # Whoever takes in orphans here may leave a dead one in the list: that has no command line.
    assert not any(path.read_bytes() for path in Path("/proc").glob(f"{left}/cmdline"))
    assert (night.control / "checkpoint").exists() is False  # saved, and taken up
    assert told(report)[2] == ("train", "ran", "goes on where it was interrupted")
    assert "ended 1 leftover of a run that was killed" in Path(report.log).read_text()


def test_an_adapter_that_was_ready_when_the_run_was_killed_is_taken(
    night: Night, cold_start: None
) -> None:
    night.tell("train", late=60)
    process = night.start()
    wait_for(night.repo.common_dir / "skillmesh-adapters" / NAME)
    process.kill()
    process.communicate()
    night.tell("train")
    report = night.run()
    assert told(report)[2] == ("train", "skipped", "a run that was killed had finished it")
    assert night.active == NAME
    assert told(night.run()) == [*UNCHANGED, *ACTIVE]


def test_one_at_a_time(night: Night, cold_start: None) -> None:
    night.tell("train", wait=60)
    process = night.start()
    wait_for(night.control / "waits")
    with pytest.raises(Busy, match=rf"nightly is running already: process {process.pid} on \S+"):
        night.run()
    assert told(night.run(dry_run=True))[2][:2] == ("train", "would run")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_a_dry_run_changes_nothing(first: Night) -> None:
    report = first.run(dry_run=True)
    assert report.outcome is Outcome.DRY_RUN
    assert told(report) == [
        ("rewards", "would run", "first run"),
        *[
            (name, "skipped", "depends on what comes before")
            for name in ("export-rl", "train", "evaluate", "deploy")
        ],
    ]
    assert not (first.repo.common_dir / "skillmesh-nightly").exists()


def test_steps_that_were_asked_for(night: Night) -> None:
    report = night.run(steps=("rewards", "export-rl"))
    assert told(report)[2:] == [
        (name, "skipped", "not asked for") for name in ("train", "evaluate", "deploy")
    ]
    assert report.outcome is Outcome.NOTHING_NEW
    forced = night.run(steps=("rewards",), force=True)
    assert told(forced)[0] == ("rewards", "ran", "asked for again")


def test_a_data_set_that_is_gone_is_made_again(night: Night) -> None:
    night.run()
    store = Store(discover(night.repo.path))
    state = store.load()
    state.done["export-rl"].result["paths"]["data"] += ".gone"
    store.save(state)
    assert told(night.run()) == [
        UNCHANGED[0],
        ("export-rl", "ran", "what it made is gone"),
        UNCHANGED[2],
        *ACTIVE,
    ]


def test_repositories_without_anything_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "")
    monkeypatch.setenv("INTERPRETER", "")
    night = Night(make_repo(tmp_path), tmp_path / "control")
    assert told(night.run())[0] == ("rewards", "skipped", "there are no commits yet")
    night.repo.commit("first", {"a": "a\n"})
    report = night.run()
    assert report.outcome is Outcome.NOTHING_NEW
    assert told(report) == [
        ("rewards", "skipped", "no conversation is stored yet: git skillmesh import"),
        *[
            (name, "skipped", "there is nothing to judge")
            for name in ("export-rl", "train", "evaluate", "deploy")
        ],
    ]


def test_without_a_test_nothing_is_trained(night: Night) -> None:
    store = Store(discover(night.repo.path))
    state = store.load()
    state.done["export-rl"].result["splits"]["test"] = 0
    store.save(state)
    report = night.run()
    assert told(report)[2:] == [
        ("train", "skipped", "the data set has no test: nobody could say if it is better"),
        ("evaluate", "skipped", "nothing was trained"),
        ("deploy", "skipped", "nothing was trained"),
    ]


def test_a_state_of_another_version_or_damaged(first: Night) -> None:
    path = Store(discover(first.repo.path)).folder / "state.json"
    path.parent.mkdir()
    for text in ("{", json.dumps({"schema": 2}), "[]", "null"):
        path.write_text(text)
        with pytest.raises(Damaged, match="remove it: all steps are done again"):
            first.run()


def test_logs_and_data_sets_do_not_pile_up(first: Night) -> None:
    store = Store(discover(first.repo.path))
    store.logs.mkdir(parents=True)
    store.datasets.mkdir()
    for number in range(40):
        (store.logs / f"20200101T0000{number:02}Z-1.log").write_text("x")
    for day in range(1, 9):
        for suffix in ("jsonl", "manifest.json", "md"):
            (store.datasets / f"rl_dataset_2020010{day}.{suffix}").write_text("x")
    first.run(steps=("train",))
    assert len(list(store.logs.iterdir())) == 30
    store.sweep_datasets(str(store.datasets / "rl_dataset_20200101.jsonl"))
    assert [path.name for path in sorted(store.datasets.glob("*.jsonl"))] == [
        f"rl_dataset_2020010{day}.jsonl" for day in (1, 6, 7, 8)
    ]
    assert len(list(store.datasets.iterdir())) == 12


def test_the_settings_have_their_defaults(night: Night) -> None:
    config = load(discover(night.repo.path))
    found = {name: config[name] for name in config.values if name.startswith("train.")}
    assert found == {
        "train.base": "", "train.method": "sft", "train.preset": "tiny",
        "train.minimumlines": "20",
    }  # fmt: skip


def wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)
