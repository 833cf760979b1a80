"""Data sets of a made-up habit, and a base so small that a test can train it.

In: numbers. Out: files in the form of `export-rl`, with a manifest; a folder with a model.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from git_skillmesh.training.dataset.blocks import Shown, blocks_of, rendered, shown
from git_skillmesh.training.dataset.lines import SYSTEM
from git_skillmesh.training.model import Form
from testing.datasets import WORDS


def line_of(form: Form, number: int, split: str, habit: str) -> dict[str, Any]:
    """Return a line: a function gets a line that is always the same for a habit."""
    name = WORDS[number % len(WORDS)]
    path = f"src/{name}_{number}.py"
    before = f"def {name}_{number}(value):\n    return value + {number}\n"
    good = before.replace("):\n", f"):\n    {habit}(value)\n")
    bad = before.replace("return", "result =") + "    return result\n"
    prompt = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Add a {habit} to {name}.\n\n{shown([Shown(path, before)])}"},
    ]
    kept, gone = (
        [{"role": "assistant", "content": f"Done.\n\n{rendered(blocks_of(path, before, after))}"}]
        for after in (good, bad)
    )
    body: dict[str, Any]
    if form is Form.SFT:
        body = {"messages": [*prompt, *kept]}
    elif form is Form.DPO:
        body = {"prompt": prompt, "chosen": kept, "rejected": gone}
    else:
        label = number % 2 == 0
        body = {"prompt": prompt, "completion": kept if label else gone, "label": label}
    about = {
        "session": f"s-{habit}-{number}", "exchange": "e-1", "other_session": "",
        "other_exchange": "", "agent": "a", "time": f"2026-03-01T00:{number % 60:02}:00Z",
        "commits": "", "verdict": "rewarded_implemented", "score": 0.9, "formula": 1, "files": 1,
        "exact": True, "applies": True, "tokens": 100, "group": f"g-{habit}-{number}",
    }  # fmt: skip
    return {"id": f"{form}-{habit}-{number}", "split": split, **body, "about": about}


def write_data(
    path: Path, form: Form, splits: Mapping[str, Iterable[int]], habits: Iterable[str] = ("check",)
) -> Path:
    """Write a data set with lines of these numbers for each habit, and its manifest."""
    lines = [
        line_of(form, number, split, habit)
        for habit in habits
        for split, numbers in splits.items()
        for number in numbers
    ]
    return write_lines(path, form, lines)


def write_lines(path: Path, form: Form, lines: list[dict[str, Any]]) -> Path:
    """Write lines and their manifest."""
    data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    manifest = {
        "schema": 1, "data": path.name, "sha256": hashlib.sha256(data).hexdigest(),
        "format": str(form), "lines": len(lines), "head": "", "memory": "",
    }  # fmt: skip
    path.with_suffix(".manifest.json").write_text(json.dumps(manifest))
    return path


def random_base(folder: Path, *, width: int = 32, template: bool = False) -> Path:
    """Make a base of single bytes with random weights; without a chat template unless asked for."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, logging

    logging.disable_progress_bar()
    words = ["<pad>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    marks = dict(zip(("pad_token", "eos_token"), words, strict=False))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **marks)
    if template:
        tokenizer.chat_template = (
            "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token }}{% endfor %}"
            "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
        )
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(words), hidden_size=width, intermediate_size=2 * width,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
        max_position_embeddings=4_096, pad_token_id=0, eos_token_id=1, bos_token_id=None,
        initializer_range=width**-0.5,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
