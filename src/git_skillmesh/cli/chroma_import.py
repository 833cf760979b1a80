"""`git skillmesh chroma import`: take in the store of a chroma-mcp-server."""

import argparse
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from .chroma_copy import SCHEMA, store_at
from .columns import plural
from .context import Context
from .telling import counted
from .terminal import safe_line

if TYPE_CHECKING:
    from ..chroma.moving.importing import Code, Taken

_NAME = 22


def take_in(args: argparse.Namespace, context: Context) -> int:
    """Take a store in, or say what would be taken in."""
    from ..chroma.moving.foreign import ForeignStore
    from ..chroma.moving.importing import Importer

    if not args.source:
        raise UsageError("import needs --from STORE", "git skillmesh chroma -h")
    source = store_at(args.source, "from", context)
    with ForeignStore(source) as store:
        importer = Importer(store, context.repository, context.config, dry_run=args.dry_run)
        ours = importer.ours()
        if ours:
            raise UsageError(
                f"{ours[0]} in {source.describe()} is git skillmesh's own",
                "git skillmesh chroma copy moves it",
            )
        chats = importer.chats()
        taken = [chats, importer.learnings(), importer.thoughts()]
        code, others = importer.code(), importer.others()
    if not args.dry_run and (chats.fates["new"] or taken[2].fates["new"]):
        context.go_on()
    if context.json:
        context.out_json(_document(source.describe(), args.dry_run, taken, code, others))
    else:
        context.out(f"from  {safe_line(source.describe())}")
        _tell(taken, code, others, context)
        if args.dry_run:
            context.note("nothing was written")
        elif taken[1].fates["proposed"]:
            context.note("proposals stop nothing: write a matcher for each that is worth one, "
                         "see git skillmesh learnings list")  # fmt: skip
    left_out = any(one.problems for one in taken) or code.problems
    return ExitCode.RECORDS_LEFT_OUT if left_out else ExitCode.OK


def _tell(taken: "list[Taken]", code: "Code", others: list[str], context: Context) -> None:
    for problems in (*(one.problems for one in taken), code.problems):
        for problem in problems:
            context.note(safe_line(str(problem)))
    for one in taken:
        fates = ", ".join(f"{count:,} {fate}" for fate, count in one.fates.items() if count)
        left = len(one.problems)
        said = [fates or "nothing", *([f"{left:,} left out"] if left else [])]
        if one.redactions:
            said.append(f"redacted: {counted(Counter(one.redactions))}")
        context.out(f"  {one.name:<{_NAME}} {one.rows:>9,} rows  {', '.join(said)}")
    if code.rows:
        context.out(f"  {'codebase_v1':<{_NAME}} {code.rows:>9,} rows  not taken in: git has the "
                    "code")  # fmt: skip
        context.out(
            f"      {plural(code.files, 'file')}, {code.files_at_head:,} of them at HEAD; "
            f"{plural(code.commits, 'commit')}, {code.commits_here:,} of them here; "
            f"the index has {code.indexed_chunks:,} chunks of {code.indexed_files:,} files"
        )
    for name in others:
        context.out(f"  {safe_line(name):<{_NAME}} not known: git skillmesh chroma copy moves it")


def _document(
    source: str, dry_run: bool, taken: "list[Taken]", code: "Code", others: list[str]
) -> dict[str, Any]:
    def problems(of: "Taken | Code") -> list[dict[str, str]]:
        return [{"collection": one.source, "message": one.message} for one in of.problems]

    return {
        "schema": SCHEMA,
        "from": source,
        "dry_run": dry_run,
        "collections": [
            {
                "name": one.name,
                "rows": one.rows,
                "fates": dict(one.fates),
                "redactions": dict(sorted(one.redactions.items())),
                "problems": problems(one),
            }
            for one in taken
        ],
        "code": {**asdict(code), "problems": problems(code)},
        "not_known": others,
    }
