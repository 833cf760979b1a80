"""Judge an adapter: on held-out lines, beside its base and the active adapter, and on other code.

In: the folder of adapters, a data set, a base. Out: `Judged`. All models see the same tokens, made
by the tokenizer and chat template of the adapter that is judged. Needs torch, transformers, peft.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..errors import UsageError
from .adapters.judgements import AGAINST, FOR, Judged
from .adapters.store import WEIGHTS, Store
from .general import general_code
from .heldout import Held, HeldOut, likeness, some
from .intervals import interval
from .lora.folders import KNOWN_IDS, known_ids
from .model import Interval, Judgement, Marks
from .models import Loaded, encoded, load, losses, written

Lines = list[tuple[str, list[int], int]]
Progress = Callable[[int, int], None] | None
_SIGNS = "{:+.3f} nats a token (95 %: {:+.3f} to {:+.3f})"


@dataclass(frozen=True, slots=True)
class Options:
    """How to judge. `longest` and `most_written` are tokens, `margin` nats a token.

    `write` is on how many lines each model has to write edits. `groups` is how many groups of lines
    it takes to tell: fewer than five are all better by chance more than one time in twenty.
    """

    longest: int = 2_048
    batch: int = 4
    write: int = 0
    most_written: int = 512
    general: int = 32
    margin: float = 0.05
    groups: int = 5
    seed: int = 0
    device: str = ""


@dataclass(slots=True)
class _Seen:
    """What one model did: nats of each line, nats of each general text, edits that it wrote."""

    lines: list[tuple[str, float, int]]
    general: list[tuple[str, float, int]]
    edits: list[tuple[bool, float]]


def evaluate(
    store: Store, name: str, data: HeldOut, options: Options, *, base: str = "",
    against: str = "", progress: Progress = None,
) -> Judged:  # fmt: skip
    """Judge an adapter, `against` another one unless that is "". Raises `UsageError`, `Damaged`.

    `base` is where the base is on this machine, if not where it was when the adapter was trained.
    """
    _check(options)
    entry, adapter = store.usable(name)
    where = base or adapter.base
    rival = store.usable(against) if against and against != name else None
    aside = ""
    if rival and rival[1].base_sha256 != adapter.base_sha256:
        aside = f"{AGAINST}{against} is on another base and cannot be compared"
        rival = None
    folders: list[Path | None] = [entry.folder, None, *([rival[0].folder] if rival else [])]
    data, trained = unseen(data, [folder for folder in folders if folder])
    work = _Work(data.lines, options, len(folders), progress)
    seen = []
    for folder in folders:
        loaded = load(where, folder, device=options.device)
        seen.append(work.look(loaded))
        del loaded
        gc.collect()  # before the next one needs the memory
    own, of_base, of_rival = seen[0], seen[1], seen[2] if rival else None
    over_base, over_general = work.over(own, of_base), work.over_general(own, of_base)
    over_rival = work.over(own, of_rival) if of_rival else None
    groups = len({line.group for line in data.lines})
    better, reasons = decided(
        over_base, over_rival, over_general, groups, options, against if rival else ""
    )
    judgement = Judgement(
        name, work.marks(own), work.marks(of_base), work.marks(of_rival) if of_rival else None,
        over_base, over_rival, better and not aside, (*reasons, *([aside] if aside else [])),
        data.data_sha256, datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        against if rival else "", over_general, groups,
    )  # fmt: skip
    weights = store.files(name)[WEIGHTS].sha256
    made = {
        "longest": work.longest, "write": options.write, "most_written": options.most_written,
        "general": options.general, "margin": options.margin, "groups": options.groups,
        "seed": options.seed, "trained_on": trained,
    }  # fmt: skip
    return Judged(judgement, weights, adapter.base_sha256, made)


def unseen(data: HeldOut, adapters: Sequence[Path]) -> tuple[HeldOut, int]:
    """Return the lines that no adapter was trained on, and how many others there were.

    A line can have come into the test after an adapter was trained on it. Raises `UsageError` when
    none is left.
    """
    told = [folder for folder in adapters if (folder / KNOWN_IDS).is_file()]
    known = {line_id for folder in told for line_id in known_ids(folder)}
    lines = tuple(line for line in data.lines if line.line_id not in known)
    if not lines:
        raise UsageError("every line of the test was trained on", "git skillmesh export-rl")
    return replace(data, lines=lines), len(data.lines) - len(lines)


def decided(
    over_base: Interval, over_active: Interval | None, over_general: Interval, groups: int,
    options: Options, active: str,
) -> tuple[bool, tuple[str, ...]]:  # fmt: skip
    """Return whether an adapter is better, and the reasons. All of these have to hold:

    - there are enough groups of lines to tell;
    - against the base, the whole interval of the difference is below 0;
    - against the active adapter, the mean of the difference is below 0;
    - on general code, the mean of the difference to the base is not above the margin.

    Against the active adapter no interval is asked for: two adapters in a row differ by little, and
    to keep the older one is no safer where the newer one is more likely the better one.
    """
    rules = [
        (over_base.high < 0, f"against the base {_shown(over_base)}"),
        (
            over_general.mean <= options.margin,
            f"on general code {_shown(over_general)}, of which {options.margin:g} are allowed",
        ),
    ]
    if over_active is not None:
        rules.append((over_active.mean < 0, f"against {active} {_shown(over_active)}"))
    if groups < options.groups:
        rules.append((False, f"{groups} groups of lines, and {options.groups} are needed to tell"))
    reasons = tuple(f"{FOR if holds else AGAINST}{said}" for holds, said in rules)
    return all(holds for holds, _ in rules), reasons


def _shown(one: Interval) -> str:
    return _SIGNS.format(one.mean, one.low, one.high)


def _check(options: Options) -> None:
    least = {"longest": 16, "batch": 1, "most_written": 1, "general": 1, "groups": 1, "write": 0}
    for name, number in least.items():
        if getattr(options, name) < number:
            said = "write-tokens" if name == "most_written" else name
            raise UsageError(f"--{said} must be at least {number}")
    if not options.margin >= 0:
        raise UsageError("--margin must be at least 0")


class _Work:
    """The lines, made tokens once, for each model to look at."""

    def __init__(
        self, lines: Sequence[Held], options: Options, models: int, progress: Progress
    ) -> None:
        self._held = lines
        self._options = options
        self._write = some(lines, options.write)
        self._texts = general_code(options.general)
        self._lines: Lines = []
        self._general: Lines = []
        self._ids: dict[str, tuple[list[int], int]] = {}
        self._total = models * (len(lines) + len(self._texts) + len(self._write))
        self._done = 0
        self._progress = progress
        self.longest = options.longest

    def look(self, loaded: Loaded) -> _Seen:
        """Return what a model makes of all lines."""
        if not self._lines:
            self._make(loaded)
        edits = []
        for line in self._write:
            ids, begin = self._ids[line.line_id]
            edits.append(likeness(line, written(loaded, ids[:begin], self._options.most_written)))
            self._on(1)
        return _Seen(self._losses(loaded, self._lines), self._losses(loaded, self._general), edits)

    def _losses(self, loaded: Loaded, lines: Lines) -> list[tuple[str, float, int]]:
        """Ask in parts, so that there is progress to show."""
        found: dict[int, tuple[str, float, int]] = {}
        order = sorted(range(len(lines)), key=lambda place: len(lines[place][1]))
        step = 8 * self._options.batch
        for first in range(0, len(order), step):
            part = order[first : first + step]
            told = losses(loaded, [lines[place] for place in part], self._options.batch)
            found.update(zip(part, told, strict=True))
            self._on(len(part))
        return [found[place] for place in range(len(lines))]

    def _make(self, loaded: Loaded) -> None:
        limit = getattr(loaded.model.config, "max_position_embeddings", None)
        self.longest = min(self.longest, limit) if isinstance(limit, int) else self.longest
        tokenizer = loaded.tokenizer
        self._lines = [
            (one.line_id, *encoded(tokenizer, one.prompt, one.completion, self.longest))
            for one in self._held
        ]
        self._general = [
            (str(place), tokenizer(text, add_special_tokens=False)["input_ids"][: self.longest], 0)
            for place, text in enumerate(self._texts)
        ]
        room = max(self.longest - self._options.most_written, self.longest // 2)
        self._ids = {
            one.line_id: encoded(tokenizer, one.prompt, one.completion, room) for one in self._write
        }

    def _on(self, count: int) -> None:
        self._done += count
        if self._progress:
            self._progress(self._done, self._total)

    def marks(self, seen: _Seen) -> Marks:
        """Return what one model did."""
        exact = similar = None
        if seen.edits:
            exact = sum(same for same, _ in seen.edits) / len(seen.edits)
            similar = sum(alike for _, alike in seen.edits) / len(seen.edits)
        return Marks(
            self._interval(seen.lines, self._groups), self._interval(seen.general, None),
            exact, similar, len(seen.lines), sum(count for _, _, count in seen.lines),
        )  # fmt: skip

    def over(self, one: _Seen, other: _Seen) -> Interval:
        """Return the difference of two models on the held-out lines."""
        return self._interval(_paired(one.lines, other.lines), self._groups)

    def over_general(self, one: _Seen, other: _Seen) -> Interval:
        """Return the difference of two models on general code."""
        return self._interval(_paired(one.general, other.general), None)

    @property
    def _groups(self) -> list[str]:
        return [line.group for line in self._held]

    def _interval(
        self, told: Sequence[tuple[str, float, int]], groups: Sequence[str] | None
    ) -> Interval:
        return interval(
            [nats for _, nats, _ in told], [count for _, _, count in told],
            groups or [name for name, _, _ in told], self._options.seed,
        )  # fmt: skip


def _paired(
    one: Sequence[tuple[str, float, int]], other: Sequence[tuple[str, float, int]]
) -> list[tuple[str, float, int]]:
    return [
        (name, nats - others, count)
        for (name, nats, count), (_, others, _) in zip(one, other, strict=True)
    ]
