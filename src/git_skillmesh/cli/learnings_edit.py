"""`git skillmesh learnings new|edit|retire`: what writes the files of learnings."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from ..errors import ConfigurationError, ExitCode, UsageError
from ..git.process import GitFailed
from ..learnings.files import read_file, write_text
from ..learnings.model import FOLDER, MatcherKind, State
from ..learnings.reading import ID, TITLE_LENGTH
from ..learnings.skeleton import skeleton
from ..learnings.writing import set_field
from ..yamlnodes import Unreadable
from .context import Context
from .learnings import chosen, report
from .terminal import safe_line


def run(args: argparse.Namespace, context: Context) -> int:
    """Write a file. Raises `UsageError`, `ReadOnly`, `ConfigurationError`."""
    if context.repository.top is None:
        raise UsageError("a bare repository has no working tree", "work in a clone")
    name = args.ids[0]
    if args.action == "new":
        return _new(name, args, context)
    path = chosen(context, name).path
    place = context.repository.top / path
    if place.is_symlink() or not place.is_file():
        raise UsageError(f"{path} is not a regular file")
    return (
        _edit(path, place, context)
        if args.action == "edit"
        else _retire(args, path, place, context)
    )


def _new(name: str, args: argparse.Namespace, context: Context) -> int:
    if not re.fullmatch(ID, name):
        raise UsageError(
            f"{name} cannot be an id", "lower-case letters, digits, '.', '_' and '-', up to 64"
        )
    title = (args.title or "").strip()
    if not title:
        raise UsageError("a learning needs a title", "--title TEXT")
    if "\n" in title or len(title) > TITLE_LENGTH:
        raise UsageError(f"a title is one line of at most {TITLE_LENGTH} characters")
    path = f"{FOLDER}/{name}.yaml"
    place = (context.repository.top or Path()) / path
    if os.path.lexists(place):
        raise UsageError(f"{path} exists", f"git skillmesh learnings edit {name}")
    text = skeleton(
        name,
        title,
        MatcherKind(args.kind or "regex"),
        languages=args.languages or (),
        paths=args.paths or (),
        author=_author(context),
        created=_today(),
    )
    write_text(place, text)
    context.out(safe_line(context.shown_path(path)))
    if args.edit:
        return _edit(path, place, context)
    context.note(f"fill it in, then: git skillmesh learnings test {name}")
    return ExitCode.OK


def _edit(path: str, place: Path, context: Context) -> int:
    """Open a file in the user's editor, then say what is wrong with it; the text stays."""
    from ..gate.trial import try_learning

    editor = _editor(context)
    sys.stdout.flush()
    try:
        done = subprocess.run([*editor, os.fspath(place)], check=False)
    except OSError as error:
        raise ConfigurationError(f"cannot start {editor[0]}", error.strerror or "") from None
    if done.returncode:
        raise UsageError(f"{editor[0]} ended with {done.returncode}; the file stays as it is")
    problems = try_learning(read_file(context.repository, path))
    report(problems, context)
    if not problems:
        context.note("all in order")
    return ExitCode.FINDINGS if problems else ExitCode.OK


def _editor(context: Context) -> "list[str]":
    """Return the editor that git would start: GIT_EDITOR, core.editor, VISUAL, EDITOR."""
    try:
        command = os.fsdecode(context.repository.git.run("var", "GIT_EDITOR")).strip()
        words = [os.path.expanduser(os.path.expandvars(word)) for word in shlex.split(command)]  # noqa: PTH111
    except (GitFailed, ValueError):
        words = []
    if not words:
        raise ConfigurationError("no editor", "set VISUAL, or git config core.editor")
    return words


def _retire(args: argparse.Namespace, path: str, place: Path, context: Context) -> int:
    reason = " ".join((args.reason or "").split())
    if not reason:
        raise UsageError("say why it is retired", "--reason TEXT")
    read = read_file(context.repository, path)
    if read.learning is None:
        raise UsageError(str(read.problems[0]), f"git skillmesh learnings edit {args.ids[0]}")
    if read.learning.state is State.RETIRED:
        raise UsageError(f"{args.ids[0]} is retired", read.learning.retired)
    text = place.read_bytes().decode()
    try:
        for field, value in (("state", "retired"), ("updated", _today()), ("retired", reason)):
            text = set_field(text, field, value)
    except Unreadable as error:  # it was readable a moment ago
        raise UsageError(f"{path}:{error.line}: {error.what}") from None
    write_text(place, text)
    context.out(safe_line(context.shown_path(path)))
    return ExitCode.OK


def _author(context: Context) -> str:
    try:
        told = os.fsdecode(context.repository.git.run("var", "GIT_AUTHOR_IDENT"))
    except GitFailed:
        return ""  # git knows no name
    return " ".join(told.rpartition(">")[0].split()) + ">"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
