"""`git skillmesh restore`: bring back what is in a backup."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import ExitCode, UsageError
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..backup.restoring import Restored
    from ..backup.unpacking import Unpacked

SCHEMA = 1
_SHOWN = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "restore",
        help="bring back what is in a backup",
        description="Prove a backup, then bring back what is missing here. What is otherwise here "
        "stays; what was forgotten here stays forgotten. A file that is not whole is refused "
        "before anything is touched, with exit code 8.",
    )
    parser.add_argument("file", metavar="FILE", help="the backup, or - for standard input")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument(
        "--into", metavar="FOLDER", help="only unpack it, into a new folder; no repository is used"
    )
    parser.add_argument(
        "--replace", action="store_true",
        help="files, settings and documents that differ become those of the backup",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true", help="take the backup of another repository"
    )
    parser.add_argument(
        "--personal", action="store_true",
        help="also set what is yours alone, such as servers, and whom you share with",
    )  # fmt: skip
    parser.add_argument(
        "--adapters", action="store_true",
        help="also adapters, what is deployed, and what training remembers",
    )  # fmt: skip
    parser.add_argument(
        "--no-collections", action="store_true", help="leave the collections in Chroma as they are"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what went wrong")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/backup.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Restore, or show what it would do."""
    from ..backup.restoring import Options, restore, unpack_into
    from ..backup.unpacking import rehearse, unpack
    from ..backup.workplace import workplace

    if args.into is not None:
        for name in ("dry_run", "replace", "force", "personal", "adapters", "no_collections"):
            if getattr(args, name):
                raise UsageError(f"--{name.replace('_', '-')} does not go with --into")
    options = Options(
        args.dry_run, args.force, args.replace, args.personal, args.adapters,
        not args.no_collections,
    )  # fmt: skip
    repository = None if args.into is not None else context.repository
    file, name = opened(args.file, context)
    with file, workplace(repository) as folder:
        with progress_bar("reading", context.quiet or context.json) as progress:
            found = unpack(file, name, folder, progress)
        if repository is None:
            rehearse(found)
            into = (context.folder or Path()) / args.into
            _unpacked(context, found, into, unpack_into(found, into))
            return ExitCode.OK
        done = restore(found, repository, context.config, options)
    if context.json:
        context.out_json(_document(found, done, args.dry_run))
    elif not context.quiet:
        for line in _lines(found, done, args.dry_run):
            context.out(safe_line(line))
    if not args.dry_run:
        context.go_on()
    return ExitCode.OK


def opened(name: str, context: Context) -> tuple[BinaryIO, str]:
    """Open a backup, and return how it is called. Raises `UsageError`."""
    if name == "-":
        if sys.stdin.isatty():
            raise UsageError("standard input is a terminal", "… | git skillmesh restore -")
        return sys.stdin.buffer, "the backup"
    try:
        return ((context.folder or Path()) / name).open("rb"), name
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {name}", why) from None


def _unpacked(context: Context, found: "Unpacked", into: Path, count: int) -> None:
    if context.json:
        context.out_json({"schema": SCHEMA, "into": into, "members": count})
    elif not context.quiet:
        context.out(safe_line(f"{into}: {plural(count, 'file')} of {found.name}"))


def _document(found: "Unpacked", done: "Restored", dry_run: bool) -> dict[str, Any]:
    manifest = found.manifest
    return {
        "schema": SCHEMA,
        "dry_run": dry_run,
        "backup": {"created": manifest.created, "repo_id": manifest.repo_id},
        "memory": asdict(done.memory),
        "files": asdict(done.files),
        "settings": asdict(done.settings),
        "collections": [asdict(one) for one in done.collections],
        "collections_skipped": done.collections_skipped,
        "adapters": asdict(done.adapters),
    }


def _lines(found: "Unpacked", done: "Restored", dry_run: bool) -> list[str]:
    mood = "would be " if dry_run else ""
    manifest = found.manifest
    lines = [f"backup of the repository {manifest.repo_id}, made {manifest.created}"]
    lines.append(f"  memory       {mood}added: {done.memory}" if done.memory else _all("memory"))
    files = done.files
    parts = [f"{mood}written: {_some(files.written)}"] if files.written else []
    parts += [f"{plural(files.same, 'file')} as in the backup"] if files.same else []
    parts += [f"otherwise here, left so: {_some(files.differ)}"] if files.differ else []
    parts += [f"deleted here since, left so: {_some(files.deleted)}"] if files.deleted else []
    parts += [files.skipped] if files.skipped else []
    lines.append(f"  files        {'; '.join(parts) or 'none'}")
    settings = done.settings
    parts = [f"{mood}set: {_some(settings.set)}"] if settings.set else []
    parts += [f"{plural(settings.same, 'setting')} as in the backup"] if settings.same else []
    parts += [f"otherwise here, left so: {_some(settings.differ)}"] if settings.differ else []
    if settings.personal:
        parts.append(f"yours alone, left out without --personal: {_some(settings.personal)}")
    lines.append(f"  settings     {'; '.join(parts) or 'none'}")
    for one in done.collections:
        parts = [f"{plural(one.added, 'document')} {mood}added"] if one.added else []
        parts += [f"{plural(one.replaced, 'document')} {mood}replaced"] if one.replaced else []
        parts += [f"{plural(one.same, 'document')} as in the backup"] if one.same else []
        parts += [f"otherwise here, left so: {_some(one.differ)}"] if one.differ else []
        lines.append(f"  collection   {one.name}: {'; '.join(parts) or 'no documents'}")
    if done.collections_skipped:
        lines.append(f"  collections  left out: {done.collections_skipped}")
    adapters = done.adapters
    parts = [f"{mood}brought back: {_some(adapters.adapters)}"] if adapters.adapters else []
    parts += [f"{mood}written: {_some(adapters.files)}"] if adapters.files else []
    parts += [f"left out: {_some(adapters.left)}"] if adapters.left else []
    if parts:
        lines.append(f"  adapters     {'; '.join(parts)}")
    return lines


def _all(what: str) -> str:
    return f"  {what:<12} has all of it already"


def _some(names: list[str]) -> str:
    """Return names, the first ones of many."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
