"""`git skillmesh query --in learnings`: search what the team has learned.

In: the query. Out: a `LearningAnswer`, and how it is printed.
"""

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, Unavailable, UsageError
from ..learnings.model import State
from ..retrieval.results import Line
from .context import Context
from .excerpts import aside, excerpt
from .query import why
from .terminal import safe, safe_line

if TYPE_CHECKING:
    from ..index.view import Scope
    from ..retrieval.learnings import LearningAnswer, LearningHit

_SHOWN_BROKEN = 3


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the filters for learnings."""
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        choices=tuple(map(str, State)),
        help="only learnings of this state (default: all that are not retired)",
    )


def answer_learnings(args: argparse.Namespace, context: Context, text: str) -> "LearningAnswer":
    """Search the learnings, reading first what the index lacks."""
    from ..gate.covering import covering
    from ..index.learning_view import open_learnings
    from ..index.learnings import learning_store
    from ..index.vectors import prose_source_of
    from ..retrieval.learnings import LearningOptions, LearningSearcher
    from ..retrieval.together import MOST_LEARNINGS

    repository = context.repository
    notes: list[str] = []
    source, vector = None, None
    try:
        source = prose_source_of(context.config, learning_store(repository).embeddings_path)
        vector = source.embed_query(text)
    except (Unavailable, ConfigurationError) as error:
        source = None
        notes.append(f"learnings are ranked by words only: {error}")
    limit = args.limit if args.what == "learnings" else min(args.limit, MOST_LEARNINGS)
    states = tuple(State(name) for name in args.state)
    view = open_learnings(repository, source, _scope(args, context), args.at or "")
    try:
        covers = covering(repository, view.tree, args.lang, args.path)
        options = LearningOptions(limit, states, covers)
        return LearningSearcher(view).answer(text, options, vector, notes)
    finally:
        view.close()


def _scope(args: argparse.Namespace, context: Context) -> "Scope":
    from ..index.view import Scope

    if args.at:
        return Scope.REVISION
    committed = args.committed or context.repository.is_bare
    return Scope.COMMITTED if committed else Scope.WORKING_TREE


def learnings_document(answer: "LearningAnswer", full: bool, explain: bool) -> dict[str, Any]:
    """Return the answer in the documented JSON form."""
    return {
        "learnings": [_hit_document(hit, full, explain) for hit in answer.hits],
        "learned": {
            "searched": answer.searched,
            "learnings": answer.learnings,
            "broken": [
                {"path": one.path, "line": one.line, "what": one.what} for one in answer.broken
            ],
        },
        "notes": list(answer.notes),
    }


def _hit_document(hit: "LearningHit", full: bool, explain: bool) -> dict[str, Any]:
    learning = hit.learning
    document: dict[str, Any] = {
        "rank": hit.rank,
        "learning_id": learning.learning_id,
        "title": learning.title,
        "state": learning.state,
        "severity": learning.severity,
        "description": learning.description,
        "fix": learning.fix.text,
        "category": learning.category,
        "tags": list(learning.tags),
        "languages": list(learning.languages),
        "paths": list(learning.paths),
        "path": hit.path,
        "changed": hit.changed,
        "part": hit.part,
        "score": hit.score,
        "reasons": list(hit.reasons),
        "lines": [{"number": line.number, "text": line.text} for line in hit.lines],
    }
    if full:
        document["text"] = hit.text
    if explain:
        document["features"] = hit.features
    return document


def print_learnings(
    context: Context, answer: "LearningAnswer", full: bool, explain: bool, *, shown: bool = False,
    found: bool = False,
) -> None:  # fmt: skip
    """Print the learnings unless they are `shown`; why there are none unless others are `found`."""
    for hit in () if shown else answer.hits:
        print_learning(context, hit, full, explain)
    if not answer.hits and not found:
        context.note(_nothing(answer))
    for problem in answer.broken[:_SHOWN_BROKEN]:
        context.note(safe_line(f"left out: {problem}"))
    if len(answer.broken) > _SHOWN_BROKEN:
        context.note(f"{len(answer.broken) - _SHOWN_BROKEN} more problems: git skillmesh status")
    for note in answer.notes:
        context.note(safe_line(note))


def _nothing(answer: "LearningAnswer") -> str:
    if not answer.learnings:
        return "there are no learnings in .skillmesh/learnings"
    if not answer.searched:
        return f"none of {answer.learnings} learnings passes the filters, or all are retired"
    left = answer.learnings - answer.searched
    return f"no learning found, of {answer.searched}" + (f" ({left} left out)" if left else "")


def print_learning(context: Context, hit: "LearningHit", full: bool, explain: bool) -> None:
    """Print a learning."""
    style, learning = context.style, hit.learning
    state = f"[{learning.state}]"
    marked = style.bad(state) if learning.state is State.BLOCK else state
    about = [learning.severity.value, learning.category, f"{hit.score:.2f}"]
    if hit.changed:
        about.append("uncommitted")
    dimmed = style.dim(" · ".join(safe_line(part) for part in about if part))
    name = style.bold(safe_line(learning.learning_id))
    context.out(f"{hit.rank:>2}. {marked} {name}  {safe_line(learning.title)}  {dimmed}")
    if full:
        for text in hit.text.split("\n"):
            context.out(f"    {safe(text)}")
    else:
        lines = [line for line in hit.lines if line.text.strip() != learning.title.strip()]
        for line in lines:
            context.out(f"    {excerpt(context, line, 4)}")
        if not lines:
            opening = next(filter(str.strip, learning.description.split("\n")), "")
            context.out(f"    {excerpt(context, Line(1, opening, ()), 4)}")
    if learning.fix.text:
        context.out(f"    fix: {safe_line(learning.fix.text)}")
    context.out(f"    {style.path(safe_line(context.shown_path(hit.path)))}")
    shown = why(hit.reasons, hit.features, explain)
    context.out(f"    {aside(context, f'why: {hit.part}; {shown}', 4, explain)}")


def check_options(args: argparse.Namespace) -> None:
    """Raise `UsageError` for options that do not fit a search of learnings."""
    if args.kind:
        raise UsageError("--kind is for code", "add --in code")
    if args.backend == "chroma" or args.rank != "ranker":
        raise UsageError("learnings are ranked in one way", "leave out --backend, --rank")
