"""From the weights of all-MiniLM-L6-v2 to the data of the built-in sentence model.

    python -m training.sentence_model FOLDER OUT

FOLDER holds model.safetensors and vocab.txt (docs/model-card.md says where they come from), OUT
gets what `git_skillmesh.embedding.sentence` reads. Needs numpy only; takes seconds.
"""

import argparse
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from git_skillmesh.embedding import sentence, static

Floats = NDArray[np.float32]
SOURCE = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MARKERS = ("[UNK]", "[CLS]", "[SEP]")
# Name here → name there, of what every layer has.
_LAYER = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "seen": "attention.output.dense", "inner": "intermediate.dense", "outer": "output.dense",
}  # fmt: skip
_NORMAL = {"seen": "attention.output.LayerNorm", "outer": "output.LayerNorm"}


def read_safetensors(data: bytes) -> dict[str, Floats]:
    """Return the float32 tensors of a file in the safetensors format, by name."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            found[name] = np.frombuffer(body[first:last], "<f4").reshape(entry["shape"])
    return found


def whole(matrix: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return a matrix as whole numbers from -127 to 127, and the factor of every row."""
    factors = (np.abs(matrix).max(1) / 127).astype(np.float32)
    factors[factors == 0] = 1
    return np.rint(matrix / factors[:, None]).astype(np.int8), factors


def build(folder: Path, out: Path) -> None:
    """Write the data files and their manifest. Raises ValueError for other weights."""
    data = (folder / "model.safetensors").read_bytes()
    if hashlib.sha256(data).hexdigest() != SOURCE:
        raise ValueError(f"{folder} does not hold the weights of all-MiniLM-L6-v2")
    weights = read_safetensors(data)
    numbers: dict[str, Floats] = {}
    matrices: dict[str, NDArray[np.int8]] = {}
    words, numbers["words.factors"] = whole(
        weights["embeddings.word_embeddings.weight"][_rows(folder / "vocab.txt")]
    )
    places = weights["embeddings.position_embeddings.weight"][: sentence.LONGEST]
    numbers["positions"] = places + weights["embeddings.token_type_embeddings.weight"][0]
    _normal(numbers, "embeddings", weights, "embeddings.LayerNorm")
    for layer in range(sentence.LAYERS):
        there = f"encoder.layer.{layer}."
        for name, original in _LAYER.items():
            key = f"{layer}.{name}"
            matrices[key], numbers[f"{key}.factors"] = whole(weights[f"{there}{original}.weight"])
            numbers[f"{key}.bias"] = weights[f"{there}{original}.bias"]
        for name, original in _NORMAL.items():
            _normal(numbers, f"{layer}.{name}", weights, there + original)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / sentence.WORDS, words)
    np.save(out / sentence.MATRICES, np.concatenate([one.ravel() for one in matrices.values()]))
    np.save(out / sentence.NUMBERS, np.concatenate([one.ravel() for one in numbers.values()]))
    files = {
        name: {"bytes": len(kept), "sha256": hashlib.sha256(kept).hexdigest()}
        for name in (sentence.WORDS, sentence.MATRICES, sentence.NUMBERS)
        for kept in [(out / name).read_bytes()]
    }
    digest = hashlib.sha256("".join(str(file["sha256"]) for file in files.values()).encode())
    manifest = {
        "format": sentence.FORMAT,
        "name": f"minilm-l6-sentence-{digest.hexdigest()[:12]}",
        "licence": "Apache-2.0",
        "dimension": int(words.shape[1]),
        "source": {"model": "all-MiniLM-L6-v2", "model.safetensors": SOURCE},
        "files": files,
        "matrices": _places(matrices),
        "numbers": _places(numbers),
    }
    text = json.dumps(manifest, indent=1) + "\n"
    (out / sentence.MANIFEST).write_text(text, encoding="utf-8")


def _rows(vocabulary: Path) -> list[int]:
    """Return the rows of the pieces that the static model's vocabulary has, then the markers'."""
    there = {
        piece: row for row, piece in enumerate(vocabulary.read_text(encoding="utf-8").split("\n"))
    }
    pieces = (static.DATA / static.VOCABULARY).read_text(encoding="utf-8").split("\n")
    return [there[piece] for piece in (*filter(None, pieces), *_MARKERS)]


def _normal(numbers: dict[str, Floats], name: str, weights: dict[str, Floats], there: str) -> None:
    numbers[f"{name}.gain"] = weights[f"{there}.weight"]
    numbers[f"{name}.shift"] = weights[f"{there}.bias"]


def _places(arrays: "dict[str, Floats] | dict[str, NDArray[np.int8]]") -> list[list[object]]:
    """Return name, start and shape of arrays that stand one after the other."""
    found: list[list[object]] = []
    start = 0
    for name, array in arrays.items():
        found.append([name, start, list(array.shape)])
        start += array.size
    return found


def main() -> int:
    """Read the arguments and build."""
    parser = argparse.ArgumentParser(description="make the data of the sentence model")
    parser.add_argument("folder", type=Path, help="folder with model.safetensors and vocab.txt")
    parser.add_argument("out", type=Path, help="folder for the data")
    args = parser.parse_args()
    build(args.folder, args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
