"""What an exchange did to files, as far as its record tells.

In: an exchange. Out: the texts it wrote, with which lines of them are new; the files that its
shell commands name; the commits it made.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ..model import Act, Edit, Exchange, ToolCall
from . import shell
from .lines import normal, split, weight

UNKNOWN = 0  # a time that the record does not tell
RECORDED, SHELL = "edit", "shell"
_GIT_AI = "git-ai"  # the name of a call whose output is what git-ai had noted: path and ranges
_TELLING = 8  # what a line has to say before it is known again elsewhere
_SMALL = 4000  # characters of an edit that may be done again inside of changed lines


@dataclass(frozen=True, slots=True)
class Writing:
    """A text that stands in a file after an edit, or in a command that may have written it.

    `new` says of each line of `after` whether the edit brought it; `gone` are the lines it took
    away, in normal form. `at` is in milliseconds of the epoch, `UNKNOWN` if not told. `replaced`
    and `replacement` are the bytes of a small edit, which may begin and end within a line.
    """

    path: str
    at: int
    kind: str
    after: tuple[str, ...]
    new: tuple[bool, ...]
    gone: tuple[str, ...] = ()
    replaced: str = ""
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What an exchange did: `named` are (time, path) of commands that may have changed files.

    `moved` are (from, to); `committed` the commands with `git commit`, `quoted` the commits that
    their outputs name, each with its time; `attributed` are (commit, path, ranges) that git-ai had
    noted.
    """

    writings: tuple[Writing, ...] = ()
    named: tuple[tuple[int, str], ...] = ()
    moved: tuple[tuple[int, str, str], ...] = ()
    committed: tuple[tuple[int, str], ...] = ()
    quoted: tuple[tuple[int, str], ...] = ()
    attributed: tuple[tuple[str, str, str], ...] = ()


def done_in(exchange: Exchange) -> Done:
    """Return what an exchange did to files and to the history."""
    started = milliseconds(exchange.started)
    writings: list[Writing] = []
    named: list[tuple[int, str]] = []
    moved: list[tuple[int, str, str]] = []
    committed: list[tuple[int, str]] = []
    quoted: list[tuple[int, str]] = []
    attributed: list[tuple[str, str, str]] = []
    for call in exchange.tools:
        at = milliseconds(call.time) or started
        quoted += [(at, commit) for commit in call.commits]
        if call.name == _GIT_AI:
            attributed += [
                (commit, *line.rpartition(" ")[::2])
                for commit in call.commits
                for line in call.output.splitlines()
            ]
        if call.act == Act.BASH:
            writings += _written_by_shell(call, at)
            named += [(at, word) for word in sorted(_named(call))]
            moved += [(at, *pair) for pair in shell.moves(call.input)]
            if shell.commits(call.input) and not call.failed:
                committed.append((at, call.input))
        elif not call.failed:
            for edit in call.edits:
                writings += _written(edit, at)
                if edit.moved_from:
                    moved.append((at, edit.moved_from, edit.path))
    return Done(
        tuple(_without_moves(writings)), tuple(named), tuple(moved), tuple(committed),
        tuple(quoted), tuple(attributed),
    )  # fmt: skip


def milliseconds(time: str) -> int:
    """Return a time in ISO 8601 as milliseconds of the epoch, `UNKNOWN` if it is none."""
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1000)
    except (ValueError, OverflowError):
        return UNKNOWN


def _written(edit: Edit, at: int) -> list[Writing]:
    after, before = split(edit.after or ""), split(edit.before or "")
    new, gone = _difference(before, after)
    if not any(new) and not gone:
        return []
    texts = (edit.before or "", edit.after or "")
    if edit.whole or not texts[0] or max(map(len, texts)) > _SMALL:
        texts = ("", "")
    return [Writing(edit.path, at, RECORDED, tuple(after), tuple(new), tuple(gone), *texts)]


def _difference(before: list[str], after: list[str]) -> tuple[list[bool], list[str]]:
    """Return which lines of `after` are new, and the lines of `before` that have gone.

    A line that is merely elsewhere is neither. Of equal lines the last ones are new.
    """
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    inner = before[first : len(before) - last]
    left = Counter(inner)
    new = [False] * len(after)
    for number in range(first, len(after) - last):
        line = after[number]
        if left[line] > 0:
            left[line] -= 1
        else:
            new[number] = True
    gone = []
    for line in reversed(inner):
        if left[line] > 0:
            left[line] -= 1
            gone.append(normal(line))
    return new, gone


def _without_moves(writings: list[Writing]) -> Iterator[Writing]:
    """Yield the writings without lines that the exchange took away as often as it wrote them.

    It has moved those, and whoever wrote them first still has.
    """
    came = Counter(
        normal(line)
        for writing in writings
        for line, new in zip(writing.after, writing.new, strict=True)
        if new
    )
    went = Counter(line for writing in writings for line in writing.gone)
    moved = {line for line in came if weight(line) >= _TELLING and 0 < came[line] <= went[line]}
    for writing in writings:
        kept = tuple(
            new and normal(line) not in moved
            for line, new in zip(writing.after, writing.new, strict=True)
        )
        yield replace(writing, new=kept) if kept != writing.new else writing


def _written_by_shell(call: ToolCall, at: int) -> list[Writing]:
    """Return here-documents: files written out, or scripts that may hold what they write."""
    found = []
    for here in shell.here_documents(call.input):
        lines = tuple(split(here.text))
        paths = {here.path} if here.path else shell.names(here.text)
        for path in sorted(paths)[:8]:
            found.append(Writing(path, at, SHELL, lines, (True,) * len(lines)))
    return found


def _named(call: ToolCall) -> set[str]:
    if not shell.changes_files(call.input):
        return set()
    return {*shell.names(call.input), *call.paths}
