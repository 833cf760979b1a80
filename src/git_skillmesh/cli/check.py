"""`git skillmesh check`: find what a change brings in that a learning speaks against."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ReadOnly, UsageError
from ..gate.model import FailOn, Report
from .context import Context
from .terminal import progress_bar

if TYPE_CHECKING:
    from ..gate.change import Change
    from ..gate.matchers.message import CommitMessage

_FORMATS = ("text", "json", "github", "sarif", "markdown")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "check",
        help="check a change against the learnings of its base",
        description="Look for what a change brings in and a learning speaks against: what is "
        "staged, or a range of commits. The learnings are those of the base. Exit code 0: nothing "
        "that fails; 1: findings; 10: the file of a learning cannot be used.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help="a range BASE..HEAD, since its sides parted; or learnings: only these, in any state",
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true",
                      help="what is staged, against HEAD (the default)")  # fmt: skip
    what.add_argument("--worktree", action="store_true",
                      help="all that differs from HEAD on disk, new files too")  # fmt: skip
    what.add_argument("--base", metavar="REV", help="what --head brings in since it left REV")
    what.add_argument("--merge", action="store_true",
                      help="what a merge commit brings to its first parent")  # fmt: skip
    what.add_argument("--all", action="store_true", help="a whole commit, as if all were new")
    parser.add_argument("--head", metavar="REV",
                        help="with --base, --merge, --all: that commit (default HEAD)")  # fmt: skip
    parser.add_argument("--message", metavar="FILE",
                        help="the message of a commit; alone, only it is checked")  # fmt: skip
    parser.add_argument("--format", choices=_FORMATS, default="text", help="how to tell it")
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument("--output", metavar="FILE", help="write it there")
    parser.add_argument("--fail-on", choices=tuple(map(str, FailOn)), default=str(FailOn.BLOCK),
                        help="findings of which learnings fail it (default block)")  # fmt: skip
    parser.add_argument("--related", action="store_true",
                        help="add conversations and learnings about the changed code")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="when to use colour")  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Check, and tell. Raises `UsageError` and the errors of git."""
    from ..gate.check import check

    ranges = [name for name in args.names if ".." in name]
    only = [name for name in args.names if ".." not in name]
    chosen = args.staged or args.worktree or args.base or args.merge or args.all
    if len(ranges) > 1 or (ranges and chosen):
        raise UsageError("one change at a time", "git skillmesh check BASE..HEAD")
    if args.head and not (args.base or args.merge or args.all):
        raise UsageError("--head needs --base, --merge or --all")
    message = _message(args.message, context) if args.message else None
    with (
        _change(args, ranges, context) as change,
        progress_bar("checking", context.quiet) as tell,
    ):
        content = message is None or bool(chosen or ranges)
        report = check(
            change, only=only, message=message, content=content, related=args.related, tell=tell
        )
        if args.related:
            from .similar import learnings_like

            told = {one.learning_id for one in report.findings} | {x.id for x in report.related}
            notes = learnings_like(context, change, message, told)
            report = replace(report, related=(*report.related, *notes))
        _note(args, context, change, report, content, bool(args.message), ranges)
        shown = _render(args, context, change, report)
    if args.output:
        _write(Path(args.output), shown)
    elif shown:
        context.out(shown)
    return report.exit_code(FailOn(args.fail_on))


def _note(
    args: argparse.Namespace, context: Context, change: "Change", report: Report, content: bool,
    message: bool, ranges: "list[str]",
) -> None:  # fmt: skip
    """Record what became of findings; not of a trial, of some learnings or of a whole commit."""
    from ..monitoring.findings import note_findings

    if args.all or args.merge or len(ranges) < len(args.names):
        return
    if "config" in context.__dict__ and context.config["monitoring"] == "off":
        return
    name = "worktree" if args.worktree else "staged"
    if ranges or args.base:
        name = ranges[0] if ranges else f"{args.base}..{args.head or 'HEAD'}"
    is_range = bool(change.head)
    note_findings(change, report, name, content=content, message=message or is_range)


@contextmanager
def _change(args: argparse.Namespace, ranges: "list[str]", context: Context) -> "Iterator[Change]":
    from ..gate import change

    repository = context.repository
    head = args.head or "HEAD"
    # What git tells a hook is about the repository that it runs in.
    environ = {} if context.folder else os.environ
    if args.worktree:
        with change.worktree(repository, environ) as found:
            yield found
    elif ranges:
        base, _, tip = ranges[0].partition("..")
        yield change.between(repository, base or "HEAD", tip.removeprefix(".") or "HEAD")
    elif args.base:
        yield change.between(repository, args.base, head)
    elif args.merge:
        yield change.merge(repository, head)
    elif args.all:
        yield change.whole(repository, head)
    elif args.message and not args.staged:
        yield change.nothing(repository)
    else:
        yield change.staged(repository, environ)


def _message(name: str, context: Context) -> "CommitMessage":
    from ..gate.messages import message_in

    return message_in(context.repository, Path(name), os.environ)


def _render(args: argparse.Namespace, context: Context, change: "Change", report: Report) -> str:
    """Return the report in the form that was asked for."""
    fail_on = FailOn(args.fail_on)
    form = "json" if args.json else args.format
    if form == "json":
        from ..gate.reports import json

        return json.render(report, fail_on=fail_on)
    if form == "github":
        from ..gate.reports import github

        return github.render(report, fail_on=fail_on)
    if form == "sarif":
        from ..gate.reports import sarif

        return sarif.render(report, fail_on=fail_on)
    if form == "markdown":
        from ..gate.reports import markdown

        return markdown.render(report, fail_on=fail_on)
    from ..gate.check import lines_at_head
    from ..gate.reports import text

    return text.render(
        report,
        fail_on=fail_on,
        colour=context.style.enabled and not args.output,
        width=context.width,
        sources=lines_at_head(change, report),
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(f"{text}\n" if text else "", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReadOnly(f"cannot write {path}", error.strerror or "") from None
