"""The sentence model says what the original says, from weights of 8 bits."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from git_skillmesh.embedding import sentence, static
from git_skillmesh.embedding.sentence import SentenceEmbedder
from git_skillmesh.errors import Damaged

SENTENCES = (
    "my chart labels overlap when there are many groups",
    "the text on the axes runs into each other",
    "write a poem about cats",
    "How do I undo a commit that was pushed?",
    "git revert HEAD~2; then push --force-with-lease",
    "Größe der Tabelle prüfen, naïve café",
    "c++ std::move(x) vs snake_case names",
)
# By transformers 5.23 and torch 2.13 from the original weights (training/README.md).
ORIGINAL = [
    [1.0, 0.3628, -0.0193, 0.0214, -0.0266, 0.0261, -0.0141],
    [0.3628, 1.0, 0.1022, 0.0492, 0.0203, 0.0173, 0.0999],
    [-0.0193, 0.1022, 1.0, 0.0064, -0.0277, 0.1232, 0.0019],
    [0.0214, 0.0492, 0.0064, 1.0, 0.5136, -0.0343, 0.0011],
    [-0.0266, 0.0203, -0.0277, 0.5136, 1.0, -0.0552, 0.1163],
    [0.0261, 0.0173, 0.1232, -0.0343, -0.0552, 1.0, 0.0126],
    [-0.0141, 0.0999, 0.0019, 0.0011, 0.1163, 0.0126, 1.0],
]


@pytest.fixture(scope="module")
def model() -> SentenceEmbedder:
    return SentenceEmbedder.load()


def test_likeness_is_that_of_the_original(model: SentenceEmbedder) -> None:
    vectors = model.embed_documents(SENTENCES)
    assert vectors.shape == (7, model.dimension) == (7, 384)
    assert np.abs(vectors @ vectors.T - np.array(ORIGINAL)).max() < 0.01
    assert model.model_id.startswith("builtin:minilm-l6-sentence-")


def test_a_text_in_company_is_what_it_is_alone(model: SentenceEmbedder) -> None:
    together = model.embed_documents([*SENTENCES, "", "word " * 500, "\x00 \ud800"] * 2)
    for text, row in zip(SENTENCES, together[:7], strict=True):
        assert np.abs(model.embed_query(text) - row).max() < 1e-5
    assert np.array_equal(model.embed_query(SENTENCES[0]), model.embed_query(SENTENCES[0]))


def test_tokens_are_those_of_the_original(model: SentenceEmbedder) -> None:
    pieces = (static.DATA / static.VOCABULARY).read_text().split("\n")
    names = [*filter(None, pieces), "[UNK]", "[CLS]", "[SEP]"]

    def said(text: str) -> str:
        return " ".join(names[token] for token in model.tokens(text))

    assert said("git revert HEAD~2") == "[CLS] gi ##t rev ##ert head ~ 2 [SEP]"
    assert said("Größe, naïve") == "[CLS] gr ##o ##ße , naive [SEP]"
    assert said("snake_case c++") == "[CLS] snake _ case c + + [SEP]"
    assert said("日本") == "[CLS] 日 本 [SEP]"
    assert said("x" * 101) == "[CLS] [UNK] [SEP]"
    assert said(" \n") == "[CLS] [SEP]"
    assert len(model.tokens("many words " * 1000)) == sentence.LONGEST


def test_without_words_there_is_no_direction(model: SentenceEmbedder) -> None:
    assert not model.embed_query(" \t").any()
    assert model.embed_documents([]).shape == (0, 384)


def test_damage_is_told_in_one_line(tmp_path: Path) -> None:
    shutil.copytree(sentence.DATA, tmp_path / "data")
    kept = (tmp_path / "data" / sentence.NUMBERS).read_bytes()
    (tmp_path / "data" / sentence.NUMBERS).write_bytes(kept[:-4])
    with pytest.raises(Damaged) as caught:
        SentenceEmbedder.load(tmp_path / "data")
    assert str(caught.value) == (
        "the built-in sentence model is damaged "
        "(numbers.npy has 520,660 bytes instead of 520,664): install git-skillmesh again"
    )
    (tmp_path / "data" / sentence.WORDS).unlink()
    with pytest.raises(Damaged, match=r"words\.npy"):
        SentenceEmbedder.load(tmp_path / "data")
    (tmp_path / "data" / sentence.MANIFEST).write_text(json.dumps({"format": 2}))
    with pytest.raises(Damaged, match="unknown format"):
        SentenceEmbedder.load(tmp_path / "data")


def test_whoever_asks_again_is_told_the_same_by_what_is_kept() -> None:
    model = SentenceEmbedder.load()
    asked = [model.embed_query(text).tobytes() for text in SENTENCES]
    # By now the matrices are kept.
    assert [model.embed_query(text).tobytes() for text in SENTENCES] == asked
    assert model.embed_query(SENTENCES[0]).tobytes() == SentenceEmbedder.load().embed_query(
        SENTENCES[0]
    ).tobytes()  # fmt: skip
