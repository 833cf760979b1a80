"""`git skillmesh think search`, `summary`, `sessions`, `show`, `export`.

In: arguments. Out: what the working memory holds, printed.
"""

import argparse
from collections.abc import Iterator

from ..errors import ExitCode, UsageError
from ..thinking.history import History
from ..thinking.store import ThoughtStore
from ..thinking.telling import (
    SCHEMA,
    facts_of,
    history_document,
    json_lines,
    markdown,
    session_document,
    summary_document,
    summary_lines,
    tree_of,
)
from .columns import clip, fit, local_time, width_of, wrapped
from .context import Context
from .terminal import safe, safe_line

_LIMIT = 10
_PROSE = 100
_LINES = 6


def search(args: argparse.Namespace, context: Context) -> int:
    """Print the thoughts that answer a question."""
    from ..thinking.records import document_of
    from ..thinking.search import Finder

    question = " ".join(args.words)
    if not question.strip():
        raise UsageError("search takes a QUESTION")
    session = _store(context).find(args.session).session_id if args.session else ""
    if args.offset is not None and args.offset < 0:
        raise UsageError("--offset cannot be negative")
    answer = Finder(context.repository).find(
        question, context.config, limit=args.limit or _LIMIT, offset=args.offset or 0,
        session=session,
    )  # fmt: skip
    if context.json:
        hits = [
            {
                "rank": hit.rank,
                "score": hit.score,
                **document_of(hit.thought),
                "revised_to": hit.revised,
                "cosine": hit.cosine,
                "words": hit.share,
            }
            for hit in answer.hits
        ]
        context.out_json({
            "schema": SCHEMA, "query": question, "thoughts": hits, "found": answer.found,
            "searched": answer.searched, "notes": list(answer.notes),
        })  # fmt: skip
        return ExitCode.OK if hits else ExitCode.NOTHING_FOUND
    style = context.style
    for hit in answer.hits:
        thought = hit.thought
        branch = f" of branch {thought.branch}" if thought.branch else ""
        where = safe_line(f"{thought.session_id} {thought.number}{branch}")
        about = [local_time(thought.time)[:10], f"{hit.score:.2f}"]
        dimmed = style.dim(" · ".join(filter(None, about)))
        context.out(f"{hit.rank:>2}. {style.bold(where)}  {dimmed}")
        _print_text(context, thought.text)
        if hit.revised:
            context.out(f"    {style.dim('later revised to:')}")
            _print_text(context, hit.revised)
    if not answer.hits:
        context.note(
            f"no thought found, of {answer.searched:,}" if answer.searched
            else "no thoughts are recorded yet; run: git skillmesh think record TEXT"
        )  # fmt: skip
    for note in answer.notes:
        context.note(safe_line(note))
    return ExitCode.OK if answer.hits else ExitCode.NOTHING_FOUND


def _print_text(context: Context, text: str) -> None:
    lines = list(wrapped(text.strip("\n"), min(context.width, _PROSE) - 4))
    for line in lines[:_LINES]:
        context.out(f"    {line}".rstrip())
    if len(lines) > _LINES:
        context.out("    …")


def sessions(args: argparse.Namespace, context: Context) -> int:
    """List the sessions, the latest first."""
    if args.words:
        raise UsageError("sessions takes no words")
    found = _store(context).sessions()[::-1][: args.limit]
    if context.json:
        listed = [session_document(one) for one in found]
        context.out_json({"schema": SCHEMA, "sessions": listed})
        return ExitCode.OK if found else ExitCode.NOTHING_FOUND
    cells = [(one.session_id, local_time(one.ended), facts_of(one)) for one in found]
    widths = [min(max(map(width_of, column)), 60) for column in zip(*cells, strict=True)]
    for row, one in zip(cells, found, strict=True):
        left = "  ".join(fit(text, width) for text, width in zip(row, widths, strict=True))
        room = max(context.width - width_of(left) - 2, 12)
        name = fit(row[0], widths[0])
        first = clip(" ".join(one.first.split()), room)
        context.out(f"{context.style.path(name)}{left[len(name) :]}  {first}")
    if not found:
        context.note("no thoughts are recorded yet; run: git skillmesh think record TEXT")
    return ExitCode.OK if found else ExitCode.NOTHING_FOUND


def show(args: argparse.Namespace, context: Context) -> int:
    """Print a session as a tree."""
    found = _chosen(args, context)
    if context.json:
        context.out_json(history_document(found))
        return ExitCode.OK
    context.out(_head(context, found))
    for line in _tree(context, found):
        context.out(line)
    return ExitCode.OK


def _tree(context: Context, found: History) -> Iterator[str]:
    style = context.style
    for node in tree_of(found):
        indent = "    " * (node.depth + (node.kind == "older"))
        label = safe_line(node.label)
        yield indent + (style.dim(label) if node.kind == "older" else style.bold(label))
        width = min(context.width, _PROSE) - len(indent) - 4
        for line in wrapped(node.text.strip("\n"), width) if node.text else ():
            yield f"{indent}    {style.dim(line) if node.kind == 'older' else line}".rstrip()


def summary(args: argparse.Namespace, context: Context) -> int:
    """Print what came of a session."""
    from ..thinking.summaries import summary_of

    found = _chosen(args, context)
    made = summary_of(found)
    if context.json:
        context.out_json(summary_document(found, made))
        return ExitCode.OK
    context.out(_head(context, found))
    for label, text in summary_lines(made):
        context.out(context.style.dim(safe_line(label)))
        for line in wrapped(text, min(context.width, _PROSE) - 4):
            context.out(f"    {line}")
    return ExitCode.OK


def export(args: argparse.Namespace, context: Context) -> int:
    """Write a session as Markdown or JSON."""
    found = _chosen(args, context)
    form = args.form or ("json" if context.json else "markdown")
    if context.json and form != "json":
        raise UsageError(f"--json and --format {form} exclude each other")
    if form == "json":
        context.out_json(history_document(found))
    elif form == "jsonl":
        context.out_bytes(json_lines(found).encode())
    else:
        context.out(markdown(found).rstrip("\n"))
    return ExitCode.OK


def _head(context: Context, found: History) -> str:
    session = found.session()
    when = local_time(session.ended)
    name = context.style.bold(safe_line(session.session_id))
    return f"{name}  {safe(facts_of(session))}  {context.style.dim(when)}".rstrip()


def _store(context: Context) -> ThoughtStore:
    return ThoughtStore(context.repository, str)  # nothing is written


def _chosen(args: argparse.Namespace, context: Context) -> History:
    if len(args.words) > 1:
        raise UsageError(f"{args.action} takes one SESSION, or none for the latest")
    return _store(context).find(args.words[0] if args.words else "")
