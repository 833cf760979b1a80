"""From what each step is made: if that is what it was, the step need not run.

In: a repository, options. Out: plain values that are compared, and why they differ, in words. What
is looked at costs milliseconds: no weights are read here, files of a base are told apart by name,
size and time.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ... import __version__
from ...config import Config
from ...git.notes import REF as NOTES
from ...git.refs import read_ref
from ...git.repository import Repository
from ...sessions.layout import EVENTS, REF, SESSIONS
from ..rewards.score import FORMULA
from .model import Options

# What a step is made from → what to call it.
_WORDS = {
    "head": "commits", "memory": "conversations", "notes": "links", "formula": "the formula",
    "program": "the program", "redaction": "rules of redaction", "method": "the method",
    "preset": "the preset", "base": "the base", "data": "the data set", "active": "the active one",
    "adapter": "the adapter", "more": "the options", "better": "the judgement",
}  # fmt: skip


def of_rewards(repository: Repository) -> dict[str, Any]:
    """Return what rewards are made from."""
    return {
        "head": repository.head_commit() or "",
        "memory": read_ref(repository, REF) or "",
        "notes": read_ref(repository, NOTES) or "",
        "formula": FORMULA,
        "program": __version__,
    }


def of_export(repository: Repository, config: Config, options: Options) -> dict[str, Any]:
    """Return what a data set is made from."""
    rules = {name: config[name] for name in config.values if name.startswith("redaction.")}
    return {
        "head": repository.head_commit() or "",
        "memory": read_ref(repository, REF) or "",
        "method": str(options.method),
        "redaction": sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest(),
        "program": __version__,
    }


def of_training(data_sha256: str, options: Options) -> dict[str, Any]:
    """Return what an adapter is made from."""
    return {
        "data": data_sha256,
        "base": base_state(options.base),
        "method": str(options.method),
        "preset": options.preset,
        "more": list(options.more),
    }


def base_state(base: str) -> str:
    """Return what tells a base from another one: files by name, size and time, else its name."""
    folder = Path(base)
    if not base or not folder.is_dir():
        return base
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            state = path.stat()
            said = f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\n"
            digest.update(said.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what is not as it was."""
    return [_WORDS.get(name, name) for name in now if before.get(name) != now[name]]


def only_events(repository: Repository, old: str, new: str) -> bool:
    """Return whether between two states of the memory nothing but events of sessions were added.

    That is all that `rewards` and `export-rl` write; what is said in a conversation is elsewhere.
    """
    if not old or not new:
        return False
    names = ("diff-tree", "-r", "-z", "--no-ext-diff", "--name-only", old, new)
    for name in repository.git.fields(*names):
        parts = name.decode("utf-8", "replace").split("/")
        if parts[0] != SESSIONS or len(parts) < 3 or parts[-2] != EVENTS:
            return False
    return True
