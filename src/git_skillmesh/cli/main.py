"""The command line: parse, dispatch, and turn every failure into one line and an exit code.

In: arguments. Out: an exit code. Only the module of the chosen command is imported.
"""

import argparse
import errno
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from .. import __version__
from ..errors import ExitCode, SkillmeshError, UsageError
from .context import Context
from .terminal import safe_line

# Command → what it does, in the order of the help text.
COMMANDS = {
    "init": "install the hooks and make the first index",
    "index": "make the index equal to the repository",
    "query": "search code, conversations, learnings and skills",
    "status": "show what is indexed, what is not, and why",
    "doctor": "check every store against the repository, and mend it",
    "collections": "create and check the Chroma collections",
    "chroma": "copy, take in, upgrade and shrink Chroma stores",
    "prune": "forget file versions that nothing needs any more",
    "why": "tell which exchange made a line, and why",
    "blame": "show which exchange or person made each line",
    "log": "show commits with their conversations",
    "show": "show a conversation, an exchange, or what made a commit",
    "sessions": "list conversations",
    "forget": "remove conversations for good",
    "sync": "fetch and share conversations",
    "check": "check a change against the learnings of its base",
    "link": "find which exchanges made which lines of commits",
    "import": "store the conversations that agents have kept",
    "log-chat": "store a conversation that no importer can read",
    "analyze": "find candidates for learnings in conversations and commits",
    "review": "decide on candidates for learnings, one at a time",
    "promote": "make a learning of a candidate, an exchange, a commit or a diff",
    "redact": "take secrets out of text, or show which would go",
    "explore": "look around in the memory, in a browser",
    "learnings": "list, show, test, write and retire learnings",
    "backtest": "try learnings on past commits",
    "skills": "find, show, add and install instructions for agents",
    "rewards": "tell from history what became of the work of each exchange",
    "export-rl": "write a data set of conversations and what became of their code",
    "advise": "let a model hold a change against what the memory knows of it",
    "train": "train an adapter (LoRA) on a data set",
    "adapters": "list, judge, deploy and serve trained adapters",
    "nightly": "rewards to deployment in one run, as far as there is news",
    "backup": "put everything that must not be lost into one file",
    "restore": "bring back what is in a backup",
    "size": "show what takes how much room, and what would give some back",
    "think": "record, find and read thoughts, the working memory of agents",
    "mcp": "serve the memory to agents over MCP",
    "stats": "show how long things take and how they end",
    "report": "tell what was learned and what became of agents' code",
    "agents": "connect coding agents with the memory, and prove that it works",
}
# Names from the plan that people may know, each a command or a command and its action; accepted,
# not shown.
ALIASES = {
    "setup-collections": "collections",
    "analyze-chat-history": "analyze",
    "review-and-promote": "review",
    "promote-learning": "promote",
    "record-thought": "think record",
    "export-rl-dataset": "export-rl",
}
# Commands whose duration and outcome are recorded, and what they do.
RECORDED = {
    "index": "index",
    "query": "query",
    "check": "check",
    "link": "link",
    "sync": "sync",
    "import": "capture",
    "rewards": "rewards",
    "nightly": "nightly",
    "backtest": "backtest",
}
_OUTCOMES = {"query": "nothing", "check": "findings", "rewards": "nothing", "backtest": "findings"}
# A full or read-only disk, of the index or of standard output, is no fault of the program.
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def module_of(command: str) -> ModuleType:
    """Return the module of a command; it has the command's name, as far as Python lets it."""
    name = command.replace("-", "_")
    return import_module(f".{name}_" if iskeyword(name) else f".{name}", __package__)


def run() -> None:
    """Entry point of `git-skillmesh`."""
    # Before numpy loads: one thread is enough for a query, and starting more costs more.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if "SKILLMESH_NIGHTLY_PIPE" in os.environ:  # a step of the pipeline ends with it
        from ..training.nightly.leash import follow

        follow()
    sys.exit(main(sys.argv[1:]))


def _open_closed_streams() -> None:
    """Give closed standard streams a place to go: no file of ours may take their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    context, began = Context(), time.perf_counter()
    code = _guarded(argv, context)
    if context.command in RECORDED and "repository" in context.__dict__:
        _record(context, code, time.perf_counter() - began)
    return code


def _guarded(argv: Sequence[str], context: Context) -> int:
    try:
        code = _run_command(argv, context)
        sys.stdout.flush()
        return code
    except SkillmeshError as error:
        print(f"git-skillmesh: {safe_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("git-skillmesh: interrupted; run it again to go on", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return ExitCode.OK
    except Exception as error:  # the one place that catches everything
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            _silence_stdout()
            print(f"git-skillmesh: cannot write: {error.strerror}", file=sys.stderr)
            return ExitCode.READ_ONLY
        print(report(error, argv), file=sys.stderr)
        return ExitCode.INTERNAL


def _run_command(argv: Sequence[str], context: Context) -> int:
    try:
        arguments = _parse(argv)
    except SystemExit as left:  # argparse has printed help or the version
        return int(left.code or 0)
    context.command = arguments.command
    context.folder = Path(arguments.folder) if arguments.folder else None
    context.json = getattr(arguments, "json", False)
    context.quiet = getattr(arguments, "quiet", False)
    context.colour = getattr(arguments, "color", "auto")
    context.overrides = dict(getattr(arguments, "overrides", None) or ())
    return int(module_of(arguments.command).run(arguments, context))


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`."""
        raise UsageError(message, f"{self.prog} -h")


def _record(context: Context, code: int, seconds: float) -> None:
    """Record how a command ended and how long it took, if the settings let it."""
    from ..monitoring.record import record
    from ..monitoring.switch import follow

    state = context.repository.state_dir
    if "config" not in context.__dict__ or follow(state, context.config):
        record(
            state, RECORDED[context.command], "command", _outcome(context.command, code), seconds
        )


def _outcome(command: str, code: int) -> str:
    """Return how a command ended, in a word."""
    if code == ExitCode.NOTHING_FOUND:
        return _OUTCOMES.get(command, "incomplete")
    try:
        return ExitCode(code).name.lower()
    except ValueError:
        return "failed"


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="git skillmesh",
        description="The memory of a repository: code search by meaning, from git hooks, offline.",
        epilog="git skillmesh COMMAND -h explains one command; docs/commands.md explains all.",
    )
    parser.add_argument("--version", action="version", version=f"git-skillmesh {__version__}")
    parser.add_argument("-C", dest="folder", metavar="DIR", help="work as if started in DIR")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    at = _command_at(argv)
    first = argv[at] if at < len(argv) else ""
    meant = ALIASES.get(first, first).split()
    chosen = meant[0] if meant else ""
    if first and chosen not in COMMANDS:
        raise UsageError(f"no such command: {first}", "git skillmesh -h")
    for name in [chosen] if chosen in COMMANDS else COMMANDS:
        module_of(name).add_parser(subparsers)
    if chosen != first:
        argv = [*argv[:at], *meant, *argv[at + 1 :]]
    if chosen in COMMANDS and getattr(module_of(chosen), "WORDS_ANYWHERE", False):
        argv = [*argv[: at + 1], *_words_last(subparsers.choices[chosen], argv[at + 1 :])]
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        of_all = chosen not in COMMANDS or unknown[0] in argv[:at]
        asked = parser if of_all else subparsers.choices[chosen]
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}", f"{asked.prog} -h")
    # argparse drops `--`, after which git takes every word for a path.
    arguments.paths_given = list(argv)[list(argv).index("--") + 1 :] if "--" in argv else []
    if arguments.command is None:
        parser.print_help()
        parser.exit(ExitCode.USAGE)
    return arguments


def _command_at(argv: Sequence[str]) -> int:
    """Return where the command stands, behind all words where there is none."""
    skip = False
    for number, word in enumerate(argv):
        if skip:
            skip = False
        elif word == "-C":
            skip = True
        elif not word.startswith("-"):
            return number
    return len(argv)


def _words_last(parser: argparse.ArgumentParser, argv: Sequence[str]) -> list[str]:
    """Return arguments with the words behind the options: argparse takes only one run of words."""
    options, words = list[str](), list[str]()
    rest = iter(argv)
    for word in rest:
        if word == "--":
            words += rest
        elif word.startswith("-") and word != "-":
            options.append(word)
            known = {
                action
                for name, action in parser._option_string_actions.items()
                if name == word or (word.startswith("--") and name.startswith(word))
            }
            if any(action.nargs is None for action in known):
                options += [value for value in (next(rest, None),) if value is not None]
        else:
            words.append(word)
    return [*options, "--", *words] if words else options


def _silence_stdout() -> None:
    """Keep Python from complaining at exit about a reader that has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report(error: Exception, argv: Sequence[str] = ()) -> str:
    """Write the traceback of an error that is being handled to a log file, and say so in a line."""
    path = Path(tempfile.gettempdir()) / f"git-skillmesh-{os.getuid()}-error.log"
    text = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {list(argv[:1])}\n{traceback.format_exc()}\n"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "a") as file:
            file.write(text)
        where = f" (details in {path})"
    except OSError:
        where = ""
    summary = safe_line(str(error))
    return f"git-skillmesh: internal error: {type(error).__name__}: {summary}{where}"
