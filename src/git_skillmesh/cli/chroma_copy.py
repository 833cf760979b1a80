"""`git skillmesh chroma copy`: copy collections between stores, and prove it."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..chroma.moving.copying import Progress, Wanted
    from ..chroma.moving.specs import End
    from ..chroma.moving.transfer import Done, Planned
    from ..chroma.target import Target

SCHEMA = 1
_NAME = 22


def store_at(spec: str, end: "End", context: Context, option: str = "") -> "Target":
    """Return the store that an option names. Raises `UsageError`, `ConfigurationError`."""
    from ..chroma.moving.specs import target_from

    cwd = context.folder or Path.cwd()
    return target_from(spec, end, context.config, context.repository, cwd, option)


def copy(args: argparse.Namespace, context: Context) -> int:
    """Copy, or say what would be copied."""
    from ..chroma.moving import copying

    if not args.destination:
        raise UsageError("copy needs --to STORE", "git skillmesh chroma -h")
    destination = store_at(args.destination, "to", context)
    if args.discard:
        return _discard(destination, context)
    if not args.source:
        raise UsageError("copy needs --from STORE", "git skillmesh chroma -h")
    source = store_at(args.source, "from", context)
    wanted = _wanted(args, context)
    state_dir = context.repository.state_dir
    if args.dry_run:
        _tell_plan(source, destination, copying.plan(source, destination, state_dir, wanted),
                   context)  # fmt: skip
        return ExitCode.OK
    with _progress(context) as progress:
        done = copying.copy(source, destination, state_dir, wanted, progress)
    _tell(source, destination, done, context)
    return ExitCode.OK


def _wanted(args: argparse.Namespace, context: Context) -> "Wanted":
    from ..chroma.moving.copying import Wanted
    from ..index.identity import repo_id

    if args.repo and args.all_repos:
        raise UsageError("--repo and --all-repos exclude each other")
    own = [] if args.all_repos else [repo_id(context.repository, context.config)]
    names = tuple(dict.fromkeys(args.collection))
    return Wanted(names, tuple(args.repo) or tuple(own), args.existing, not args.ignore_limits)


@contextmanager
def _progress(context: Context) -> "Iterator[Progress | None]":
    with progress_bar("copying", context.quiet or context.json) as bar:
        if bar is None:
            yield None
        else:
            yield lambda phase, name, done, total: bar(min(done, total), total)


def _discard(destination: "Target", context: Context) -> int:
    from ..chroma.moving.copying import discard

    gone = discard(destination, context.repository.state_dir)
    if context.json:
        context.out_json({"schema": SCHEMA, "to": destination.describe(), "discarded": gone})
        return ExitCode.OK
    for name in gone:
        context.out(f"deleted {safe_line(name)}")
    if not gone:
        context.note("there is no copy that is not ready")
    return ExitCode.OK


def _tell_plan(
    source: "Target", destination: "Target", planned: "list[Planned]", context: Context
) -> None:
    if context.json:
        context.out_json({
            "schema": SCHEMA, "from": source.describe(), "to": destination.describe(),
            "planned": [asdict(one) for one in planned],
        })  # fmt: skip
        return
    _head(source, destination, context)
    for one in planned:
        state = {"new": "new", "unfinished": "to be finished", "there": "is there"}[one.state]
        model = safe_line(one.model_id) or "unknown model"
        shape = f"{one.dimension or '?'} dimensions, {one.space}, {model}"
        context.out(f"  {_named(one.name)} {state:<14} {one.rows:>9,} rows  {shape}")
        for problem in one.problems:
            context.out(f"      {context.style.bad(safe_line(problem))}")
    context.note("nothing was changed")


def _tell(source: "Target", destination: "Target", done: "list[Done]", context: Context) -> None:
    if context.json:
        context.out_json({
            "schema": SCHEMA, "from": source.describe(), "to": destination.describe(),
            "collections": [asdict(one) for one in done],
        })  # fmt: skip
        return
    _head(source, destination, context)
    for one in done:
        more = [f"{one.written:,} written", f"{one.searched} searched", f"sum {one.digest[:12]}"]
        more += [f"{one.removed:,} removed"] if one.removed else []
        more += [f"{one.kept:,} kept as they were"] if one.kept else []
        context.out(f"  {_named(one.name)} {one.rows:>9,} rows  {', '.join(more)}")
        for note in one.notes:
            context.out(f"      {safe_line(note)}")
    rows = sum(one.rows for one in done)
    context.out(f"{plural(rows, 'row')} in {plural(len(done), 'collection')}, each compared with "
                "its source")  # fmt: skip
    _advise(destination, done, context)


def _head(source: "Target", destination: "Target", context: Context) -> None:
    context.out(f"from  {safe_line(source.describe())}")
    context.out(f"to    {safe_line(destination.describe())}")


def _named(name: str) -> str:
    return f"{safe_line(name):<{_NAME}}"


def _advise(destination: "Target", done: "list[Done]", context: Context) -> None:
    """Say where rows have texts, or none, other than in a store of that kind that begins anew."""
    code = next((one for one in done if one.name == "codebase_v1" and one.rows), None)
    if code is None or context.config["chroma.documents"] != "auto":
        return
    local, texts = destination.kind == "persistent", code.documents > 0
    if local == texts:
        what, how = ("are", "false leaves them out") if local else ("are not", "true adds them")
        context.note(
            f"the texts of chunks {what} there, and an index there leaves it so; "
            f"git config skillmesh.chroma.documents {how}"
        )
