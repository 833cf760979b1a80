"""What speaks for a card: words, names and meaning, each as a number between 0 and about 1.

In: an `Index` and a question. Out: `Signals` of the cards that may answer it. A word counts by how
rare it is, in the registry and in public skills together (background.py): a registry of three cards
cannot say which words are rare.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .background import Background
from .elsewhere import elsewhere
from .index import Index, Model, quantise
from .routing import Field
from .vectors import SEARCHED, Numbers, Vectors, cosines, largest
from .words import Asked, asked

Floats = NDArray[np.float64]

# BM25 over weighted fields (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple
# weighted fields", 2004): how much a word in a field counts, and how much the field's length does.
_K1 = 1.2
_WEIGHTS = np.array([3.0, 2.5, 1.5, 1.5, 0.5, 1.0])
_B = np.array([0.3, 0.3, 0.5, 0.4, 0.6, 0.4])
# A registry of this many cards knows as much of its words as the background does.
_TRUST = 200
# Where the index is larger, only this many cards by each signal are looked at closely.
POOL = 200
_MOST_WORDS = 60
_RAREST = 8.0  # about the largest weight of a word
_RRF = 60
_FEW = 3
_MANY = 8
# Of the questions that no skill is about: how many are held against the best card, and from which
# cosine on the card is about one of them.
_LOOKED_AT = 5
_SAME_THING = 0.55

NAMES = (
    "lexical", "coverage", "head_coverage", "example_words", "names", "dense", "dense_whole",
    "dense_example", "dense_body", "everyday_words", "dense_everyday",
    "dense_few", "dense_many", "dense_soft", "body_soft", "fusion", "rarest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signals:
    """Cards that may answer, by number, ascending; `values` float64[c, NAMES].

    `sparse` is BM25, `dense` the best cosine. `rarity` is the sum of the question's weights,
    `row` its vector as the index keeps vectors, None where there is none; `known` how much it is
    about a known field (known.py).
    """

    cards: Numbers
    values: Floats
    sparse: Floats
    dense: Floats
    rarity: float
    row: NDArray[np.float32] | None
    known: float | None = None


class Reader:
    """Gives the signals of questions over one index."""

    def __init__(self, index: Index, vectors: Vectors, model: Model, known: Background) -> None:
        self._index = index
        self._vectors = vectors
        self._model = model
        self._background = known
        self._average = np.maximum(index.lengths.mean(axis=0), 1) if len(index) else np.ones(1)
        self._firsts = np.searchsorted(index.owners, np.arange(len(index) + 1))

    def signals(
        self, text: str, vector: NDArray[np.float32] | None, known: float | None = None
    ) -> Signals:
        """Return what speaks for which card; `vector` None leaves meaning out."""
        words = asked(text)[:_MOST_WORDS]
        lexical = _Lexical(self._index, self._background, words, self._average)
        row = None
        if vector is not None and vector.any():
            row = quantise(vector[None, :], len(vector))[0][0].astype(np.float32)
        chosen = self._pool(lexical.bm25, row)
        values = np.zeros((len(chosen), len(NAMES)))
        lexical.fill(values, chosen)
        if row is not None and len(chosen):
            self._fill_dense(values, chosen, row)
        sparse, dense = lexical.bm25[chosen], values[:, NAMES.index("dense")]
        values[:, NAMES.index("fusion")] = fused(sparse, dense) * (_RRF + 1) / 2
        return Signals(chosen, values, sparse, dense, lexical.total, row, known)

    def elsewhere(self, signals: Signals, best: int) -> float:
        """Return how near the question is to one that no skill is about.

        Such a question does not count if the card `best`, a place in the signals, is about it.
        """
        if signals.row is None:
            return 0.0
        rows, norms = elsewhere(self._model)
        near = cosines(rows, signals.row, norms)
        card = int(signals.cards[best])
        own = np.arange(self._firsts[card], self._firsts[card + 1])
        own = own[np.isin(self._index.kinds[own], SEARCHED)]
        for number in np.argsort(-near, kind="stable")[:_LOOKED_AT].tolist():
            if self._vectors.cosines(rows[number], own).max(initial=0.0) < _SAME_THING:
                return float(near[number])
        return 0.0

    def known(self, signals: Signals, best: int) -> float | None:
        """Return how much the question is about a known field, if the card `best` is of one."""
        card = int(signals.cards[best])
        kinds = self._index.kinds[self._firsts[card] : self._firsts[card + 1]]
        return signals.known if (kinds == Field.EVERYDAY).any() else None

    def _pool(self, bm25: Floats, row: NDArray[np.float32] | None) -> Numbers:
        pool = largest(bm25, POOL)
        if row is None:
            return pool
        both = np.concatenate((pool, self._vectors.near(row, POOL)))
        # Asked for the places too, numpy does not load its masked arrays: 20 ms of a first query.
        return np.unique(both, return_index=True)[0]

    def _fill_dense(self, values: Floats, chosen: Numbers, row: NDArray[np.float32]) -> None:
        sizes = np.diff(self._firsts)[chosen]
        offsets = np.cumsum(sizes) - sizes
        numbers = np.arange(int(sizes.sum())) + np.repeat(self._firsts[chosen] - offsets, sizes)
        owners = np.repeat(np.arange(len(chosen)), sizes)
        near = self._vectors.cosines(row, numbers)
        kinds = self._index.kinds[numbers]
        for name, kind in _KIND_OF.items():
            of_kind = kinds == kind
            best = np.zeros(len(chosen))
            np.maximum.at(best, owners[of_kind], near[of_kind])
            values[:, NAMES.index(name)] = best
        # A card that several of its texts speak for is better than one with a single lucky text.
        order = np.lexsort((-near, owners))
        places = np.arange(len(order)) - offsets[owners[order]]
        sums = np.bincount(owners[order], near[order] * (places < _FEW), len(chosen))
        values[:, NAMES.index("dense_few")] = sums / np.minimum(sizes, _FEW)
        sums = np.bincount(owners[order], near[order] * (places < _MANY), len(chosen))
        values[:, NAMES.index("dense_many")] = sums / np.minimum(sizes, _MANY)
        for name, fields in _SOFT.items():
            some = np.isin(kinds, fields)
            sums = np.bincount(owners[some], np.exp(_HEAT * near[some]), len(chosen))
            counts = np.bincount(owners[some], minlength=len(chosen))
            mean = np.divide(sums, counts, out=np.ones(len(chosen)), where=counts > 0)
            values[:, NAMES.index(name)] = np.log(mean) / _HEAT
        either = [NAMES.index(name) for name in ("dense_whole", "dense_example", "dense_everyday")]
        values[:, NAMES.index("dense")] = values[:, either].max(axis=1)


# A mean over a card's texts in which near ones count most; it does not grow with their number.
_HEAT = 10.0
_SOFT = {"dense_soft": (Field.DESCRIPTION, Field.EXAMPLE), "body_soft": (Field.BODY,)}
_KIND_OF = {
    "dense_whole": Field.DESCRIPTION,
    "dense_example": Field.EXAMPLE,
    "dense_body": Field.BODY,
    "dense_everyday": Field.EVERYDAY,
}


class _Lexical:
    """The words of a question held against all cards."""

    def __init__(
        self, index: Index, background: Background, words: Sequence[Asked], average: Floats
    ) -> None:
        self._index, self._average = index, average
        count = len(index)
        self.bm25 = np.zeros(count)
        self._any = np.zeros(count)
        self._head = np.zeros(count)
        self._example = np.zeros(count)
        self._names = np.zeros(count)
        self._everyday = np.zeros(count)
        self._rarest = np.zeros(count)
        self._soft = np.zeros(count)
        self.total = 0.0
        for word in words:
            spans = [index.postings(term) for term in (word.term, *word.others)]
            found = sum(span.stop - span.start for span in spans)
            weight = background.weight(word.term, found, count, _TRUST)
            self.total += weight
            if found:
                self._add(spans, weight)

    def _add(self, spans: Sequence[slice], weight: float) -> None:
        cards = np.concatenate([self._index.cards[span] for span in spans])
        counts = np.concatenate([self._index.counts[span] for span in spans])
        if len(spans) > 1:  # a card may have several names of the same thing
            cards, where = np.unique(cards, return_inverse=True)
            summed = np.zeros((len(cards), counts.shape[1]))
            np.add.at(summed, where, counts)
            counts = summed
        lengths = self._index.lengths[cards]
        scaled = counts / (1 - _B + _B * lengths / self._average)
        frequency = scaled @ _WEIGHTS
        soft = weight * frequency / (_K1 + frequency)
        self.bm25[cards] += soft * (_K1 + 1)
        self._soft[cards] += soft
        self._any[cards] += weight
        # One word that hardly anything else has, such as a function's name, says a lot.
        said = cards[counts[:, : Field.EVERYDAY].sum(axis=1) > 0]
        self._rarest[said] = np.maximum(self._rarest[said], weight)
        self._head[cards] += weight * (counts[:, : Field.EXAMPLE].sum(axis=1) > 0)
        self._example[cards] += weight * (counts[:, Field.EXAMPLE] > 0)
        self._everyday[cards] += weight * (counts[:, Field.EVERYDAY] > 0)
        self._names[cards] += weight * (counts[:, : Field.DESCRIPTION].sum(axis=1) > 0)

    def fill(self, values: Floats, chosen: NDArray[np.intp]) -> None:
        """Write the shares of the question that each chosen card has."""
        if not self.total:
            return
        values[:, NAMES.index("rarest")] = self._rarest[chosen] / _RAREST
        for name, found in (
            ("lexical", self._soft),
            ("coverage", self._any),
            ("head_coverage", self._head),
            ("example_words", self._example),
            ("names", self._names),
            ("everyday_words", self._everyday),
        ):
            values[:, NAMES.index(name)] = found[chosen] / self.total


def fused(sparse: Floats, dense: Floats) -> Floats:
    """Return reciprocal rank fusion of BM25 and meaning (Cormack and others, 2009)."""
    total = np.zeros(len(sparse))
    for scores in (sparse, dense):
        order = np.argsort(-scores, kind="stable")
        places = np.empty(len(order))
        places[order] = np.arange(1, len(order) + 1)
        total += np.where(scores > 0, 1 / (_RRF + places), 0)
    return total
