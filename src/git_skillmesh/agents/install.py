"""Install agents, and remove them without a trace.

In: names of agents, a scope, where the folders lie, and the record of what was done before. Out:
`Change`s, one a file. Everything is worked out before anything is written: a file that cannot be
understood leaves all of them as they are.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Busy
from . import edits, files, merging, sections
from .catalogue import AGENTS, Entry, Places, Target, agent_named, server, targets
from .files import ChangedMeanwhile
from .record import Done, Record, sum_of

# Somebody else writes the file again and again.
_TRIES = 5


@dataclass
class Change:
    """What becomes of one file: `before` and `after`, None where there is none.

    `notes` tell what was left alone, and why.
    """

    path: Path
    before: bytes | None
    after: bytes | None
    parts: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What happens to the file, in a word."""
        if self.before == self.after:
            return "unchanged"
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "changed"


@dataclass(frozen=True)
class Site:
    """A scope, the folders in it, and its record."""

    scope: str
    places: Places
    record: Path

    @property
    def top(self) -> Path | None:
        """The folder that files may not lead out of."""
        return self.places.top if self.scope == "project" else None


def install(names: Sequence[str], site: Site, *, dry_run: bool = False) -> list[Change]:
    """Install agents; doing it again changes nothing.

    Raises `UsageError`, `ConfigurationError` for a file that is not understood, `ReadOnly`, `Busy`.
    """
    return _each(names, site, _installed, dry_run)


def remove(names: Sequence[str], site: Site, *, dry_run: bool = False) -> list[Change]:
    """Take agents out again. Raises as `install`."""
    return _each(names, site, _removed, dry_run)


# An agent, one of its files, what is in that now, where this happens, the record → what then is in
# it, and notes.
Work = Callable[[str, Target, Path, bytes | None, Site, Record], tuple[bytes | None, list[str]]]


def _each(names: Sequence[str], site: Site, work: Work, dry_run: bool) -> list[Change]:
    wanted = [
        (name, target)
        for name in dict.fromkeys(names)
        for target in targets(agent_named(name).name, site.scope, site.places)
    ]
    if dry_run:
        return _planned(wanted, site, work, Record(site.record))
    with files.locked(site.record):
        for _ in range(_TRIES):
            record = Record(site.record)
            folders = {name: done.folders for name, done in record.files.items()}
            changes = _planned(wanted, site, work, record)
            # The record first: what it tells of a file that was not written then does no harm.
            record.save()
            try:
                for change in changes:
                    if change.before != change.after:
                        files.replace(change.path, change.before, change.after)
                    if change.after is None:
                        _remove_folders(change.path, folders.get(str(change.path)), site)
            except ChangedMeanwhile:
                continue
            break
        else:
            raise Busy("another program keeps writing the files", "try again in a moment")
    if site.scope == "user" and not site.record.exists():
        with contextlib.suppress(OSError):
            site.record.parent.rmdir()  # if nothing else is in it
    return changes


def _planned(
    wanted: Sequence[tuple[str, Target]], site: Site, work: Work, record: Record
) -> list[Change]:
    """Return what happens to each file, and let the record tell of it. Writes no file."""
    changes: dict[Path, Change] = {}
    for name, target in wanted:
        real = files.real_path(target.path, site.top)
        if real not in changes:
            now = files.read(real)
            changes[real] = Change(real, now, now)
        change = changes[real]
        change.after, notes = work(name, target, real, change.after, site, record)
        change.notes += [note for note in notes if note not in change.notes]
        change.parts = tuple(dict.fromkeys([*change.parts, *target.parts]))
    for change in changes.values():
        if change.after is None:
            change.notes = []  # "stays" was true only until its last agent was removed
    return list(changes.values())


def _installed(
    name: str, target: Target, path: Path, now: bytes | None, site: Site, record: Record
) -> tuple[bytes | None, list[str]]:
    text = None if now is None else files.decoded(now, path)
    done = record.files.get(str(path))
    known = done is not None and now is not None and done.sum == sum_of(now)
    ours = _has_ours(text, target, path, site)
    if done is None or (not known and not ours):
        made = text is None
        folders = [str(folder) for folder in files.missing_folders(path)] if made else []
        done = Done([], made, folders)
        if ours:  # another clone has installed it, or the record is lost
            done.cuts = done.paths = None
        known = not ours
    if target.form == "json":
        merged = merging.put_in(text or "", target.entries, str(path))
        after, cuts, notes = merged.text, merged.cuts, merged.notes
        if done.paths is not None:
            done.paths += merged.made
    else:
        found, notes = sections.put_in(text, target.form, server(site.places), str(path))
        if found is None:
            return now, notes
        after, cuts = found, edits.between(text or "", found)
    if after == text and not ours:
        return now, notes  # all of it is somebody's own
    if cuts:
        done.cuts = [*done.cuts, *cuts] if known and done.cuts is not None else None
        done.sum = sum_of(after.encode())
    done.agents = sorted({*done.agents, name})
    record.files[str(path)] = done
    return after.encode(), notes


def _removed(
    name: str, target: Target, path: Path, now: bytes | None, site: Site, record: Record
) -> tuple[bytes | None, list[str]]:
    done = record.files.get(str(path))
    entries, sharing = _only_of(name, target, path, site, done)
    if done is not None:
        done.agents = [one for one in done.agents if one != name]
        if not sharing:
            del record.files[str(path)]
    if now is None or (sharing and not entries):
        used = f"{path} stays: {' and '.join(sharing)} use{'s' * (len(sharing) == 1)} it too"
        return now, [used] if now is not None else []
    text = files.decoded(now, path)
    if done is not None and not sharing and done.cuts is not None and done.sum == sum_of(now):
        before = edits.taken_back(text, done.cuts)
        if before is not None:
            return (None if done.made and not before else before.encode()), []
    made = done is None or done.made or done.paths is None
    if target.form != "json":
        left, notes = sections.take_out(text, target.form, str(path))
        return (None if left is None or (made and left == "") else left.encode()), notes
    merged = merging.take_out(text, entries, str(path), done.paths if done else None)
    if made and merged.cuts and _says_nothing(merged.text):
        return None, merged.notes
    return merged.text.encode(), merged.notes


def _has_ours(text: str | None, target: Target, path: Path, site: Site) -> bool:
    if text is None:
        return False
    if target.form == "json":
        return bool(merging.take_out(text, target.entries, str(path), None).cuts)
    return sections.state(text, target.form, server(site.places), str(path)) != "no"


def _says_nothing(text: str) -> bool:
    """Whether what is left of a configuration file is only its frame."""
    return "".join(text.split()) in ("{}", '{"version":1}')


def _only_of(
    name: str, target: Target, path: Path, site: Site, done: Done | None
) -> tuple[tuple[Entry, ...], list[str]]:
    """Return the entries that no other installed agent wants, and which agents share the file."""
    sharing, entries = [], target.entries
    for other in AGENTS:
        theirs = [] if other == name else targets(other, site.scope, site.places)
        same = next((one for one in theirs if _real(one.path) == path), None)
        if same is None or not _is_installed(other, theirs, path, site, done):
            continue
        sharing.append(other)
        entries = tuple(one for one in entries if one not in same.entries)
    return entries, sharing


def _is_installed(
    name: str, theirs: Sequence[Target], shared: Path, site: Site, done: Done | None
) -> bool:
    """Whether an agent is installed, by the record or by what it does not share."""
    if done is not None and done.paths is not None:
        return name in done.agents
    rest = [one for one in theirs if _real(one.path) != shared and one.form != "section"]
    found = [(one, files.read_text(_real(one.path))) for one in rest]
    return bool(found) and all(_has_ours(text, one, one.path, site) for one, text in found)


def _real(path: Path) -> Path:
    return files.real_path(path, None)


def _remove_folders(path: Path, made: Sequence[str] | None, site: Site) -> None:
    """Remove the folders that came with a file, as far as nothing else is in them."""
    if made is None and site.top is not None:
        made = [str(one) for one in path.parents if one.is_relative_to(site.top.resolve())][:-1]
        made.reverse()
    for folder in reversed(made or []):
        try:
            Path(folder).rmdir()
        except OSError:
            return
