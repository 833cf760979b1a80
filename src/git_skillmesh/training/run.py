"""Train an adapter: the process that loads weights.

    python -P -m git_skillmesh.training.run PLAN.json
    accelerate launch -m git_skillmesh.training.run PLAN.json

In: a plan (`git skillmesh train --plan`). Out: an adapter, and on standard output one JSON object a
line: `step` and `of`, then the result, or `error` with its `code`. Nothing is sent anywhere: what
the libraries tell their makers is switched off, and so is the hub.
"""

import contextlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import Damaged, ExitCode, SkillmeshError
from ..index.locks import exclusive
from . import models
from .adapters.store import used
from .alone import QUIET
from .lora import folders
from .lora.card import card_of
from .lora.picking import Picked, pick
from .lora.plan import Plan, read_plan
from .lora.reading import Data, read

_LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")
_ALONE = {**QUIET, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}


def main(arguments: Sequence[str]) -> int:
    """Train by a plan; the exit code is that of the command."""
    os.environ.update(_ALONE)
    try:
        plan = read_plan(Path(*arguments[:1]))
        models.require(*_LIBRARIES)
        with used(Path(plan.parent) if plan.parent else None):
            return _train(plan)
    except SkillmeshError as error:
        return _told(error)
    except Exception as error:  # a process ends here; whoever started it gets one line
        return _told(_understood(error))


def _told(error: SkillmeshError) -> int:
    from .lora.watching import tell

    traceback.print_exc()
    tell({"error": error.what, "mend": error.mend, "code": int(error.exit_code)})
    return int(error.exit_code)


def _understood(error: Exception) -> SkillmeshError:
    """Return an error as one line. Of memory there may be too little; the rest is a fault."""
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate" in text:
        found = SkillmeshError("memory is too small", "a smaller --batch, --length or --preset")
        found.exit_code = ExitCode.UNAVAILABLE
        return found
    found = SkillmeshError(f"training failed: {type(error).__name__}", text[:300])
    found.exit_code = ExitCode.INTERNAL
    return found


def _is_main() -> bool:
    return os.environ.get("RANK", "0") == "0"


@contextlib.contextmanager
def _alone(plan: Plan) -> Iterator[None]:
    """Hold the lock of the training, by the first of its processes."""
    if not _is_main():
        yield
        return
    with exclusive(folders.lock_path(plan), what="this adapter"):
        yield
        folders.lock_path(plan).unlink(missing_ok=True)


def _train(plan: Plan) -> int:
    from .lora.watching import Watcher, Wish, tell

    wish = Wish(plan.owner)
    wish.listen()
    data, picked, known = _lines(plan)
    with _alone(plan):
        import torch

        from .lora.trainers import trainer_of

        if plan.threads:
            torch.set_num_threads(plan.threads)
        if _is_main():
            done_before = folders.finished(plan) if plan.resume else None
            if done_before:
                tell(_result(done_before, resumed=True))
                return int(ExitCode.OK)
            folders.open_work(plan)
            folders.drop_unfinished(plan.work)
        start = folders.last_checkpoint(plan.work) if plan.resume else None
        at = folders.step_of(start) if start else 0
        if _is_main():
            folders.metrics_until(plan.work, at)
        watcher = Watcher(plan.work, wish)
        begun = time.monotonic()
        trainer = trainer_of(plan, picked, watcher)
        if wish:
            return int(ExitCode.INTERRUPTED)
        done = trainer.train(resume_from_checkpoint=str(start) if start else None)
        seconds = time.monotonic() - begun
        if watcher.stopped:
            if _is_main():
                tell({"interrupted": trainer.state.global_step, "of": trainer.state.max_steps})
            return int(ExitCode.INTERRUPTED)
        if not _is_main():
            return int(ExitCode.OK)
        metrics = _metrics(plan, done.metrics, at)
        steps = trainer.state.global_step
        made = _made(plan, trainer)
        ids = [*known, *(line.sample_id for line in picked.train)]
        record = _record(plan, data, picked, steps, seconds, metrics)
        folder = folders.finish(plan, made, record, ids, card_of)
    tell(_result(folder, resumed=start is not None))
    return int(ExitCode.OK)


def _result(folder: Path, *, resumed: bool) -> dict[str, Any]:
    record = json.loads((folder / "training.json").read_bytes())
    told = {key: record[key] for key in ("steps", "seconds", "metrics")}
    return {"name": folder.name, "folder": str(folder), **told, "resumed": resumed}


def _lines(plan: Plan) -> tuple[Data, Picked, tuple[str, ...]]:
    """Read the data and pick lines, as the command did before."""
    data = read(Path(plan.data))
    older = read(Path(plan.replay_data)) if plan.replay_data else None
    for found, wanted in ((data, plan.data_sha256), (older, plan.replay_sha256)):
        if found is not None and found.sha256 != wanted:
            raise Damaged(f"{found.path.name} has changed since this training began")
    parent = Path(plan.parent) if plan.parent else None
    known = folders.known_ids(parent) if parent else ()
    name = parent.name if parent else ""
    return (
        data,
        pick(data, plan.method, known, plan.replay, name, older, plan.control, plan.seed),
        known,
    )


def _made(plan: Plan, trainer: Any) -> Path:
    """Write weights, template, numbers and pictures to a folder inside of the one under way."""
    from .lora.plot import draw

    made = folders.fresh_folder(plan)
    model = trainer.accelerator.unwrap_model(trainer.model)
    # Where the base lies on this machine is nobody's business.
    model.peft_config["default"].base_model_name_or_path = plan.base
    model.save_pretrained(str(made), selected_adapters=["default"], safe_serialization=True)
    (made / "README.md").unlink(missing_ok=True)
    template = trainer.processing_class.chat_template
    (made / models.TEMPLATE_FILE).write_text(template, encoding="utf-8")
    numbers = folders.metrics_until(plan.work, trainer.state.global_step)
    (made / folders.METRICS).write_bytes((plan.work / folders.METRICS).read_bytes())
    draw(numbers, made, f"{plan.method} on {Path(plan.data).name}")
    return made


def _metrics(plan: Plan, told: dict[str, float], at: int) -> dict[str, float]:
    """Return the numbers of the training as a whole."""
    import torch

    lines = folders.metrics_until(plan.work, sys.maxsize)
    losses = [one["loss"] for one in lines if "loss" in one]
    watched = [one["eval_loss"] for one in lines if "eval_loss" in one]
    found: dict[str, float] = {}
    if losses:
        found["loss_first"] = losses[0]
        tail = losses[-max(len(losses) // 10, 1) :]
        found["loss_last"] = round(sum(tail) / len(tail), 6)
    if watched:
        found |= {"validation_first": watched[0], "validation_last": watched[-1]}
    tokens = max((one.get("num_tokens", 0) for one in lines), default=0)
    before = max((one.get("num_tokens", 0) for one in lines if one["step"] <= at), default=0)
    if tokens:
        found["tokens"] = tokens
        found["tokens_per_second"] = round((tokens - before) / told["train_runtime"], 1)
    if torch.cuda.is_available() and plan.device != "cpu":
        found["gpu_bytes"] = torch.cuda.max_memory_allocated()
    found["memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


def _record(
    plan: Plan, data: Data, picked: Picked, steps: int, seconds: float, metrics: dict[str, float]
) -> dict[str, Any]:
    manifest = data.manifest
    return {
        "base": plan.base, "base_sha256": plan.base_sha256, "method": str(plan.method),
        "data_sha256": plan.data_sha256, "parent": Path(plan.parent).name if plan.parent else "",
        "commit": plan.commit, "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seed": plan.seed, "steps": steps, "seconds": round(seconds, 1), "metrics": metrics,
        "options": plan.shown(), "versions": {name: version(name) for name in _LIBRARIES},
        "data": {
            "path": data.path.name, "lines": len(picked.train), "replayed": picked.replayed,
            "validation": len(picked.validation), "repo_id": plan.repo_id,
            "head": manifest.get("head", ""), "memory": manifest.get("memory", ""),
        },
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
