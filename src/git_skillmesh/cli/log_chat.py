"""`git skillmesh log-chat`: store a conversation that no importer can read."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitCode, SkillmeshError, UsageError
from .context import Context

if TYPE_CHECKING:
    from ..sessions.logged import Changes
    from ..sessions.model import Session

_WORDS = ("prompt", "prompt_file", "response", "response_file", "tool", "file", "base", "model")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "log-chat",
        help="store a conversation that no importer can read",
        description="Store one exchange, told by options; without --prompt and --response, what "
        "JSON on standard input tells (docs/formats.md). Secrets are taken out before.",
    )
    parser.add_argument("--prompt", metavar="TEXT", help="what was asked")
    parser.add_argument("--prompt-file", metavar="FILE", help="the same from a file; - reads stdin")
    parser.add_argument("--response", metavar="TEXT", help="what was answered")
    parser.add_argument(
        "--response-file", metavar="FILE", help="the same from a file; - reads stdin"
    )
    parser.add_argument(
        "--tool",
        metavar="NAME[=INPUT]",
        action="append",
        help="a tool that was used, and what it was given; may be repeated",
    )
    parser.add_argument(
        "--file",
        metavar="PATH",
        action="append",
        help="a file that was changed: its difference to HEAD is stored; may be repeated",
    )
    parser.add_argument("--base", metavar="REV", help="with --file: the difference to REV")
    parser.add_argument(
        "--session", metavar="ID", help="go on with this session (default: a new one)"
    )
    parser.add_argument("--agent", metavar="NAME", help="who answered (default: log-chat)")
    parser.add_argument("--model", metavar="NAME", help="the model that answered")
    parser.add_argument("--title", metavar="TEXT", help="the title of the session")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/commands.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Store what options or standard input tell."""
    from ..sessions.handing_over import store
    from ..sessions.logged import sessions_from_json

    if any(getattr(args, name) for name in _WORDS):
        sessions = [_session(args, context)]
    else:
        if sys.stdin.isatty():
            raise UsageError("nothing to store", "say --prompt and --response, or pipe JSON in")
        data = sys.stdin.buffer.read()
        told = sessions_from_json(data, "standard input", _changes(context, from_root=True))
        sessions = [_overridden(session, args) for session in told]
    report = store(context.repository, context.config, sessions)
    context.go_on()
    if context.json:
        ids = [
            {"session": s.session_id, "exchanges": [e.exchange_id for e in s.exchanges]}
            for s in sessions
        ]
        context.out_json({"sessions": ids, "redactions": dict(sorted(report.redactions.items()))})
        return ExitCode.OK
    for session in sessions:
        context.out(f"session   {session.session_id}")
        for exchange in session.exchanges:
            context.out(f"exchange  {exchange.exchange_id}")
    if report.redactions:
        kinds = (f"{rule} {count}" for rule, count in report.redactions.most_common())
        context.note(f"redacted: {', '.join(kinds)}")
    return ExitCode.OK


def _session(args: argparse.Namespace, context: Context) -> "Session":
    """Return the session of one exchange that options tell."""
    from ..sessions.handing_over import Words, session_of

    if args.prompt_file == "-" and args.response_file == "-":
        raise UsageError("only one of --prompt-file and --response-file can read standard input")
    if args.base and not args.file:
        raise UsageError("--base needs --file")
    words = Words(
        _words(args.prompt, args.prompt_file, "--prompt", context),
        _words(args.response, args.response_file, "--response", context),
        args.session or "",
        args.agent or "",
        args.model or "",
        args.title or "",
        args.tool or (),
        args.file or (),
        args.base or "",
    )
    changes = _changes(context, from_root=False)
    return session_of(context.repository, words, changes, once=False)


def _overridden(session: "Session", args: argparse.Namespace) -> "Session":
    """Return a session that JSON tells, with what options say instead of it."""
    wanted = {"session_id": args.session, "agent": args.agent, "title": args.title}
    return replace(session, **{name: value for name, value in wanted.items() if value})


def _words(text: str | None, file: str | None, option: str, context: Context) -> str:
    if text is not None and file is not None:
        raise UsageError(f"{option} and {option}-file exclude each other")
    if file is None:
        return text or ""
    try:
        data = sys.stdin.buffer.read() if file == "-" else _path(context, file).read_bytes()
    except OSError as error:
        raise SkillmeshError(f"cannot read {file}", error.strerror or str(error)) from None
    return data.decode("utf-8", "replace").strip()


def _changes(context: Context, *, from_root: bool) -> "Changes":
    """Return what finds the changes of files, named from the root or from the user's folder."""
    from ..sessions.handing_over import changes_in

    top = context.repository.top
    return changes_in(context.repository, top if from_root and top else _path(context, ""))


def _path(context: Context, name: str) -> Path:
    return (context.folder or Path.cwd()) / name
