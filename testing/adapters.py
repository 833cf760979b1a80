"""Adapters as files: small ones that are whole, without torch, and judgements of them.

In: a folder, a name. Out: a folder of the layout that training writes, its weights of a few bytes.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.training.adapters.deploying import Deployments
from git_skillmesh.training.adapters.judgements import Judged, write_judgement
from git_skillmesh.training.adapters.signing import Signer
from git_skillmesh.training.adapters.store import WEIGHTS, Store
from git_skillmesh.training.model import Interval, Judgement, Marks
from testing.repos import Repo

BASE_SHA256 = hashlib.sha256(b"base").hexdigest()
OLD = 1_700_000_000


def name_of(day: int, number: int = 1) -> str:
    """Return the name of an adapter of a day of November 2026."""
    return f"lora_codelearn_202611{day:02}" + (f".{number}" if number > 1 else "")


def tensors(text: str) -> bytes:
    """Return a file of tensors: one that holds a text as bytes."""
    data = text.encode()
    header = {"weight": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}
    encoded = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def record(name: str, **changes: Any) -> dict[str, Any]:
    """Return what training.json says of an adapter."""
    return {
        "schema": 1, "name": name, "base": "models/tiny-base", "base_sha256": BASE_SHA256,
        "method": "sft", "data_sha256": "d" * 64, "parent": "", "commit": "c" * 40,
        "time": "2026-11-01T00:00:00Z", "seed": 0, "steps": 12, "metrics": {"loss": 1.5},
        "options": {}, "versions": {}, "data": {}, **changes,
    }  # fmt: skip


def write_adapter(store: Path, name: str, *, old: bool = False, **changes: Any) -> Path:
    """Write an adapter; `old` makes it one that was written years ago."""
    folder = store / name
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(tensors(name))
    os.link(folder / WEIGHTS, folder / f"{name}.safetensors")
    config = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "models/tiny-base"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "training.json").write_text(json.dumps(record(name, **changes)))
    (folder / "README.md").write_text(f"# {name}\n")
    if old:
        for path in (*folder.iterdir(), folder):
            os.utime(path, (OLD, OLD))
    return folder


def marks(loss: float) -> Marks:
    """Return marks with a loss."""
    at = Interval(loss, loss - 0.1, loss + 0.1)
    return Marks(at, Interval(2.0, 1.9, 2.1), None, None, 40, 4_000)


def judge(
    store: Path, name: str, over: float = -0.25, against: str = "", better: bool | None = None
) -> None:
    """Judge an adapter: so much over its base, and over the active one."""
    weights = hashlib.sha256((store / name / WEIGHTS).read_bytes()).hexdigest()
    gap = Interval(over, over - 0.05, over + 0.05)
    good = over < 0 if better is None else better
    said = f"{'for' if good else 'against'}: against the base {over:+.3f} nats a token"
    judgement = Judgement(
        name, marks(1.5 + over), marks(1.5), marks(1.5) if against else None, gap,
        gap if against else None, good, (said,), "d" * 64, "2026-11-02T00:00:00Z", against, gap, 9,
    )  # fmt: skip
    write_judgement(store, Judged(judgement, weights, BASE_SHA256, {"seed": 0}))


def deployments_of(repo: Repo) -> tuple[Store, Deployments]:
    """Return the adapters of a repository, and who deploys there."""
    repository = discover(repo.path)
    config = load(repository)
    store = Store(repo.path / ".git" / "skillmesh-adapters")
    return store, Deployments(repository, store, Signer(repository, config, store.folder))


def size_of(folder: Path) -> int:
    """Return the bytes of an adapter, its weights, which have two names, counted once."""
    return sum({one.stat().st_ino: one.stat().st_size for one in folder.iterdir()}.values())
