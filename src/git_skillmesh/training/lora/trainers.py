"""The trainers of `trl`, set up by a plan.

In: a plan, lines. Out: a trainer that has still to run. Lines are cut as `models.encoded` cuts
them, so training and judging see the same; only the tokens of completions count.
"""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import UsageError
from .. import models
from ..model import Form, Message, Sample
from .picking import NothingToTrain, Picked
from .plan import Plan
from .watching import Watcher

_WARMUP = 0.05
_LOOKS = 8


def trainer_of(plan: Plan, picked: Picked, watcher: Watcher) -> Any:
    """Return the trainer. Raises `NothingToTrain`, `UsageError`, `Damaged`."""
    import datasets
    import torch
    import transformers
    import trl

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    transformers.set_seed(plan.seed)
    on_gpu = plan.device != "cpu" and torch.cuda.is_available()
    if plan.device == "cuda" and not on_gpu:
        raise UsageError("there is no GPU that torch can use", "--device cpu")
    parent = Path(plan.parent) if plan.parent else None
    tokenizer = models.load_tokenizer(Path(plan.folder), parent)
    # The trainer puts it where it belongs, on several devices each process its own.
    model = models.load_weights(Path(plan.folder), "cpu", torch.bfloat16 if on_gpu else None)
    model.config.use_cache = False
    train = rows_of(picked.train, tokenizer, plan)
    if not train:
        raise NothingToTrain(f"no completion begins within {plan.length:,} tokens")
    watching = rows_of(picked.validation, tokenizer, plan)
    name = str(plan.method).upper()
    kind = getattr(trl, f"{name}Config")
    settings = _settings(plan, on_gpu, len(train), bool(watching))
    if plan.method is Form.SFT:
        settings["completion_only_loss"] = True
    if plan.method is Form.KTO:
        settings |= _weights(picked.train)
    known = inspect.signature(kind).parameters
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise UsageError(f"this trl does not know {', '.join(unknown)}", models.INSTALL)
    given: dict[str, Any] = {}
    if parent is None:
        given["peft_config"] = _lora(plan)
    else:
        model = models.adapted(model, parent, trainable=True)
    trainer = getattr(trl, f"{name}Trainer")(
        model=model, args=kind(**settings), processing_class=tokenizer,
        train_dataset=datasets.Dataset.from_list(train),
        eval_dataset=datasets.Dataset.from_list(watching) if watching else None,
        callbacks=[watcher], **given,
    )  # fmt: skip
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def rows_of(lines: Sequence[Sample], tokenizer: Any, plan: Plan) -> list[dict[str, Any]]:
    """Return lines as `trl` takes them, without those of whose completion nothing is left."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        if plan.method is Form.SFT:
            ids, begin = models.encoded(tokenizer, line.prompt, line.completion, plan.length)
            if begin < len(ids):
                mask = [0] * begin + [1] * (len(ids) - begin)
                rows.append({"input_ids": ids, "completion_mask": mask})
            continue
        longest = max(line.completion, line.rejected, key=_size)
        prompt = models.fitted(tokenizer, line.prompt, longest, plan.length)
        row: dict[str, Any] = {"prompt": prompt}
        if plan.method is Form.DPO:
            row |= {"chosen": _plain(line.completion), "rejected": _plain(line.rejected)}
        else:
            row |= {"completion": _plain(line.completion), "label": line.label}
        rows.append(row)
    return rows


def _size(messages: Sequence[Message]) -> int:
    return sum(len(message["content"]) for message in messages)


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [dict(message) for message in messages]


def _settings(plan: Plan, on_gpu: bool, lines: int, watches: bool) -> dict[str, Any]:
    import os

    world = int(os.environ.get("WORLD_SIZE", "1"))
    a_round = max(1, -(-lines // (plan.batch * plan.accumulation * world)))
    steps = plan.max_steps or max(1, round(a_round * plan.epochs))
    return {
        "output_dir": str(plan.work / "checkpoints"), "max_steps": steps,
        "per_device_train_batch_size": plan.batch, "per_device_eval_batch_size": plan.batch,
        "gradient_accumulation_steps": plan.accumulation, "learning_rate": plan.rate,
        "lr_scheduler_type": "cosine", "warmup_steps": max(1, round(steps * _WARMUP)),
        "max_length": plan.length, "gradient_checkpointing": plan.saves, "bf16": on_gpu,
        "use_cpu": not on_gpu, "seed": plan.seed, "data_seed": plan.seed, "logging_steps": 1,
        "eval_strategy": "steps" if watches else "no", "eval_steps": -(-steps // _LOOKS),
        "eval_on_start": watches, "save_strategy": "steps",
        "save_steps": plan.checkpoint_every, "save_total_limit": 2, "report_to": "none",
        "disable_tqdm": True, "dataloader_pin_memory": on_gpu,
    }  # fmt: skip


def _weights(lines: Sequence[Sample]) -> dict[str, float]:
    """Return weights by which both kinds of answers count about the same."""
    good = sum(line.label for line in lines)
    bad = len(lines) - good
    if not good or not bad:
        return {}
    return {"desirable_weight": max(1.0, bad / good), "undesirable_weight": max(1.0, good / bad)}


def _lora(plan: Plan) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, lora_dropout=plan.dropout, bias="none",
        target_modules="all-linear", task_type="CAUSAL_LM",
    )  # fmt: skip
