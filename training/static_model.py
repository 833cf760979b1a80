"""Train the table of the static model: what belongs together moves together.

In: the table that scripts/build_static_model.py made, and pairs (pairs.py). Out: a table in the
same format.

    python -m training.static_model repositories.json PAIRS START OUT

A text is the weighted sum of its pieces' rows, and the code of a pair the sum of the unit vectors
of its fields, as in embedding/static.py. Rows and weights are trained with a contrastive loss over
each batch in both directions (InfoNCE; van den Oord and others, "Representation Learning with
Contrastive Predictive Coding", 2018) by Adam (Kingma and Ba, 2015), of which each step touches only
the pieces of its batch, and pulled to where they started. A batch comes from few repositories, so
that the negatives are of the same kind.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch.nn import functional

from git_skillmesh.embedding.static import VOCABULARY, StaticEmbedder
from scripts.build_static_model import write
from training.bags import FIELDS, KINDS, Pairs, read_pairs

BATCH = 512
REPOSITORIES_A_BATCH = 4
TEMPERATURE = 0.05
EPOCHS = 2
ROW_RATE, WEIGHT_RATE = 3e-3, 1e-2  # of the first step; they fall to a twentieth, linearly
STAY = 0.02  # after each epoch this share of the way back to the start
_MEASURED = 500  # held-out pairs of a kind and repository


class Learned:
    """A parameter `value` [pieces, …] with Adam's two moments; a step moves some of its rows."""

    def __init__(self, value: torch.Tensor) -> None:
        self.value = value
        self.begun = value.clone()
        self._mean, self._square = torch.zeros_like(value), torch.zeros_like(value)

    def step(self, rows: torch.Tensor, slope: torch.Tensor, rate: float, number: int) -> None:
        """Move `rows` int64[r] against `slope` [r, …]; `number` counts steps from 1."""
        mean = self._mean[rows].lerp_(slope, 0.1)
        square = self._square[rows].lerp_(slope * slope, 0.001)
        self._mean[rows], self._square[rows] = mean, square
        size = (square / (1 - 0.999**number)).sqrt() + 1e-8
        self.value[rows] -= rate * (mean / (1 - 0.9**number)) / size


class Table:
    """Rows float32[pieces, dimension] and the logarithms of their weights float32[pieces].

    It starts from a stored table: `stored` int8[pieces, dimension] and `gains` float32[pieces].
    """

    def __init__(self, stored: NDArray[np.int8], gains: NDArray[np.float32]) -> None:
        weights = np.maximum(gains / gains.max(), np.float32(1e-6))
        self.rows = Learned(torch.from_numpy(stored.astype(np.float32) / 127))
        self.log_weights = Learned(torch.from_numpy(np.log(weights)))
        self._steps = 0

    def step(self, pairs: Pairs, chosen: NDArray[np.int64], share: float) -> float:
        """Take one step on a batch at `share` of the rates; return its loss."""
        texts = [matrix[chosen] for matrix in (pairs.queries, *pairs.code.values())]
        used, places = np.unique(np.concatenate([m.indices for m in texts]), return_inverse=True)
        ends = np.cumsum([len(matrix.indices) for matrix in texts])[:-1]
        for matrix, own in zip(texts, np.split(places, ends), strict=True):
            matrix.indices = own
        pieces = torch.from_numpy(used.astype(np.int64))
        rows = self.rows.value[pieces].requires_grad_()
        log_weights = self.log_weights.value[pieces].requires_grad_()
        table = rows * torch.exp(log_weights)[:, None]
        queries, code = _unit_sums(texts[0], table), _code(texts[1:], table)
        scores = queries @ code.T / TEMPERATURE
        right = torch.arange(len(chosen))
        loss = functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)
        loss.backward()
        self._steps += 1
        with torch.no_grad():
            self.rows.step(pieces, rows.grad, ROW_RATE * share, self._steps)
            self.log_weights.step(pieces, log_weights.grad, WEIGHT_RATE * share, self._steps)
        return float(loss.item())

    def pull(self) -> None:
        """Go some of the way back to the start."""
        for learned in (self.rows, self.log_weights):
            learned.value.lerp_(learned.begun, STAY)

    def reciprocal_ranks(self, pairs: Pairs, chosen: NDArray[np.int64]) -> list[float]:
        """Return 1 / the rank of the right code among that of all chosen pairs, for each query."""
        table = self.rows.value * torch.exp(self.log_weights.value)[:, None]
        queries = _unit_sums(pairs.queries[chosen], table)
        code = _code([matrix[chosen] for matrix in pairs.code.values()], table)
        scores = queries @ code.T
        ranks = (scores >= scores.diagonal()[:, None]).sum(1)
        found: list[float] = (1 / ranks).tolist()
        return found


def _unit_sums(texts: csr_matrix, table: torch.Tensor) -> torch.Tensor:
    """Return the unit vectors [texts, dimension] of bags, zero for an empty one."""
    summed = functional.embedding_bag(
        torch.from_numpy(texts.indices.astype(np.int64)),
        table,
        torch.from_numpy(texts.indptr[:-1].astype(np.int64)),
        per_sample_weights=torch.from_numpy(texts.data),
        mode="sum",
    )
    return functional.normalize(summed, dim=1)


def _code(fields: Sequence[csr_matrix], table: torch.Tensor) -> torch.Tensor:
    """Return the unit vectors [texts, dimension] of the weighted sums over the fields."""
    parts = zip(fields, FIELDS.values(), strict=True)
    summed = torch.stack([weight * _unit_sums(field, table) for field, weight in parts]).sum(0)
    return functional.normalize(summed, dim=1)


def batches(pairs: Pairs, dice: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield all pairs once, each batch from a few repositories."""
    share = BATCH // REPOSITORIES_A_BATCH
    parts = []
    for repository in np.unique(pairs.repository):
        pile = dice.permutation(np.flatnonzero(pairs.repository == repository))
        parts += [pile[start : start + share] for start in range(0, len(pile), share)]
    order = dice.permutation(len(parts))
    for start in range(0, len(parts), REPOSITORIES_A_BATCH):
        yield np.concatenate([parts[n] for n in order[start : start + REPOSITORIES_A_BATCH]])


def train(table: Table, pairs: Pairs, epochs: int, seed: int) -> Iterator[float]:
    """Train in place; yield the mean loss of each epoch."""
    dice = np.random.default_rng(seed)
    steps = epochs * (len(pairs) // BATCH + 1)
    taken = 0
    for _ in range(epochs):
        losses = []
        for chosen in batches(pairs, dice):
            losses.append(table.step(pairs, chosen, max(0.05, 1 - taken / steps)))
            taken += 1
        table.pull()
        yield sum(losses) / len(losses)


def held_out(table: Table, pairs: Pairs) -> dict[str, float]:
    """Return kind → mean reciprocal rank of the right code among that of its repository."""
    found: dict[str, float] = {}
    for number, kind in enumerate(KINDS):
        ranks: list[float] = []
        for repository in np.unique(pairs.repository):
            own = np.flatnonzero((pairs.repository == repository) & (pairs.kind == number))
            chosen = np.random.default_rng(0).permutation(own)[:_MEASURED]
            ranks += table.reciprocal_ranks(pairs, chosen) if len(chosen) else []
        found[kind] = round(sum(ranks) / max(len(ranks), 1), 4)
    return found


def files_of(repositories: Path, pairs: Path) -> tuple[list[Path], list[Path]]:
    """Return the files of the pairs to train on, and of those only to measure on."""
    entries = json.loads(repositories.read_text(encoding="utf-8"))
    files: tuple[list[Path], list[Path]] = ([], [])
    for entry in entries:
        name = entry["repo"].replace("/", "+")
        files[bool(entry.get("held_out"))].append(pairs / f"{name}.jsonl.gz")
    return files


def main() -> int:
    """Train, measure on held-out repositories, write."""
    parser = argparse.ArgumentParser(description="train the static model")
    parser.add_argument("repositories", type=Path, help="the list with commits and licences")
    parser.add_argument("pairs", type=Path, help="folder of pairs.py")
    parser.add_argument("start", type=Path, help="folder of build_static_model.py")
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    embedder = StaticEmbedder.load(args.start)
    seen, unseen = (read_pairs(f, embedder) for f in files_of(args.repositories, args.pairs))
    print(f"{len(seen)} pairs to train on, {len(unseen)} held out", flush=True)
    table = Table(*embedder.table())
    print(f"held out, before: {held_out(table, unseen)}", flush=True)
    for epoch, loss in enumerate(train(table, seen, args.epochs, args.seed), 1):
        print(f"epoch {epoch}: loss {loss:.3f}, held out: {held_out(table, unseen)}", flush=True)
    rows = table.rows.value.numpy().astype(np.float64)
    weights = np.exp(table.log_weights.value.numpy().astype(np.float64))
    names = (args.start / VOCABULARY).read_text(encoding="utf-8").split("\n")[:-1]
    write(args.out, names, rows, weights, pairs=len(seen), epochs=args.epochs, seed=args.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
