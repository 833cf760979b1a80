"""Live capture: store what the agents of this machine have said since the last time.

In: the live buffer, and the transcripts that its notes name or that are found for the repository.
Out: the memory. Only files that have changed are read. A note is hostile input: a transcript has
to lie in its agent's own folder, to be of that agent's format, and to be of a session that began
inside this repository.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..config import Config
from ..git.repository import Repository
from .importers.detect import READERS
from .importers.discover import bases_of, files_of
from .importers.places import Roots
from .importers.records import Imported
from .importers.source import Part, Reading, read_files, roots_of, stamp_of
from .importing import Intake, Report
from .known import alone
from .live import LiveBuffer, Note
from .model import Problem, Session
from .told import told_sessions

# How long a run waits for an import, which stores the same.
_WAIT_SECONDS = 20
# Nothing but the folder in which a transcript lies says whose it is.
_BY_FOLDER = ("gemini", "cursor")


@dataclass
class Captured:
    """What was stored: sessions that are new and that have grown, and what could not be read."""

    new: set[str] = field(default_factory=set)
    grown: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """Count a report in."""
        self.new |= report.new
        self.grown |= report.grown - self.new
        self.problems += report.problems


def capture_live(
    repository: Repository,
    config: Config,
    log: Callable[[str], None] = lambda _: None,
    environ: Mapping[str, str] = os.environ,
) -> Captured:
    """Store what is new, as the setting `sessions.capture` wants it.

    auto: of all transcripts that are found; hooks: of those that hooks have named; off: nothing,
    and what hooks have noted is deleted. Raises as `MemoryStore.add`, `Busy`
    and `ConfigurationError`.
    """
    how = config["sessions.capture"]
    buffer = LiveBuffer(repository.state_dir)
    captured = Captured()
    buffer.turn(on=how != "off")
    with alone(repository, _WAIT_SECONDS):
        notes = buffer.take()
        if how != "off":
            intake = Intake(repository, config)
            try:
                _capture(repository, config, intake, notes, captured, environ, found=how == "auto")
            finally:
                intake.close()
        buffer.done()
    for problem in captured.problems:
        log(f"left out: {' '.join(str(problem).split())}")
    return captured


def _capture(
    repository: Repository,
    config: Config,
    intake: Intake,
    notes: list[Note],
    captured: Captured,
    environ: Mapping[str, str],
    *,
    found: bool,
) -> None:
    roots = roots_of(repository, config.origin)
    for agent in READERS:
        theirs = [note for note in notes if note.agent == agent]
        if not found and not theirs:
            continue
        around = {**environ, **{k: v for note in theirs for k, v in note.moved.items()}}
        known = files_of(agent, roots, around, intake.known)
        named = [path for note in theirs for path in _named(note, known)]
        sure = set(known if found else named) & set(known)
        strange = set(named) - set(known)
        for path in sorted(strange):
            problem = _refused(agent, path, around)
            if problem:
                strange.discard(path)
                captured.problems.append(problem)
        for files, checked in ((sure, False), (strange, True)):
            changed = [file for file in files if _has_changed(file, intake)]
            if changed:
                reading = read_files(changed, roots, agent, checked=checked)
                accept = partial(_is_ours, roots, agent, strict=checked)
                captured.add(intake.take(agent, reading, accept=accept))
    for session in told_sessions(notes, intake, roots):
        part = Part("", Imported((session,)))
        captured.add(intake.take(session.agent, Reading(1, iter([part]))))


def _named(note: Note, known: Iterable[Path]) -> list[Path]:
    """Return the transcripts that a note speaks of, those of subagents too."""
    found = [Path(path) for path in note.transcripts if path.isprintable()]
    if note.session:  # Codex may name none, and Claude Code does not name those of subagents
        found += [path for path in known if note.session in (*path.parts, *_ids_in(path.stem))]
    return found


def _ids_in(stem: str) -> tuple[str, str]:
    return stem, stem[-36:]


def _refused(agent: str, path: Path, environ: Mapping[str, str]) -> Problem | None:
    """Return why a file that a note names is not read."""
    real = Path(os.path.realpath(path))
    bases = [Path(os.path.realpath(base)) for base in bases_of(agent, environ)]
    if not path.is_absolute() or not any(real.is_relative_to(base) for base in bases):
        return Problem(str(path), 0, f"not in a folder of {agent}")
    if agent in _BY_FOLDER:
        return Problem(str(path), 0, "not in the folder of this repository")
    return None if real.is_file() else Problem(str(path), 0, "no regular file")


def _has_changed(file: Path, intake: Intake) -> bool:
    try:
        return not intake.known.is_unchanged(os.fsencode(file), stamp_of(file.stat()))
    except OSError:
        return False


def _is_ours(roots: Roots, agent: str, _part: Part, session: Session, *, strict: bool) -> bool:
    """Whether a session began inside this repository.

    The name of the folder of a transcript of Claude Code may stand for several folders; what a
    subagent stood in says nothing, where its transcript lies is enough.
    """
    if not strict and (agent != "claude-code" or session.parent):
        return True
    folders = {session.directory, os.path.realpath(session.directory)} if session.directory else ()
    return any(
        folder == top or folder.startswith(top.rstrip("/") + "/")
        for folder in folders
        for top in roots.tops
    )
