"""The index of a registry's cards: postings and vectors as arrays, in memory and in one file.

In: cards. Out: `Index`. It is a function of the cards alone: bringing an older index up to date
reads only the cards that are new or changed and gives, byte for byte, what a fresh one would be.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .model import Card
from .routing import Field, Routed, digest, routed

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int32]

_MOST_COUNTED = 255


class Model(Protocol):
    """The part of an embedder that an index needs."""

    @property
    def model_id(self) -> str:
        """Changes whenever the vectors of the same text would change."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a row of unit length, or of zeros, for each text."""


@dataclass(frozen=True, slots=True)
class Index:
    """`n` cards, `t` terms, `p` postings, `v` vectors.

    digests uint8[n, 16]; lengths int32[n, fields], the terms of each field; terms uint64[t],
    sorted; starts int64[t + 1], where each term's postings begin; cards int32[p] and counts
    uint8[p, fields], sorted by term and card; rows int8[v, dimension], owners int32[v], sorted, and
    kinds uint8[v], the field that each vector is of; norms float32[v]; texts uint64[v], the key
    of each text, by which a changed card keeps the vectors of what is as it was.
    """

    digests: Bytes
    lengths: Integers
    terms: NDArray[np.uint64]
    starts: NDArray[np.int64]
    cards: Integers
    counts: Bytes
    rows: NDArray[np.int8]
    norms: NDArray[np.float32]
    texts: NDArray[np.uint64]
    owners: Integers
    kinds: Bytes

    def __len__(self) -> int:
        return len(self.digests)

    def postings(self, term: str) -> slice:
        """Return where the postings of a term are; nowhere for an unknown one."""
        key = np.uint64(hash_term(term))
        place = int(np.searchsorted(self.terms, key))
        if place == len(self.terms) or self.terms[place] != key:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def equals(self, other: "Index") -> bool:
        """Whether both hold the same, bit for bit."""
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
        )


def hash_term(term: str) -> int:
    """Return the key of a term: 64 bits."""
    hashed = hashlib.blake2b(term.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed, "little")


def digests_of(cards: Sequence[Card]) -> Bytes:
    """Return the digest of each card as uint8[n, 16]."""
    joined = b"".join(digest(card) for card in cards)
    return np.frombuffer(joined, np.uint8).reshape(len(cards), 16)


def empty(dimension: int) -> Index:
    """Return the index of no cards."""
    return Index(
        np.zeros((0, 16), np.uint8), np.zeros((0, len(Field)), np.int32), np.zeros(0, np.uint64),
        np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros((0, len(Field)), np.uint8),
        np.zeros((0, dimension), np.int8), np.zeros(0, np.float32), np.zeros(0, np.uint64),
        np.zeros(0, np.int32), np.zeros(0, np.uint8),
    )  # fmt: skip


def update(old: Index, cards: Sequence[Card], model: Model) -> Index:
    """Return the index of `cards`, reading only those that `old` does not know."""
    digests = digests_of(cards)
    known = {row.tobytes(): number for number, row in enumerate(old.digests)}
    # Where each card comes from: its number in the old index, or -1 for one to be read. Cards
    # with equal digests share what is known of the first.
    origin = np.array([known.get(row.tobytes(), -1) for row in digests], np.int32)
    if len(origin) == len(old) and np.array_equal(origin, np.arange(len(old), dtype=np.int32)):
        return old
    fresh = np.flatnonzero(origin < 0)
    return _joined(old, origin, digests, fresh, [routed(cards[n]) for n in fresh.tolist()], model)


def _joined(
    old: Index,
    origin: Integers,
    digests: Bytes,
    fresh: NDArray[np.intp],
    read: Sequence[Routed],
    model: Model,
) -> Index:
    kept = np.flatnonzero(origin >= 0)
    keys, counts, owners = _card_major(old, origin[kept], kept)
    new_keys, new_counts, new_owners = _postings_of(read, fresh)
    keys, counts = np.concatenate([keys, new_keys]), np.concatenate([counts, new_counts])
    owners = np.concatenate([owners, new_owners])
    order = np.lexsort((owners, keys))
    keys, counts, owners = keys[order], counts[order], owners[order]
    distinct, starts = np.unique(keys, return_index=True)

    lengths = np.zeros((len(digests), len(Field)), np.int32)
    lengths[kept] = old.lengths[origin[kept]]
    for number, card in zip(fresh.tolist(), read, strict=True):
        lengths[number] = [field.total() for field in card.terms]

    return Index(
        digests, lengths, distinct, np.append(starts, len(keys)).astype(np.int64), owners, counts,
        *_vectors(old, origin, kept, fresh, read, model),
    )  # fmt: skip


def _card_major(
    old: Index, origin: Integers, numbers: NDArray[np.intp]
) -> tuple[NDArray[np.uint64], Bytes, Integers]:
    """Return the postings of old cards under their new numbers: keys, counts, cards."""
    keys = np.repeat(old.terms, np.diff(old.starts))
    order = np.argsort(old.cards, kind="stable")
    ends = np.searchsorted(old.cards[order], np.arange(len(old) + 1))
    sizes = np.diff(ends)[origin]
    taken = order[_ranges(ends[origin], sizes)]
    return keys[taken], old.counts[taken], np.repeat(numbers, sizes).astype(np.int32)


def _ranges(starts: NDArray[np.intp], sizes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return start, start + 1, … of each range, one after the other."""
    offsets = np.cumsum(sizes) - sizes
    places: NDArray[np.intp] = np.arange(int(sizes.sum())) + np.repeat(starts - offsets, sizes)
    return places


def _postings_of(
    read: Sequence[Routed], numbers: NDArray[np.intp]
) -> tuple[NDArray[np.uint64], Bytes, Integers]:
    hashes: dict[str, int] = {}
    keys: list[int] = []
    counts: list[list[int]] = []
    owners: list[int] = []
    for number, card in zip(numbers.tolist(), read, strict=True):
        by_term: dict[str, list[int]] = {}
        for field, found in enumerate(card.terms):
            for term, count in found.items():
                by_term.setdefault(term, [0] * len(Field))[field] = min(count, _MOST_COUNTED)
        for term, row in by_term.items():
            key = hashes.get(term)
            if key is None:
                key = hashes[term] = hash_term(term)
            keys.append(key)
            counts.append(row)
            owners.append(number)
    return (
        np.array(keys, np.uint64),
        np.array(counts, np.uint8).reshape(len(keys), len(Field)),
        np.array(owners, np.int32),
    )


def _vectors(
    old: Index,
    origin: Integers,
    kept: NDArray[np.intp],
    fresh: NDArray[np.intp],
    read: Sequence[Routed],
    model: Model,
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.uint64], Integers, Bytes]:
    """Return rows, norms, texts, owners and kinds."""
    ends = np.searchsorted(old.owners, np.arange(len(old) + 1))
    sizes = np.diff(ends)[origin[kept]]
    taken = _ranges(ends[origin[kept]], sizes)

    # Examples and phrases that some card has had before are not embedded again.
    told = [text for card in read for text in card.texts]
    keys = np.array([hash_term(text) for text in told], np.uint64)
    known = {key: number for number, key in enumerate(old.texts.tolist())} if told else {}
    places = np.array([known.get(key, -1) for key in keys.tolist()], np.int64)
    missing = np.flatnonzero(places < 0)
    made, lengths = quantise(
        model.embed_documents([told[number] for number in missing.tolist()]), model.dimension
    )
    rows, norms = np.zeros((len(told), model.dimension), np.int8), np.zeros(len(told), np.float32)
    rows[missing], norms[missing] = made, lengths
    found = np.flatnonzero(places >= 0)
    rows[found], norms[found] = old.rows[places[found]], old.norms[places[found]]

    owners = np.concatenate(
        [np.repeat(kept, sizes), np.repeat(fresh, [len(card.texts) for card in read])]
    ).astype(np.int32)
    kinds = np.array([kind for card in read for kind in card.kinds], np.uint8)
    order = np.argsort(owners, kind="stable")
    return (
        np.concatenate([old.rows[taken], rows])[order],
        np.concatenate([old.norms[taken], norms])[order],
        np.concatenate([old.texts[taken], keys])[order],
        owners[order],
        np.concatenate([old.kinds[taken], kinds])[order],
    )


def quantise(
    vectors: NDArray[np.float32], dimension: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Scale each row to whole numbers up to ±127; return them and their lengths.

    Products of such rows are exact in float32, whatever the order of the sum.
    """
    if not vectors.size:
        return np.zeros((len(vectors), dimension), np.int8), np.zeros(len(vectors), np.float32)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    scale = np.divide(127, largest, out=np.zeros_like(largest), where=largest > 1e-30)
    rows = np.rint(vectors * scale).astype(np.int8)
    wide = rows.astype(np.int32)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide).astype(np.float64)).astype(np.float32)
    return rows, norms
