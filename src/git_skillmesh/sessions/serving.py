"""Which model answered: names under which an adapter is served, and what they meant when.

In: the folder of the adapters, what an agent called its model, and when. Out: base and adapter in
one word, or the agent's own name where that cannot be told for certain. Only the history of
deployments is read, never an adapter; docs/adapters.md has the rule.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..config import Config
from ..files import expanded
from ..git.repository import Repository
from .model import Exchange

HISTORY = "deployments.jsonl"
ACTIVE = "active.json"
# What every server of an adapter may call whatever is active.
ALIAS = "skillmesh"
ADAPTER = re.compile(r"lora_codelearn_\d{8}(?:\.[1-9]\d{0,8})?")
# Ten thousand deployments and more; of a longer history the end is read.
_MOST_BYTES = 16_000_000
_HASH_SHOWN = 8
_TEXTS = ("identity", "action", "adapter", "before", "back", "base", "base_sha256", "time")


def adapters_folder(repository: Repository, config: Config) -> Path:
    """Return the folder of the adapters: a setting, or one in the common git directory."""
    configured = config["adaptersfolder"]
    if not configured:
        return repository.common_dir / "skillmesh-adapters"
    base = repository.top or repository.common_dir
    return Path(os.path.normpath(base / expanded(configured)))


def model_version(base: str, base_sha256: str, adapter: str) -> str:
    """Return base and adapter in one word: NAME@HASH+ADAPTER; "" where the base has no name."""
    name = re.sub(r"[^\w.-]", "-", base.rstrip("/").rpartition("/")[2])
    if not name:
        return ""
    known = f"{name}@{base_sha256[:_HASH_SHOWN]}" if base_sha256 else name
    return f"{known}+{adapter}" if adapter else known


@dataclass(frozen=True, slots=True)
class Deployment:
    """What became active, and when. `adapter` is "" where the base works alone.

    `identity` names the deployment, `before` is what was active until then, `back` what a rollback
    goes to. `serves` are names under which engines offer what is active.
    """

    identity: str
    action: str
    adapter: str
    before: str
    back: str
    base: str
    base_sha256: str
    time: str
    serves: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Base and adapter in one word."""
        return model_version(self.base, self.base_sha256, self.adapter)


class Served:
    """The history of deployments, asked for what a name meant."""

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        self._known = tuple(deployments)
        self._times = [_moment(one.time) for one in self._known]

    def version_of(self, exchange: Exchange) -> str:
        """Return base and adapter of the model that answered; the agent's name for it otherwise.

        An adapter's own name is enough, for an adapter never changes. Any other name that was
        served meant what was active, and that must be one and the same from the beginning of the
        exchange to its end.
        """
        # Agents put the provider before it, Ollama a tag behind.
        name = exchange.model.rpartition("/")[2].removesuffix(":latest")
        if not name or not self._known:
            return exchange.model
        if ADAPTER.fullmatch(name):
            versions = {one.version for one in self._known if one.adapter == name}
            return versions.pop() or exchange.model if len(versions) == 1 else exchange.model
        begin, end = _moment(exchange.started), _moment(exchange.ended or exchange.started)
        if begin is None or end is None or end < begin:
            return exchange.model
        active = self._between(begin, end)
        versions = {one.version for one in active}
        if len(versions) != 1 or not any(name in one.serves for one in active):
            return exchange.model
        return versions.pop() or exchange.model

    def _between(self, begin: datetime, end: datetime) -> Sequence[Deployment]:
        """Return all that was active in a span of time; nothing if it begins before the first."""
        first: Deployment | None = None
        others: list[Deployment] = []
        for one, time in zip(self._known, self._times, strict=True):
            if time is None:
                continue
            if time <= begin:
                first = one
            elif time <= end:
                others.append(one)
        return [first, *others] if first else ()


def read_served(folder: Path) -> Served:
    """Return what the folder of adapters knows; of a folder that is not there, nothing."""
    return Served(read_deployments(folder))


def read_deployments(folder: Path) -> list[Deployment]:
    """Return the deployments in their order; lines that cannot be read are passed over.

    A deployment that was cut off between its switch and its line in the history is told by
    `active.json`, so it counts.
    """
    found = logged_deployments(folder)
    try:
        document = json.loads((folder / ACTIVE).read_bytes())
        last = deployment_of(document["manifest"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        last = None
    if last and all(one.identity != last.identity for one in found):
        found.append(last)
    return found


def logged_deployments(folder: Path) -> list[Deployment]:
    """Return the deployments that have their line in the history."""
    return [one for one in map(deployment_of, _lines(folder / HISTORY)) if one]


def deployment_of(document: Any) -> Deployment | None:
    """Return the deployment that a line or a manifest tells of, None where it is none."""
    if not isinstance(document, dict):
        return None
    values = {name: document.get(name) for name in _TEXTS}
    serves = document.get("serves")
    if not isinstance(serves, list) or not all(
        isinstance(one, str) for one in (*values.values(), *serves)
    ):
        return None
    if document["adapter"] and not ADAPTER.fullmatch(document["adapter"]):
        return None
    texts = {name: str(value) for name, value in values.items()}
    return Deployment(**texts, serves=tuple(serves)) if texts["identity"] else None


def _lines(path: Path) -> Iterator[Any]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _MOST_BYTES, 0))
            data = file.read(_MOST_BYTES)
    except OSError:
        return
    for line in data.split(b"\n"):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            continue


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
