"""`git skillmesh skills add|update|remove`: skills of others in .skillmesh/skills.

Nothing of them is run. The lock file beside the folder says what came from where.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import ExitCode, SkillmeshError, Unavailable, UsageError
from ..git.transport import Manners
from ..registry.folders import SkillFiles
from ..registry.loading import FOLDER, skills_of
from ..registry.shelf import Locked, Shelf
from ..registry.sources import Found, Opened, Source, open_source, read_source
from .columns import plural
from .context import Context
from .terminal import safe_line

LOCK = ".skillmesh/skills.lock.json"
_SHOWN_PROBLEMS = 5
_DIFFED = 256 * 1024  # bytes of a text of which changed lines are counted


def shelf_of(context: Context) -> Shelf:
    """Return the skills of others in this repository. Raises `UsageError`, `NotARepository`."""
    top = context.repository.top
    if top is None:
        raise UsageError("a bare repository has no working tree", "work in a clone")
    return Shelf(top / FOLDER, top / LOCK, top)


def add(args: argparse.Namespace, context: Context) -> int:
    """Copy skills of others into the repository."""
    if len(args.words) != 1:
        raise UsageError("add takes one PATH or URL")
    shelf = shelf_of(context)
    base = (context.folder or Path()).absolute()
    source = read_source(args.words[0], base, shelf.top)
    registry = skills_of(shelf.top)
    with open_source(source, _manners()) as opened:
        found = opened.skills(args.path or "", registry.by_id.keys())
        known = shelf.read()
        for one in found:
            if one.id in known:
                raise UsageError(
                    f"{one.id} was added before", f"git skillmesh skills update {one.id}"
                )
        _refuse_broken(found, args.force, context)
        shelf.put({one.id: (_forced(one), one.files) for one in found})
    for one in found:
        licence = safe_line(one.locked.licence) or "no licence found"
        count = plural(len(one.files.files), "file")
        context.out(f"added {context.style.bold(safe_line(one.id))}  {count}, {licence}")
        if one.id in registry.by_id:
            context.note(f"{safe_line(one.id)} takes the place of one that was there")
    commit = found[0].locked.commit
    told = f" at {commit[:12]}" if commit else ""
    context.note(f"from {safe_line(source.shown)}{told}; {LOCK} says so, commit both")
    return ExitCode.OK


def _manners() -> Manners:
    asked = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return Manners(ask=asked)


def _forced(one: Found) -> Locked:
    return replace(one.locked, forced=tuple(map(str, one.problems)))


def _refuse_broken(found: "list[Found]", force: bool, context: Context) -> None:
    problems = [problem for one in found for problem in one.problems]
    if not problems:
        return
    for problem in problems[:_SHOWN_PROBLEMS]:
        context.note(safe_line(str(problem)))
    if len(problems) > _SHOWN_PROBLEMS:
        context.note(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    if not force:
        broken = [one.id for one in found if one.problems]
        names = ", ".join(broken[:_SHOWN_PROBLEMS]) + (" …" if broken[_SHOWN_PROBLEMS:] else "")
        raise UsageError(
            f"{names} cannot be added as {'it is' if len(broken) == 1 else 'they are'}",
            "--path SUB chooses others, --force adds them all the same",
        )


def update(args: argparse.Namespace, context: Context) -> int:
    """Take over what changed where skills came from."""
    shelf = shelf_of(context)
    known = shelf.read()
    chosen = {name: _locked(name, known, context) for name in args.words} or known
    if args.frozen:
        return _check_frozen(shelf, chosen, context)
    if not known:
        context.note("no skills were added")
        return ExitCode.OK
    # All of one source at once: it is fetched once.
    sources: dict[tuple[str, str], list[str]] = {}
    for name, one in chosen.items():
        sources.setdefault((one.source, one.revision), []).append(name)
    failed = False
    for (shown, revision), names in sources.items():
        try:
            source = _again(shown, revision, chosen[names[0]], shelf)
            with open_source(source, _manners()) as opened:
                failed |= _update_from(opened, names, chosen, shelf, args, context)
        except (UsageError, Unavailable) as error:
            failed = True
            context.note(safe_line(f"{', '.join(names)}: {error}"))
    return ExitCode.FINDINGS if failed else ExitCode.OK


def _update_from(
    opened: Opened, names: Sequence[str], chosen: Mapping[str, Locked], shelf: Shelf,
    args: argparse.Namespace, context: Context,
) -> bool:  # fmt: skip
    """Take over the skills of one source; return whether one of them could not be."""
    failed = False
    fresh: dict[str, tuple[Locked, SkillFiles]] = {}
    ids = skills_of(shelf.top).by_id.keys()
    for name in names:
        try:
            found = opened.skills(chosen[name].subpath, ids)
            successor = _successor(name, chosen[name], found)
            if _worth_it(successor, chosen[name], shelf, args, context):
                fresh[name] = (_forced(successor), successor.files)
        except UsageError as error:
            failed = True
            context.note(safe_line(f"{name}: {error}"))
    if fresh and not args.dry_run:
        shelf.put(fresh)
    return failed


def _locked(name: str, known: Mapping[str, Locked], context: Context) -> Locked:
    if name not in known:
        raise UsageError(f"{name} was not added", ", ".join(known) or "no skill was")
    return known[name]


def _again(shown: str, revision: str, one: Locked, shelf: Shelf) -> Source:
    """Return a source of the lock file; a path is seen from the top of the repository."""
    text = f"{shown}#{revision}" if revision else shown
    source = read_source(text, shelf.top, shelf.top)
    if one.commit and not source.git:  # a folder now, where a repository was meant
        return replace(source, git=True, protocols=("file",))
    return source


def _successor(name: str, old: Locked, found: "list[Found]") -> Found:
    """Return what a skill has become. Raises `UsageError` where it is no more."""
    for one in found:
        if one.locked.subpath == old.subpath:
            if one.id != name:
                what = f"is {one.id} there now"
                raise UsageError(what, f"git skillmesh skills remove {name}, then add it")
            return one
    raise UsageError("is no more where it came from", f"git skillmesh skills remove {name}")


def _worth_it(
    one: Found, old: Locked, shelf: Shelf, args: argparse.Namespace, context: Context
) -> bool:
    """Say what would change; return whether anything does. Raises `UsageError` for edited files."""
    difference = shelf.difference(old)
    edited = difference.edited(one.locked.files.keys() - old.files.keys())
    same = one.locked.files == old.files
    if same and not (edited and args.force):
        mine = "; your changes stay" if edited else ""
        context.out(f"{context.style.bold(safe_line(one.id))}  up to date{mine}")
        return not edited and one.locked.commit != old.commit
    commits = f"  {old.commit[:12]} → {one.locked.commit[:12]}" if one.locked.commit else ""
    context.out(f"{context.style.bold(safe_line(one.id))}{commits}")
    for line in _summary(one, old, shelf):
        context.out(f"    {safe_line(line)}")
    if edited and not args.force:
        raise UsageError(f"you changed {', '.join(edited)}", "--force writes over that")
    if one.problems:
        _refuse_broken([one], args.force, context)
    return True


def _summary(one: Found, old: Locked, shelf: Shelf) -> Iterator[str]:
    new = one.locked.files
    for path in sorted(new.keys() | old.files.keys()):
        if path not in old.files:
            yield f"new      {path}"
        elif path not in new:
            yield f"removed  {path}"
        elif new[path] != old.files[path]:
            yield f"changed  {path}{_lines(shelf.folder / old.path / path, one.files.files[path])}"
    if one.locked.licence != old.licence:
        yield f"licence  {old.licence or 'none'} → {one.locked.licence or 'none'}"


def _lines(place: Path, fresh: bytes) -> str:
    """Return how many lines come and go, "" for what is no text."""
    import difflib

    try:
        before = place.read_bytes()[: _DIFFED + 1]
        if max(len(before), len(fresh)) > _DIFFED:
            return ""
        old, new = before.decode().splitlines(), fresh.decode().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    diff = [line[:1] for line in difflib.ndiff(old, new)] if len(old) + len(new) < 4000 else []
    return f"  +{diff.count('+')} -{diff.count('-')}" if diff else ""


def remove(args: argparse.Namespace, context: Context) -> int:
    """Take away exactly what was added."""
    if not args.words:
        raise UsageError("remove takes the IDs of skills that were added")
    shelf = shelf_of(context)
    known = shelf.read()
    left: list[str] = []
    for name in args.words:
        one = _locked(name, known, context)
        difference = shelf.difference(one)
        if difference.changed and not args.force:
            what = ", ".join(safe_line(path) for path in difference.changed)
            raise UsageError(f"{name}: you changed {what}", "--force removes it all the same")
        left += [f"{FOLDER}/{one.path}/{path}" for path in difference.added]
    shelf.remove(args.words)
    for name in args.words:
        context.out(f"removed {safe_line(name)}")
    for path in left:
        context.note(f"stays, it was not added: {safe_line(context.shown_path(path))}")
    return ExitCode.OK


def _check_frozen(shelf: Shelf, chosen: Mapping[str, Locked], context: Context) -> int:
    wrong = list(_differences(shelf, chosen))
    for line in wrong:
        context.out(safe_line(line))
    context.note(f"{plural(len(chosen), 'skill')}, {plural(len(wrong), 'difference')}" if wrong
                 else f"{plural(len(chosen), 'skill')} as {LOCK} says")  # fmt: skip
    return ExitCode.FINDINGS if wrong else ExitCode.OK


def _differences(shelf: Shelf, chosen: Mapping[str, Locked]) -> Iterator[str]:
    for one in chosen.values():
        found = shelf.difference(one)
        told = {
            "changed": found.changed,
            "missing": found.missing,
            "not in the lock": found.added,
        }
        for what, paths in told.items():
            yield from (f"{FOLDER}/{one.path}/{path}: {what}" for path in paths)


def refuse_unless_frozen(context: Context) -> None:
    """Raise an error where the skills are not what the lock file says."""
    shelf = shelf_of(context)
    wrong = list(_differences(shelf, shelf.read()))
    if wrong:
        error = SkillmeshError(f"not as {LOCK} says", f"{wrong[0]} ({len(wrong)} in all)")
        error.exit_code = ExitCode.FINDINGS
        raise error
