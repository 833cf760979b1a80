"""What became of findings: seen for the first time, fixed in a later check, excused in the code.

In: the report of a check. Out: events of kind "finding", each finding once, and `open.json`, which
remembers those that may still be fixed. Both hold ids of learnings and hashes, no text and no path.

A finding is fixed where a later check of the same change (the same branch and working tree, and for
what is not committed the same HEAD) looks at its file and does not find it again. One that went
away with its file is not counted: nobody knows whether it will come back.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from ..errors import SkillmeshError
from ..files import replace_file
from ..gate.change import Change
from ..gate.model import Finding, Report
from ..index.locks import exclusive
from .record import FOLDER, OPEN, is_off, record

KIND = "finding"
FIRED, FIXED, SUPPRESSED = "fired", "fixed", "suppressed"
_MOST = 2_000
_DAYS = 90
_PATIENCE_SECONDS = 0.2
# Findings about suppressions have such names, which are no learnings.
_OWN = "skillmesh:"


@dataclass(frozen=True, slots=True)
class _Known:
    """A finding that was seen: hashes of its file and change, and the commit it was seen against.

    `left` says that the change has gone on to another commit with the finding in it.
    """

    learning: str
    file: str
    change: str
    base: str
    time: int
    suppressed: bool = False
    left: bool = False


def note_findings(
    change: Change, report: Report, name: str, *, content: bool = True, message: bool = False
) -> None:
    """Record what a check found, and what has been fixed since the last one of the same change.

    `name` says what was checked (staged, worktree, a range as it was typed); `content` and
    `message` whether files and messages were looked at. Raises nothing: a check goes on without.
    """
    state = change.repository.state_dir
    path = state / FOLDER / OPEN
    found = _by_hash(report.findings)
    excused = _by_hash(one.finding for one in report.suppressed)
    if not (found or excused or path.exists()) or is_off(state):
        return
    with suppress(OSError, SkillmeshError):
        if not state.is_dir():
            return
        (state / FOLDER).mkdir(mode=0o700, exist_ok=True)
        with exclusive(path.with_name("findings.lock"), _PATIENCE_SECONDS, "findings"):
            seen = _Seen(change, name, content, message)
            known = _load(path)
            events = list(_compared(known, found, excused, seen))
            _save(path, known)
        for learning, what in events:
            record(state, KIND, learning, what)


class _Seen:
    """What one check has looked at."""

    def __init__(self, change: Change, name: str, content: bool, message: bool) -> None:
        repository = change.repository
        head = ""
        with suppress(OSError, UnicodeDecodeError):
            head = (repository.git_dir / "HEAD").read_text()
        # A range keeps its name while commits are added; a detached HEAD is a change of its own.
        self.change = _hash(name, os.fspath(repository.git_dir), head)
        self.base = change.base
        self.is_range = bool(change.head)
        self.files = {_hash(path) for file in change.files for path in (file.path, file.old_path)}
        self.files = self.files if content else set()
        # A message has no file.
        self.files = self.files - {_hash("")} | ({_hash("")} if message else set())
        self.now = int(time.time())

    def known(self, one: Finding) -> _Known:
        """Return a finding as it is remembered."""
        place = _hash(one.place.path)
        return _Known(one.learning_id, place, self.change, self.base, self.now)


def _compared(
    known: dict[str, _Known], found: dict[str, Finding], excused: dict[str, Finding], seen: _Seen
) -> Iterable[tuple[str, str]]:
    """Bring `known` up to date, and yield (learning, what happened)."""
    for mark, one in excused.items():
        if mark not in known or not known[mark].suppressed:
            yield one.learning_id, SUPPRESSED
        known[mark] = replace(seen.known(one), suppressed=True)
    for mark, one in found.items():
        if mark not in known or known[mark].suppressed:
            yield one.learning_id, FIRED
        known[mark] = seen.known(one)
    for mark, before in list(known.items()):
        if before.change != seen.change or mark in found or mark in excused or before.left:
            continue
        if before.suppressed:
            continue
        if not seen.is_range and before.base != seen.base:
            known[mark] = replace(before, left=True)
        elif before.file in seen.files:
            del known[mark]
            yield before.learning, FIXED


def _by_hash(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {_hash(one.fingerprint): one for one in findings if not one.learning_id.startswith(_OWN)}


def _hash(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _load(path: Path) -> dict[str, _Known]:
    try:
        rows = json.loads(path.read_bytes())["findings"]
        return {str(mark): _Known(*row) for mark, row in rows.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _save(path: Path, known: dict[str, _Known]) -> None:
    oldest = int(time.time()) - _DAYS * 86_400
    kept = sorted(known.items(), key=lambda one: -one[1].time)[:_MOST]
    rows = {mark: astuple(one) for mark, one in kept if one.time >= oldest}
    if not rows:
        path.unlink(missing_ok=True)
        return
    text = json.dumps({"schema": 1, "findings": rows}, separators=(",", ":"))
    replace_file(path, text.encode(), durable=False)
