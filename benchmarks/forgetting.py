"""What an adapter forgets when it goes on with new data, with and without replay.

    python -m benchmarks.forgetting BASE WORK [--out FILE]

In: a base, such as training/tiny_base.py makes. Out: JSON: nats a token on held-out lines of both
phases, for the base, after the first phase, and after the second with several shares of replay.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from git_skillmesh.training import models
from git_skillmesh.training.lora.plan import Plan
from git_skillmesh.training.lora.presets import PRESETS
from git_skillmesh.training.lora.reading import read
from git_skillmesh.training.lora.starting import train
from git_skillmesh.training.model import Form
from testing.trained import write_data

SHARES = (0.0, 0.3, 1.0)
PHASES = ("weigh", "stamp", "seal"), ("audit", "trace", "count")
_SPLITS = {"train": range(24), "validation": range(24, 26), "test": range(26, 38)}


def main() -> int:
    """Train both phases, measure, print."""
    parser = argparse.ArgumentParser(description="measure what an adapter forgets")
    parser.add_argument("base", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = [
        measure(args.base, args.work / f"seed{seed}", SHARES, seed, args.epochs)
        for seed in range(args.seeds)
    ]
    text = json.dumps(found, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    return 0


def measure(
    base: Path, work: Path, shares: tuple[float, ...], seed: int = 0, epochs: float = 3.0
) -> dict[str, Any]:
    """Return the losses on the test lines of each phase, by what was trained."""
    data = [
        write_data(work / f"phase{n}.jsonl", Form.SFT, _SPLITS, habits)
        for n, habits in enumerate(PHASES, 1)
    ]
    found: dict[str, Any] = {"base": losses_on(base, None, data)}
    first = _trained(plan_of(base, work, data[0], seed, epochs))
    found["phase 1"] = losses_on(base, first, data)
    for share in shares:
        plan = plan_of(base, work, data[1], seed, epochs)
        older = read(data[0])
        again = replace(
            plan, parent=str(first), replay=share, replay_data=str(older.path),
            replay_sha256=older.sha256,
        )  # fmt: skip
        found[f"phase 2, replay {share}"] = losses_on(base, _trained(again), data)
    return found


def plan_of(base: Path, work: Path, data: Path, seed: int, epochs: float) -> Plan:
    """Return a plan with the smallest preset."""
    preset, found = PRESETS["tiny"], read(data)
    return Plan(
        base=base.name, folder=str(base), base_sha256=models.hash_of(base), data=str(data),
        data_sha256=found.sha256, method=Form.SFT, preset="tiny", rank=preset.rank,
        alpha=preset.alpha, dropout=0.0, rate=preset.rate(Form.SFT), batch=preset.batch,
        accumulation=preset.accumulation, length=preset.length, epochs=epochs, saves=False,
        output=str(work / "adapters"), seed=seed, device="cpu",
    )  # fmt: skip


def _trained(plan: Plan) -> Path:
    return Path(train(plan).result["folder"])


def losses_on(base: Path, adapter: Path | None, data: list[Path]) -> list[float]:
    """Return nats a token on the test lines of each file."""
    loaded = models.load(str(base), adapter, device="cpu")
    found = []
    for path in data:
        rows = [
            (line.sample_id, *models.encoded(loaded.tokenizer, line.prompt, line.completion, 1_024))
            for line in read(path).split("test")
        ]
        costs = models.losses(loaded, rows, 8)
        found.append(round(sum(nats for _, nats, _ in costs) / sum(n for *_, n in costs), 4))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
