"""What the files of an exchange were before it, and are after it, as whole texts where possible.

In: an exchange, and where texts may be found: what earlier exchanges of its session left, commits.
Out: `FileWork` for each file it changed. A text counts only if all recorded edits fit it; where
none does, the pieces that the edits themselves show stand for the file.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ...sessions.model import Edit, Exchange
from ...sessions.net_texts import FileState
from .blocks import Block, Shown, blocks_of

# Where a text of a path may be: None where nothing is known of it there.
Lookup = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class FileWork:
    """A file that an exchange changed; None is no file.

    With `exact` both texts are whole. Otherwise `pieces` are (before, after, line) of what is
    known, and the texts mean nothing.
    """

    path: str
    before: str | None
    after: str | None
    exact: bool = True
    moved_from: str = ""
    pieces: tuple[tuple[str, str, int], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is, and where it was if it was moved."""
        return (self.path, self.moved_from) if self.moved_from else (self.path,)

    def blocks(self) -> tuple[Block, ...]:
        """Return the edits."""
        start = self.moved_from or self.path
        if self.exact:
            moved = (Block("move", start, target=self.path),) if start != self.path else ()
            if moved and (self.before is None or self.after is None):
                moved = ()
            return (*moved, *blocks_of(self.path, self.before, self.after))
        return tuple(
            Block("edit", self.path, before, after) for before, after, _ in self.pieces if before
        )

    def shown(self) -> tuple[Shown, ...]:
        """Return what the agent had to see of it."""
        start = self.moved_from or self.path
        if self.exact:
            return () if self.before is None else (Shown(start, self.before),)
        return tuple(Shown(start, before, line, False) for before, _, line in self.pieces if before)


def work_of(
    exchange: Exchange, left: Mapping[str, str | None], lookups: Iterable[Lookup]
) -> tuple[FileWork, ...]:
    """Return the net change of each file, in the order in which they were first edited.

    `left` is what earlier exchanges of the session made of files; `lookups` are asked in order.
    """
    edits: dict[str, list[Edit]] = {}
    for edit in (edit for call in exchange.tools if not call.failed for edit in call.edits):
        if edit.moved_from and edit.moved_from != edit.path and edit.moved_from in edits:
            edits[edit.path] = edits.pop(edit.moved_from) + edits.get(edit.path, [])
        edits.setdefault(edit.path, []).append(edit)
    places = list(lookups)
    found = (_work(path, each, left, places) for path, each in edits.items())
    return tuple(one for one in found if one.blocks())


def _work(
    path: str, edits: list[Edit], left: Mapping[str, str | None], places: list[Lookup]
) -> FileWork:
    moved = next((edit.moved_from for edit in edits if edit.moved_from), "")
    start = moved or path
    first = edits[0]
    if first.whole and first.before is not None:
        candidates: list[str | None] = [first.before or None]
    else:
        candidates = [left[start]] if start in left else []
        candidates += [place(start) for place in places]
        if first.whole or not first.before:
            candidates.append(None)
    for before in dict.fromkeys(candidates):
        done, after = _folded(before, edits)
        if done:
            return FileWork(path, before, after, True, moved if moved != path else "")
    return _pieces(path, edits, moved if moved != path else "")


def _folded(text: str | None, edits: Iterable[Edit]) -> tuple[bool, str | None]:
    """Return whether all edits fit a text one after the other, and what it becomes."""
    for edit in edits:
        if edit.whole:
            if edit.before is not None and edit.before != (text or ""):
                return False, None
            text = edit.after
        elif edit.before is None and edit.after is None:
            continue
        else:
            now = _replaced(text or "", edit.before or "", edit.after or "", edit.line)
            if now is None:
                return False, None
            text = now
    return True, text


def _replaced(text: str, before: str, after: str, line: int) -> str | None:
    """Return a text with one part replaced, None if it is not clear which."""
    if not before:
        if not text:
            return after
        if line < 1 or not after.endswith("\n"):
            return None
        lines = text.split("\n")
        return "\n".join((*lines[: line - 1], after[:-1], *lines[line - 1 :]))
    places: list[int] = []
    at = text.find(before)
    while at >= 0 and len(places) < 1_000:
        places.append(at)
        at = text.find(before, at + 1)
    if len(places) > 1 and line:
        places = [at for at in places if text.count("\n", 0, at) == line - 1]
    if len(places) != 1:
        return None
    at = places[0]
    return text[:at] + after + text[at + len(before) :]


def _pieces(path: str, edits: Iterable[Edit], moved: str) -> FileWork:
    state = FileState()
    for edit in edits:
        state.apply(replace(edit, moved_from=""))
    net = state.net()
    pieces = tuple((p.before, p.after, p.line) for p in net.pieces if p.before != p.after)
    return FileWork(path, None, None, False, moved, pieces)
