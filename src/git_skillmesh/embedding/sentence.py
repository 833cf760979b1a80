"""The built-in sentence model: a sentence in, one unit vector out, that minds the order of words.

all-MiniLM-L6-v2, a transformer of six layers, run by numpy alone from weights of 8 bits in
`sentence_data/`. A sentence takes about 15 ms and opening the model 60 ms of one core: right for a
question and for what a registry says of its skills, too slow for code, which `static` embeds.

Method: BERT (Devlin et al., 2018, arXiv:1810.04805) with the mean of the last hidden states
(Reimers and Gurevych, 2019, arXiv:1908.10084). A matrix is kept as whole numbers from -127 to 127
and one factor a row.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from git_skillmesh.embedding import static
from git_skillmesh.embedding.tokens import CJK
from git_skillmesh.errors import Damaged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

DATA = Path(__file__).parent / "sentence_data"
MANIFEST = "manifest.json"
WORDS = "words.npy"  # int8 [pieces + 3, width]: embeddings, those of the markers last
MATRICES = "matrices.npy"  # int8, the layers' matrices one after the other
NUMBERS = "numbers.npy"  # float32, all the rest one after the other

FORMAT = 1
LAYERS = 6
HEADS = 12
LONGEST = 128  # tokens, with both markers; what is longer is cut
DEPTHS = 4  # of how many layers, the last among them, `depths` tells
LONGEST_WORD = 100  # characters; longer ones are unknown, as in the original
_AT_ONCE = 32  # texts
_FLEETING = 2  # runs after which the matrices are kept
_TINY = np.float32(1e-12)
# A run of letters and digits, or one sign; accents are gone by then.
_TOKEN = re.compile(r"[a-z0-9]+|[^\w\s]|_")


class SentenceEmbedder:
    """An `Embedder` of sentences; see `load`."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self._folder = folder
        self._manifest = manifest
        self._pieces: dict[str, int] = {}
        self._last: tuple[str, Floats] | None = None
        self._runs = 0

    def _read(self) -> None:
        """Read the weights; whoever asks for the model's name alone does not pay for them."""
        self._words = np.load(self._folder / WORDS, mmap_mode="r")
        self._stored: NDArray[np.int8] = np.load(self._folder / MATRICES, mmap_mode="r")
        numbers: Floats = np.load(self._folder / NUMBERS)
        self._numbers = {
            name: numbers[start : start + int(np.prod(shape))].reshape(shape)
            for name, start, shape in self._manifest["numbers"]
        }
        pieces = _numbered(static.DATA / static.VOCABULARY)
        first = len(pieces)
        self._unknown, self._begin, self._end = first, first + 1, first + 2
        self._places = {name: (at, shape) for name, at, shape in self._manifest["matrices"]}
        self._matrices: dict[str, Floats] = {}
        self._largest = max(rows * columns for _, (rows, columns) in self._places.values())
        self._pieces = pieces  # last: another thread takes them for a sign that all is read

    @classmethod
    def load(cls, folder: Path = DATA) -> SentenceEmbedder:
        """Open the model; its weights are read when they are first needed.

        Raises:
            Damaged: a file is missing, has the wrong size or another format.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            if manifest["format"] != FORMAT:
                raise _damaged("unknown format")
            for name, file in manifest["files"].items():
                found = (folder / name).stat().st_size
                if found != file["bytes"]:
                    raise _damaged(f"{name} has {found:,} bytes instead of {file['bytes']:,}")
            return cls(folder, manifest)
        except OSError as error:
            raise _damaged(f"{Path(error.filename).name}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(f"{MANIFEST} cannot be read") from error

    @property
    def model_id(self) -> str:
        """Name of the model, with a digest of its weights."""
        return f"builtin:{self._manifest['name']}"

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._manifest["dimension"])

    def embed_query(self, text: str) -> Floats:
        """Return the vector of a sentence, `[dimension]`: of unit length, or zero without words."""
        row: Floats = self.embed_documents([text])[0]
        return row

    def embed_documents(self, texts: Sequence[str]) -> Floats:
        """Return one row a text, `[len(texts), dimension]`, of unit length or zero.

        Texts of like length are run together. Rows may differ in the last bits from those of the
        same text run in other company.
        """
        return self.depths(texts)[:, -self.dimension :]

    def depths(self, texts: Sequence[str]) -> Floats:
        """Return the same of the last `DEPTHS` layers, one after the other in a row.

        `[len(texts), DEPTHS * dimension]`; the last part of a row is the text's vector. What a
        sentence is about at all shows earlier than what exactly it says.
        """
        last = self._last  # learnings and skills are asked the same question
        if last is not None and len(texts) == 1 and last[0] == texts[0]:
            return last[1].copy()
        vectors = np.zeros((len(texts), DEPTHS * self.dimension), np.float32)
        tokens = [self.tokens(text) for text in texts]
        said = [n for n in range(len(texts)) if len(tokens[n]) > 2]
        order = sorted(said, key=lambda n: len(tokens[n]))
        for start in range(0, len(order), _AT_ONCE):
            batch = order[start : start + _AT_ONCE]
            vectors[batch] = self._run([tokens[n] for n in batch])
        if len(texts) == 1:
            self._last = texts[0], vectors.copy()
        return vectors

    def tokens(self, text: str) -> list[int]:
        """Return the numbers of a text's word pieces, between the two markers."""
        if not self._pieces:
            self._read()
        found: list[int] = []
        plain = _plain(text)
        for word in (_TOKEN if plain.isascii() else _token_of_any_script()).findall(plain):
            found.extend(self._pieces_of(word))
            if len(found) >= LONGEST - 2:
                break
        return [self._begin, *found[: LONGEST - 2], self._end]

    def _pieces_of(self, word: str) -> list[int]:
        known = self._pieces.get(word)
        if known is not None:
            return [known]
        if len(word) > LONGEST_WORD:
            return [self._unknown]
        found, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = self._pieces.get(prefix + word[start:end])
                if piece is not None:
                    found.append(piece)
                    start = end
                    break
            else:
                return [self._unknown]
        return found

    def _run(self, tokens: list[list[int]]) -> Floats:
        """Return `depths` of texts with words; the shorter ones are filled up and masked."""
        self._runs += 1
        # Of this run alone: other threads may ask too.
        room = np.empty(self._largest if self._runs <= _FLEETING else 0, np.float32)
        longest = max(map(len, tokens))
        mask = np.zeros((len(tokens), longest), np.float32)
        ids = np.full((len(tokens), longest), self._end)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = one
            mask[row, : len(one)] = 1
        numbers = self._numbers
        state: Floats = self._words[ids] * numbers["words.factors"][ids][..., None]
        state = self._normal(state + numbers["positions"][:longest], "embeddings")
        hidden = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        parts = []
        for layer in range(LAYERS):
            state = self._layer(state, hidden, f"{layer}.", room)
            if layer >= LAYERS - DEPTHS:
                total: Floats = (state * mask[..., None]).sum(1)
                parts.append(total / np.sqrt((total * total).sum(1, keepdims=True)))
        return np.concatenate(parts, axis=1)

    def _layer(self, state: Floats, hidden: Floats, name: str, room: Floats) -> Floats:
        texts, length, width = state.shape

        def heads(kind: str) -> Floats:
            parts = self._linear(state, name + kind, room).reshape(
                texts, length, HEADS, width // HEADS
            )
            return parts.transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2)
        scores = scores / np.float32((width // HEADS) ** 0.5) + hidden
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        seen = (weights @ heads("value")).transpose(0, 2, 1, 3).reshape(texts, length, width)
        state = self._normal(state + self._linear(seen, name + "seen", room), name + "seen")
        inner = _gelu(self._linear(state, name + "inner", room))
        return self._normal(state + self._linear(inner, name + "outer", room), name + "outer")

    def _linear(self, state: Floats, name: str, room: Floats) -> Floats:
        # As one matrix: numpy would multiply text by text, which takes twice as long.
        rows: Floats = state.reshape(-1, state.shape[-1]) @ self._matrix(name, room)
        rows += self._numbers[f"{name}.bias"]
        return rows.reshape(*state.shape[:-1], -1)

    def _matrix(self, name: str, room: Floats) -> Floats:
        """Return a matrix with its factors.

        Whoever asks once gets each in the same room: 40 MB of new memory take ten times as long to
        get as to fill. Whoever asks again, and has no room, has them kept.
        """
        known = self._matrices.get(name)
        if known is not None:
            return known
        start, (rows, columns) = self._places[name]
        size = rows * columns
        fleeting = len(room) > 0
        matrix: Floats = (room if fleeting else np.empty(size, np.float32))[:size]
        matrix = matrix.reshape(rows, columns)
        np.copyto(matrix, self._stored[start : start + size].reshape(rows, columns))
        matrix *= self._numbers[f"{name}.factors"][:, None]
        if not fleeting:
            self._matrices[name] = matrix.T
        return matrix.T

    def _normal(self, state: Floats, name: str) -> Floats:
        state = state - state.mean(-1, keepdims=True)
        state = state / np.sqrt((state * state).mean(-1, keepdims=True) + _TINY)
        result: Floats = state * self._numbers[f"{name}.gain"] + self._numbers[f"{name}.shift"]
        return result


@cache
def builtin_model() -> SentenceEmbedder:
    """Return the model of this package, whose weights are read once a process."""
    return SentenceEmbedder.load()


def _gelu(x: Floats) -> Floats:
    """Return x·Φ(x), with the approximation by tanh (Hendrycks and Gimpel, arXiv:1606.08415)."""
    inner = np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)
    result: Floats = np.float32(0.5) * x * (1 + np.tanh(inner))
    return result


@cache
def _token_of_any_script() -> re.Pattern[str]:
    """Return the same for text that is not ASCII; it takes 10 ms to compile."""
    return re.compile(rf"[{CJK}]|[^\W_{CJK}]+|[^\w\s]|_")


def _plain(text: str) -> str:
    """Return the text in lower case and without accents, as the model was trained."""
    text = text.lower()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def _numbered(path: Path) -> dict[str, int]:
    pieces = path.read_text(encoding="utf-8").split("\n")
    numbered = dict(zip(pieces, range(len(pieces)), strict=True))
    numbered.pop("", None)
    return numbered


def _damaged(what: str) -> Damaged:
    what = f"the built-in sentence model is damaged ({what})"
    return Damaged(what, "install git-skillmesh again")
