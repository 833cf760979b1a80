"""How common words are in public skills, so that small registries know which words tell little.

In: data/background.txt, counted once over 12,923 public SKILL.md files (benchmarks/skills.py). Out:
weights of words. A line is a level, `share` of the files a word stands in, and its words.
"""

import math
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "background.txt"


class Background:
    """Word → the share of public skills that have it."""

    def __init__(self, shares: dict[str, float], least: float) -> None:
        self._shares = shares
        self._least = least

    def share(self, term: str) -> float:
        """Return the share of skills with this term; that of the rarest for an unknown one."""
        return self._shares.get(term, self._least)

    def weight(self, term: str, found: int, cards: int, trust: int) -> float:
        """Return the weight of a word that `found` of `cards` cards have: -ln of how common.

        The background counts as much as `trust` cards.
        """
        common = (min(found, cards) + trust * self.share(term)) / (cards + trust)
        return -math.log(max(common, self._least))


@cache
def background() -> Background:
    """Return what is known of public skills: read once a process."""
    shares: dict[str, float] = {}
    least = 1.0
    for line in DATA.read_text(encoding="utf-8").splitlines():
        share, _, words = line.partition(" ")
        least = min(least, float(share))
        shares.update(dict.fromkeys(words.split(), float(share)))
    return Background(shares, least / 2)
