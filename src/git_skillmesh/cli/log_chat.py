"""`git skillmesh log-chat`: store a conversation that no importer can read."""

import argparse
import contextlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitCode, SkillmeshError, UsageError
from .context import Context

if TYPE_CHECKING:
    from ..sessions.logged import Changes
    from ..sessions.model import Edit, Session, ToolCall

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
    from ..sessions.importers.records import Imported
    from ..sessions.importers.source import Part, Reading
    from ..sessions.importing import Intake
    from ..sessions.known import alone
    from ..sessions.layout import exchange_key
    from ..sessions.logged import now, sessions_from_json, timed

    if any(getattr(args, name) for name in _WORDS):
        sessions = [_session(args, context)]
    else:
        if sys.stdin.isatty():
            raise UsageError("nothing to store", "say --prompt and --response, or pipe JSON in")
        data = sys.stdin.buffer.read()
        told = sessions_from_json(data, "standard input", _changes(context, from_root=True))
        sessions = [_overridden(session, args) for session in told]
    repository = context.repository
    with alone(repository), contextlib.closing(Intake(repository, context.config)) as intake:
        time = now()
        wanted = []
        for session in sessions:
            # Told once more, and without a time: it would differ by that alone.
            exchanges = [
                exchange
                for exchange in session.exchanges
                if exchange.started or not intake.known.keepers(exchange_key(exchange.exchange_id))
            ]
            wanted.append(timed(replace(session, exchanges=tuple(exchanges)), time))
        part = Part("", Imported(tuple(session for session in wanted if session.exchanges)))
        report = intake.take("log-chat", Reading(1, iter([part])))
    if report.forgotten:
        raise UsageError(f"session {min(report.forgotten)} was forgotten and stays away")
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
    from ..sessions.importers.records import made_id
    from ..sessions.logged import AGENT, file_call, new_session_id, now
    from ..sessions.model import Exchange, Session

    if args.prompt_file == "-" and args.response_file == "-":
        raise UsageError("only one of --prompt-file and --response-file can read standard input")
    prompt = _words(args.prompt, args.prompt_file, "--prompt", context)
    response = _words(args.response, args.response_file, "--response", context)
    if not prompt and not response:
        raise UsageError("nothing was said", "give --prompt, --response, or their files")
    if args.base and not args.file:
        raise UsageError("--base needs --file")
    session_id, time = args.session or new_session_id(), now()
    name = made_id(session_id, time, prompt, response)
    calls = [_tool(text, f"{name}-{number}") for number, text in enumerate(args.tool or ())]
    if args.file:
        edits = _changes(context, from_root=False)(args.file, args.base or "")
        calls.append(file_call(f"{name}-files", edits))
    exchange = Exchange(name, prompt, response, time, time, args.model or "", tuple(calls))
    repository = context.repository
    return Session(
        session_id, args.agent or AGENT, (exchange,), args.title or "",
        str(repository.top or repository.git_dir), repository.branch() or "",
    )  # fmt: skip


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


def _tool(text: str, call_id: str) -> "ToolCall":
    from ..sessions.importers.tools import act_of
    from ..sessions.model import ToolCall

    name, _, given = text.partition("=")
    if not name.strip():
        raise UsageError(f"--tool {text} names no tool", "write NAME, or NAME=INPUT")
    return ToolCall(call_id, name.strip(), act_of(name.strip()), given)


def _changes(context: Context, *, from_root: bool) -> "Changes":
    """Return what finds the changes of files, named from the root or from the user's folder."""
    from ..sessions.logged import changes_since

    def changes(paths: list[str], commit: str) -> "tuple[Edit, ...]":
        repository = context.repository
        base = repository.top if from_root and repository.top else _path(context, "")
        top = os.path.realpath(repository.top or base)
        inside = []
        for path in paths:
            # Only the folder: a symbolic link is a file of its own.
            folder, name = os.path.split(os.path.normpath(base / path))
            found = os.path.relpath(os.path.join(os.path.realpath(folder), name), top)  # noqa: PTH118
            if found == ".." or found.startswith("../"):
                raise UsageError(f"not a file of this repository: {path}")
            inside.append(found)
        return changes_since(repository, inside, commit)

    return changes


def _path(context: Context, name: str) -> Path:
    return (context.folder or Path.cwd()) / name
