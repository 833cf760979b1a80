"""A data set as it is written loads in `datasets` and trains in `trl`: one step of each trainer."""

from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.training.dataset.export import Options, export
from git_skillmesh.training.model import Form
from testing.datasets import tell_the_attempts, tell_the_depots
from testing.memory import open_memory

pytest.importorskip("trl", reason="needs git-skillmesh[train]: run scripts/test-training")

_CHAT = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def tiny() -> tuple[Any, Any]:
    """Return a tokenizer of single bytes and a model of 20,000 random parameters."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["<pad>", "<unk>", "</s>", *alphabet]
    made = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        **dict(zip(("pad_token", "unk_token", "eos_token"), words, strict=False)),
    )
    tokenizer.chat_template = _CHAT
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=4096,
        pad_token_id=0, eos_token_id=2, bos_token_id=None,
    )  # fmt: skip
    return tokenizer, LlamaForCausalLM(config)


@pytest.mark.parametrize("form", list(Form))
def test_one_step(form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets
    import trl

    repo = tell_the_depots(tmp_path, 6)
    tell_the_attempts(repo)
    found = export(
        open_memory(repo), Redactor(), "r-1", Options(form, tmp_path / "out", "20260401")
    )
    lines: Any = datasets.load_dataset(
        "json", data_files=str(found.data), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(lines) == found.manifest.lines > 0
    tokenizer, model = tiny()
    # From a folder: the trainers that compare with the model before training load it again.
    model.save_pretrained(tmp_path / "base")
    model = type(model).from_pretrained(tmp_path / "base")
    settings = {
        "output_dir": str(tmp_path / "run"), "max_steps": 1, "per_device_train_batch_size": 2,
        "report_to": "none", "use_cpu": True, "save_strategy": "no", "max_length": 1024,
        "bf16": False, "gradient_checkpointing": False,
    }  # fmt: skip
    name = str(form).upper()
    trainer = getattr(trl, f"{name}Trainer")(
        model=model, args=getattr(trl, f"{name}Config")(**settings), train_dataset=lines,
        processing_class=tokenizer,
    )  # fmt: skip
    done = trainer.train()
    assert done.global_step == 1
    assert done.training_loss > 0
