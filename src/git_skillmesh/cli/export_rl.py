"""`git skillmesh export-rl`: write a data set for training, or check one."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..training.dataset.export import Exported

_FORMATS = ("sft", "kto", "dpo")
_CONTEXT_TOKENS = 2_000
_SHOWN = 20


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "export-rl",
        help="write a data set of conversations and what became of their code",
        description="Write rl_dataset_YYYYMMDD.jsonl, its manifest and a card: prompts with the "
        "code that the agent saw, answers with their edits, divided into train, validation and "
        "test. Needs the rewards of `git skillmesh rewards`. Exit code 1: nothing to export.",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, default="sft",
        help="sft: what stayed; kto: what stayed and what did not; dpo: pairs; sft without",
    )  # fmt: skip
    parser.add_argument("--since", metavar="DATE", help="only exchanges that began after it")
    parser.add_argument(
        "--min-score", type=float, default=0.0, metavar="X",
        help="only answers that stayed with at least this score, 0 to 1",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR", help="where to write; .git/skillmesh/datasets without"
    )
    parser.add_argument("--date", metavar="YYYYMMDD", help="the date in the names; today without")
    parser.add_argument(
        "--context-tokens", type=int, default=_CONTEXT_TOKENS, metavar="N",
        help="show code of at most N tokens with a prompt; 2000 without",
    )  # fmt: skip
    parser.add_argument("--tokenizer", metavar="PATH", help="count tokens with this tokenizer.json")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be written")
    parser.add_argument("--check", metavar="FILE", help="check a data set; exit code 1 if wrong")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/rl-dataset.md")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes")


def run(args: argparse.Namespace, context: Context) -> int:
    """Export, or check."""
    if args.check is not None:
        return _check(args.check, context)
    from ..git.dates import time_of
    from ..index.identity import repo_id
    from ..sessions.redaction import Redactor
    from ..sessions.redaction_policy import policy_of
    from ..sessions.store import MemoryStore
    from ..training.dataset.export import Options, check_date, export
    from ..training.model import Form

    if not 0 <= args.min_score <= 1:
        raise UsageError("--min-score must be from 0 to 1")
    if args.context_tokens < 0:
        raise UsageError("--context-tokens must be at least 0")
    repository = context.repository
    redactor = Redactor(policy_of(context.config))
    store = MemoryStore(repository, lambda exchange: redactor.redact_exchange(exchange)[0])
    base = context.folder or Path()
    options = Options(
        Form(args.format),
        base / args.output if args.output else repository.state_dir / "datasets",
        check_date(args.date) if args.date else datetime.now(UTC).strftime("%Y%m%d"),
        time_of(repository, args.since) if args.since else "",
        args.min_score, args.context_tokens, args.tokenizer or "", args.dry_run,
    )  # fmt: skip
    with progress_bar("exporting", context.json or context.quiet) as progress:
        found = export(store, redactor, repo_id(repository, context.config), options, progress)
    if context.json:
        paths = {"data": found.data, "manifest": found.manifest_path, "card": found.card}
        unreadable = list(found.unreadable)
        context.out_json({"paths": paths, "unreadable": unreadable, **_document(found)})
    else:
        _print(context, found)
    for session in found.unreadable:
        context.note(f"session {safe_line(session)} cannot be read: git fsck")
    if found.unreadable:
        return ExitCode.DAMAGED
    return ExitCode.OK if found.manifest.lines else ExitCode.NOTHING_FOUND


def _document(found: "Exported") -> dict[str, object]:
    document = found.manifest.document()
    document["file"] = document.pop("data")
    return document


def _print(context: Context, found: "Exported") -> None:
    manifest = found.manifest
    parts = ", ".join(f"{count:,} {name}" for name, count in manifest.document()["splits"].items())
    context.out(
        f"{plural(manifest.lines, 'line')} ({parts}), {plural(manifest.tokens, 'token')}, "
        f"{plural(manifest.groups, 'group')}"
    )
    for reason, count in manifest.left_out.items():
        context.out(f"  left out {count:,}: {reason}")
    if manifest.redactions:
        rules = ", ".join(f"{count:,} {rule}" for rule, count in manifest.redactions.items())
        context.out(f"  redacted: {rules}")
    if manifest.lines and not manifest.splits["test"]:
        context.note("no test: all lines belong together, or there are too few")
    for path in (found.data, found.manifest_path, found.card):
        if path is not None:
            context.out(context.style.path(safe_line(str(path))))
    if not manifest.lines:
        context.note("nothing to export; rewards are made by: git skillmesh rewards")


def _check(name: str, context: Context) -> int:
    from ..training.dataset.checking import check_file

    path = (context.folder or Path()) / name
    found = check_file(path)
    if context.json:
        context.out_json(
            {"lines": found.lines, "problems": [{"line": n, "what": w} for n, w in found.problems]}
        )
    else:
        for number, what in found.problems[:_SHOWN]:
            place = f"{name}:{number}" if number else name
            context.out(safe_line(f"{place}: {what}"))
        more = len(found.problems) - _SHOWN
        if more > 0:
            context.out(f"and {more:,} more")
        context.note(f"{plural(found.lines, 'line')}, {plural(len(found.problems), 'problem')}")
    return ExitCode.FINDINGS if found.problems else ExitCode.OK
