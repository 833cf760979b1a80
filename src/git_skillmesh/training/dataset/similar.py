"""Texts that are nearly the same, found without comparing each with each.

In: texts, one at a time. Out: pairs of their numbers. MinHash over sequences of words (Broder 1997)
with locality-sensitive hashing in bands (Indyk and Motwani 1998): 64 hashes in 16 bands of 4.
All of it is whole numbers made of the texts alone, so the same texts give the same pairs anywhere.
"""

import re
from collections.abc import Iterator
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_HASHES, _BANDS = 64, 16
_SHINGLE = 3
_WORD = re.compile(r"\w+|[^\w\s]")
# What is compared of a text: its beginning says enough.
_MOST_WORDS, _MOST_CHARACTERS = 4_000, 40_000
_GROWTH = 4_096


def _constants() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return odd factors and addends, by SplitMix64 from 1."""
    state, found = 1, []
    for _ in range(2 * _HASHES):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        mixed = state
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        found.append(mixed ^ (mixed >> 31))
    factors = np.array([value | 1 for value in found[:_HASHES]], dtype=np.uint64)
    return factors, np.array(found[_HASHES:], dtype=np.uint64)


_FACTORS, _ADDENDS = _constants()


def words_of(text: str) -> list[str]:
    """Return words and signs in lower case, as many as are compared."""
    return _WORD.findall(text[:_MOST_CHARACTERS].lower())[:_MOST_WORDS]


class Signatures:
    """The signatures of texts, numbered from 0; a text of too few words has none."""

    def __init__(self, fewest: int) -> None:
        self._fewest = max(fewest, _SHINGLE)
        self._rows = np.zeros((_GROWTH, _HASHES), dtype=np.uint32)
        self._is_set = np.zeros(_GROWTH, dtype=np.bool_)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> int:
        """Take in a text and return its number."""
        number = self._count
        self._count += 1
        if number == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._is_set = np.concatenate([self._is_set, np.zeros_like(self._is_set)])
        words = words_of(text)
        if len(words) >= self._fewest:
            self._rows[number] = _signature(words)
            self._is_set[number] = True
        return number

    def pairs(self, threshold: float) -> Iterator[tuple[int, int]]:
        """Yield (lower, higher) for texts whose estimated Jaccard similarity is at least that.

        Within a band, texts that agree are compared with the first of them, and each with the one
        before it; that is enough to put them into groups.
        """
        chosen = np.flatnonzero(self._is_set[: self._count])
        rows = self._rows[chosen]
        wide = _HASHES // _BANDS
        for band in range(_BANDS):
            keys = np.zeros(len(chosen), dtype=np.uint64)
            for column in range(band * wide, (band + 1) * wide):
                keys = (keys ^ rows[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            order = np.argsort(keys, kind="stable")
            same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
            first = -1
            for at in same.tolist():
                left, right = int(order[at]), int(order[at + 1])
                if first < 0 or keys[first] != keys[left]:
                    first = left
                for other in {first, left}:
                    if np.count_nonzero(rows[other] == rows[right]) >= threshold * _HASHES:
                        yield int(chosen[other]), int(chosen[right])


def _signature(words: list[str]) -> NDArray[np.uint32]:
    known = {word: crc32(word.encode("utf-8", "replace")) for word in set(words)}
    hashed = np.fromiter(map(known.__getitem__, words), dtype=np.uint64, count=len(words))
    shingles = np.zeros(len(hashed) - _SHINGLE + 1, dtype=np.uint64)
    for offset in range(_SHINGLE):
        shingles = shingles * np.uint64(0x100000001B3) + hashed[offset : offset + len(shingles)]
    shingles = np.unique(shingles)
    smallest = (shingles[:, None] * _FACTORS[None, :] + _ADDENDS[None, :]) >> np.uint64(32)
    found: NDArray[np.uint32] = smallest.min(axis=0).astype(np.uint32)
    return found
