"""What training takes on this machine: memory, tokens a second, whether it goes on as it was.

    python -m benchmarks.training WORK TOKENIZER [SIZE…] [--out FILE]

In: a folder to work in, a tokenizer's folder. Out: JSON. The bases have the shapes of Qwen2.5-Coder
and random weights, so what they learn means nothing; memory and speed do not depend on that.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from git_skillmesh.training import models
from git_skillmesh.training.dataset.blocks import Shown, blocks_of, rendered, shown
from git_skillmesh.training.general import learnable
from git_skillmesh.training.lora.plan import Plan
from git_skillmesh.training.lora.presets import PRESETS
from git_skillmesh.training.lora.reading import read
from git_skillmesh.training.model import Form
from testing.trained import line_of, write_lines

# Size → width, inner width, layers, heads, heads of keys, whether input and output share a table.
SHAPES = {
    "tiny": (192, 512, 4, 4, 4, True),
    "0.5b": (896, 4_864, 24, 14, 2, True),
    "1.5b": (1_536, 8_960, 28, 12, 2, True),
    "7b": (3_584, 18_944, 28, 28, 4, False),
}
STEPS = {"tiny": 6, "0.5b": 12, "1.5b": 8, "7b": 5}
VOCABULARY = 151_936


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="measure training")
    parser.add_argument("work", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("sizes", nargs="*", default=list(SHAPES)[1:])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}

    def note(name: str, value: Any) -> None:
        found[name] = value
        print(name, json.dumps(value), flush=True)
        if args.out:
            args.out.write_text(json.dumps(found, indent=1) + "\n")

    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    note("device", {"name": name, "torch": torch.__version__})
    data = {form: long_data(args.work / f"{form}.jsonl", form) for form in (Form.SFT, Form.DPO)}
    for size in args.sizes:
        base = args.work / f"base-{size}"
        note(f"{size} made in", make_base(base, size, args.tokenizer))
        note(f"{size} sft", trained(plan_of(args.work, base, data[Form.SFT], size, STEPS[size])))
        if size == args.sizes[0]:
            note(f"{size} dpo", trained(plan_of(args.work, base, data[Form.DPO], size, 4)))
            note(f"{size} interrupted", interrupted(args.work, base, data[Form.SFT], size))
            plan = plan_of(args.work / "launched", base, data[Form.SFT], size, 3)
            note(f"{size} accelerate", trained(plan, launch=True))
        shutil.rmtree(base)
    return 0


def long_data(path: Path, form: Form, lines: int = 64) -> Path:
    """Write lines that fill the length of the presets: a whole module, and edits of it."""
    made = []
    modules = [(name, text) for name, text in learnable() if len(text) > 14_000]
    for number in range(lines):
        name, text = modules[number % len(modules)]
        rows = text[:9_000].splitlines(keepends=True)[:-1]
        before = "".join(rows)
        # Every twelfth line changes, so that the answer is about a third as long as the module.
        after = "".join(
            f"{row.rstrip()}  # seen\n" if n % 12 == 6 else row for n, row in enumerate(rows)
        )
        line = line_of(form, number, "train" if number > 1 else "validation", "check")
        prompt = line.get("prompt") or line["messages"]
        prompt[1]["content"] = f"Rename it in {name}.\n\n{shown([Shown(name, before)])}"
        answer = (line.get("messages") or line["chosen"])[-1]
        answer["content"] = f"Done.\n\n{rendered(blocks_of(name, before, after))}"
        made.append(line)
    return write_lines(path, form, made)


def make_base(folder: Path, size: str, tokenizer: Path) -> dict[str, float]:
    """Make a base of a size with random weights; return seconds and parameters."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    begun = time.monotonic()
    width, inner, layers, heads, key_heads, tied = SHAPES[size]
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=key_heads, tie_word_embeddings=tied,
        max_position_embeddings=32_768, dtype="bfloat16", bos_token_id=None, eos_token_id=0,
        pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = Qwen2ForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    count = sum(one.numel() for one in model.parameters())
    del model
    torch.cuda.empty_cache()
    models.load_tokenizer(tokenizer).save_pretrained(folder)
    return {"seconds": round(time.monotonic() - begun, 1), "parameters": count}


def plan_of(work: Path, base: Path, data: Path, size: str, steps: int, **more: Any) -> Plan:
    """Return a plan with a preset."""
    preset, read_data = PRESETS[size], read(data)
    values: dict[str, Any] = {
        "base": base.name, "folder": str(base), "base_sha256": models.hash_of(base),
        "data": str(data), "data_sha256": read_data.sha256, "method": read_data.form,
        "preset": size, "rank": preset.rank, "alpha": preset.alpha, "dropout": preset.dropout,
        "rate": preset.rate(read_data.form), "batch": preset.batch,
        "accumulation": preset.accumulation, "length": preset.length, "epochs": preset.epochs,
        "saves": preset.saves, "output": str(work / "adapters"), "max_steps": steps,
    }  # fmt: skip
    return Plan(**{**values, **more})


def trained(plan: Plan, *, stop_at: int = 0, launch: bool = False) -> dict[str, Any]:
    """Run a plan; return what came of it, or where it was interrupted."""
    Path(plan.output).mkdir(parents=True, exist_ok=True)
    file = Path(plan.output) / "plan.json"
    plan.write(file)
    command = [sys.executable, "-m", "git_skillmesh.training.run", str(file)]
    if launch:
        launcher = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "1"]
        command = [*launcher, *command[1:]]
    begun = time.monotonic()
    told: dict[str, Any] = {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if one.get("step", 0) >= stop_at > 0:
            process.send_signal(signal.SIGINT)
        if "step" not in one:
            told = one
    code = process.wait()
    return {**told, "code": code, "wall": round(time.monotonic() - begun, 1)}


def interrupted(work: Path, base: Path, data: Path, size: str) -> dict[str, Any]:
    """Compare an adapter with one of a training that was interrupted and taken up again."""
    from safetensors.torch import load_file

    # Without dropout nothing but the order of sums can differ.
    plan = plan_of(work / "whole", base, data, size, 6, dropout=0.0)
    whole = trained(plan)
    other = plan_of(work / "parts", base, data, size, 6, dropout=0.0)
    first = trained(other, stop_at=3)
    second = trained(plan_of(work / "parts", base, data, size, 6, dropout=0.0, resume=True))
    weights = [
        load_file(Path(one["folder"]) / "adapter_model.safetensors") for one in (whole, second)
    ]
    apart = max(float((weights[0][key] - weights[1][key]).abs().max()) for key in weights[0])
    largest = max(float(one.abs().max()) for one in weights[0].values())
    return {"first": first, "second": second, "largest_difference": apart, "largest": largest}


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    raise SystemExit(main())
