"""The folder of a training: what is under way in it, and how it becomes an adapter.

In: a plan, checkpoints, numbers. Out: `lora_codelearn_YYYYMMDD[.n]`, which appears in one step when
it is complete. A training under way is `.training-KEY`, with a lock beside it as long as it runs.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import Damaged, ReadOnly
from ...files import sync
from .plan import Plan

METRICS = "metrics.jsonl"
KNOWN_IDS = "trained_ids.txt"
# In a checkpoint: it is whole.
COMPLETE = "complete"
_CHECKPOINTS = "checkpoints"
_WEIGHTS = "adapter_model.safetensors"
_MOST_NAMES = 10_000
# Which adapter this is about to become, or has just become.
_NAME = "name"
_MADE = "adapter"


def lock_path(plan: Plan) -> Path:
    """Return the lock that a running training holds."""
    return plan.work.with_name(f"{plan.work.name}.lock")


def open_work(plan: Plan) -> Path:
    """Return the folder of checkpoints of a training; without `resume` it begins anew.

    Raises `ReadOnly`.
    """
    work = plan.work
    try:
        if not plan.resume:
            shutil.rmtree(work, ignore_errors=True)
        (work / _CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {work}", error.strerror or str(error)) from None
    plan.write(work / "plan.json")
    return work / _CHECKPOINTS


def step_of(checkpoint: Path) -> int:
    """Return the step that a checkpoint was made at."""
    _, _, number = checkpoint.name.partition("-")
    return int(number) if number.isdigit() else -1


def last_checkpoint(work: Path) -> Path | None:
    """Return the newest checkpoint that is whole."""
    whole = (one.parent for one in (work / _CHECKPOINTS).glob(f"checkpoint-*/{COMPLETE}"))
    return max(whole, key=step_of, default=None)


def drop_unfinished(work: Path) -> None:
    """Remove checkpoints that are not whole."""
    for one in (work / _CHECKPOINTS).glob("checkpoint-*"):
        if not (one / COMPLETE).exists():
            shutil.rmtree(one, ignore_errors=True)


def seal(checkpoint: Path) -> None:
    """Say that a checkpoint is whole, once its files are on the disk."""
    for path in checkpoint.iterdir():
        sync(path)
    (checkpoint / COMPLETE).touch()
    sync(checkpoint)


def metrics_until(work: Path, step: int) -> list[dict[str, Any]]:
    """Cut the metrics off behind a step, and return those that stay."""
    path, kept = work / METRICS, []
    if path.is_file():
        for line in path.read_text(encoding="ascii").splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue  # a killed process wrote a part of it
            if isinstance(one, dict) and one.get("step", step + 1) <= step:
                kept.append(one)
    path.write_text("".join(json.dumps(one) + "\n" for one in kept), encoding="ascii")
    return kept


def known_ids(parent: Path) -> tuple[str, ...]:
    """Return the ids of the lines that an adapter and its parents were trained on.

    Raises `Damaged`.
    """
    try:
        return tuple((parent / KNOWN_IDS).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        raise Damaged(f"{parent.name} does not say what it was trained on", KNOWN_IDS) from None


def finished(plan: Plan) -> Path | None:
    """Return the adapter of a training that was killed after its last step; tidy up behind it."""
    try:
        name = (plan.work / _NAME).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    folder = Path(plan.output) / name
    if (plan.work / _MADE).exists() or not name or not folder.is_dir():
        return None
    shutil.rmtree(plan.work, ignore_errors=True)
    return folder


def fresh_folder(plan: Plan) -> Path:
    """Return an empty folder for what becomes an adapter."""
    made = plan.work / _MADE
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    return made


def finish(
    plan: Plan, made: Path, record: Mapping[str, Any], ids: Iterable[str], card: Any,
) -> Path:  # fmt: skip
    """Make an adapter of a folder with weights, and return it; what was under way is removed.

    `record` becomes training.json, with the name; `card(record)` the README.
    """
    output = Path(plan.output)
    (made / KNOWN_IDS).write_text("".join(f"{one}\n" for one in sorted(set(ids))))
    stem = f"lora_codelearn_{datetime.now(UTC):%Y%m%d}"
    for number in range(1, _MOST_NAMES):
        name = stem if number == 1 else f"{stem}.{number}"
        if (output / name).exists():
            continue
        link = made / f"{name}.safetensors"
        try:
            os.link(made / _WEIGHTS, link)
        except OSError:  # not every file system has such names
            shutil.copyfile(made / _WEIGHTS, link)
        told = {"schema": 1, "name": name, **record}
        (made / "training.json").write_text(json.dumps(told, indent=1) + "\n", encoding="ascii")
        (made / "README.md").write_text(card(told), encoding="utf-8")
        for path in made.iterdir():
            sync(path)
        sync(made)
        (plan.work / _NAME).write_text(name, encoding="ascii")
        sync(plan.work)
        try:
            made.rename(output / name)
        except OSError:  # somebody else has just taken the name
            if not (output / name).exists():
                raise
            link.unlink()
            continue
        sync(output)
        shutil.rmtree(plan.work, ignore_errors=True)
        return output / name
    raise ReadOnly(f"cannot write {output}", "all names of today are taken")
