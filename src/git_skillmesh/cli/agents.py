"""`git skillmesh agents`: connect coding agents with the memory, and prove that it works."""

import argparse
import difflib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..agents.catalogue import AGENTS, HOOK, PROGRAM, SCOPES, Places
from ..agents.install import Change, Site, install, remove
from ..agents.state import PARTS, State, state_of
from ..errors import ExitCode, NotARepository, UsageError
from .actions import check_action
from .context import Context
from .terminal import safe, safe_line

SCHEMA = 1
# Agents may stand before and behind options.
WORDS_ANYWHERE = True
ACTIONS = ("list", "install", "remove", "doctor", "plugin")
# Option → the actions that know it.
_OPTIONS = {
    "scope": ("install", "remove"),
    "absolute": ("install",),
    "dry_run": ("install", "remove"),
    "json": ("list", "install", "remove", "doctor"),
}
_RECORD = "skillmesh-agents.json"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "agents",
        help="connect coding agents with the memory, and prove that it works",
        description="Write the MCP server, the hooks and a short rule text into the configuration "
        "of coding agents, and take them out again; everything else in those files stays as it "
        "is. list: what each agent has; install AGENT, remove AGENT; doctor [AGENT]: follow a "
        "prompt and an edit through the very commands that are installed; plugin DIR: write a "
        "plugin for Claude Code. Exit code 8: doctor found something wrong.",
    )
    parser.add_argument("action", nargs="?", metavar="ACTION", default="list",
                        help="list (default), install, remove, doctor or plugin")  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="AGENT",
                        help=f"{', '.join(AGENTS)}; plugin: a folder")  # fmt: skip
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--project", dest="scope", action="store_const", const="project",
                       help="install, remove: in files of this repository (default)")  # fmt: skip
    scope.add_argument("--user", dest="scope", action="store_const", const="user",
                       help="install, remove: in your own configuration, for all "
                       "repositories")  # fmt: skip
    parser.add_argument("--absolute", action="store_true",
                        help="install: write whole paths of the programs, for an agent with "
                        "another PATH")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true",
                        help="install, remove: only show what would change")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="list, install, remove, doctor: print JSON, see "
                        "docs/agents-setup.md")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="when to use colour")  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one of the actions. Raises `UsageError`, and as `install` and `remove`."""
    _check(args)
    if args.action == "list":
        return _list(context)
    if args.action == "doctor":
        from .agents_doctor import check

        return check(args.names, places_of(context), context)
    if args.action == "plugin":
        from ..agents.plugin import write_plugin

        for path in write_plugin(Path(args.names[0])):
            context.out(safe_line(path))
        return ExitCode.OK
    site = _site(args.scope or "project", context, absolute=args.absolute)
    work = install if args.action == "install" else remove
    changes = work(args.names, site, dry_run=args.dry_run)
    if context.json:
        told = [_as_json(change, show_diff=args.dry_run) for change in changes]
        context.out_json({"schema": SCHEMA, "files": told})
        return ExitCode.OK
    for change in changes:
        if not args.dry_run or change.kind == "unchanged":
            parts = ", ".join(change.parts)
            context.out(safe_line(f"{change.kind:<9} {change.path}  ({parts})"))
        else:
            context.out(safe(_diff(change)).rstrip("\n"))
    for note in dict.fromkeys(note for change in changes for note in change.notes):
        context.note(safe_line(note))
    if args.action == "install" and not args.dry_run:
        _advise(args.names, site, context)
    return ExitCode.OK


def _check(args: argparse.Namespace) -> None:
    """Refuse what does not fit together. Raises `UsageError`."""
    check_action(args, ACTIONS, _OPTIONS, {"scope": args.scope})
    if args.action == "list" and args.names:
        raise UsageError("list takes no agents", "git skillmesh agents doctor AGENT")
    if args.action in ("install", "remove") and not args.names:
        raise UsageError(f"{args.action} takes at least one agent", ", ".join(AGENTS))
    if args.action == "plugin" and len(args.names) != 1:
        raise UsageError("plugin takes one folder")


def places_of(context: Context, *, absolute: bool = False) -> Places:
    """Return where the configuration of agents lies."""
    programs = {}
    for name in (PROGRAM, HOOK) if absolute else ():
        found = shutil.which(name)
        if found is None:
            raise UsageError(f"{name} is not on PATH", "install without --absolute")
        programs[name] = os.path.abspath(found)  # noqa: PTH100 - a link is not followed
    try:
        top = context.repository.top
    except NotARepository:
        top = None
    return Places(Path.home(), top, dict(os.environ), programs)


def _site(scope: str, context: Context, *, absolute: bool) -> Site:
    places = places_of(context, absolute=absolute)
    if scope == "user":
        config = places.folder("XDG_CONFIG_HOME", ".config")
        return Site(scope, places, config / "git-skillmesh" / "agents.json")
    return Site(scope, places, context.repository.common_dir / _RECORD)


def _advise(names: Sequence[str], site: Site, context: Context) -> None:
    """Say what else is needed: nothing is worse than hooks that do nothing."""
    if site.scope == "project":
        context.note(
            "commit these files to share them, or keep them to yourself by .git/info/exclude"
        )
        if not (context.repository.common_dir / "skillmesh-init.json").is_file():
            context.note("nothing is captured before `git skillmesh init` has run here")
    for limit in dict.fromkeys(
        f"{AGENTS[name].title}: {limit}"
        for name in names
        for limit in state_of(name, site.scope, site.places).limits
    ):
        context.note(limit)
    context.note("to see that it works: git skillmesh agents doctor")


def _list(context: Context) -> int:
    places = places_of(context)
    scopes = SCOPES if places.top is not None else ("user",)
    states = [state_of(name, scope, places) for name in AGENTS for scope in scopes]
    if context.json:
        context.out_json({"schema": SCHEMA, "agents": [_state_json(state) for state in states]})
        return ExitCode.OK
    context.out(f"{'agent':<12} {'scope':<8} " + " ".join(f"{part:<8}" for part in PARTS).rstrip())
    for state in states:
        words = " ".join(f"{state.parts[part]:<8}" for part in PARTS).rstrip()
        context.out(f"{state.agent.name:<12} {state.scope:<8} {words}")
    for line in dict.fromkeys(
        f"{state.agent.name}: {line}"
        for state in states
        if state.installed
        for line in (*state.limits, *state.problems)
    ):
        context.note(safe_line(line))
    return ExitCode.OK


def _state_json(state: State) -> dict[str, Any]:
    return {
        "agent": state.agent.name, "scope": state.scope, "installed": state.installed,
        "parts": state.parts, "files": state.files, "limits": state.limits,
        "problems": state.problems,
    }  # fmt: skip


def _as_json(change: Change, *, show_diff: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "path": change.path, "change": change.kind, "parts": change.parts, "notes": change.notes
    }  # fmt: skip
    return {**told, "diff": _diff(change)} if show_diff else told


def _diff(change: Change) -> str:
    """Return a change as a patch without lines around it: they may hold somebody's keys."""
    old, new = (
        [line + "\n" for line in (data or b"").decode().splitlines()]
        for data in (change.before, change.after)
    )
    before, after = (
        safe_line(str(change.path)) if data is not None else os.devnull
        for data in (change.before, change.after)
    )
    return "".join(difflib.unified_diff(old, new, before, after, n=0))
