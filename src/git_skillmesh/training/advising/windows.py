"""The added lines of a part in windows small enough that one thing is said in each.

In: a part. Out: texts to search learnings for, and each as words for the model of sentences, which
reads no more than its first hundred tokens: in code most of these would be signs.
"""

import re
from collections.abc import Iterator, Mapping

from .model import Part

LINES = 6  # of a window; a paragraph that is longer is divided evenly
_SHORT = 2  # lines: what is no longer is joined with what follows it
# All together cost a second and a half at most. What is larger is searched for in samples.
MOST = 40
_DEFINITION = re.compile(
    r"\s*(?:@\w|(?:(?:export|default|pub|public|private|protected|static|async|abstract)\s+)*"
    r"(?:def|class|fn|func|function|interface|struct|impl|enum|trait|type|CREATE|ALTER|DROP)\s)"
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")


def windows(part: Part) -> list[str]:
    """Return windows of added lines, each once, in their order."""
    texts = [
        "\n".join(line.strip() for line in lines)
        for added in part.added.values()
        for lines in _joined(added)
    ]
    found = list(dict.fromkeys(texts))
    step = max(len(found) / MOST, 1)
    return [found[int(number * step)] for number in range(min(len(found), MOST))]


def words(text: str) -> str:
    """Return the words of code, parted where its names are composed, without its signs."""
    return " ".join(_WORD.findall(_HUMP.sub(" ", text)))


def _joined(added: Mapping[int, str]) -> Iterator[list[str]]:
    """Yield paragraphs as windows: short ones together, long ones in pieces."""
    kept: list[str] = []
    for lines in _paragraphs(added):
        if kept and (len(kept) > _SHORT or len(kept) + len(lines) > LINES):
            yield kept
            kept = []
        kept = [*kept, *lines]
        if len(kept) > LINES:
            count = -(-len(kept) // LINES)
            size = -(-len(kept) // count)
            yield from (kept[first : first + size] for first in range(0, len(kept), size))
            kept = []
    if kept:
        yield kept


def _paragraphs(added: Mapping[int, str]) -> Iterator[list[str]]:
    """Yield added lines that follow each other, cut at blank lines and before definitions."""
    kept: list[str] = []
    last = 0
    for number, line in sorted(added.items()):
        begins = bool(_DEFINITION.match(line)) and not all(one[:1] in "@#/" for one in kept)
        if kept and (number != last + 1 or not line.strip() or begins):
            yield kept
            kept = []
        if line.strip():
            kept.append(line.strip())
        last = number
    if kept:
        yield kept
