"""`git skillmesh skills install|export`: skills where agents read them.

What is written is noted beside it, so that it can be brought up to date and taken away exactly.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import __version__
from ..errors import ExitCode, UsageError
from ..registry import agents_md
from ..registry.choosing import chosen_cards, prerequisites
from ..registry.exporting import (
    MANIFEST,
    locked,
    named,
    plugin_files,
    read_or_none,
    section,
    skill_of,
)
from ..registry.folders import SkillFiles
from ..registry.model import Card, Registry
from ..registry.shelf import Locked, Shelf
from .columns import plural
from .context import Context
from .skills_registry import place_of, registry_of, top_of
from .terminal import safe_line

NOTED = ".git-skillmesh.json"
AGENTS_MD = "AGENTS.md"
# Agent → where it looks for skills, from the top of a project.
_FOLDERS = {
    "claude": ".claude/skills",
    "codex": ".agents/skills",
    "cursor": ".cursor/skills",
    "gemini": ".gemini/skills",
}
_FORMATS = ("claude", "agents", "plugin", "agents-md")
_PLUGIN = "project-skills"

Written = Mapping[str, "tuple[Locked, SkillFiles]"]


@dataclass(slots=True)
class _Outcome:
    """What was done in a folder."""

    written: "list[str]" = field(default_factory=list)
    same: "list[str]" = field(default_factory=list)
    removed: "list[str]" = field(default_factory=list)

    def __str__(self) -> str:
        parts = [plural(len(self.written), "skill") + " written"] if self.written else []
        parts += [f"{len(self.same):,} up to date"] if self.same else []
        parts += [f"{len(self.removed):,} removed"] if self.removed else []
        return ", ".join(parts) or "nothing to do"


def install(args: argparse.Namespace, context: Context) -> int:
    """Write skills of roles or ids where agents read them."""
    if args.agent and args.to:
        raise UsageError("--agent and --to name two places", "use one of them")
    if not args.agent and not args.to:
        raise UsageError("say for whom", f"--agent {'|'.join(_FOLDERS)}, or --to DIR")
    if not args.words and not args.remove:
        raise UsageError("install takes ROLES or IDs", "git skillmesh skills list")
    _frozen(args, context)
    top = _top(context)
    if args.to:
        folder = place_of(args.to, context).absolute()
        shelves = [Shelf(folder, folder / NOTED, folder)]
    else:
        shelves = [_shelf(top, _FOLDERS[agent]) for agent in dict.fromkeys(args.agent)]
    registry = registry_of(args, context)
    cards = _cards(args, registry)
    for shelf in shelves:
        if args.remove:
            wanted = [card.id for card in cards] if args.words else list(shelf.read())
            outcome = _take_away(shelf, wanted, args.force)
        else:
            skills = _skills(cards, registry, "", shelf)
            outcome = _bring(shelf, skills, args.force, exact=False)
        context.out(f"{context.style.path(safe_line(_shown(shelf.folder)))}: {outcome}")
    return ExitCode.OK


def export(args: argparse.Namespace, context: Context) -> int:
    """Write skills for agents, as a plugin, and into AGENTS.md."""
    _frozen(args, context)
    top = place_of(args.to, context).absolute() if args.to else _top(context)
    if not top.is_dir():
        raise UsageError(f"no such folder: {top}")
    formats = tuple(dict.fromkeys(args.formats or _FORMATS))
    registry = registry_of(args, context)
    cards = [] if args.remove else _cards(args, registry) if args.words else list(registry.cards)
    for kind in formats:
        if kind == "agents-md":
            done = _agents_md(top, cards, formats, args.remove)
            context.out(f"{context.style.path(safe_line(_shown(top / AGENTS_MD)))}: {done}")
            continue
        folder = {
            "claude": _FOLDERS["claude"],
            "agents": _FOLDERS["codex"],
            "plugin": args.name or _PLUGIN,
        }[kind]
        shelf = _shelf(top, folder)
        if args.remove:
            outcome = _take_away(shelf, list(shelf.read()), args.force)
        elif kind == "plugin":
            files = plugin_files(folder, top.resolve().name, __version__, len(cards))
            skills = {MANIFEST: (Locked(MANIFEST, files.hashes), files)}
            skills |= _skills(cards, registry, "skills/", shelf)
            outcome = _bring(shelf, skills, args.force, exact=True)
        else:
            outcome = _bring(shelf, _skills(cards, registry, "", shelf), args.force, exact=True)
        context.out(f"{context.style.path(safe_line(_shown(shelf.folder)))}: {outcome}")
    return ExitCode.OK


def _frozen(args: argparse.Namespace, context: Context) -> None:
    if args.frozen:
        from .skills_adding import refuse_unless_frozen

        refuse_unless_frozen(context)


def _top(context: Context) -> Path:
    return top_of(context) or (context.folder or Path()).absolute()


def _shelf(top: Path, folder: str) -> Shelf:
    return Shelf(top / folder, top / folder / NOTED, top)


def _shown(place: Path) -> str:
    try:
        return str(place.relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(place)


def _cards(args: argparse.Namespace, registry: Registry) -> list[Card]:
    cards = chosen_cards(args.words, registry)
    if args.with_prerequisites:
        cards += [card for card, _ in prerequisites(cards, registry)]
    return cards


def _skills(
    cards: Sequence[Card], registry: Registry, prefix: str, shelf: Shelf
) -> dict[str, tuple[Locked, SkillFiles]]:
    """Return what is to be written, by id. Raises `UsageError` where names collide."""
    known = {one.path: name for name, one in shelf.read().items()}
    skills = {}
    for name, card in named(cards).items():
        other = known.get(prefix + name, card.id)
        if other != card.id and other not in {one.id for one in cards}:
            what = f"{card.id} would be the skill {name}, and {other} is that already"
            raise UsageError(what, f"remove it first: --remove {other}")
        files = skill_of(card, name)
        skills[card.id] = (locked(card, prefix + name, files, registry.name), files)
    return skills


def _bring(shelf: Shelf, skills: Written, force: bool, *, exact: bool) -> _Outcome:
    """Write what is not there as it should be; with `exact` what is no more wanted goes."""
    known = shelf.read()
    outcome = _Outcome()
    due: dict[str, tuple[Locked, SkillFiles]] = {}
    for name, (one, files) in skills.items():
        edited: list[str] = []
        if name in known:
            edited = shelf.difference(known[name]).edited(files.files.keys() - known[name].files)
        if edited and not force:
            what = f"{shelf.folder / known[name].path}: {', '.join(edited)}"
            raise UsageError(f"somebody changed {what}", "--force writes over that")
        told = [] if name == MANIFEST else [name]
        if name in known and not edited and known[name] == one:
            outcome.same += told
        else:
            due[name] = (one, files)
            outcome.written += told
    stale = [name for name in known if exact and name not in skills]
    _refuse_edited(shelf, stale, known, force)
    shelf.put(due)
    if stale:
        shelf.remove(stale)
    outcome.removed += [name for name in stale if name != MANIFEST]
    return outcome


def _take_away(shelf: Shelf, names: Sequence[str], force: bool) -> _Outcome:
    known = shelf.read()
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"{missing[0]} is not installed there", ", ".join(known) or "nothing is")
    _refuse_edited(shelf, names, known, force)
    if names:
        shelf.remove(names)
    return _Outcome(removed=[name for name in names if name != MANIFEST])


def _refuse_edited(
    shelf: Shelf, names: Sequence[str], known: Mapping[str, Locked], force: bool
) -> None:
    for name in names:
        changed = shelf.difference(known[name]).changed
        if changed and not force:
            what = f"{shelf.folder / known[name].path}: {', '.join(changed)}"
            raise UsageError(f"somebody changed {what}", "--force removes it all the same")


def _agents_md(top: Path, cards: Sequence[Card], formats: Sequence[str], remove: bool) -> str:
    """Put the section into AGENTS.md, or take it out; return what was done."""
    place = top / AGENTS_MD
    if place.is_symlink():
        place = place.resolve()
        if top.resolve() not in place.parents:
            raise UsageError(f"{AGENTS_MD} is a link that leaves the project")
    old = read_or_none(place)
    if remove:
        fresh = None if old is None else agents_md.without(old)
    else:
        folder = _FOLDERS["codex"] if "agents" in formats else ""
        fresh = agents_md.merged(old, section(cards, folder))
    if fresh == old:
        return "nothing to do" if remove else "up to date"
    from ..registry.shelf import delete, write

    if fresh is None:
        delete(place)
    else:
        write(place, fresh)
    return "section removed" if remove else "section written"
