"""What a training is asked to do, as a file: the only thing that goes from the command to `run`.

In: values. Out: `Plan`, its file, its key: two plans with the same key give the same adapter.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...errors import Damaged, UsageError
from ..model import Form

SCHEMA = 1
# What says how, not what: a run that is taken up again may change it.
_FREE = ("resume", "device", "threads", "owner", "output", "commit", "repo_id")


@dataclass(frozen=True, slots=True)
class Plan:
    """A training. Names are those of the options; see `Preset` for what the numbers mean.

    `folder` is where the base lies, `base` what was given for it. `parent` is the folder of the
    adapter to go on from, "" for none. `owner` is the process without which training stops, 0 for
    none. Paths are absolute.
    """

    base: str
    folder: str
    base_sha256: str
    data: str
    data_sha256: str
    method: Form
    preset: str
    rank: int
    alpha: int
    dropout: float
    rate: float
    batch: int
    accumulation: int
    length: int
    epochs: float
    saves: bool
    output: str
    max_steps: int = 0
    seed: int = 0
    parent: str = ""
    replay: float = 0.0
    replay_data: str = ""
    replay_sha256: str = ""
    control: str = ""
    checkpoint_every: int = 50
    resume: bool = False
    device: str = ""
    threads: int = 0
    owner: int = 0
    commit: str = ""
    repo_id: str = ""

    @property
    def key(self) -> str:
        """What tells this training from others."""
        told = {key: value for key, value in asdict(self).items() if key not in _FREE}
        for path in ("base", "folder", "data", "replay_data", "parent"):
            told[path] = Path(told[path]).name
        text = json.dumps(told, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def work(self) -> Path:
        """The folder of what is not complete yet."""
        return Path(self.output) / f".training-{self.key}"

    def shown(self) -> dict[str, Any]:
        """Return what an adapter's record says of how it was trained."""
        left_out = (*_FREE, "base", "folder", "base_sha256", "data", "data_sha256", "parent")
        told = {key: value for key, value in asdict(self).items() if key not in left_out}
        return {**told, "replay_data": Path(self.replay_data).name, "threads": self.threads}

    def write(self, path: Path) -> None:
        """Write the plan to a file."""
        path.write_text(json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n")


def read_plan(path: Path) -> Plan:
    """Read a plan. Raises `UsageError` if it cannot be read, `Damaged` if it is none."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or str(error)) from None
    except (ValueError, RecursionError):
        found = None
    known = {one.name: one.type for one in fields(Plan)}
    try:
        if found.pop("schema") != SCHEMA or set(found) - set(known):
            raise ValueError
        return Plan(**{**found, "method": Form(found["method"])})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Damaged(f"{path} is no plan of a training") from None
