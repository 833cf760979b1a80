"""Build the table of the built-in embedding model from the weights of all-MiniLM-L6-v2.

In: the folder with model.safetensors and vocab.txt, and either corpus folders or the stored piece
frequencies. Out: the files of src/git_skillmesh/embedding/data. docs/model-card.md tells the steps
and the reasons. Needs only this project and numpy.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from git_skillmesh.embedding import static
from git_skillmesh.embedding.tokens import identifiers
from git_skillmesh.embedding.wordpiece import WordPieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HEADS, LAYERS, EPSILON = 12, 6, 1e-12
BEGIN, END = 101, 102  # [CLS] and [SEP]
DIMENSION = 256
RARE = 2e-3  # a piece this frequent weighs one half
WHITENING = 0.75  # 0 keeps the variance of every axis, 1 makes all axes equal
BILLION = 1_000_000_000
FREQUENCIES = Path(__file__).with_name("piece_frequencies.txt")
_SUFFIXES = "c cc cjs cpp cs ex exs go h hpp hs java js kt lua md mjs php py rb rs scala swift ts"
CODE = frozenset(_SUFFIXES.split())


def main() -> int:
    """Build the model as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder with model.safetensors and vocab.txt")
    parser.add_argument("--out", type=Path, default=static.DATA, help="where the files go")
    parser.add_argument(
        "--corpus",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="count frequencies anew in these folders, each with the same say",
    )
    arguments = parser.parse_args()

    vocabulary = (arguments.model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    kept = [number for number, piece in enumerate(vocabulary) if not is_special(piece)]
    pieces = [vocabulary[number] for number in kept]
    if arguments.corpus:
        corpora = dict(entry.split("=", 1) for entry in arguments.corpus)
        store_frequencies(pieces, corpora)
    frequency = stored_frequencies(len(pieces))

    hidden = hidden_states(read_weights(arguments.model / "model.safetensors"), np.array(kept))
    vectors = project(hidden, frequency)
    write(arguments.out, pieces, vectors, RARE / (RARE + frequency))
    return 0


def is_special(piece: str) -> bool:
    """Tell whether a line of the vocabulary is [CLS], [unused7] or the like."""
    return len(piece) > 2 and piece.startswith("[") and piece.endswith("]")


def store_frequencies(pieces: list[str], corpora: dict[str, str]) -> None:
    """Count how often each piece stands in each corpus, and store the mean share per billion."""
    word_pieces = WordPieces(pieces)
    shares = []
    lines = [
        "# Share of each word piece in code, in parts per billion, in the order of vocabulary.txt;",
        "# the mean over these corpora (pieces counted):",
    ]
    for name, folder in corpora.items():
        counts = np.zeros(len(pieces))
        for text in texts_below(Path(folder)):
            for identifier, times in Counter(identifiers(text)).items():
                for piece in word_pieces.of_identifier(identifier):
                    counts[piece] += times
        shares.append(counts / counts.sum())
        lines.append(f"#   {name} ({int(counts.sum()):,})")
    parts = np.rint(np.mean(shares, axis=0) * BILLION).astype(int)
    FREQUENCIES.write_text("\n".join([*lines, *map(str, parts.tolist())]) + "\n")


def texts_below(folder: Path) -> Iterator[str]:
    """Yield the source files below a folder that a person may have written."""
    for path in sorted(folder.rglob("*")):
        wanted = path.suffix[1:] in CODE and ".min." not in path.name
        if wanted and path.is_file() and path.stat().st_size < 200_000:
            yield path.read_text(encoding="utf-8", errors="replace")


def stored_frequencies(pieces: int) -> NDArray[np.float64]:
    """Read the stored frequencies, one share a piece."""
    lines = FREQUENCIES.read_text().splitlines()
    parts = np.array([int(line) for line in lines if not line.startswith("#")])
    if len(parts) != pieces:
        raise SystemExit(f"{FREQUENCIES.name} has {len(parts)} lines for {pieces} pieces")
    return parts / BILLION


def read_weights(path: Path) -> dict[str, Floats]:
    """Read a safetensors file, after a look at its sha256."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise SystemExit(f"{path} is not the model.safetensors that this script knows")
    start = 8 + int.from_bytes(content[:8], "little")
    weights = {}
    for name, tensor in json.loads(content[8:start]).items():
        if name != "__metadata__" and tensor["dtype"] == "F32":
            first, last = tensor["data_offsets"]
            flat = np.frombuffer(content[start + first : start + last], "<f4")
            weights[name] = flat.reshape(tensor["shape"])
    return weights


def hidden_states(weights: dict[str, Floats], tokens: NDArray[np.int_]) -> Floats:
    """Run each token alone, between [CLS] and [SEP]; return its last hidden states."""
    states = []
    for batch in np.array_split(tokens, len(tokens) // 256):
        text = np.stack([np.full_like(batch, BEGIN), batch, np.full_like(batch, END)], axis=1)
        states.append(Bert(weights).forward(text)[:, 1])
    return np.concatenate(states)


class Bert:
    """The encoder of BERT (Devlin and others, 2018) for texts of one length, in numpy."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        self._weights = weights

    def forward(self, text: NDArray[np.int_]) -> Floats:
        """Return the last hidden states `[texts, length, width]` of tokens `[texts, length]`."""
        table = self._weights
        x = table["embeddings.word_embeddings.weight"][text]
        x = x + table["embeddings.position_embeddings.weight"][: text.shape[1]]
        x = x + table["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            mixed = self._linear(
                self._attend(x, at + "attention.self."), at + "attention.output.dense"
            )
            x = self._norm(x + mixed, at + "attention.output.LayerNorm")
            wide = gelu(self._linear(x, at + "intermediate.dense"))
            x = self._norm(x + self._linear(wide, at + "output.dense"), at + "output.LayerNorm")
        return x

    def _attend(self, x: Floats, at: str) -> Floats:
        texts, length, width = x.shape
        query, key, value = (
            self._linear(x, at + name).reshape(texts, length, HEADS, -1).transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(math.sqrt(width // HEADS))
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed: Floats = (shares @ value).transpose(0, 2, 1, 3).reshape(texts, length, width)
        return mixed

    def _linear(self, x: Floats, name: str) -> Floats:
        y: Floats = x @ self._weights[name + ".weight"].T + self._weights[name + ".bias"]
        return y

    def _norm(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred * centred).mean(-1, keepdims=True) + EPSILON)
        y: Floats = centred / deviation * self._weights[name + ".weight"]
        return y + self._weights[name + ".bias"]


def gelu(x: Floats) -> Floats:
    """Return x·Φ(x), with the error function after Abramowitz and Stegun 7.1.26 (within 2e-7)."""
    z = np.abs(x) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + factor) * t
    error = np.sign(x) * (1 - series * np.exp(-z * z))
    return np.asarray(x * 0.5 * (1 + error), np.float32)


def project(hidden: Floats, frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reduce the hidden states to the principal axes of code, partly whitened.

    Pieces count with the square root of their frequency, so that the axes are those on which the
    words of code differ, not the many pieces that code never uses.
    """
    counted = np.sqrt(frequency + 1e-7)
    centred = hidden - np.average(hidden, axis=0, weights=counted)
    variances, axes = np.linalg.eigh((centred * counted[:, None]).T @ centred)
    order = np.argsort(-variances)[:DIMENSION]
    axes, variances = axes[:, order], variances[order]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(DIMENSION)])
    projected: NDArray[np.float64] = centred @ axes / (variances / variances[0]) ** (WHITENING / 2)
    return projected


def write(
    out: Path,
    pieces: list[str],
    vectors: NDArray[np.float64],
    weights: NDArray[np.float64],
    **trained: int,
) -> None:
    """Write the vectors as int8, the gains, the vocabulary, and a manifest of the three.

    `trained` is what the manifest tells of a training that came after this script.
    """
    scales = np.abs(vectors).max(axis=1) / 127
    gains = scales * weights
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / static.VECTORS, np.rint(vectors / scales[:, None]).astype(np.int8))
    np.save(out / static.GAINS, (gains / gains.max() * static.LARGEST_GAIN).astype(np.float32))
    (out / static.VOCABULARY).write_text("\n".join(pieces) + "\n", encoding="utf-8", newline="\n")
    files = {
        name: {
            "bytes": (out / name).stat().st_size,
            "sha256": hashlib.sha256((out / name).read_bytes()).hexdigest(),
        }
        for name in (static.VECTORS, static.GAINS, static.VOCABULARY)
    }
    together = hashlib.sha256("".join(str(file["sha256"]) for file in files.values()).encode())
    manifest = {
        "format": static.FORMAT,
        "name": f"minilm-l6-static-{together.hexdigest()[:12]}",
        "dimension": vectors.shape[1],
        "pieces": len(pieces),
        "licence": "Apache-2.0",
        "source": {"model": "all-MiniLM-L6-v2", "model.safetensors": WEIGHTS_SHA256},
        "built_with": {"numpy": np.__version__, "rare": RARE, "whitening": WHITENING},
        **({"trained": trained} if trained else {}),
        "files": files,
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (out / static.MANIFEST).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    raise SystemExit(main())
