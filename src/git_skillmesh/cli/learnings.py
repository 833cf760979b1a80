"""`git skillmesh learnings`: list, show and test learnings; write, edit and retire them."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ExitCode, UsageError
from ..gate.scope import Scope
from ..learnings.files import learnings_at, learnings_on_disk
from ..learnings.model import Example, Learning, MatcherKind, State
from ..learnings.reading import Problem, ReadFile
from ..learnings.writing import dump, fields_of
from .actions import check_action
from .columns import clip, fit, plural, width_of, wrapped
from .context import Context
from .terminal import safe, safe_line

SCHEMA = 1
# Ids may stand before and behind options.
WORDS_ANYWHERE = True
ACTIONS = ("list", "show", "new", "test", "edit", "retire")
# Option → the actions that know it.
_OPTIONS = {
    "states": ("list",),
    "tags": ("list",),
    "languages": ("list", "new"),
    "paths": ("list", "new"),
    "title": ("new",),
    "kind": ("new",),
    "edit": ("new",),
    "reason": ("retire",),
    "json": ("list", "show", "test"),
}
_SPELLED = {"states": "state", "tags": "tag", "languages": "language", "paths": "path"}
_PROSE = 96


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "learnings",
        help="list, show, test, write and retire learnings",
        description="Work with the learnings in .skillmesh/learnings. list: those that fit; "
        "show ID: all of one; new ID: a file to fill in; test [ID]: try their examples both ways; "
        "edit ID: in your editor, then test it; retire ID: look for it no longer. Exit code 0: "
        "found, or nothing wrong; 1: none fits, or test found something.",
    )
    parser.add_argument("action", nargs="?", metavar="ACTION", default="list",
                        help="list (default), show, new, test, edit or retire")  # fmt: skip
    parser.add_argument("ids", nargs="*", metavar="ID", help="learnings, by their ids")
    parser.add_argument("--state", dest="states", action="append", choices=tuple(map(str, State)),
                        help="list: only those in this state (may be repeated)")  # fmt: skip
    parser.add_argument("--tag", dest="tags", action="append", metavar="TAG",
                        help="list: only those with this tag (may be repeated)")  # fmt: skip
    parser.add_argument("--language", dest="languages", action="append", metavar="NAME",
                        help="list: only those about files of it; new: put it into the file "
                        "(may be repeated)")  # fmt: skip
    parser.add_argument("--path", dest="paths", action="append", metavar="PATH",
                        help="list: only those about this file; new: put this glob into the file "
                        "(may be repeated)")  # fmt: skip
    parser.add_argument("--title", metavar="TEXT", help="new: what it says, in one line")
    parser.add_argument("--kind", choices=tuple(map(str, MatcherKind)),
                        help="new: how it is looked for (default regex)")  # fmt: skip
    parser.add_argument("--edit", action="store_true", help="new: open it in your editor")
    parser.add_argument("--reason", metavar="TEXT", help="retire: why; it is kept in the file")
    parser.add_argument("--json", action="store_true", help="list, show, test: print JSON")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="when to use colour")  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one of the actions. Raises `UsageError`."""
    check_action(args, ACTIONS, _OPTIONS, _SPELLED)
    if args.action == "list":
        if args.ids:
            raise UsageError("list takes no ids", "learnings show ID")
        return _list(args, context)
    if args.action == "test":
        return _test(args.ids, context)
    if len(args.ids) != 1:
        raise UsageError(f"{args.action} takes one ID")
    if args.action == "show":
        return _show(chosen(context, args.ids[0]), context)
    from . import learnings_edit

    return learnings_edit.run(args, context)


def learnings(context: Context) -> "dict[str, ReadFile]":
    """Return the learnings of the working tree; of HEAD in a bare repository."""
    repository = context.repository
    if repository.is_bare:
        return learnings_at(repository, "HEAD") if repository.head_commit() else {}
    return learnings_on_disk(repository)


def chosen(context: Context, name: str) -> ReadFile:
    """Return one learning by its id. Raises `UsageError`."""
    known = learnings(context)
    if name in known:
        return known[name]
    import difflib

    near = difflib.get_close_matches(name, known, 3)
    raise UsageError(f"no learning {name}", ", ".join(near) or "git skillmesh learnings list")


def report(problems: "list[Problem]", context: Context) -> None:
    """Print a line for each problem."""
    for problem in problems:
        place = context.style.path(safe_line(context.shown_path(problem.path)))
        context.out(f"{place}:{problem.line}: {safe_line(problem.what)}")


def _list(args: argparse.Namespace, context: Context) -> int:
    paths = [context.tree_path(name) for name in args.paths or ()]
    found = {
        name: read
        for name, read in learnings(context).items()
        if read.learning is None or _fits(read.learning, args, paths)
    }
    narrowed = any((args.states, args.tags, args.languages, paths))
    if narrowed:
        found = {name: read for name, read in found.items() if read.learning}
    if context.json:
        rows = [_document(read) for read in found.values()]
        context.out_json({"schema": SCHEMA, "learnings": rows})
    elif found:
        for line in _table(found, context):
            context.out(line)
    else:
        mend = "" if narrowed else ": git skillmesh learnings new ID --title TEXT"
        context.note(f"no learnings{' that fit' if narrowed else ''}{mend}")
    return ExitCode.OK if found else ExitCode.NOTHING_FOUND


def _fits(learning: Learning, args: argparse.Namespace, paths: "list[str]") -> bool:
    scope = Scope(learning)
    in_files = learning.matcher.kind is not MatcherKind.MESSAGE
    return (
        (not args.states or learning.state in args.states)
        and (not args.tags or not set(args.tags).isdisjoint(learning.tags))
        and (
            not args.languages
            or (in_files and not (scope.languages and scope.languages.isdisjoint(args.languages)))
        )
        and (not paths or (in_files and any(map(scope.covers, paths))))
    )


def _table(found: Mapping[str, ReadFile], context: Context) -> Iterator[str]:
    width = min(max(width_of(safe_line(name)) for name in found), 32)
    style = context.style
    for name, read in found.items():
        learning = read.learning
        if learning is None:
            what = clip(read.problems[0].what, max(context.width - width - 12, 20))
            yield f"{style.bold(fit(name, width))}  {style.bad('broken')}    {what}"
            continue
        state = (
            style.match(fit("block", 8)) if learning.state == "block" else fit(learning.state, 8)
        )
        title = clip(learning.title, max(context.width - width - 31, 20))
        kinds = f"{fit(learning.severity, 7)}  {fit(learning.matcher.kind, 7)}"
        yield f"{style.bold(fit(name, width))}  {state}  {style.dim(kinds)}  {title}"


def _document(read: ReadFile) -> "dict[str, Any]":
    problems = [{"line": problem.line, "what": problem.what} for problem in read.problems]
    fields = fields_of(read.learning) if read.learning else None
    return {"path": read.path, "problems": problems, "learning": fields}


def _test(ids: "list[str]", context: Context) -> int:
    from ..gate.trial import try_learning

    reads = [chosen(context, name) for name in ids] if ids else list(learnings(context).values())
    problems = [problem for read in reads for problem in try_learning(read)]
    if context.json:
        told = [{"path": p.path, "line": p.line, "what": p.what} for p in problems]
        context.out_json({"schema": SCHEMA, "tested": len(reads), "problems": told})
    else:
        report(problems, context)
        count = plural(len(reads), "learning")
        context.note(f"{count}, {plural(len(problems), 'problem') if problems else 'all in order'}")
    return ExitCode.FINDINGS if problems else ExitCode.OK


def _show(read: ReadFile, context: Context) -> int:
    if context.json:
        context.out_json({"schema": SCHEMA, **_document(read)})
    elif read.learning is None:
        report(list(read.problems), context)
    else:
        for line in _shown(read, read.learning, context):
            context.out(line)
    return ExitCode.OK if read.learning else ExitCode.RULES_BROKEN


def _shown(read: ReadFile, learning: Learning, context: Context) -> Iterator[str]:
    style = context.style
    width = min(context.width, _PROSE)
    yield f"{style.bold(learning.learning_id)}  {learning.state}  {learning.severity}"
    yield clip(learning.title, max(context.width, 20))
    yield ""
    yield from wrapped(learning.description, width)
    yield ""
    for name, value in _facts(read, learning, context):
        for number, line in enumerate(wrapped(value, width - 14) if value else ()):
            yield f"{style.dim(fit(name if not number else '', 12))}  {line}"
    yield ""
    yield style.dim("matcher")
    yield from _block(dump(fields_of(learning)["matcher"]))
    if learning.fix.rewrite:
        yield style.dim("rewrite")
        yield from _block(learning.fix.rewrite)
    for side, examples in (("bad", learning.bad), ("good", learning.good)):
        for number, example in enumerate(examples, 1):
            where = f"  {safe_line(example.path)}" if example.path else ""
            yield style.dim(f"{side} {number}{where}")
            yield from _block(_content(example))


def _facts(read: ReadFile, learning: Learning, context: Context) -> "Iterator[tuple[str, str]]":
    yield "looks for", learning.pattern
    yield "instead", learning.fix.text
    yield "languages", ", ".join(learning.languages)
    yield "paths", ", ".join(learning.paths)
    yield "category", learning.category
    yield "tags", ", ".join(learning.tags)
    yield "conversation", learning.source_chat_id
    yield "commits", ", ".join(learning.source_commits)
    yield "seen in", learning.example_code_reference
    yield "confidence", "" if learning.confidence is None else f"{learning.confidence:g}"
    yield "author", learning.author
    yield "created", learning.created
    yield "updated", learning.updated
    tested = learning.backtest
    if tested is not None:
        yield (
            "backtest",
            f"{plural(tested.commits, 'commit')} until {tested.until[:12]}: {tested.fired:,} "
            f"flagged, {tested.mistaken:,} wrongly, {tested.unknown:,} too young ({tested.date})",
        )
    yield "forced", learning.forced
    yield "retired", learning.retired
    yield "file", context.shown_path(read.path)


def _content(example: Example) -> str:
    return "\n".join(example.files) if example.files else example.code


def _block(text: str) -> Iterator[str]:
    for line in text.rstrip("\n").split("\n"):
        yield f"    {safe(line)}".rstrip()
