"""Judgements as files beside the adapters, and what speaks against a deployment.

In: a judgement, or the folder. Out: the other; `objections` in words. What was judged is named by
its hash, so a judgement counts for just these weights.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...errors import Damaged
from ...files import replace_file
from ..model import Adapter, Interval, Judgement, Marks
from .store import JUDGEMENTS, WEIGHTS, File

SCHEMA = 1
# How reasons of a judgement begin.
FOR, AGAINST = "for: ", "against: "
_MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement, and what it is of; `options` say how it was made."""

    judgement: Judgement
    weights_sha256: str
    base_sha256: str
    options: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema": SCHEMA, **asdict(self.judgement), "weights_sha256": self.weights_sha256,
            "base_sha256": self.base_sha256, "options": dict(self.options),
        }  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """Return what a manifest keeps of it."""
        found = self.document()
        names = ("better", "over_base", "over_active", "against", "lines", "data_sha256", "time")
        return {name: found[name] for name in names if name in found}


def judgement_path(folder: Path, name: str) -> Path:
    """Return where the judgement of an adapter is."""
    return folder / JUDGEMENTS / f"{name}.json"


def write_judgement(folder: Path, judged: Judged) -> Path:
    """Keep a judgement in the place of an earlier one."""
    path = judgement_path(folder, judged.judgement.adapter)
    replace_file(path, (json.dumps(judged.document(), indent=1) + "\n").encode("ascii"))
    return path


def read_judgement(folder: Path, name: str) -> Judged | None:
    """Return the judgement of an adapter, None without one. Raises `Damaged`."""
    path = judgement_path(folder, name)
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MOST_BYTES))
        if told["schema"] != SCHEMA or told["adapter"] != name:
            raise ValueError
        active = told["active"]
        over_active, over_general = told["over_active"], told["over_general"]
        judgement = Judgement(
            name, _marks(told["marks"]), _marks(told["base"]), _marks(active) if active else None,
            _interval(told["over_base"]), _interval(over_active) if over_active else None,
            told["better"] is True, tuple(map(str, told["reasons"])), str(told["data_sha256"]),
            str(told["time"]), str(told["against"]),
            _interval(over_general) if over_general else None, int(told["groups"]),
        )  # fmt: skip
        return Judged(
            judgement, str(told["weights_sha256"]), str(told["base_sha256"]), dict(told["options"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise Damaged(
            f"the judgement of {name} cannot be read",
            f"git skillmesh adapters evaluate {name} --data FILE",
        ) from None


def objections(
    judged: Judged | None, adapter: Adapter, files: Mapping[str, File], active: str
) -> Iterator[str]:
    """Yield what speaks against deploying an adapter while another one is active."""
    if judged is None:
        yield "it was not judged"
        return
    one = judged.judgement
    if judged.weights_sha256 != files[WEIGHTS].sha256:
        yield "other weights of that name were judged"
    if judged.base_sha256 != adapter.base_sha256:
        yield "it was judged on another base"
    if active not in ("", one.adapter, one.against):
        yield f"it was judged against {one.against or 'the base alone'}, and {active} is active"
    if not one.better:
        speaks = [said.removeprefix(AGAINST) for said in one.reasons if said.startswith(AGAINST)]
        yield "; ".join(speaks) or "it is not better"


def _interval(told: Mapping[str, Any]) -> Interval:
    return Interval(float(told["mean"]), float(told["low"]), float(told["high"]))


def _marks(told: Mapping[str, Any]) -> Marks:
    exact, similar = told["exact"], told["similar"]
    return Marks(
        _interval(told["loss"]), _interval(told["general"]),
        None if exact is None else float(exact), None if similar is None else float(similar),
        int(told["lines"]), int(told["tokens"]),
    )  # fmt: skip
