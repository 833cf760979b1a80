"""`git skillmesh why`: the exchange that made a line: its prompt, what came of it, the evidence."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ExitCode
from ..index.behind import behind
from ..index.learned import Reasons
from ..learnings.model import Learning
from ..learnings.sources import Sources
from ..sessions.answering import Group, Line, Pair, Told
from ..sessions.links import format_ranges, ranges_of
from ..sessions.summaries import summary_of_prompt, summary_of_response
from ..sessions.wording import (
    commit_words,
    evidence_words,
    missing_words,
    names,
    unknown_words,
    who,
)
from .columns import clip, code_line, local_time, plural
from .context import Context
from .learned import group_document, learned_line, learned_lines, learning_document
from .pager import paged
from .places import place
from .telling import (
    SCHEMA,
    commit_document,
    exchange_document,
    labelled,
    link_document,
    note_gap,
)
from .terminal import safe_line

_SHOWN_LINES = 6
_SHOWN_COMMITS = 3


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "why",
        help="tell which exchange made a line, and why",
        description="Tell which exchange with an agent made lines of a file: its prompt, what "
        "came of it, the commits on the way, the evidence. Lines are those of the working tree. "
        "Exit code 0: known, 1: no conversation is known for any of the lines.",
    )
    parser.add_argument(
        "place", metavar="PLACE", help="FILE:LINE, FILE:FIRST-LAST, or FILE for all of its lines"
    )
    parser.add_argument(
        "-L",
        dest="ranges",
        action="append",
        default=[],
        metavar="RANGE",
        help="lines as git blame takes them (3,7 or 3,+5 or :NAME); the place is then just FILE",
    )
    parser.add_argument("--at", metavar="REV", help="ask of the file as a revision has it")
    parser.add_argument(
        "--learnings", action="store_true", help="show the learnings that apply to the file too"
    )
    parser.add_argument("--full", action="store_true", help="show the whole prompt and response")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Join blame, links and memory, and print."""
    path, ranges = place(args.place, args.ranges, context)
    repository = context.repository
    sources = Sources(repository)
    commit = context.asked_commit(args.at)
    found = behind(repository, lambda: context.config, path, ranges, commit, sources)
    groups, learned = found.groups, found.learned
    applying = _applying(sources, path) if args.learnings else None
    if context.json:
        document = _document(path, args.at or "", groups, args.full, learned)
        if applying is not None:
            document["applying"] = [learning_document(one) for one in applying]
        context.out_json(document)
    else:
        with paged(context):
            _print(context, path, groups, args.full, learned)
            for text in _apply_lines(context, path, applying) if applying is not None else ():
                context.out(text)
        if any(not one.told and not one.commits[0].is_uncommitted for one in found.groups):
            note_gap(context, is_empty=found.is_empty)
    return ExitCode.OK if found.known else ExitCode.NOTHING_FOUND


def _applying(sources: Sources, path: str) -> list[Learning]:
    from ..gate.scope import applying_to

    return applying_to(path, sources.all())


def _apply_lines(context: Context, path: str, applying: Sequence[Learning]) -> Iterator[str]:
    name = clip(safe_line(context.shown_path(path)), context.width - 20)
    yield ""
    yield (
        f"{plural(len(applying), 'learning')} about {name}"
        if applying
        else (f"no learning is about {name}")
    )
    for one in applying:
        yield f"  {learned_line(context, one)}"


def _print(
    context: Context, path: str, groups: Sequence[Group], full: bool, learned: Sequence[Reasons]
) -> None:
    called = names(group.told for group in groups if group.told)
    for number, group in enumerate(groups):
        if number:
            context.out()
        numbers = format_ranges(ranges_of(line.blamed.number for line in group.lines))
        name = safe_line(context.shown_path(path))
        place = f"{clip(name, max(context.width - len(numbers) - 1, 20))}:{numbers}"
        context.out(context.style.path(clip(place, context.width)))
        for text in (
            *_code(context, group.lines, full),
            *_about(context, group, called, full),
            *learned_lines(context, learned[number]),
        ):
            context.out(text)


def _code(context: Context, lines: Sequence[Line], full: bool) -> Iterator[str]:
    shown = lines if full or len(lines) <= _SHOWN_LINES + 1 else lines[:_SHOWN_LINES]
    for line in shown:
        text = code_line(line.blamed.text, context.width - 8)
        yield f"{context.style.dim(f'{line.blamed.number:>6}')}  {text}".rstrip()
    if len(shown) < len(lines):
        yield context.style.dim(f"     …  {plural(len(lines) - len(shown), 'more line')}")


def _about(context: Context, group: Group, called: dict[Pair, str], full: bool) -> Iterator[str]:
    told = group.told
    if told is None:
        yield from labelled(context, None, unknown_words(group))
        return
    exchange = told.exchange
    if exchange is None:
        yield from labelled(context, "asked", f"({missing_words(told)})")
    else:
        asked, answered = exchange.prompt.strip(), exchange.response.strip()
        if not full:
            asked, answered = summary_of_prompt(asked), summary_of_response(answered)
        yield from labelled(context, "asked", asked or "(nothing in words)", context.style.bold)
        yield from labelled(context, "answered", answered or "(nothing in words)")
        when = local_time(exchange.ended or exchange.started)
        yield from labelled(context, "by", ", ".join(filter(None, [who(told), when])))
    yield from labelled(context, "evidence", evidence_words(group.links))
    for label, commit in zip(("commit", *[""] * len(group.commits)), group.commits, strict=False):
        if label or commit in group.commits[:_SHOWN_COMMITS]:
            yield from labelled(context, label, commit_words(commit), clipped=True)
    if len(group.commits) > _SHOWN_COMMITS:
        more = plural(len(group.commits) - _SHOWN_COMMITS, "more commit")
        yield from labelled(context, "", more)
    before = dict.fromkeys(oid[:9] for link in group.links for oid in link.via)
    if before:
        yield from labelled(context, "before", f"{' → '.join(before)} (rewritten since)")
    name = called[told.session, told.exchange_id]
    title = f" “{told.title}”" if told.title else ""
    more = f"git skillmesh show {name}" if exchange else told.session
    yield from labelled(context, "more", f"{more}{title}", clipped=True)


def _document(
    path: str, at: str, groups: Sequence[Group], full: bool, learned: Sequence[Reasons]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "path": path,
        "at": at,
        "groups": [
            {**_group_document(group, full), "learnings": group_document(found)}
            for group, found in zip(groups, learned, strict=True)
        ],
    }


def _group_document(group: Group, full: bool) -> dict[str, Any]:
    told: Told | None = group.told
    uncommitted = group.commits[0].is_uncommitted
    return {
        "lines": format_ranges(ranges_of(line.blamed.number for line in group.lines)),
        "uncommitted": uncommitted,
        "commits": [] if uncommitted else [commit_document(commit) for commit in group.commits],
        "exchange": exchange_document(told, full=full) if told else None,
        "links": [link_document(link) for link in group.links],
    }
