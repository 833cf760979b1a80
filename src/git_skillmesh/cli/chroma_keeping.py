"""`git skillmesh chroma upgrade` and `vacuum`: keep a store in order where it stands."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import ExitCode
from .chroma_copy import SCHEMA, store_at
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..chroma.model import RowSource
    from ..chroma.moving.upgrading import Upgraded

_NAME = 22


def upgrade(args: argparse.Namespace, context: Context) -> int:
    """Bring collections up to date; exit code 8 where something could not be done."""
    from ..chroma.moving.upgrading import sample_of
    from ..chroma.moving.upgrading import upgrade as upgraded_at

    target = store_at(args.at, "to", context, "--at")
    with ExitStack() as stack:
        samples = {name: sample_of(source) for name, source in _sources(context, stack)}
    with progress_bar("upgrading", context.quiet or context.json) as bar:
        done = upgraded_at(
            target,
            context.repository.state_dir,
            samples,
            dry_run=args.dry_run,
            progress=None if bar is None else lambda _name, rows: bar(rows, rows),
        )
    if context.json:
        context.out_json({
            "schema": SCHEMA, "at": target.describe(), "dry_run": args.dry_run,
            "collections": [asdict(one) for one in done],
        })  # fmt: skip
    else:
        context.out(safe_line(target.describe()))
        for one in done:
            _tell(one, context)
        if args.dry_run:
            context.note("nothing was changed")
    return ExitCode.DAMAGED if any(one.problems for one in done) else ExitCode.OK


def _sources(context: Context, stack: ExitStack) -> "Iterator[tuple[str, RowSource]]":
    """Yield what this clone can say of its own rows, where it is indexed."""
    from ..chroma.codebase import codebase_rows
    from ..chroma.remembered import REMEMBERED
    from ..index.store import Store

    if not Store(context.repository).catalogue_path.exists():
        return
    given = context.repository, context.config
    yield "codebase_v1", stack.enter_context(codebase_rows(*given))
    for one in REMEMBERED:
        rows = stack.enter_context(one.rows(*given))
        if rows is not None:
            yield one.collection, rows


def _tell(one: "Upgraded", context: Context) -> None:
    state = "ok" if not one.changed else f"schema {one.was} → {one.version}"
    if one.changed and one.was == one.version:
        state = "completed"
    context.out(f"  {safe_line(one.name):<{_NAME}} {state:<14} {one.rows:>9,} rows")
    if one.said:
        said = ", ".join(f"{key} {value}" for key, value in one.said.items())
        context.out(f"      now says {safe_line(said)}")
    for field, rows in one.fields.items():
        context.out(f"      {field} added to {plural(rows, 'row')}")
    for problem in one.problems:
        context.out(f"      {context.style.bad(safe_line(problem))}")


def vacuum(args: argparse.Namespace, context: Context) -> int:
    """Shrink a local store and say by how much."""
    from ..chroma.moving.vacuuming import vacuum as vacuumed

    target = store_at(args.at, "to", context, "--at")
    done = vacuumed(target)
    if context.json:
        context.out_json({"schema": SCHEMA, "at": target.describe(), "bytes_before": done.before,
                          "bytes_after": done.after})  # fmt: skip
    else:
        context.out(f"{safe_line(target.describe())}: {done.before / 1e6:.1f} → "
                    f"{done.after / 1e6:.1f} MB")  # fmt: skip
    return ExitCode.OK
