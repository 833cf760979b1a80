"""`git skillmesh advise`: let a model hold a change against what the memory knows of it."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitCode, ReadOnly, Unavailable, UsageError
from .context import Context
from .terminal import progress_bar, safe, safe_line

if TYPE_CHECKING:
    from ..gate.change import Change
    from ..training.advising.advise import Limits, Plan
    from ..training.advising.endpoint import Endpoint
    from ..training.advising.model import Outcome
    from ..training.advising.server import Server

_FORMATS = ("text", "json", "sarif", "markdown", "github")
_NOWHERE = "(nowhere: no --endpoint)"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "advise",
        help="let a model hold a change against what the memory knows of it",
        description="Send a change, the learnings that apply to it and the conversations behind "
        "its lines to an OpenAI-compatible server, and show those of its findings that name an "
        "added line and cite what they were shown. It advises: the exit code is 0 whatever is "
        "found. Nothing is sent anywhere without --endpoint or your own setting of it.",
    )
    parser.add_argument(
        "range", nargs="?", metavar="RANGE", default="",
        help="BASE..HEAD, since its sides parted; default: what is staged",
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true",
                      help="what is staged, against HEAD (the default)")  # fmt: skip
    what.add_argument("--worktree", action="store_true",
                      help="all that differs from HEAD on disk, new files too")  # fmt: skip
    parser.add_argument("--endpoint", metavar="URL", default="",
                        help="server to ask, as in https://host/v1; plain http on this machine "
                        "only (default: your skillmesh.advise.endpoint)")  # fmt: skip
    parser.add_argument("--model", metavar="NAME", default="",
                        help="model or adapter (default: the one that the server has)")  # fmt: skip
    parser.add_argument("--token-env", metavar="NAME", default="",
                        help="environment variable that holds the server's token")  # fmt: skip
    parser.add_argument("--max-tokens", metavar="N", type=int, default=100_000,
                        help="tokens in all, answers included (default 100000)")  # fmt: skip
    parser.add_argument("--context", metavar="N", type=int, default=8_000,
                        help="tokens of one request and its answer (default 8000)")  # fmt: skip
    parser.add_argument("--budget", metavar="SECONDS", type=float, default=300.0,
                        help="seconds in all (default 300)")  # fmt: skip
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=120.0,
                        help="seconds for one request (default 120)")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true",
                        help="print what would be sent, and send nothing")  # fmt: skip
    parser.add_argument("--format", choices=_FORMATS, default="text", help="how to tell it")
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument("--output", metavar="FILE", help="write it there")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="when to use colour")  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Ask, and tell. Raises `UsageError`, `Unavailable` where no request was answered."""
    from ..training.advising.advise import ask, plan
    from ..training.advising.server import Server

    limits = _limits(args)
    endpoint = _endpoint(args, context)
    if endpoint is None and not args.dry_run:
        raise UsageError("no server is named", "--endpoint URL, or --dry-run to see what it gets")
    model = args.model or context.config["advise.model"]
    with _change(args, context) as change:
        with progress_bar("gathering", context.quiet) as tell:
            made = plan(change, context.config, limits, tell)
        if args.dry_run or endpoint is None:
            _tell(args, context, _dry(args, made, limits, model, endpoint))
            return ExitCode.OK
        server = Server(endpoint, model, limits.each_seconds)
        if made.requests:
            server.choose_model(limits.seconds)
            _say_where(context, made, limits, server)
        with progress_bar("asking", context.quiet) as tell:
            found = ask(made, server, limits, tell)
        _tell(args, context, _render(args, context, change, server, found))
    for said in (*found.problems, *found.notes):
        context.note(safe_line(said))
    if found.interrupted:
        return ExitCode.INTERRUPTED
    if found.asked and not found.answered:
        raise Unavailable("no request was answered", safe_line("; ".join(found.problems)))
    return ExitCode.OK


def _limits(args: argparse.Namespace) -> "Limits":
    from ..training.advising.advise import Limits
    from ..training.advising.prompt import LEAST_CONTEXT

    if args.context < LEAST_CONTEXT:
        raise UsageError(f"--context is too small for a question: at least {LEAST_CONTEXT}")
    for name in ("max_tokens", "budget", "timeout"):
        if not 0 < getattr(args, name) < 10**9:
            raise UsageError(f"--{name.replace('_', '-')} must be more than 0")
    return Limits(args.max_tokens, args.context, args.budget, args.timeout)


def _endpoint(args: argparse.Namespace, context: Context) -> "Endpoint | None":
    from ..training.advising.endpoint import endpoint_of

    address = args.endpoint or context.config["advise.endpoint"]
    # A token is taken from the environment of the user, never from a file of the repository.
    variable = args.token_env or context.config["advise.tokenenv"]
    return endpoint_of(address, variable, os.environ) if address else None


@contextmanager
def _change(args: argparse.Namespace, context: Context) -> "Iterator[Change]":
    from ..gate import change

    repository = context.repository
    environ = {} if context.folder else os.environ
    if args.range:
        base, dots, tip = args.range.partition("..")
        if not dots or args.staged or args.worktree:
            raise UsageError("one change at a time", "git skillmesh advise BASE..HEAD")
        yield change.between(repository, base or "HEAD", tip.removeprefix(".") or "HEAD")
    elif args.worktree:
        with change.worktree(repository, environ) as found:
            yield found
    else:
        yield change.staged(repository, environ)


def _say_where(context: Context, made: "Plan", limits: "Limits", server: "Server") -> None:
    from ..training.advising.reports import planned

    where = f"{server.endpoint.shown} (model {safe_line(server.model)})"
    context.note(f"sending {planned(made, limits)}, to {where}")


def _dry(
    args: argparse.Namespace, made: "Plan", limits: "Limits", model: str,
    endpoint: "Endpoint | None",
) -> str:  # fmt: skip
    """Return what would be sent, as it is."""
    import json

    from ..training.advising.reports import dry_document, planned

    where = endpoint.shown if endpoint else _NOWHERE
    if _form(args) == "json":
        return json.dumps(dry_document(made, model, endpoint.shown if endpoint else ""), indent=2)
    lines = [f"{planned(made, limits)}, to {where}; nothing was sent"]
    for number, request in enumerate(made.requests, 1):
        asked = f"about {request.tokens:,} tokens, answer at most {request.answer_tokens:,}"
        lines.append(f"\nrequest {number} of {len(made.requests)}, {asked}")
        for message in request.messages:
            lines += [f"--- {message['role']}", safe(message["content"])]
    if made.left_out:
        lines.append("\nnot sent")
        lines += [f"  {safe_line(one.path)}: {safe_line(one.why)}" for one in made.left_out]
    return "\n".join([*lines, *(safe_line(note) for note in made.notes)])


def _form(args: argparse.Namespace) -> str:
    return "json" if args.json else str(args.format)


def _render(
    args: argparse.Namespace, context: Context, change: "Change", server: "Server",
    found: "Outcome",
) -> str:  # fmt: skip
    """Return the advice in the form that was asked for."""
    from ..gate.model import FailOn
    from ..training.advising.reports import CATEGORY, document, report_of, said_by

    form, never = _form(args), FailOn.NEVER
    report, said = report_of(change, found), said_by(server, found)
    if form == "json":
        import json

        return json.dumps(document(change, server, found), indent=2)
    if form == "github":
        from ..gate.reports import github

        return github.render(report, fail_on=never)
    if form == "sarif":
        from ..gate.reports import sarif

        return sarif.render(report, fail_on=never, category=CATEGORY)
    if form == "markdown":
        from ..gate.reports import markdown

        return markdown.render(report, fail_on=never, advice=said)
    from ..gate.check import lines_at_head
    from ..gate.reports import text

    shown = text.render(
        report,
        fail_on=never,
        colour=context.style.enabled and not args.output,
        width=context.width,
        sources=lines_at_head(change, report),
    )
    return f"{shown}\n{safe_line(said)}"


def _tell(args: argparse.Namespace, context: Context, shown: str) -> None:
    if not args.output:
        if shown:
            context.out(shown)
        return
    try:
        text = f"{shown}\n" if shown else ""
        Path(args.output).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReadOnly(f"cannot write {args.output}", error.strerror or "") from None
