"""A base model of a few million parameters, made of code on this machine in minutes.

    python -m training.tiny_base OUT [--seconds N | --steps N] [--code FOLDER…]

In: Python's standard library and this repository, or folders of code besides. Out: a folder that
`transformers` loads: a byte-level BPE tokenizer with a chat template, a model of Qwen2's
architecture, and pretraining.json, which says how well it does on code that it never saw
(`training/general.py`). It is no good at anything; but it has learned what code looks like and the
form of edits, so that what an adapter adds to it is about a repository.

The same code, steps, seed and number of threads give the same weights. With --seconds the steps are
planned from the speed of the first ones, so the weights depend on the machine.
"""

import argparse
import json
import math
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from git_skillmesh.training.dataset.blocks import Shown, blocks_of, rendered, shown
from git_skillmesh.training.dataset.lines import SYSTEM
from git_skillmesh.training.general import general_code, learnable

END, TURN, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_SUFFIXES = (".py", ".js", ".ts", ".go", ".rs", ".java", ".c", ".h", ".rb", ".sh", ".md", ".toml")
_LARGEST = 120_000
_TOKENIZER_BYTES = 6_000_000
# So slow that most pairs of dimensions hardly turn within a row: those compare tokens.
_ROPE_THETA = 1e8
# How sharply a place looks at the one before it, and how much names that are the same count.
_SHARP, _ALIKE = 9.0, 1.9
# Share of the rows that are chats with edits.
_CHATS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How large, how long. Rows are of two lengths: the long ones come last."""

    steps: int = 0
    seconds: float = 240.0
    vocabulary: int = 4_096
    width: int = 192
    layers: int = 4
    heads: int = 4
    rows: int = 3
    short: int = 512
    long: int = 1_024
    long_share: float = 0.15
    rate: float = 3e-3
    seed: int = 0


def main() -> int:
    """Parse, make, say what came of it."""
    parser = argparse.ArgumentParser(description="make a tiny base model of local code")
    parser.add_argument("out", type=Path, help="folder for the model; must not exist")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long to train: 240 without")
    parser.add_argument("--steps", type=int, default=0, help="how many steps to train instead")
    parser.add_argument("--code", type=Path, nargs="*", default=[], help="more folders of code")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.out.exists():
        parser.error(f"{args.out} exists")
    plan = Plan(steps=args.steps, seconds=args.seconds or 240.0, seed=args.seed)
    told = make(args.out, plan, args.code)
    print(json.dumps(told, indent=1))
    return 0


def make(out: Path, plan: Plan, code: Sequence[Path] = ()) -> dict[str, Any]:
    """Make a base in a folder, which appears when it is complete; return what is to be told."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM, logging

    logging.disable_progress_bar()
    begun = time.monotonic()
    torch.manual_seed(plan.seed)
    texts = texts_of(code)
    tokenizer = make_tokenizer(texts, plan.vocabulary)
    config = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=plan.width, intermediate_size=plan.width * 8 // 3,
        num_hidden_layers=plan.layers, num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads, max_position_embeddings=4_096, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": _ROPE_THETA},
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    put_back = let_copy(model)
    held = [tokenizer(text)["input_ids"][: plan.long] for text in general_code()]
    before = loss_of(model, held)
    steps, seen = pretrain(model, stream_of(tokenizer, texts, plan), plan, put_back)
    model.generation_config.eos_token_id = [
        tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(TURN_END)
    ]  # fmt: skip
    told = {
        "parameters": sum(one.numel() for one in model.parameters()),
        "files": len(dict(texts)), "bytes": sum(map(len, dict(texts).values())),
        "steps": steps, "tokens": seen,
        "held_out_loss_before": round(before, 4), "held_out_loss": round(loss_of(model, held), 4),
        "seconds": round(time.monotonic() - begun, 1), "torch": torch.__version__,
        "threads": torch.get_num_threads(), "plan": asdict(plan),
    }  # fmt: skip
    part = out.with_name(f".{out.name}.part")
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    (part / "pretraining.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    part.rename(out)
    return told


def let_copy(model: Any) -> Callable[[], None]:
    """Set the first two layers of a fresh model so that it copies what it has read before.

    Where this token stood before, what came behind it comes again: a head of the first layer notes
    at each place which token was before it, one of the second looks for the token of now among
    these notes, and says what stands there (induction heads: Olsson et al. 2022, In-context
    Learning and Induction Heads). Training finds that by itself, but not in minutes on two cores.

    Of what goes from layer to layer, the first quarter names the token by numbers drawn by chance,
    the second is for notes, the third for what is to come again. Return what puts names, notes and
    the search for them back to what they were; to call after each step. What is made of the places
    found is learned.
    """
    import torch

    config, layers = model.config, model.model.layers
    size = config.hidden_size // config.num_attention_heads
    name, note, again = (slice(n * size, (n + 1) * size) for n in range(3))
    half = size // 2
    turns = _ROPE_THETA ** (-torch.arange(half) / half)
    slow = [at for at in range(half) if turns[at] * 1_000 < 0.5]
    searched = [*slow, *(half + at for at in slow)]
    eye = torch.eye(size)
    embedding, head = model.model.embed_tokens.weight, model.lm_head.weight
    first, second = (layers[n].self_attn for n in range(2))
    with torch.no_grad():
        for layer in layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        names = torch.randn(len(embedding), size)
        embedding[:, name] = 0.5 * names
        embedding[:, note] = embedding[:, again] = 0
        head[:, again] = 0.05 * names
        head[:, name] = 0
        for part in (first.q_proj, first.k_proj, second.q_proj, second.k_proj):
            part.weight[:size] = 0
            part.bias[:size] = 0
        # Turned by the place, these two point in the same direction one place apart.
        first.q_proj.bias[:half] = _SHARP * torch.cos(turns)
        first.q_proj.bias[half:size] = -_SHARP * torch.sin(turns)
        first.k_proj.bias[:half] = _SHARP
        for at, dimension in enumerate(searched):
            second.q_proj.weight[dimension, at] = _ALIKE
            second.k_proj.weight[dimension, size + at] = _ALIKE
        for part, place in ((first, note), (second, again)):
            part.v_proj.weight[:size] = 0
            part.v_proj.weight[:size, name] = eye
            part.o_proj.weight[place, :size] = 0.3 * eye
    fixed = [
        embedding[:, :2 * size], layers[0].input_layernorm.weight,
        layers[1].input_layernorm.weight[:2 * size], first.v_proj.weight[:size],
        layers[0].self_attn.o_proj.weight[:2 * size], layers[0].mlp.down_proj.weight[:2 * size],
        *(one[:size] for part in (first.q_proj, first.k_proj, second.q_proj, second.k_proj)
          for one in (part.weight, part.bias)),
    ]  # fmt: skip
    fixed = [one.detach() for one in fixed]  # the same numbers, without a history
    were = [one.clone() for one in fixed]

    def put_back() -> None:
        for now, before in zip(fixed, were, strict=True):
            now.copy_(before)

    return put_back


def texts_of(folders: Sequence[Path]) -> list[tuple[str, str]]:
    """Return name and text of all code to learn from, in one order.

    What is in `folders` comes again and again, until it is about as many files as all the others.
    """
    common = [*learnable(), *_code_in(Path(__file__).parent.parent / "src")]
    given = [found for folder in folders for found in _code_in(folder)]
    return common + given * (len(common) // len(given) if given else 0)


def _code_in(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file() and path.stat().st_size <= _LARGEST:
            name = path.relative_to(folder).as_posix()
            if not any(part.startswith(".") for part in Path(name).parts):
                yield name, path.read_text(encoding="utf-8", errors="replace")


def make_tokenizer(texts: Sequence[tuple[str, str]], size: int) -> Any:
    """Return a byte-level BPE tokenizer that knows the marks of a chat."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END, TURN, TURN_END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    used, sample = 0, []
    for _, text in sorted(texts, key=lambda one: hash_of(one[0])):
        sample.append(text)
        used += len(text)
        if used > _TOKENIZER_BYTES:
            break
    sample += [chat for chat, _ in zip(chats(texts, random.Random(1)), range(200), strict=False)]
    made.train_from_iterator(sample, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=END,
        pad_token=END,
        additional_special_tokens=[TURN, TURN_END],
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def hash_of(name: str) -> int:
    """Return a number that stands for a name, the same everywhere."""
    import zlib

    return zlib.crc32(name.encode())


def chats(texts: Sequence[tuple[str, str]], chance: random.Random) -> Iterator[str]:
    """Yield chats without end: a part of a file lacks lines, the answer puts them in.

    They teach the form that data sets have, not what any repository wants.
    """
    code = [one for one in texts if one[0].endswith((".py", ".js", ".ts", ".go", ".rs"))]
    while True:
        name, text = chance.choice(code)
        lines = text.splitlines(keepends=True)
        size = chance.randint(10, 40)
        begin = chance.randint(0, max(len(lines) - size, 0))
        part = lines[begin : begin + size]
        if len(part) < 10:
            continue
        gap = chance.randint(2, len(part) - 4)
        until = min(gap + chance.choice((1, 1, 2, 3, 5, 8)), len(part) - 1)
        whole, lacking = "".join(part), "".join((*part[:gap], *part[until:]))
        if chance.random() < 0.3:
            whole, lacking = lacking, whole
        blocks = blocks_of(name, lacking, whole)
        if not blocks:
            continue
        words = sorted(set(re.findall(r"[A-Za-z_]{4,}", "".join(part[gap:until]))))
        asked = f"Change {', '.join(words[:4]) or 'this'} in {name}."
        context = shown([Shown(name, lacking, begin + 1, False)])
        yield (
            f"{TURN}system\n{SYSTEM}{TURN_END}\n{TURN}user\n{asked}\n\n{context}{TURN_END}\n"
            f"{TURN}assistant\n{chance.choice(('Done.', 'I changed it.', f'In {name}:'))}\n\n"
            f"{rendered(blocks)}{TURN_END}\n{END}"
        )


def stream_of(
    tokenizer: Any, texts: Sequence[tuple[str, str]], plan: Plan
) -> Iterator[tuple[int, float]]:
    """Yield tokens without end: files and chats in a random order that the seed decides."""
    chance = random.Random(plan.seed)
    asked = chats(texts, chance)
    known: dict[int, list[int]] = {}
    while True:
        order = list(range(len(texts)))
        chance.shuffle(order)
        for place in order:
            if place not in known:
                known[place] = tokenizer(texts[place][1] + END)["input_ids"]
            ids = known[place]
            # A piece of a file, so that no large one fills many rows in turn.
            begin = chance.randint(0, max(len(ids) - plan.long, 0))
            piece = ids[begin : begin + plan.long]
            yield from ((token, 1.0) for token in piece)
            owed = len(piece) * _CHATS / (1 - _CHATS)
            while owed > 0:
                chat = tokenizer(next(asked))["input_ids"]
                owed -= len(chat)
                yield from ((token, 1.0) for token in chat)


def pretrain(
    model: Any, stream: Iterator[tuple[int, float]], plan: Plan, put_back: Callable[[], None]
) -> tuple[int, int]:
    """Train a model on a stream of tokens; return how many steps and tokens it took."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=plan.rate, betas=(0.9, 0.95), weight_decay=0.1
    )
    model.train()
    begun, done, seen = time.monotonic(), 0, 0
    while True:
        spent = time.monotonic() - begun
        # How much of the work is done: by steps where they are given, else by the clock.
        share = done / plan.steps if plan.steps else spent / plan.seconds
        if share >= 1:
            break
        is_long = share > 1 - plan.long_share
        length = plan.long if is_long else plan.short
        rows = max(plan.rows * plan.short // length, 1)
        batch = torch.tensor([[next(stream)[0] for _ in range(length)] for _ in range(rows)])
        warm = min(1.0, (done + 1) / 20)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))
        loss = model(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        put_back()
        optimizer.zero_grad()
        done, seen = done + 1, seen + batch.numel()
        if done % 25 == 0:
            speed = seen / (time.monotonic() - begun)
            print(f"{share:4.0%}, loss {loss.item():.3f}, {speed:,.0f} tokens a second", flush=True)
    model.eval()
    return done, seen


def loss_of(model: Any, texts: Sequence[Sequence[int]]) -> float:
    """Return nats a token of texts."""
    import torch

    nats, tokens = 0.0, 0
    with torch.inference_mode():
        for ids in texts:
            row = torch.tensor([list(ids)])
            nats += float(model(input_ids=row, labels=row).loss) * (len(ids) - 1)
            tokens += len(ids) - 1
    return nats / tokens


if __name__ == "__main__":
    raise SystemExit(main())
