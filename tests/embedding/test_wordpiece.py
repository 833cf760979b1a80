import pytest

from git_skillmesh.embedding import wordpiece
from git_skillmesh.embedding.wordpiece import WordPieces

VOCABULARY = [
    "parse",
    "par",
    "##se",
    "##r",
    "json",
    "2",
    "un",
    "##known",
    "cafe",
    "文",
    "件",
    "##x",
]


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("", []),
        ("parse", ["parse"]),
        ("Parser", ["parse", "##r"]),
        ("parseJSON2", ["parse", "json", "2"]),
        ("unknown", ["un", "##known"]),
        ("parzer", ["par", "##r"]),
        ("zzzz", []),
        ("Café", ["cafe"]),
        ("文件", ["文", "件"]),
        ("文字", ["文"]),
        ("par" + "x" * 37, ["par", *["##x"] * 37]),
        ("par" + "x" * 38, []),
    ],
)
def test_the_longest_pieces_from_the_left_are_taken(identifier: str, expected: list[str]) -> None:
    numbers = WordPieces(VOCABULARY).of_identifier(identifier)
    assert [VOCABULARY[number] for number in numbers] == expected


def test_a_full_cache_is_emptied_and_answers_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordpiece, "MOST_CACHED", 2)
    pieces = WordPieces(VOCABULARY)
    for _ in range(2):
        assert [pieces.of_identifier(name) for name in ("json", "par", "un")] == [(4,), (1,), (6,)]
        assert len(pieces.seen) <= 2
