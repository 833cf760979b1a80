"""The words and vectors of thoughts, side by side, in arrays that a search adds up.

In: texts of thoughts with the names of their files. Out: `Terms`, kept in one file that can be
deleted. No word lies in it, only hashes of words.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import open_arrays, write_arrays
from ..embedding.tokens import STOP_WORDS, identifiers, parts, stem
from ..errors import Damaged

# Raised whenever the arrays of the same thoughts change; they are then made anew.
VERSION = 1
# Bytes of a name: key of the session, number, key of the branch, hash of the content.
NAME = 36
_K1, _B = 1.2, 0.5
# Of a very long query the first words count.
_MOST_WORDS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Terms:
    """n thoughts, in the order of their names.

    `names` uint8[n, 36], `oids` uint8[n, width]; `rows` int8[n, dimension] with their lengths
    `norms` float32[n], 0 where nothing is known. Postings: sorted `keys` uint64[k], `starts`
    int64[k + 1] into `docs` uint32[m] and `counts` uint16[m]; `lengths` uint32[n] in words.
    `tree` is that of the thoughts they were made of, `model` that of the vectors.
    """

    tree: str
    model: str
    names: NDArray[np.uint8]
    oids: NDArray[np.uint8]
    rows: NDArray[np.int8]
    norms: NDArray[np.float32]
    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    docs: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.names)

    def words(self, stems: Sequence[str]) -> tuple[Floats, Floats]:
        """Return of each thought how much it says of these words, and its share of them.

        Both from 0 to 1: BM25 by the most that any text could have, and the words that occur at
        all, each by how rare it is.
        """
        score, share = np.zeros(len(self)), np.zeros(len(self))
        most = whole = 0.0
        average = float(self.lengths.mean()) if len(self) else 1.0
        long = 1 - _B + _B * self.lengths / max(average, 1.0)
        for word in stems:
            at = int(np.searchsorted(self.keys, np.uint64(hashed(word))))
            there = at < len(self.keys) and int(self.keys[at]) == hashed(word)
            docs = self.docs[self.starts[at] : self.starts[at + 1]] if there else self.docs[:0]
            rare = float(np.log(1 + (len(self) - len(docs) + 0.5) / (len(docs) + 0.5)))
            most += rare * (_K1 + 1)
            whole += rare
            if len(docs):
                tf = self.counts[self.starts[at] : self.starts[at + 1]].astype(np.float64)
                score[docs] += rare * tf * (_K1 + 1) / (tf + _K1 * long[docs])
                share[docs] += rare
        return score / most if most else score, share / whole if whole else share

    def cosines(self, vector: NDArray[np.float32]) -> Floats:
        """Return how alike each thought and a unit vector are in meaning.

        Products of whole numbers are exact, so the order of summation does not show.
        """
        query, lengths = _whole(vector[None, :])
        dots = self.rows.astype(np.float32) @ query[0].astype(np.float32)
        norms = self.norms.astype(np.float64) * float(lengths[0])
        found: Floats = np.divide(dots, norms, out=np.zeros(len(self)), where=norms > 0)
        return found

    def save(self, path: Path) -> None:
        """Write the arrays to a file. Atomic. Raises OSError."""
        facts = {"version": VERSION, "tree": self.tree, "model": self.model}
        head = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        arrays = {name: getattr(self, name) for name in self.__slots__[2:]}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, {"head": head, **arrays})

    @classmethod
    def load(cls, path: Path) -> "Terms | None":
        """Return what `save` wrote, None if there is nothing that can be used."""
        try:
            # A copy, 600 bytes a thought: a mapped file that somebody cuts ends the process.
            arrays = {name: one.copy() for name, one in open_arrays(path, check=True).items()}
            facts = json.loads(arrays.pop("head").tobytes())
            if facts["version"] != VERSION:
                return None
            return cls(facts["tree"], facts["model"], **arrays)
        except (OSError, Damaged, ValueError, KeyError, TypeError):
            return None


def nothing(model: str, dimension: int, width: int) -> Terms:
    """Return the arrays of no thought."""
    return Terms(
        "", model, np.zeros((0, NAME), np.uint8), np.zeros((0, width), np.uint8),
        np.zeros((0, dimension), np.int8), np.zeros(0, np.float32), np.zeros(0, np.uint64),
        np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.uint16),
        np.zeros(0, np.uint32),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class New:
    """Thoughts to add: names and object ids as bytes, texts, unit vectors float32[n, dimension]."""

    names: Sequence[bytes]
    oids: Sequence[bytes]
    texts: Sequence[str]
    vectors: NDArray[np.float32]


def renewed(old: Terms, tree: str, keep: NDArray[np.bool_], new: New) -> Terms:
    """Return the thoughts to keep of some arrays, and new ones."""
    kept = int(keep.sum())
    names = np.concatenate([old.names[keep], _bytes(new.names, NAME)])
    order = np.lexsort(names.T[::-1])
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    bags = [Counter(stems_of(text)) for text in new.texts]
    posted = np.repeat(old.keys, np.diff(old.starts))
    live = keep[old.docs] if len(old.docs) else np.zeros(0, np.bool_)
    moved = np.cumsum(keep) - 1
    added = [
        (hashed(word), kept + number, min(count, 65_535))
        for number, bag in enumerate(bags)
        for word, count in bag.items()
    ]
    more = list(zip(*added, strict=True)) or [(), (), ()]
    keys = np.concatenate([posted[live], np.array(more[0], np.uint64)])
    docs = place[np.concatenate([moved[old.docs[live]], np.array(more[1], np.int64)])]
    counts = np.concatenate([old.counts[live], np.array(more[2], np.uint16)])
    sort = np.lexsort((docs, keys))
    keys, docs, counts = keys[sort], docs[sort], counts[sort]
    distinct, starts = np.unique(keys, return_index=True)
    rows, norms = _whole(new.vectors)
    lengths = np.array([sum(bag.values()) for bag in bags], np.uint32)
    return Terms(
        tree,
        old.model,
        names[order],
        np.concatenate([old.oids[keep], _bytes(new.oids, old.oids.shape[1])])[order],
        np.concatenate([old.rows[keep], rows])[order],
        np.concatenate([old.norms[keep], norms])[order],
        distinct,
        np.append(starts, len(keys)).astype(np.int64),
        docs,
        counts,
        np.concatenate([old.lengths[keep], lengths])[order],
    )


def stems_of(text: str) -> list[str]:
    """Return the stemmed words of a text, in order."""
    return [stem(part) for word in identifiers(text) for part in parts(word)]


def asked(query: str) -> list[str]:
    """Return the words of a query that count, each once; stop words if there is nothing else."""
    words = [part for word in identifiers(query) for part in parts(word)]
    telling = [word for word in words if word not in STOP_WORDS] or words
    return list(dict.fromkeys(map(stem, telling)))[:_MOST_WORDS]


@lru_cache(maxsize=100_000)
def hashed(word: str) -> int:
    """Return what stands for a word."""
    digest = hashlib.blake2b(word.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _bytes(values: Sequence[bytes], width: int) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), width)


def _whole(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return vectors in whole numbers from -127 to 127, and how long they are then."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scale = np.divide(127, largest, out=np.zeros_like(largest), where=largest > 1e-30)
    rows = np.rint(vectors * scale).astype(np.int8)
    norms = np.sqrt((rows.astype(np.int32) ** 2).sum(axis=1)).astype(np.float32)
    return rows, norms


def ids(names: NDArray[np.uint8]) -> list[bytes]:
    """Return the names as bytes."""
    data = np.ascontiguousarray(names).tobytes()
    return [data[start : start + NAME] for start in range(0, len(data), NAME)]


def packed(key: str, number: int, branch: str, content: str) -> bytes:
    """Return the name of a thought as bytes."""
    return bytes.fromhex(key) + number.to_bytes(4, "big") + bytes.fromhex(branch + content)


def unpacked(name: bytes) -> tuple[str, int, str, str]:
    """Return key of the session, number, key of the branch, hash of the content."""
    return name[:16].hex(), int.from_bytes(name[16:20], "big"), name[20:28].hex(), name[28:].hex()
