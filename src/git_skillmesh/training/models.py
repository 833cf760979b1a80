"""Language models: loaded with or without an adapter, what they make of lines, what they write.

In: a path or a hub id, an adapter's folder, chats. Out: `Loaded`, token ids, losses, text. The only
module that loads weights. Nothing is downloaded unless a hub id was given, and no code that comes
with a model is run. torch and transformers are imported when the first model is loaded.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Damaged, Unavailable, UsageError
from ..files import expanded
from .model import Message

INSTALL = "pip install 'git-skillmesh[train]'"
# For a base without one: roles in marks, and the end of text behind every message.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] "
    "+ eos_token + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
TEMPLATE_FILE = "chat_template.jinja"
# Stands where a prompt was cut.
CUT = "\n[...]\n"
# What of a folder makes a model another one. Its chat template does not: an adapter keeps its own.
_NAMED = ("config.json", "tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt")
_DOWNLOADED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer, whose chat template is set; `folder` is where the base lies."""

    model: Any
    tokenizer: Any
    base_sha256: str
    folder: Path
    device: str


def require(*names: str) -> None:
    """Raise `Unavailable` unless the libraries for training are installed."""
    from importlib.util import find_spec

    missing = [name for name in names or ("torch", "transformers", "peft") if not find_spec(name)]
    if missing:
        raise Unavailable(f"{missing[0]} is not installed", INSTALL)


def base_folder(base: str) -> Path:
    """Return the folder of a base: a path, or what the hub's cache has for an id, else downloaded.

    Raises `UsageError` when there is no such folder, or no model in it, `Unavailable` when the hub
    cannot be reached.
    """
    path = expanded(base)
    if not path.is_dir():
        if not _is_hub_id(base) or path.exists():
            raise UsageError(f"no model at {base}", "a folder with config.json, or a hub id")
        path = _from_hub(base)
    if not (path / "config.json").is_file():
        raise UsageError(f"no model at {base}", "there is no config.json")
    if not any(path.glob("*.safetensors")):
        raise UsageError(f"no model at {base}", "there are no weights (*.safetensors)")
    return path.resolve()


def _is_hub_id(base: str) -> bool:
    owner, slash, name = base.partition("/")
    allowed = all(one.isalnum() or one in "-_." for one in owner + name)
    return bool(slash and owner and name and allowed and owner[0].isalnum() and name[0].isalnum())


def _from_hub(base: str) -> Path:
    require("huggingface_hub")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(base, allow_patterns=list(_DOWNLOADED)))
    except Exception as error:  # many classes of several libraries, all of them "not to be had"
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if os.environ.get("HF_HUB_OFFLINE") not in (None, "", "0"):
            reason = "HF_HUB_OFFLINE is set and the cache does not have it"
        raise Unavailable(f"cannot get {base} from the hub", reason) from None


def hash_of(folder: Path) -> str:
    """Return the hash of a base: of names and hashes of its weights, configuration, vocabulary."""
    files = [folder / name for name in _NAMED if (folder / name).is_file()]
    digest = hashlib.sha256()
    for path in sorted([*files, *folder.glob("*.safetensors")], key=lambda path: path.name):
        with path.open("rb") as file:
            digest.update(
                f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n".encode()
            )
    return digest.hexdigest()


def load(base: str, adapter: Path | None = None, *, device: str = "") -> Loaded:
    """Load a base, and an adapter on top of it; ready to be asked, not to be trained.

    `device` is one that torch knows; "" takes a GPU where there is one. Weights are bfloat16 there
    and float32 on a CPU. Raises `UsageError`, `Unavailable`, `Damaged`.
    """
    require("torch", "transformers", *(("peft",) if adapter else ()))
    import torch

    folder = base_folder(base)
    digest = hash_of(folder)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = load_tokenizer(folder, adapter)
    model = load_weights(folder, device)
    if adapter is not None:
        check_base(adapter, base, digest)
        model = adapted(model, adapter)
    return Loaded(model.eval(), tokenizer, digest, folder, device)


def load_weights(folder: Path, device: str, dtype: Any = None) -> Any:
    """Return the model of a folder, on a device. Raises `Damaged`.

    Without `dtype` weights are bfloat16 on a GPU and float32 on a CPU.
    """
    import torch
    from transformers import AutoModelForCausalLM, logging

    logging.disable_progress_bar()
    dtype = dtype or (torch.float32 if device.startswith("cpu") else torch.bfloat16)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, trust_remote_code=False,
            use_safetensors=True,
        )  # fmt: skip
    except Exception as error:  # whatever is wrong with foreign files comes in many classes
        raise Damaged(f"cannot load the model at {folder}", _first_line(error)) from None
    return model.to(device)


def load_tokenizer(folder: Path, adapter: Path | None = None) -> Any:
    """Return a base's tokenizer, with the chat template of an adapter. Raises `Damaged`."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        kept = adapter / TEMPLATE_FILE if adapter else None
        if kept is not None and kept.is_file():
            tokenizer.chat_template = kept.read_text(encoding="utf-8")
    except Exception as error:  # as above
        raise Damaged(f"cannot load the tokenizer at {folder}", _first_line(error)) from None
    if tokenizer.eos_token is None:
        raise UsageError(f"the tokenizer at {folder} has no end-of-text token")
    if not tokenizer.chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def check_base(adapter: Path, base: str, digest: str) -> None:
    """Raise `UsageError` if an adapter is of another base, `Damaged` if it does not say."""
    try:
        told = json.loads((adapter / "training.json").read_bytes())["base_sha256"]
    except FileNotFoundError:
        return  # an adapter from elsewhere
    except (OSError, ValueError, KeyError, TypeError):
        raise Damaged(f"cannot read {adapter / 'training.json'}") from None
    if told != digest:
        raise UsageError(f"{adapter.name} was not trained on {base}", "the base has another hash")


def adapted(model: Any, adapter: Path, *, trainable: bool = False) -> Any:
    """Return a model with an adapter on top. Raises `UsageError`, `Damaged`."""
    from peft import PeftModel

    if not (adapter / "adapter_model.safetensors").is_file():
        raise UsageError(f"no adapter at {adapter}", "there is no adapter_model.safetensors")
    try:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except Exception as error:  # as above
        raise Damaged(f"cannot load the adapter {adapter.name}", _first_line(error)) from None


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__


# -- lines ----------------------------------------------------------------------------------------


def encoded(
    tokenizer: Any, prompt: Sequence[Message], completion: Sequence[Message], longest: int
) -> tuple[list[int], int]:
    """Return the ids of a chat, `longest` at most, and where those of the completion begin.

    What is too long is cut out of the prompt's longest message (`fitted`), then off the end.
    """
    prompt = fitted(tokenizer, prompt, completion, longest)
    asked = _ids(tokenizer, prompt, True)
    whole = _ids(tokenizer, [*prompt, *completion], False)
    same = 0
    for one, other in zip(asked, whole, strict=False):
        if one != other:
            break
        same += 1
    return whole[:longest], min(same, longest)


def fitted(
    tokenizer: Any, prompt: Sequence[Message], completion: Sequence[Message], longest: int
) -> list[Message]:
    """Return a prompt that leaves room for its completion: whole, or cut in its longest message.

    A completion gets what it needs, up to half of `longest`. Three quarters of what stays
    of the message are from its beginning, where the question is, the rest from its end.
    """
    cut = [dict(message) for message in prompt]
    asked = len(_ids(tokenizer, cut, True))
    told = len(_ids(tokenizer, [*cut, *completion], False)) - asked
    room = max(longest - told, longest // 2)
    place = max(range(len(cut)), key=lambda n: len(cut[n]["content"]), default=-1)
    if asked <= room or place < 0:
        return list(cut)
    text = cut[place]["content"]
    ends = [
        end for _, end in tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True
        )["offset_mapping"]
    ]  # fmt: skip
    keep = len(ends) - (asked - room)
    while keep > 0:  # tokens at the seams may come out in other ways
        cut[place]["content"] = _shortened(text, ends, keep)
        over = len(_ids(tokenizer, cut, True)) - room
        if over <= 0:
            return list(cut)
        keep -= over
    cut[place]["content"] = CUT.strip()
    return list(cut)


def _shortened(text: str, ends: Sequence[int], keep: int) -> str:
    first = keep * 3 // 4
    last = keep - first
    begin = ends[first - 1] if first else 0
    rest = ends[len(ends) - last - 1] if last < len(ends) else 0
    return text[:begin] + CUT + (text[rest:] if last else "")


def _ids(tokenizer: Any, messages: Sequence[Message], asks: bool) -> list[int]:
    found = tokenizer.apply_chat_template(
        [dict(message) for message in messages], add_generation_prompt=asks, tokenize=True,
        return_dict=True,
    )  # fmt: skip
    return list(found["input_ids"])


def losses(
    loaded: Loaded, lines: Sequence[tuple[str, list[int], int]], batch: int
) -> list[tuple[str, float, int]]:
    """Return for each line (id, token ids, where the completion begins) what it costs the model.

    That is its id, the nats of its completion's tokens, summed, and how many tokens these are. The
    order is that of `lines`; `batch` of them, of about the same length, are looked at together.
    """
    import torch

    found: dict[int, tuple[str, float, int]] = {}
    order = sorted(range(len(lines)), key=lambda place: len(lines[place][1]))
    pad = loaded.tokenizer.pad_token_id
    with torch.inference_mode():
        for begin in range(0, len(order), batch):
            places = order[begin : begin + batch]
            rows = [lines[place][1] for place in places]
            width = max(map(len, rows))
            ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
            logits = loaded.model(
                input_ids=ids.to(loaded.device), attention_mask=mask.to(loaded.device),
                use_cache=False,
            ).logits  # fmt: skip
            for row, place in zip(range(len(places)), places, strict=True):
                name, whole, start = lines[place]
                start = max(start, 1)  # nothing tells the first token
                scores = logits[row, start - 1 : len(whole) - 1].float()
                wanted = torch.tensor(whole[start:], device=scores.device)
                nats = torch.nn.functional.cross_entropy(scores, wanted, reduction="sum")
                found[place] = (name, float(nats), len(whole) - start)
    return [found[place] for place in range(len(lines))]


def written(loaded: Loaded, prompt_ids: Sequence[int], most: int) -> str:
    """Return what the model writes behind a prompt, always the likeliest token, `most` of them."""
    import torch

    ids = torch.tensor([list(prompt_ids)], device=loaded.device)
    with torch.inference_mode():
        made = loaded.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=most,
            do_sample=False, temperature=None, top_p=None, top_k=None,
            pad_token_id=loaded.tokenizer.pad_token_id,
            eos_token_id=ends_of(loaded),
        )  # fmt: skip
    fresh = made[0, len(prompt_ids) :].tolist()
    text: str = loaded.tokenizer.decode(fresh, skip_special_tokens=True)
    return text


def ends_of(loaded: Loaded) -> list[int]:
    """Return the tokens that end an answer: the base's own, and the tokenizer's."""
    own = loaded.model.generation_config.eos_token_id
    known = own if isinstance(own, list) else [own] if own is not None else []
    return sorted({*known, loaded.tokenizer.eos_token_id})
