"""`git skillmesh backup`: make a backup, prove one, and have one made every day."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, ReadOnly, UsageError
from .columns import bytes_word
from .context import Context
from .scheduling import EVERY_DAY, add_options, check_options, install, remove, show, standing
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..backup.making import Made
    from ..backup.manifest import Manifest

SCHEMA = 1
_LAST = "last-backup.json"
_KEPT = 7


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "backup",
        help="put everything that must not be lost into one file",
        description="Write conversations, thoughts, links, learnings, skills, settings and the "
        "collections that only Chroma holds into one file. `git skillmesh restore` brings them "
        "back. Exit code 8 with --verify: it is not whole.",
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?",
        help="the file, a folder for one with a dated name, or - for standard output",
    )  # fmt: skip
    parser.add_argument(
        "--verify", action="store_true",
        help="prove a backup: every byte, every object, every record",
    )  # fmt: skip
    parser.add_argument(
        "--keep", type=int, metavar="N",
        help="in a folder: remove all but the last N of this repository",
    )  # fmt: skip
    parser.add_argument("--adapters", action="store_true", help="with the weights of adapters")
    parser.add_argument(
        "--no-collections", action="store_true", help="without the collections of your own"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is no backup")
    add_options(parser, "make a backup in the folder FILE every day", "01:30", "ubuntu-latest")
    parser.add_argument("--status", action="store_true", help="show schedules and the last backup")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what went wrong")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/backup.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Make or prove a backup, or change its schedule."""
    asked = [name for name in ("install", "remove", "status") if getattr(args, name)]
    check_options(args, asked)
    if args.verify and asked:
        raise UsageError(f"--verify and --{asked[0]} exclude each other")
    _check_making(args, "verify" if args.verify else asked[0] if asked else "")
    if args.keep is not None and args.keep < 1:
        raise UsageError("--keep must be 1 or more")
    if asked == ["install"]:
        return _install(args, context)
    if asked:
        if args.file:
            raise UsageError(f"--{asked[0]} takes no FILE")
        return _remove(context) if args.remove else _status(context)
    if not args.file:
        raise UsageError("no file is named", "git skillmesh backup FILE, or a folder, or -")
    return _verify(args, context) if args.verify else _make(args, context)


def _check_making(args: argparse.Namespace, instead: str) -> None:
    """Refuse options of a backup where none is made."""
    known = ("keep", "adapters", "no_collections") if instead == "install" else ()
    for name in ("keep", "adapters", "no_collections", "force"):
        if instead and getattr(args, name) and name not in known:
            raise UsageError(f"--{name.replace('_', '-')} does not go with --{instead}")


def _make(args: argparse.Namespace, context: Context) -> int:
    from ..backup import folder as folders
    from ..backup.gathering import What
    from ..backup.making import back_up, summary
    from ..index.identity import repo_id

    what = What(collections=not args.no_collections, adapters=args.adapters)
    repository, config = context.repository, context.config
    if args.file == "-":
        return _stream(args, context, what)
    path = _path(args, context)
    repo, gone = repo_id(repository, config), list[Path]()
    if args.keep and not path.is_dir():
        raise UsageError("--keep goes with a folder", f"{path} is none")
    if path.is_dir():
        folder, name = path, (repository.top or repository.git_dir).name
        path = folders.dated(folder, name, repo)
    with progress_bar("backing up", context.quiet or context.json) as progress:
        made = back_up(repository, config, path, what, force=args.force, progress=progress)
    if args.keep:
        gone = folders.older(path, repo, args.keep)
        folders.remove(gone)
    _remember(context, made)
    if context.json:
        context.out_json({**_document(made.manifest), **_file(made), "removed": gone})
    elif not context.quiet:
        context.out(safe_line(f"{path}: {bytes_word(made.size)}"))
        context.out(safe_line(f"  {', '.join(summary(made.manifest))}"))
        for old in gone:
            context.out(safe_line(f"  removed {old.name}"))
    _warn(context, made.manifest, path)
    return ExitCode.OK


def _stream(args: argparse.Namespace, context: Context, what: Any) -> int:
    from ..backup.making import back_up, summary

    if args.json or args.keep:
        raise UsageError(f"--{'json' if args.json else 'keep'} goes with a file, not with -")
    if sys.stdout.isatty():
        raise UsageError("a backup is nothing for a terminal", "git skillmesh backup - | …")
    made = back_up(context.repository, context.config, sys.stdout.buffer, what)
    context.note(safe_line(f"{bytes_word(made.size)}: {', '.join(summary(made.manifest))}"))
    _warn(context, made.manifest, None)
    return ExitCode.OK


def _warn(context: Context, manifest: "Manifest", path: Path | None) -> None:
    for name, why in manifest.left_out.items():
        if name != "collections":
            context.note(safe_line(f"left out: {name} ({why})"))
    top = context.repository.top
    if path is not None and top is not None and _is_in(path, top):
        context.note("it lies in the working tree: keep it out of commits, it has conversations")


def _is_in(path: Path, top: Path) -> bool:
    inner = os.path.realpath(path)
    return inner.startswith(f"{os.path.realpath(top)}/") and "/.git/" not in inner


def _path(args: argparse.Namespace, context: Context) -> Path:
    if "\0" in args.file:
        raise UsageError("not a path")
    return (context.folder or Path()) / Path(args.file)


def _verify(args: argparse.Namespace, context: Context) -> int:
    from ..backup.making import summary
    from ..backup.unpacking import rehearse, unpack
    from ..backup.workplace import workplace
    from .restore import opened

    file, name = opened(args.file, context)
    with (
        file,
        workplace(None) as folder,
        progress_bar("reading", context.quiet or context.json) as progress,
    ):
        found = unpack(file, name, folder, progress, files=False)
        rehearse(found)
    if context.json:
        context.out_json({"ok": True, **_document(found.manifest)})
    elif not context.quiet:
        context.out(safe_line(f"{name}: whole"))
        manifest = found.manifest
        context.out(safe_line(f"  of the repository {manifest.repo_id}, made {manifest.created}"))
        context.out(safe_line(f"  {', '.join(summary(manifest))}"))
    return ExitCode.OK


def _document(manifest: "Manifest") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "created": manifest.created,
        "program": manifest.program,
        "repo_id": manifest.repo_id,
        "head": manifest.head,
        "memory": dict(manifest.memory),
        "files": len(manifest.below("files")),
        "collections": [dict(one) for one in manifest.collections],
        "adapters": dict(manifest.adapters),
        "left_out": dict(manifest.left_out),
    }


def _file(made: "Made") -> dict[str, Any]:
    return {"path": made.path, "bytes": made.size, "sha256": made.sha256}


def _remember(context: Context, made: "Made") -> None:
    """Keep what `--status` shows; without it there is only nothing to show."""
    from ..files import replace_file

    said = {"created": made.manifest.created, **_file(made)}
    try:
        replace_file(context.repository.state_dir / _LAST, json.dumps(said).encode())
    except OSError:
        return


def _install(args: argparse.Namespace, context: Context) -> int:
    from ..backup.job import job_of

    if args.install == "github":
        if args.file or args.keep or args.adapters or args.no_collections:
            raise UsageError("--install github takes no FILE and no options of a backup")
        return install(context, job_of(), args)
    if not args.file or args.file == "-":
        raise UsageError("no folder for the backups is named", "git skillmesh backup FOLDER …")
    folder = Path(os.path.abspath(_path(args, context)))  # noqa: PTH100 - links stay as they are
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {folder}", error.strerror or str(error)) from None
    words = ["--keep", str(args.keep or _KEPT)]
    words += ["--adapters"] if args.adapters else []
    words += ["--no-collections"] if args.no_collections else []
    return install(context, job_of([*words, "--", str(folder)]), args)


def _remove(context: Context) -> int:
    from ..backup.job import job_of

    return remove(context, job_of())


def _status(context: Context) -> int:
    from ..backup.job import job_of

    found = standing(context, job_of())
    try:
        last = json.loads((context.repository.state_dir / _LAST).read_bytes())
        line = f"last backup: {last['created']}, {last['path']}, {bytes_word(last['bytes'])}"
    except (OSError, ValueError, KeyError, TypeError):
        last, line = None, "last backup: none known"
    if context.json:
        context.out_json(
            {"schema": SCHEMA, "schedules": [asdict(one) for one in found], "last": last}
        )
        return ExitCode.OK
    show(context, found, EVERY_DAY)
    context.out(safe_line(line))
    return ExitCode.OK
