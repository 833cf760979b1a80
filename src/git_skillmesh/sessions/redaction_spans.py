"""Pieces of text that go: joined, replaced by placeholders, counted in characters.

In: the bytes of a text and spans of them. Out: the bytes with placeholders, and findings.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .personal import image_note


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that was taken out: characters `start` to `end` of the original text."""

    rule: str
    start: int
    end: int

    @property
    def length(self) -> int:
        """How many characters went."""
        return self.end - self.start


class Span(NamedTuple):
    """Bytes `start` to `end` have to go; the rule of the lowest `rank` names them."""

    start: int
    end: int
    rank: int
    rule: str


def placeholder(rule: str) -> str:
    """Return what stands for a secret: letters and `_`, safe in JSON, code, URLs and shells."""
    return "REDACTED_" + rule.upper().replace("-", "_")


def merge(data: bytes, found: Iterable[Span]) -> list[Span]:
    """Join what overlaps under the name of the surest rule, never within a character."""
    merged: list[Span] = []
    for start, end, rank, rule in sorted(found):
        while start and data[start] & 0xC0 == 0x80:
            start -= 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        touches = merged and start == merged[-1].end and rule == merged[-1].rule
        if merged and (start < merged[-1].end or touches):
            last = merged.pop()
            rank, rule = min((last.rank, last.rule), (rank, rule))
            start, end = last.start, max(last.end, end)
        merged.append(Span(start, end, rank, rule))
    return merged


def render(data: bytes, spans: list[Span]) -> tuple[bytes, list[tuple[int, int, int, int]]]:
    """Return the text with placeholders, and where each came to stand: (new, new, old, old)."""
    pieces: list[bytes] = []
    moved: list[tuple[int, int, int, int]] = []
    position = length = 0
    for span in spans:
        kept = data[position : span.start]
        note = _note(data, span)
        pieces += (kept, note)
        begin = length + len(kept)
        length = begin + len(note)
        moved.append((begin, length, span.start, span.end))
        position = span.end
    pieces.append(data[position:])
    return b"".join(pieces), moved


def _note(data: bytes, span: Span) -> bytes:
    if span.rule == "image":
        return image_note(data, span.start, span.end)
    if data[span.start : span.end].isdigit():
        before = data[max(0, span.start - 8) : span.start].rstrip()[-1:]
        after = data[span.end : span.end + 8].lstrip()[:1]
        if before in b":,[" and after in b",]}":
            return b"0"  # a number of JSON has no room for words
    return placeholder(span.rule).encode()


def original(span: Span, moved: list[tuple[int, int, int, int]]) -> Span:
    """Return where a span of the rendered text is in the original one."""
    ends = [new_end for _, new_end, _, _ in moved]

    def back(place: int, at_end: bool) -> int:
        index = bisect_left(ends, place) if at_end else bisect_right(ends, place)
        if index < len(moved):
            new_start, _, old_start, old_end = moved[index]
            if place > new_start or (place == new_start and not at_end):
                return old_end if at_end else old_start
        return place + (moved[index - 1][3] - ends[index - 1] if index else 0)

    return span._replace(start=back(span.start, False), end=back(span.end, True))


def findings_of(data: bytes, spans: list[Span]) -> Iterator[Finding]:
    """Yield what is told of the spans, in characters of the text."""
    if data.isascii():
        yield from (Finding(span.rule, span.start, span.end) for span in spans)
        return
    byte = character = 0
    for span in spans:
        character += len(data[byte : span.start].decode("utf-8", "surrogatepass"))
        length = len(data[span.start : span.end].decode("utf-8", "surrogatepass"))
        yield Finding(span.rule, character, character + length)
        byte, character = span.end, character + length
