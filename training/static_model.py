"""Train the table of the static model: what belongs together moves together.

In: the table that scripts/build_static_model.py made, and pairs (pairs.py). Out: a table in the
same format.

    python -m training.static_model PAIRS OUT

A text is the weighted sum of its pieces' rows, as in embedding/static.py. Rows and weights are
trained with a contrastive loss over each batch in both directions (InfoNCE; van den Oord and
others, "Representation Learning with Contrastive Predictive Coding", 2018), and pulled to where
they started. A batch comes from few repositories, so that the negatives are of the same kind.
"""

import argparse
import gzip
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from git_skillmesh.embedding.static import DATA, StaticEmbedder
from git_skillmesh.embedding.tokens import identifiers
from scripts.build_static_model import write

_BATCH = 512
_REPOSITORIES_A_BATCH = 4
_TEMPERATURE = 0.05
_MOST_PIECES = 256
_ROW_RATE, _WEIGHT_RATE = 1e-3, 1e-2
_STAY = 0.02  # after each epoch this share of the way back to the start
_HELD_OUT = 12  # one repository in so many is only measured


@dataclass(frozen=True, slots=True)
class Bag:
    """Pieces of a text and 1 + ln of how often each occurs."""

    pieces: list[int]
    growth: list[float]


Pair = tuple[Bag, Bag]


def read_pairs(folder: Path, embedder: StaticEmbedder) -> dict[str, list[Pair]]:
    """Return repository → pairs of bags."""
    found: dict[str, list[Pair]] = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            entries = [json.loads(line) for line in lines]
        pairs = [(_bag(e["query"], embedder), _bag(e["code"], embedder)) for e in entries]
        found[path.name] = [pair for pair in pairs if pair[0].pieces and pair[1].pieces]
    return found


def _bag(text: str, embedder: StaticEmbedder) -> Bag:
    counts: Counter[int] = Counter()
    for identifier, times in Counter(identifiers(text)).items():
        for piece in embedder.pieces_of(identifier):
            counts[piece] += times
    common = counts.most_common(_MOST_PIECES)
    return Bag([piece for piece, _ in common], [1 + math.log(times) for _, times in common])


class Table(torch.nn.Module):
    """Rows float32[pieces, dimension] and the logarithms of their weights."""

    def __init__(self, rows: np.ndarray, weights: np.ndarray) -> None:
        super().__init__()
        self.rows = torch.nn.EmbeddingBag.from_pretrained(
            torch.tensor(rows, dtype=torch.float32), freeze=False, mode="sum", sparse=True
        )
        self.log_weights = torch.nn.Parameter(torch.tensor(np.log(weights), dtype=torch.float32))

    def forward(self, bags: Sequence[Bag]) -> torch.Tensor:
        """Return unit vectors [bags, dimension]."""
        pieces = torch.tensor([piece for bag in bags for piece in bag.pieces])
        growth = torch.tensor([growth for bag in bags for growth in bag.growth])
        ends = np.cumsum([0, *(len(bag.pieces) for bag in bags[:-1])])
        factors = growth * torch.exp(self.log_weights[pieces])
        summed = self.rows(pieces, torch.tensor(ends), per_sample_weights=factors)
        return functional.normalize(summed, dim=1)


def batches(pairs: dict[str, list[Pair]], dice: random.Random) -> Iterator[list[Pair]]:
    """Yield all pairs once, each batch from a few repositories."""
    piles = {name: dice.sample(found, len(found)) for name, found in pairs.items()}
    share = _BATCH // _REPOSITORIES_A_BATCH
    parts = [pile[n : n + share] for pile in piles.values() for n in range(0, len(pile), share)]
    dice.shuffle(parts)
    for n in range(0, len(parts), _REPOSITORIES_A_BATCH):
        yield [pair for part in parts[n : n + _REPOSITORIES_A_BATCH] for pair in part]


def train(table: Table, pairs: dict[str, list[Pair]], epochs: int, seed: int) -> None:
    """Train in place."""
    dice = random.Random(seed)
    start = [parameter.detach().clone() for parameter in table.parameters()]
    rows = torch.optim.SparseAdam([table.rows.weight], lr=_ROW_RATE)
    weights = torch.optim.Adam([table.log_weights], lr=_WEIGHT_RATE)
    for epoch in range(epochs):
        losses = []
        for batch in batches(pairs, dice):
            queries, codes = table([q for q, _ in batch]), table([c for _, c in batch])
            scores = queries @ codes.T / _TEMPERATURE
            right = torch.arange(len(batch))
            ways = (scores, scores.T)
            loss = sum(functional.cross_entropy(way, right) for way in ways)
            rows.zero_grad()
            weights.zero_grad()
            loss.backward()
            rows.step()
            weights.step()
            losses.append(loss.item())
        with torch.no_grad():
            for parameter, begun in zip(table.parameters(), start, strict=True):
                parameter.lerp_(begun, _STAY)
        print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.4f}", flush=True)


def reciprocal_rank(table: Table, pairs: dict[str, list[Pair]]) -> float:
    """Return the mean reciprocal rank of the right code among that of its repository."""
    found = []
    with torch.no_grad():
        for entries in pairs.values():
            few = entries[:1_000]
            scores = table([q for q, _ in few]) @ table([c for _, c in few]).T
            ranks = (scores >= scores.diagonal()[:, None]).sum(1)
            found += (1 / ranks).tolist()
    return sum(found) / len(found)


def main() -> int:
    """Train, measure on held-out repositories, write."""
    parser = argparse.ArgumentParser(description="train the static model")
    parser.add_argument("pairs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    embedder = StaticEmbedder.load()
    everything = read_pairs(args.pairs, embedder)
    held = dict(item for n, item in enumerate(everything.items()) if n % _HELD_OUT == 0)
    pairs = {name: found for name, found in everything.items() if name not in held}
    print(f"{sum(map(len, pairs.values()))} pairs of {len(pairs)} repositories, "
          f"{sum(map(len, held.values()))} of {len(held)} held out")  # fmt: skip
    stored, gains = embedder.table()
    table = Table(stored.astype(np.float32) / 127, np.maximum(gains, 1e-3))
    print(f"held out, before: {reciprocal_rank(table, held):.4f}", flush=True)
    train(table, pairs, args.epochs, args.seed)
    print(f"held out, after: {reciprocal_rank(table, held):.4f}")
    rows = table.rows.weight.detach().numpy().astype(np.float64)
    weights = np.exp(table.log_weights.detach().numpy().astype(np.float64))
    names = (DATA / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    write(args.out, names, rows, weights)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
