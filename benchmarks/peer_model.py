"""Make a model for semble from our own vectors; run it with the Python that has semble.

    PEER/bin/python benchmarks/peer_model.py FOLDER

semble's own model cannot be had without a download. What is written is a model2vec StaticModel:
256 dimensions, float32, the vocabulary of our built-in model. It has half as many rows as
semble's default model, so it costs semble no more memory and time than its own would.
"""

import argparse
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "src" / "git_skillmesh" / "embedding" / "data"


def main() -> int:
    """Write the model."""
    from model2vec import StaticModel  # type: ignore[import-not-found,unused-ignore]
    from tokenizers import (  # type: ignore[import-not-found,unused-ignore]
        Tokenizer,
        models,
        normalizers,
        pre_tokenizers,
    )

    parser = argparse.ArgumentParser(description="make a model2vec model for semble")
    parser.add_argument("folder", type=Path, help="where the model goes")
    folder = parser.parse_args().folder
    pieces = (DATA / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    rows = np.load(DATA / "vectors.npy").astype(np.float32)
    rows *= np.load(DATA / "gains.npy")[:, None]
    rows /= np.abs(rows).max()
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    for special in ("[PAD]", "[UNK]"):
        vocabulary.setdefault(special, len(vocabulary))
    rows = np.concatenate(
        [rows, np.zeros((len(vocabulary) - len(rows), rows.shape[1]), rows.dtype)]
    )
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    StaticModel(rows, tokenizer, normalize=True).save_pretrained(str(folder))
    print(f"{len(rows)} pieces, {rows.shape[1]} dimensions, {rows.nbytes / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
