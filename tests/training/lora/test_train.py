"""Training for real, on a base of 30,000 random parameters. Run by scripts/test-training."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.errors import ExitCode
from git_skillmesh.training import models, run
from git_skillmesh.training.adapters.store import Store
from git_skillmesh.training.lora import folders
from git_skillmesh.training.lora.plan import Plan, read_plan
from git_skillmesh.training.lora.presets import PRESETS
from git_skillmesh.training.lora.reading import read
from git_skillmesh.training.model import Form
from testing.repos import make_repo
from testing.trained import random_base, write_data

pytest.importorskip("trl", reason="needs git-skillmesh[train]: run scripts/test-training")

_SPLITS = {"train": range(12), "validation": range(12, 14), "test": range(14, 20)}
_FILES = [
    "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja",
    "loss.png", "loss.svg", "metrics.jsonl", "trained_ids.txt", "training.json",
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_base(tmp_path_factory.mktemp("base") / "b")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def plan_of(base: Path, folder: Path, form: Form = Form.SFT, **more: Any) -> Plan:
    data = write_data(folder.parent / f"{form}.jsonl", form, _SPLITS)
    preset = PRESETS["tiny"]
    values: dict[str, Any] = {
        "base": "the-base", "folder": str(base), "base_sha256": models.hash_of(base),
        "data": str(data), "data_sha256": read(data).sha256, "method": form, "preset": "tiny",
        "rank": 4, "alpha": 8, "dropout": 0.0, "rate": 1e-2, "batch": 2, "accumulation": 1,
        "length": 640, "epochs": preset.epochs, "saves": False, "output": str(folder),
        "max_steps": 4, "device": "cpu", "threads": 1,
    }  # fmt: skip
    return Plan(**{**values, **more})


def train(plan: Plan, capfd: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    """Train in this process; return the exit code and what was told."""
    Path(plan.output).mkdir(parents=True, exist_ok=True)
    plan.write(Path(plan.output) / "plan.json")
    capfd.readouterr()
    code = run.main([str(Path(plan.output) / "plan.json")])
    lines = capfd.readouterr().out.splitlines()
    return code, [json.loads(line) for line in lines if line.startswith("{")]


def adapter_of(plan: Plan) -> Path:
    (found,) = Path(plan.output).glob("lora_codelearn_*")
    return found


def weights_of(adapter: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    weights: dict[str, Any] = load_file(adapter / "adapter_model.safetensors")
    return weights


def same(one: Path, other: Path) -> bool:
    a, b = weights_of(one), weights_of(other)
    return a.keys() == b.keys() and all(float((a[k] - b[k]).abs().max()) < 1e-6 for k in a)


def steps_of(adapter: Path) -> list[int]:
    lines = map(json.loads, (adapter / "metrics.jsonl").read_text().splitlines())
    return [line["step"] for line in lines if "loss" in line]


def test_an_adapter(base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan = plan_of(base, tmp_path / "out")
    code, told = train(plan, capfd)
    adapter = adapter_of(plan)
    assert code == 0
    assert told[:-1] == [{"step": step, "of": 4} for step in (1, 2, 3, 4)]
    assert told[-1]["folder"] == str(adapter)
    assert sorted(path.name for path in adapter.iterdir()) == sorted(
        [*_FILES, f"{adapter.name}.safetensors"]
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        adapter.name, "plan.json"
    ]  # fmt: skip
    record = json.loads((adapter / "training.json").read_text())
    wanted = {
        "schema": 1, "name": adapter.name, "base": "the-base", "method": "sft", "parent": "",
        "steps": 4,
    }  # fmt: skip
    assert {key: record[key] for key in wanted} == wanted
    assert str(tmp_path) not in (adapter / "training.json").read_text()
    assert str(tmp_path) not in (adapter / "adapter_config.json").read_text()
    assert (adapter / "trained_ids.txt").read_text().split() == sorted(
        f"sft-check-{number}" for number in _SPLITS["train"]
    )
    assert (adapter / "chat_template.jinja").read_text() == models.CHAT_TEMPLATE
    assert steps_of(adapter) == [1, 2, 3, 4]
    assert loss_on_test(base, None, plan) > loss_on_test(base, adapter, plan) + 0.05


def loss_on_test(base: Path, adapter: Path | None, plan: Plan, habit: str = "check") -> float:
    loaded = models.load(str(base), adapter, device="cpu")
    lines = write_data(Path(plan.output) / "t.jsonl", Form.SFT, {"test": range(14, 20)}, [habit])
    rows = [
        (line.sample_id, *models.encoded(loaded.tokenizer, line.prompt, line.completion, 640))
        for line in read(lines).lines
    ]
    costs = models.losses(loaded, rows, 3)
    assert [name for name, _, _ in costs] == [row[0] for row in rows]
    return sum(nats for _, nats, _ in costs) / sum(count for *_, count in costs)


def test_interrupted_and_resumed_is_the_same(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # With dropout, so that the state of chance has to come back too.
    whole = plan_of(base, tmp_path / "whole", max_steps=8, dropout=0.1)
    assert train(whole, capfd)[0] == 0
    plan = replace(whole, output=str(tmp_path / "parts"))

    def interrupt() -> None:
        metrics = plan.work / "metrics.jsonl"
        while not metrics.exists() or '"step": 3' not in metrics.read_text():
            time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code, told = train(plan, capfd)
    thread.join()
    assert code == ExitCode.INTERRUPTED
    at = told[-1]["interrupted"]
    assert told[-1] == {"interrupted": at, "of": 8}
    assert 3 <= at < 8
    assert not list(Path(plan.output).glob("lora*"))
    code, told = train(replace(plan, resume=True), capfd)
    assert (code, told[-1]["resumed"]) == (0, True)
    assert told[0] == {"step": at + 1, "of": 8}
    assert same(adapter_of(whole), adapter_of(plan))
    assert steps_of(adapter_of(plan)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not plan.work.exists()


def test_killed_and_resumed_is_the_same(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], cold_start: None
) -> None:
    whole = plan_of(base, tmp_path / "whole", max_steps=6, checkpoint_every=1)
    assert train(whole, capfd)[0] == 0
    plan = replace(whole, output=str(tmp_path / "parts"))
    (tmp_path / "parts").mkdir()
    plan.write(tmp_path / "parts" / "plan.json")
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh.training.run", str(tmp_path / "parts" / "plan.json")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if '"step": 3' in line:
            process.kill()
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    assert not list(Path(plan.output).glob("lora*"))
    code, told = train(replace(plan, resume=True), capfd)
    assert code == 0
    assert 2 <= told[0]["step"] <= 5
    assert same(adapter_of(whole), adapter_of(plan))


def processes_with(text: str) -> list[int]:
    """Return the processes whose command lines have a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def test_the_command_is_killed_and_its_training_saves(
    base: Path, tmp_path: Path, cold_start: None
) -> None:
    """The parent is kept from `gc` as long as its child trains."""
    repo, output = make_repo(tmp_path / "repo"), tmp_path / "out"
    data = write_data(tmp_path / "first.jsonl", Form.SFT, _SPLITS)
    words = ["train", "--base", str(base), "--output", str(output), "--threads", "1", "--json"]
    words += ["--learning-rate", "0.01", "--length", "640", "--accumulation", "1"]
    made = repo.skillmesh(*words, "--data", str(data), "--max-steps", "2")
    assert made.returncode == 0, made.stderr
    parent = json.loads(made.stdout)["name"]
    more = write_data(tmp_path / "more.jsonl", Form.SFT, {"train": range(12)}, ["stamp"])
    words += ["--data", str(more), "--from", parent, "--max-steps"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "git_skillmesh", *words, "400"], cwd=repo.path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    numbers = list[Path]()
    while not any('"step": 2' in path.read_text() for path in numbers):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
        numbers = list(output.glob(".training-*/metrics.jsonl"))
    with Store(output).unused(parent) as free:
        assert not free
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while processes_with(str(output)):
        assert time.monotonic() < deadline, "the training goes on"
        time.sleep(0.05)
    (work,) = output.glob(".training-*[0-9a-f]")
    assert folders.step_of(folders.last_checkpoint(work) or Path()) >= 2
    with Store(output).unused(parent) as free:
        assert free
    (file,) = output.glob(f"{work.name}.*.json")  # of the killed one
    assert read_plan(work / "plan.json").parent == str(output / parent)
    assert file.is_file()


@pytest.mark.parametrize("form", [Form.KTO, Form.DPO])
def test_preferences_and_their_control(
    form: Form, base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(base, tmp_path / "out", form, max_steps=2)
    assert train(plan, capfd)[0] == 0
    control = replace(plan, control="shuffled", output=str(tmp_path / "control"))
    assert train(control, capfd)[0] == 0
    assert not same(adapter_of(plan), adapter_of(control))
    card = (adapter_of(control) / "README.md").read_text()
    assert "**A control (shuffled): what it learned has no meaning. Not for use.**" in card
    further = replace(
        plan, parent=str(adapter_of(plan)), replay=1.0, output=str(tmp_path / "further")
    )
    code, told = train(further, capfd)
    assert (code, told[-1]["error"]) == (
        1, f"{adapter_of(plan).name} was trained on every line of {form}.jsonl"
    )  # fmt: skip


def test_what_was_learned_before_is_kept_by_replay(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = plan_of(base, tmp_path / "first", max_steps=24)
    assert train(first, capfd)[0] == 0
    parent = adapter_of(first)
    data = write_data(tmp_path / "second.jsonl", Form.SFT, {"train": range(12)}, ["stamp"])
    losses = {}
    for share in (0.0, 1.0):
        plan = replace(
            first, output=str(tmp_path / f"replay{share}"), parent=str(parent), replay=share,
            data=str(data), data_sha256=read(data).sha256, replay_data=first.data,
            replay_sha256=first.data_sha256,
        )  # fmt: skip
        code, told = train(plan, capfd)
        assert code == 0, told
        adapter = adapter_of(plan)
        losses[share] = loss_on_test(base, adapter, plan)
        record = json.loads((adapter / "training.json").read_text())
        assert record["parent"] == parent.name
        assert record["data"]["replayed"] == (12 if share else 0)
        assert len((adapter / "trained_ids.txt").read_text().split()) == 24
    assert losses[1.0] < losses[0.0]


def test_what_cannot_be_trained(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(base, tmp_path / "out")

    def said(plan: Plan) -> tuple[int, str]:
        code, told = train(plan, capfd)
        return code, told[-1]["error"]

    assert said(replace(plan, data_sha256="x")) == (
        8, "sft.jsonl has changed since this training began"
    )  # fmt: skip
    assert said(replace(plan, length=8)) == (1, "no completion begins within 8 tokens")
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in base.iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[:200])
    assert said(replace(plan, folder=str(broken)))[0] == 8
    assert not list((tmp_path / "out").glob("lora*"))


def test_several_processes(base: Path, tmp_path: Path, cold_start: None) -> None:
    plan = plan_of(base, tmp_path / "out", max_steps=2)
    (tmp_path / "out").mkdir()
    plan.write(tmp_path / "plan.json")
    done = subprocess.run(
        [
            sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2",
            "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
            "--num_cpu_threads_per_process", "1", "-m", "git_skillmesh.training.run",
            str(tmp_path / "plan.json"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [one.get("step") for one in told] == [1, 2, None]
    assert adapter_of(plan).name == told[-1]["name"]
