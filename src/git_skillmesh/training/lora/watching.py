"""What happens beside a training: numbers are kept, checkpoints sealed, wishes to stop heard.

In: the trainer's events, signals. Out: metrics.jsonl, sealed checkpoints, one JSON object a line on
standard output for whoever waits. Imported where transformers is.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from .folders import METRICS, seal

_KEPT = {
    "loss", "eval_loss", "learning_rate", "grad_norm", "mean_token_accuracy", "num_tokens",
    "eval_mean_token_accuracy", "rewards/margins", "rewards/accuracies", "eval_rewards/margins",
    "eval_rewards/accuracies", "kl",
}  # fmt: skip


class Wish:
    """Whether somebody wants the training to stop: a signal, or that the owner is gone."""

    def __init__(self, owner: int) -> None:
        self._owner = owner
        self._heard = False

    def listen(self) -> None:
        """Hear SIGINT and SIGTERM from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._heard = True

    def __bool__(self) -> bool:
        return self._heard or bool(self._owner and os.getppid() != self._owner)


def tell(document: dict[str, Any]) -> None:
    """Tell whoever waits; that nobody does is no failure."""
    try:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Watcher(TrainerCallback):  # type: ignore[misc]  # transformers is no dependency of the checks
    """Keeps numbers, seals checkpoints, stops where it is wished; `stopped` says that it did."""

    def __init__(self, work: Path, wish: Wish) -> None:
        self._work = work
        self._wish = wish
        self._begun = time.monotonic()
        self.stopped = False

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Keep numbers of one step."""
        numbers = {
            key: round(float(value), 6)
            for key, value in (logs or {}).items()
            if key in _KEPT and value == value  # an empty mean is no number
        }
        if not state.is_world_process_zero or not numbers:
            return
        one = {"step": state.global_step, "epoch": round(state.epoch or 0, 4), **numbers}
        one["seconds"] = round(time.monotonic() - self._begun, 2)
        with (self._work / METRICS).open("a", encoding="ascii") as file:
            file.write(json.dumps(one) + "\n")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell how far it is; save and stop if that is wished."""
        if state.is_world_process_zero:
            tell({"step": state.global_step, "of": state.max_steps})
        if state.global_step < state.max_steps and self._all_wish(args):
            self.stopped = control.should_save = control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal a checkpoint."""
        if state.is_world_process_zero:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def _all_wish(self, args: Any) -> bool:
        """Return whether any process wishes it: they have to stop at the same step."""
        if args.world_size == 1:
            return bool(self._wish)
        import torch
        from torch import distributed

        wished = torch.tensor(float(bool(self._wish)), device=args.device)
        distributed.all_reduce(wished)
        return bool(wished.item())
