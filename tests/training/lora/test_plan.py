"""A plan as a file, and what makes two plans one training."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.errors import Damaged, UsageError
from git_skillmesh.training.lora.folders import (
    finish,
    finished,
    fresh_folder,
    last_checkpoint,
    metrics_until,
    open_work,
    seal,
)
from git_skillmesh.training.lora.plan import Plan, read_plan
from git_skillmesh.training.model import Form


def plan_in(folder: Path, **more: object) -> Plan:
    values = {
        "base": "/x/base", "folder": "/x/base", "base_sha256": "b", "data": "/x/d.jsonl",
        "data_sha256": "d", "method": Form.SFT, "preset": "tiny", "rank": 8, "alpha": 16,
        "dropout": 0.0, "rate": 1e-3, "batch": 2, "accumulation": 1, "length": 64, "epochs": 1.0,
        "saves": False, "output": str(folder),
    }  # fmt: skip
    return Plan(**{**values, **more})  # type: ignore[arg-type]


def test_a_plan_comes_back_from_its_file(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, resume=True, seed=7)
    plan.write(tmp_path / "p.json")
    assert read_plan(tmp_path / "p.json") == plan


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1, "x": 2}', '{"schema": 2}'])
def test_what_is_no_plan(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    with pytest.raises(UsageError):
        read_plan(path)
    path.write_text(text)
    with pytest.raises(Damaged, match="is no plan of a training"):
        read_plan(path)


def test_what_decides_the_weights_makes_another_training(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    for same in ({"resume": True}, {"threads": 4}, {"owner": 9}, {"data": "/elsewhere/d.jsonl"}):
        assert replace(plan, **same).work == plan.work
    for other in ({"seed": 1}, {"rate": 1e-4}, {"data_sha256": "e"}, {"control": "shuffled"}):
        assert replace(plan, **other).work != plan.work


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, resume=True)
    checkpoints = open_work(plan)
    assert last_checkpoint(plan.work) is None
    for step in (2, 9, 10):
        (checkpoints / f"checkpoint-{step}").mkdir()
    for step in (2, 9):
        seal(checkpoints / f"checkpoint-{step}")
    assert last_checkpoint(plan.work) == checkpoints / "checkpoint-9"
    open_work(replace(plan, resume=False))
    assert last_checkpoint(plan.work) is None


def test_numbers_are_cut_where_a_training_goes_on(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    open_work(plan)
    path = plan.work / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    assert metrics_until(plan.work, 2) == [{"step": 1}, {"step": 2}]
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_where_files_have_one_name_only_weights_are_there_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    plan = plan_in(tmp_path, resume=True)
    open_work(plan)
    made = fresh_folder(plan)
    (made / "adapter_model.safetensors").write_bytes(b"w")
    monkeypatch.setattr(os, "link", refuses)
    folder = finish(plan, made, {}, [], lambda told: "")
    assert (folder / f"{folder.name}.safetensors").read_bytes() == b"w"


def test_an_adapter_appears_whole_and_names_go_on(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, resume=True)
    names = []
    for _ in range(3):
        open_work(plan)
        made = fresh_folder(plan)
        (made / "adapter_model.safetensors").write_bytes(b"w")
        folder = finish(plan, made, {"x": 1}, ["b", "a", "b"], lambda told: told["name"])
        names.append(folder.name)
        assert not plan.work.exists()
        assert sorted(path.name for path in folder.iterdir()) == [
            "README.md", "adapter_model.safetensors", f"{folder.name}.safetensors",
            "trained_ids.txt", "training.json",
        ]  # fmt: skip
        assert (folder / "trained_ids.txt").read_text() == "a\nb\n"
        assert (folder / "README.md").read_text() == folder.name
        both = [folder / "adapter_model.safetensors", folder / f"{folder.name}.safetensors"]
        assert both[0].samefile(both[1])
    assert names == [names[0], f"{names[0]}.2", f"{names[0]}.3"]


def test_killed_after_the_last_step(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, resume=True)
    open_work(plan)
    assert finished(plan) is None
    (plan.work / "name").write_text("lora_codelearn_20260101")
    assert finished(plan) is None
    (tmp_path / "lora_codelearn_20260101").mkdir()
    fresh_folder(plan)  # it was killed before it got its name, which somebody else has
    assert finished(plan) is None
    fresh_folder(plan).rmdir()
    assert finished(plan) == tmp_path / "lora_codelearn_20260101"
    assert not plan.work.exists()
