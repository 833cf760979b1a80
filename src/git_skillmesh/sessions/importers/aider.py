"""Aider: one Markdown file for all sessions of a repository, `.aider.chat.history.md`.

In: its lines. Out: a session for each `# aider chat started at`. `#### ` begins a line of a prompt,
`> ` one of what the program says; everything else is the agent's.

An edit counts when the program says that it was applied; its bytes are those of the SEARCH/REPLACE
blocks, or of the file that the agent wrote out whole.
"""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from ..model import Act, Edit, ToolCall
from .drafts import Conversation
from .places import Roots
from .records import Imported, Misfit, Report, made_id, utc

AGENT = "aider"

_START = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$")
_SEARCH = re.compile(r"<{5,9} SEARCH>?$")
_DIVIDER = re.compile(r"={5,9}$")
_REPLACE = re.compile(r">{5,9} REPLACE$")
_FENCE = re.compile(r"(`{3,}|~{3,})[\w+#.-]*$")
_COMMIT = re.compile(r"Commit ([0-9a-f]{7,40}) ")
# In a block of the agent a line may begin with `> ` or `#### `; these lines end even an open one.
_PROGRAM = re.compile(
    r"> (?:Tokens: |Applied edit to |Did not apply|Commit [0-9a-f]{7}|Committing |Removed:|Aider v)"
)
_APPLIED = "Applied edit to "
_MODEL = re.compile(r"(?:Main m|M)odel: (\S+)")


_Change = tuple[str | None, str, bool, int]  # before, after, whole, line


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one history."""
    report = Report(source)
    readers: list[_Reader] = []
    stamps: Counter[str] = Counter()
    for number, raw in enumerate(lines, 1):
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        start = _START.match(line.rstrip())
        if start:
            readers.append(_Reader(start[1], roots, stamps[start[1]]))
            stamps[start[1]] += 1
        elif readers:
            with report.guard(number):
                readers[-1].take(line)
        elif line.strip():
            report.add(number, "not a history of aider: text before the start of a chat")
            break
    for reader in readers:
        reader.flush()
    sessions = (reader.talk.session(source) for reader in readers)
    return Imported(tuple(filter(None, sessions)), report.problems)


class _Reader:
    """The state of one session."""

    def __init__(self, stamp: str, roots: Roots, repeated: int) -> None:
        time = _as_utc(stamp)
        self.talk = Conversation(made_id(AGENT, stamp, repeated), AGENT, started=time)
        self._roots = roots
        self._time = time
        self._model = ""
        self._asked: list[str] = []
        self._said: list[str] = []
        self._last: list[str] = []  # what was said last, where the edits that are applied stand
        self._fence = ""  # what closes the block that the agent writes
        self._of_the_person = False  # the next commit holds what stood there before the edits
        self._blocks: dict[str, list[_Change]] | None = None
        self._number = 0

    def take(self, line: str) -> None:
        """Read one line. Raises `Misfit`."""
        if self._fence and not _PROGRAM.match(line):
            self._said.append(line)
            self._fence = "" if line.rstrip() == self._fence else self._fence
        elif line.startswith("#### ") or line == "####":
            if not self._asked:
                self.flush()
            self._asked.append(line[5:].removesuffix("  "))
        elif line.startswith("> ") or line == ">":
            self._fence = ""
            self._prompt()
            self._program(line[2:].strip())
        elif line.strip() or self._said:
            self._prompt()
            self._said.append(line)
            fence = _FENCE.match(line.rstrip())
            self._fence = fence[1] if fence else ""
        elif self._asked:  # an empty line ends a prompt
            self._prompt()

    def flush(self) -> None:
        """Hand over what was said up to here."""
        self._prompt()
        if self._said:
            self.talk.say("\n".join(self._said), model=self._model)
            self._last, self._said = self._said, []
            self._blocks = None

    def _prompt(self) -> None:
        """Begin an exchange with the lines collected; commands to the program are none."""
        if self._asked:
            prompt = "\n".join(self._asked).strip()
            self._asked = []
            if prompt:
                vain = prompt.startswith("/")
                self.talk.prompt("", prompt, "" if vain else self._time, vain=vain)
                self._time = self._time if vain else ""  # only the start of a chat has a time

    def _program(self, text: str) -> None:
        """Read what the program says it has done."""
        model, commit = _MODEL.match(text), _COMMIT.match(text)
        if model:
            self._model = model[1]
        elif text.startswith(_APPLIED):
            self._applied(text.removeprefix(_APPLIED))
        elif text.startswith("Committing ") and text.endswith("before applying edits."):
            self._of_the_person = True
        elif commit:
            asked = self.talk.current.prompt
            if not self._of_the_person and not asked.startswith("/commit"):
                self._call("commit", Act.BASH, text, commits=(commit[1],))
            self._of_the_person = False
        elif text.startswith("Removed: "):
            self._call("undo", Act.EDIT, text)

    def _applied(self, name: str) -> None:
        self.flush()
        if self._blocks is None:
            self._blocks = {**_whole(self._last), **_replacements(self._last)}
        path = self._roots.relative(name)
        edits = tuple(Edit(path, *change) for change in self._blocks.get(name, ()))
        self._call("edit", Act.EDIT, _APPLIED + name, paths=(path,), edits=edits)

    def _call(
        self, name: str, act: Act, output: str, *, paths: tuple[str, ...] = (),
        edits: tuple[Edit, ...] = (), commits: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.flush()
        self._number += 1
        call_id = made_id(self.talk.session_id, self._number, output)
        self.talk.call(
            ToolCall(call_id, name, act, output=output, paths=paths, edits=edits, commits=commits)
        )


def _as_utc(stamp: str) -> str:
    """Return a local time without a zone in UTC: by the zone of this machine, the best guess."""
    with suppress(ValueError, OverflowError, Misfit):
        return utc(datetime.fromisoformat(stamp).astimezone(UTC).isoformat())
    return ""


def _replacements(lines: list[str]) -> dict[str, list[_Change]]:
    """Return file → its SEARCH/REPLACE blocks."""
    found: dict[str, list[_Change]] = {}
    at, named = 0, ""
    while at < len(lines):
        if not _SEARCH.match(lines[at].rstrip()):
            at += 1
            continue
        named = _name_above(lines, at) or named
        before, at = _until(_DIVIDER, lines, at + 1)
        after, at = _until(_REPLACE, lines, at + 1)
        if at < len(lines):
            change = (before, after, not before, int(not before))
            found.setdefault(named, []).append(change)
        at += 1
    return found


def _until(end: re.Pattern[str], lines: list[str], start: int) -> tuple[str, int]:
    at = start
    while at < len(lines) and not end.match(lines[at].rstrip()):
        at += 1
    return "".join(line + "\n" for line in lines[start:at]), at


def _name_above(lines: list[str], at: int) -> str:
    """Return the file name that stands over a block, across the fence that opens it."""
    for line in reversed(lines[max(0, at - 3) : at]):
        text = line.strip()
        if text and not _FENCE.match(text):
            return _bare(text)
    return ""


def _whole(lines: list[str]) -> dict[str, list[_Change]]:
    """Return file → what was written out under its name as the whole of it, the last time."""
    found: dict[str, list[_Change]] = {}
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at].rstrip())
        if not fence:
            at += 1
            continue
        named = _bare(lines[at - 1].strip()) if at else ""
        text, end = _until(re.compile(re.escape(fence[1]) + "$"), lines, at + 1)
        if named and end < len(lines):
            found[named] = [(None, text, True, 1)]
        at = end + 1
    return found


def _bare(name: str) -> str:
    return name.strip("*#`: ").removeprefix("./")
