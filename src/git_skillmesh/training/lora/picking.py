"""Which lines of data are trained on, and which watch the training.

In: data, the ids that the parent was trained on. Out: `Picked`. The split test is never among them.
"""

import hashlib
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ...errors import ExitCode, SkillmeshError, UsageError
from ..model import Form, Sample
from .reading import Data

# More lines than these say no more while training goes on.
_WATCHING = 200


class NothingToTrain(SkillmeshError):
    """There is no line, or no new one."""

    exit_code = ExitCode.NOTHING_FOUND


@dataclass(frozen=True, slots=True)
class Picked:
    """Lines to train on, of which `replayed` were trained on before, and lines to watch."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    replayed: int = 0


def pick(
    data: Data, method: Form, known: Collection[str] = (), replay: float = 0.0, parent: str = "",
    older: Data | None = None, control: str = "", seed: int = 0,
) -> Picked:  # fmt: skip
    """Pick lines. `known` are the ids that `parent` was trained on, `older` data that has them.

    Of known lines a share of `replay` comes again; which ones depends on ids and the parent's name,
    so the next one gets others. Raises `UsageError` when the data cannot serve the method,
    `NothingToTrain`.
    """
    train = as_method(data.split("train"), method)
    if not train:
        raise NothingToTrain(f"no line of {data.path.name} is to train on")
    again: list[Sample] = []
    if parent:
        every = dict.fromkeys(known)
        fresh = tuple(line for line in train if line.sample_id not in every)
        if not fresh:
            raise NothingToTrain(f"{parent} was trained on every line of {data.path.name}")
        if older is not None:
            train = (*train, *as_method(older.split("train"), method))
        old = {line.sample_id: line for line in train if line.sample_id in every}
        held = {line.sample_id for line in data.lines if line.split != "train"}
        again = [
            line for name, line in old.items()
            if name not in held and _place(f"{parent}\0{name}") < replay
        ]  # fmt: skip
        train = (*fresh, *again)
    watching = as_method(data.split("validation"), method)
    watching = tuple(sorted(watching, key=lambda line: _place(line.sample_id))[:_WATCHING])
    if control:
        train = shuffled(train, seed)
    return Picked(tuple(train), watching, len(again))


def as_method(lines: Sequence[Sample], method: Form) -> tuple[Sample, ...]:
    """Return lines in the form that a method takes. Any form serves sft: what stayed is learned."""
    if not lines or lines[0].form is method:
        return tuple(lines)
    if method is not Form.SFT:
        raise UsageError(
            f"data of format {lines[0].form} cannot train {method}",
            f"git skillmesh export-rl --format {method}",
        )
    return tuple(replace(line, form=Form.SFT, rejected=()) for line in lines if line.label)


def shuffled(lines: Sequence[Sample], seed: int) -> tuple[Sample, ...]:
    """Return the same lines with what was learned from history taken away, as a control.

    sft: no answer stays with its prompt. kto: the labels go round. dpo: of half of the pairs,
    drawn by chance, the rejected answer is the chosen one.
    """
    chance = random.Random(seed)  # noqa: S311  # a control has to be the same again
    if not lines:
        return ()
    if lines[0].form is Form.DPO:
        turned = set(chance.sample(range(len(lines)), len(lines) // 2))
        return tuple(
            replace(one, completion=one.rejected, rejected=one.completion) if n in turned else one
            for n, one in enumerate(lines)
        )
    order = list(range(len(lines)))
    chance.shuffle(order)
    # One round through all of them: with two lines or more, none keeps its own.
    giver = {order[n]: lines[order[n - 1]] for n in range(len(order))}
    if lines[0].form is Form.KTO:
        return tuple(replace(one, label=giver[n].label) for n, one in enumerate(lines))
    return tuple(replace(one, completion=giver[n].completion) for n, one in enumerate(lines))


def _place(text: str) -> float:
    """Return a number from 0 to 1 that stands for a text, the same everywhere."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / (1 << 56)
