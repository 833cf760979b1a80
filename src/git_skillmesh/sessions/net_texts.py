"""Edits of one file put together: text that changed twice is there once, from first to last.

In: edits, in order. Out: pieces of the file, each as it was before and as it is now. Pure.

Either the whole file is known, or islands of it. An edit that touches an island makes it larger;
one that touches several unites them.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from .model import Edit

_MOST_ISLANDS = 200
# Text without a line number must be as long as this to be recognised in another.
_TELLING = 10


@dataclass(slots=True)
class Piece:
    """A part of a file, or all of it: before, now, and where it begins now (0 if unknown)."""

    before: str
    after: str
    line: int = 0
    is_whole: bool = False

    @property
    def last_line(self) -> int:
        """The line with the end of the text, counted in the file as it is now."""
        return self.line + self.after.count("\n")


@dataclass(frozen=True, slots=True)
class Net:
    """What the edits of a file come to. `is_exact`: it is the whole file, before and after."""

    pieces: tuple[Piece, ...]
    is_new: bool = False
    is_gone: bool = False
    is_exact: bool = False


@dataclass(slots=True)
class FileState:
    """A file as far as its edits tell."""

    moved_from: str = ""
    is_new: bool = False
    is_gone: bool = False
    _whole: Piece | None = None
    _islands: list[Piece] = field(default_factory=list)
    _left: list[Piece] = field(default_factory=list)  # what cannot be put together with the rest
    _is_exact: bool = True

    def apply(self, edit: Edit) -> None:
        """Take in the next edit."""
        self.moved_from = self.moved_from or edit.moved_from
        if edit.whole:
            self._replace(edit)
            return
        before, after = edit.before or "", edit.after or ""
        self._is_exact &= edit.before is not None
        if self._whole is not None:
            now = _replaced(self._whole.after, before, after, edit.line)
            if now is None:
                self._leave(Piece(before, after, edit.line))
            else:
                self._whole.after = now
        elif before != after:
            self._join(before, after, edit.line)

    def net(self) -> Net:
        """Return what it all comes to."""
        pieces = [] if self._whole is None else [self._whole]
        pieces += [_ended(piece) for piece in (*self._islands, *self._left)]
        is_exact = self._is_exact and self._whole is not None and not self._left
        return Net(tuple(pieces), self.is_new, self.is_gone, is_exact)

    def _replace(self, edit: Edit) -> None:
        """Take in an edit that shows the whole file."""
        now = edit.after or ""
        if self._whole is not None:
            if edit.before is not None and edit.before != self._whole.after:
                # Somebody else changed it in between: that is not part of this.
                self._leave(self._whole)
                self._whole = Piece(edit.before, "", 1, True)
            self._whole.after = now
        elif edit.before is not None:
            self.is_new = not edit.before and not self._islands
            self._whole = Piece(self._rewound(edit.before), now, 1, True)
        else:
            self.is_new = edit.after is not None and not self._islands
            self._is_exact &= self.is_new
            self._left += [Piece(island.before, "", island.line) for island in self._islands]
            self._whole = Piece("", now, 1, True)
        self._islands = []
        self.is_gone = edit.after is None
        if self.is_gone and self.is_new:  # made and taken away again
            self.is_gone = self.is_new = False

    def _leave(self, piece: Piece) -> None:
        self._left.append(piece)
        self._is_exact = False

    def _rewound(self, text: str) -> str:
        """Return the whole file as it was before the islands were made."""
        for island in sorted(self._islands, key=lambda island: -island.line):
            then = _replaced(text, island.after, island.before, island.line)
            if then is None:
                self._leave(island)
            else:
                text = then
        return text

    def _join(self, before: str, after: str, line: int) -> None:
        """Take in the replacement of a part of a file that is not known as a whole."""
        if len(self._islands) >= _MOST_ISLANDS:
            self._left.append(Piece(before, after, line))
            return
        placed = [(_offset(island, before, line), island) for island in self._islands]
        touched = sorted(
            ((at, island) for at, island in placed if at is not None), key=lambda each: each[0]
        )
        if any(at + len(one.after) > below for (at, one), (below, _) in pairwise(touched)):
            touched = []  # they cannot all be where they seem to be
        grown = after.count("\n") - before.count("\n")
        members = {id(island) for _, island in touched}
        self._islands = [island for island in self._islands if id(island) not in members]
        for island in self._islands:
            island.line += grown if 0 < line < island.line else 0
        joined = _united(before, after, line, touched)
        if joined.before != joined.after:
            self._islands.append(joined)


def _united(before: str, after: str, line: int, touched: list[tuple[int, Piece]]) -> Piece:
    """Return an edit and the islands that it touches as one island.

    Each island comes with where its text begins in `before`; the first may begin above it, and
    the last end below.
    """
    if not touched:
        return Piece(before, after, line)
    (first_at, first), (last_at, last) = touched[0], touched[-1]
    head = first.after[: max(-first_at, 0)]
    tail = last.after[max(len(before) - last_at, 0) :]
    now, done, old = head + before + tail, 0, []
    for at, island in touched:
        begin = at + len(head)
        old += [now[done:begin], island.before]
        done = begin + len(island.after)
        if island.line and not line:
            line = island.line - now[len(head) : begin].count("\n")
    old.append(now[done:])
    return Piece("".join(old), head + after + tail, line - head.count("\n") if line else 0)


def _offset(island: Piece, text: str, line: int) -> int | None:
    """Return where an island begins in a text that stands at a line now; None if they are apart.

    The text may begin within the island: then the offset is negative.
    """
    now = island.after
    if line and island.line:
        if island.last_line < line or island.line > line + text.count("\n"):
            return None
        if line >= island.line:
            at = _overlap(now, text, line - island.line)
            return None if at is None else -at
        return _overlap(text, now, island.line - line)
    if _is_telling(text) and now.count(text) == 1:
        return -now.index(text)
    if _is_telling(now) and text.count(now) == 1:
        return text.index(now)
    return None


def _overlap(upper: str, lower: str, row: int) -> int | None:
    """Return where `lower` begins in `upper`, in a row of it, when the two agree from there."""
    begin = _start_of(upper, row)
    end = upper.find("\n", begin)
    end = len(upper) if end < 0 else end
    within = upper.find(lower.partition("\n")[0], begin, end)
    for at in (begin, within):
        shared = min(len(upper) - at, len(lower))
        if at >= 0 and shared and upper[at : at + shared] == lower[:shared]:
            return at
    return None


def _replaced(text: str, before: str, after: str, line: int) -> str | None:
    """Return a whole text with one part replaced, None if it is not clear which."""
    at = -1
    if line:
        begin = _start_of(text, line - 1)
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        at = text.find(before, begin, end + len(before)) if begin <= len(text) else -1
    if at < 0:
        at = text.find(before) if before else -1
        if at < 0 or text.find(before, at + 1) >= 0:
            return None
    return text[:at] + after + text[at + len(before) :]


def _start_of(text: str, row: int) -> int:
    """Return where a row begins, counted from 0; past the end if there are fewer."""
    at = 0
    for _ in range(row):
        at = text.find("\n", at) + 1
        if not at:
            return len(text) + 1
    return at


def _is_telling(text: str) -> bool:
    return len(text.strip()) >= _TELLING


def _ended(piece: Piece) -> Piece:
    """Return a piece of a file with its last line ended, as it is in the file."""
    before, after = (
        text if not text or text.endswith("\n") else f"{text}\n"
        for text in (piece.before, piece.after)
    )
    return Piece(before, after, piece.line)
