"""Identifiers in, numbers of word pieces out: greedy longest match over a fixed vocabulary."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from git_skillmesh.embedding.tokens import MOST_CACHED, parts

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_PART = 40  # longer runs of letters are encoded data, not words
FIRST_CJK = "\u2e80"  # from here on the vocabulary knows characters, not words
CONTINUED = "##"


class WordPieces:
    """The vocabulary, and what was already looked up in it.

    The method is WordPiece as published with BERT, except that a character which no piece covers
    is skipped instead of making the whole word unknown.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self._number = dict(zip(pieces, range(len(pieces)), strict=True))
        # What `of_identifier` found before: a caller in a tight loop looks here first.
        self.seen: dict[str, tuple[int, ...]] = {}

    def of_identifier(self, identifier: str) -> tuple[int, ...]:
        """Return the piece numbers of all parts of an identifier, in order."""
        known = self.seen.get(identifier)
        if known is None:
            known = tuple(n for part in parts(identifier) for n in self._of_part(part))
            if len(self.seen) >= MOST_CACHED:
                self.seen.clear()
            self.seen[identifier] = known
        return known

    def _of_part(self, part: str) -> list[int]:
        number = self._number
        if part in number:
            return [number[part]]
        if not part.isascii():
            part = _without_accents(part)
            if part > FIRST_CJK:
                return [number[character] for character in part if character in number]
        if len(part) > LONGEST_PART:
            return []
        found: list[int] = []
        start = 0
        while start < len(part):
            prefix = CONTINUED if start else ""
            for end in range(len(part), start, -1):
                piece = number.get(prefix + part[start:end])
                if piece is not None:
                    found.append(piece)
                    break
            else:
                end = start + 1
            start = end
        return found


def _without_accents(part: str) -> str:
    decomposed = unicodedata.normalize("NFD", part)
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
