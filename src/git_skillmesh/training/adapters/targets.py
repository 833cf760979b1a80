"""Engines that serve an adapter: the very command lines and files that each of them takes.

In: an adapter, its base. Out: `Recipe`. Nothing is run here. Every engine offers an adapter under
the adapter's own name, which never means another one; only our own server, which follows the
manifest, says `skillmesh` for whatever is active.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import UsageError
from ..model import Adapter
from .store import CONFIGURATION

LOAD, UNLOAD = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"
DEFAULT_VLLM = "http://127.0.0.1:8000"
# What vLLM takes for --max-lora-rank (vllm/config/lora.py).
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
# Architectures whose adapters Ollama takes as safetensors; of others it takes GGUF.
_OLLAMA = ("llama", "mistral", "mixtral", "gemma", "gemma2")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to run, in order, and files that it needs: name → text. `notes` are for people."""

    target: str
    commands: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def recipe(target: str, folder: Path, adapter: Adapter, *, base: str = "", url: str = "") -> Recipe:
    """Return how an engine is told to serve an adapter.

    `base` is what the engine calls the base, if not as it was called in training. Raises
    `UsageError` for an engine that nobody knows, or a path that it cannot read.
    """
    if target not in TARGETS:
        raise UsageError(f"no such target: {target}", ", ".join(TARGETS))
    where = base or adapter.base
    if any(ord(letter) < 32 or letter in '"' for letter in f"{where}{folder}"):
        raise UsageError("a path has characters that engines cannot read", f"{where} {folder}")
    return TARGETS[target](folder, adapter, where, url)


def _vllm(folder: Path, adapter: Adapter, base: str, url: str) -> Recipe:
    command = (
        f"vllm serve {_word(base)} --enable-lora --max-lora-rank {_rank(folder)}"
        f" --lora-modules {_word(f'{adapter.name}={folder}')}"
    )
    return Recipe("vllm", (command,))


def _vllm_api(folder: Path, adapter: Adapter, base: str, url: str) -> Recipe:
    body = json.dumps(load_body(adapter.name, folder))
    start = (
        f"VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve {_word(base)} --enable-lora"
        f" --max-lora-rank {_rank(folder)}"
    )
    load = (
        f"curl -fsS -X POST {_word((url or DEFAULT_VLLM) + LOAD)}"
        f" -H 'Content-Type: application/json' -d {_word(body)}"
    )
    note = "the second command is what `deploy --target vllm-api` does itself"
    return Recipe("vllm-api", (start, load), notes=(note,))


def _ollama(folder: Path, adapter: Adapter, base: str, url: str) -> Recipe:
    kind = _architecture(base)
    commands, notes, weights = [], [], str(folder)
    if kind and kind not in _OLLAMA:
        commands.append(_convert(folder, adapter, base))
        weights = f"./{adapter.name}.gguf"
        notes.append(f"Ollama takes adapters of {kind} as GGUF only")
    elif not kind:
        notes.append(
            f"Ollama takes adapters as they are for {', '.join(_OLLAMA)} only; for others convert "
            "it as for llama.cpp, and name the GGUF file behind ADAPTER"
        )
    commands.append(f"ollama create {adapter.name} -f Modelfile")
    text = f"FROM {base}\nADAPTER {weights}\n"
    return Recipe("ollama", tuple(commands), {"Modelfile": text}, tuple(notes))


def _llama_cpp(folder: Path, adapter: Adapter, base: str, url: str) -> Recipe:
    serve = f"llama-server -m base.gguf --lora {adapter.name}.gguf --alias {adapter.name}"
    commands = (
        f"python convert_hf_to_gguf.py {_word(base)} --outfile base.gguf",
        _convert(folder, adapter, base),
        serve,
    )
    return Recipe("llama.cpp", commands, notes=("both scripts come with llama.cpp",))


def _transformers(folder: Path, adapter: Adapter, base: str, url: str) -> Recipe:
    command = f"git skillmesh adapters serve --adapter {adapter.name} --base {_word(base)}"
    note = "without --adapter it serves what is active, and follows every deployment"
    return Recipe("transformers", (command,), notes=(note,))


TARGETS: dict[str, Callable[[Path, Adapter, str, str], Recipe]] = {
    "vllm": _vllm,
    "vllm-api": _vllm_api,
    "ollama": _ollama,
    "llama.cpp": _llama_cpp,
    "transformers": _transformers,
}


def load_body(name: str, folder: Path) -> dict[str, str]:
    """Return what vLLM is asked to load."""
    return {"lora_name": name, "lora_path": str(folder)}


def _convert(folder: Path, adapter: Adapter, base: str) -> str:
    return (
        f"python convert_lora_to_gguf.py --base {_word(base)} --outtype f16"
        f" --outfile {adapter.name}.gguf {_word(str(folder))}"
    )


def _rank(folder: Path) -> int:
    try:
        rank = int(json.loads((folder / CONFIGURATION).read_bytes())["r"])
    except (OSError, ValueError, KeyError, TypeError):
        rank = _RANKS[0]
    return next((one for one in _RANKS if one >= rank), rank)


def _architecture(base: str) -> str:
    """Return the kind of model that a base on this machine is, "" where nobody knows."""
    try:
        found = json.loads((Path(base) / "config.json").read_bytes())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(found)


def _word(text: str) -> str:
    return shlex.quote(text)
