"""The few numbers of a step's result that a report shows.

In: the JSON of a step. Out: names and numbers; whatever is not as documented is left out.
"""

from collections.abc import Mapping
from typing import Any

_LONGEST = 200


def figures_of(name: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to show of the result of a step."""
    return {key: value for key, value in _FIGURES[name](result).items() if value is not None}


def _rewards(result: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = _numbers(result.get("verdicts"))
    return {"judged": _number(result.get("judged")), "new": _number(result.get("new")), **verdicts}


def _export(result: Mapping[str, Any]) -> dict[str, Any]:
    tokens = result.get("tokens")
    counted = tokens.get("all") if isinstance(tokens, Mapping) else None
    found = {"lines": _number(result.get("lines")), **_numbers(result.get("splits"))}
    return found | {"tokens": _number(counted)}


def _train(result: Mapping[str, Any]) -> dict[str, Any]:
    found = {"adapter": _text(result.get("name")), "steps": _number(result.get("steps"))}
    return found | _numbers(result.get("metrics"))


def _evaluate(result: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"adapter": _text(result.get("adapter"))}
    for name in ("marks", "base", "active"):
        marks = result.get(name)
        if isinstance(marks, Mapping):
            found["loss" if name == "marks" else f"loss of {name}"] = _interval(marks.get("loss"))
    found["over base"] = _interval(result.get("over_base"))
    found["over active"] = _interval(result.get("over_active"))
    better = result.get("better")
    return found | {"better": better if isinstance(better, bool) else None}


def _deploy(result: Mapping[str, Any]) -> dict[str, Any]:
    targets = result.get("targets")
    found = {"active": _text(result.get("active")), "before": _text(result.get("before"))}
    return found | {"targets": len(targets) if isinstance(targets, list) else None}


_FIGURES = {
    "rewards": _rewards, "export-rl": _export, "train": _train, "evaluate": _evaluate,
    "deploy": _deploy,
}  # fmt: skip


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value, 4) if isinstance(value, float) else value


def _numbers(value: object) -> dict[str, int | float]:
    if not isinstance(value, Mapping):
        return {}
    pairs = {str(key)[:_LONGEST]: _number(one) for key, one in value.items()}
    return {key: one for key, one in pairs.items() if one is not None}


def _interval(value: object) -> list[int | float] | None:
    """Return mean, low and high."""
    if not isinstance(value, Mapping):
        return None
    found = [_number(value.get(key)) for key in ("mean", "low", "high")]
    return [one for one in found if one is not None] if None not in found else None


def _text(value: object) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) and value else None
