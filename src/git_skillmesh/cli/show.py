"""`git skillmesh show`: a conversation, one exchange of it, or what made a commit."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import Damaged, ExitCode, UsageError
from ..git.commitlog import LoggedCommit, commit_log
from ..git.database import ObjectDatabase
from ..index.learned import talk_of
from ..learnings.model import Learning
from ..learnings.sources import Sources, Talk, names_session
from ..sessions.answering import Made, Pair, Told, made_of, tell_pairs
from ..sessions.events import Status, statuses
from ..sessions.finding import find_any
from ..sessions.layout import Head
from ..sessions.links import format_ranges, ranges_of, read_links
from ..sessions.lookup import Lookup
from ..sessions.model import exchange_to_json
from ..sessions.reading import MemoryReader
from ..sessions.summaries import summary_of_prompt, summary_of_response
from ..sessions.wording import evidence_words, missing_words, names, who
from ..training.rewards.stored import scores_of
from .columns import clip, code_line, local_day, local_time, plural, utc
from .context import Context
from .conversation import exchange_lines
from .learned import learned_line, learning_document
from .pager import paged
from .telling import SCHEMA, exchange_document, labelled, link_document, note_gap
from .terminal import safe_line


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "show",
        help="show a conversation, an exchange, or what made a commit",
        description="Show a conversation: prompts, the steps taken, edits as diffs, answers. Of a "
        "commit, show the exchanges that made it and the lines that each made.",
    )
    parser.add_argument(
        "name",
        nargs="?",
        default="HEAD",
        metavar="NAME",
        help="a session's or exchange's id or its beginning, SESSION/NUMBER, or a revision "
        "(default HEAD)",
    )
    parser.add_argument(
        "--full", action="store_true", help="whole texts and edits, and what the tools answered"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Find what is named, and show it."""
    reader = MemoryReader(context.repository)
    if args.name == "HEAD" and context.repository.head_commit() is None:
        raise UsageError("this repository has no commits yet")
    found = find_any(reader, args.name)
    if found.commit:
        return _show_commit(context, found.commit, args.full)
    head = reader.head(found.session)
    return _show_session(context, reader, head, found.exchange, args.full)


def _show_session(
    context: Context, reader: MemoryReader, head: Head, exchange: str, full: bool
) -> int:
    events = reader.events(head.session_id)
    known, scores = statuses(events), scores_of(events)
    learned = _learned(context, head)
    if context.json:
        exchanges = (
            [reader.exchange(exchange, head.session_id)]
            if exchange
            else list(reader.exchanges(head.session_id))
        )
        document = _session_document(head)
        with ObjectDatabase(context.repository) as db:
            number_of = Lookup(db).number
            document["exchanges"] = [
                {
                    **exchange_to_json(one),
                    "status": known.get(one.exchange_id, Status.CAPTURED),
                    "score": scores.get(one.exchange_id),
                    "learnings": [
                        learning_document(each)
                        for each in learned(
                            one.exchange_id, number_of(head.session_id, one.exchange_id)
                        )
                    ],
                }
                for one in exchanges
            ]
        document["learnings"] = [learning_document(each) for each in learned("")]
        context.out_json(document)
        return ExitCode.OK
    broken: list[str] = []
    with ObjectDatabase(context.repository) as db, paged(context):
        for line in _head_lines(context, reader, head):
            context.out(line)
        for each in learned(""):
            context.out(f"  {context.style.dim('learned   ')}{learned_line(context, each)}")
        lookup = Lookup(db)
        wanted = lookup.number(head.session_id, exchange) if exchange else 0
        count = lookup.count(head.session_id)
        for number, one in lookup.exchanges(head.session_id):
            if isinstance(one, Damaged):
                broken += [str(one)] if wanted in (0, number) else []
            elif not exchange or one.exchange_id == exchange:
                status = known.get(one.exchange_id, Status.CAPTURED)
                place = f"{number} of {count}"
                score = scores.get(one.exchange_id)
                for line in exchange_lines(
                    context, one, place, head.agent, status, score, full=full
                ):
                    context.out(line)
                for each in learned(one.exchange_id, number):
                    context.out(f"  {context.style.dim('learned   ')}{learned_line(context, each)}")
    for said in broken:
        context.note(safe_line(said))
    return ExitCode.DAMAGED if broken else ExitCode.OK


def _learned(context: Context, head: Head) -> "Callable[..., list[Learning]]":
    """Return what gives the learnings of an exchange of a session, or those of the session alone.

    What came of the session as a whole is not told again at each exchange.
    """
    sources = Sources(context.repository)
    if not sources:
        return lambda exchange, number=0: []
    from ..index.identity import repo_id

    repo = repo_id(context.repository, context.config)
    whole = Talk(head.session_id, parent=head.parent)
    of_whole = [one for one in sources.of_talk(whole) if names_session(one, whole)]

    def learned(exchange: str, number: int = 0) -> list[Learning]:
        if not exchange:
            return of_whole
        told = Told(head.session_id, exchange, number, parent=head.parent)
        found = sources.of_talk(talk_of(told, repo))
        return [one for one in found if one not in of_whole]

    return learned


def _head_lines(context: Context, reader: MemoryReader, head: Head) -> Iterator[str]:
    if head.title:
        yield context.style.bold(clip(head.title, context.width))
    yield from labelled(context, "session", head.session_id, clipped=True)
    yield from labelled(context, "agent", head.agent, clipped=True)
    times = dict.fromkeys(filter(None, map(local_time, (head.started, head.ended))))
    if times:
        yield from labelled(context, "when", " to ".join(times))
    for label, text in (("branch", head.branch), ("folder", head.directory)):
        if text:
            yield from labelled(context, label, text, clipped=True)
    if head.parent:
        yield from labelled(context, "subagent", f"of {head.parent}", clipped=True)
    children = [one.head for one in reader.sessions() if one.head.parent == head.session_id]
    if children:
        short = names(Told(one.session_id, "", parent=one.parent) for one in children)
        called = ", ".join(name.rstrip("/") for name in short.values())
        yield from labelled(context, "subagents", called)


def _session_document(head: Head) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "session": head.session_id,
        "agent": head.agent,
        "title": head.title,
        "started": head.started,
        "ended": head.ended,
        "directory": head.directory,
        "branch": head.branch,
        "parent": head.parent,
    }


def _show_commit(context: Context, oid: str, full: bool) -> int:
    """Show the exchanges that made a commit, and the lines that each made."""
    repository = context.repository
    (commit,) = commit_log(repository, [oid], [], 1)
    made = made_of(commit, read_links(repository, [oid]).get(oid, ()))
    with ObjectDatabase(repository) as db:
        lookup = Lookup(db)
        told = tell_pairs(lookup, made, "all")
        is_empty = not made and lookup.is_empty
        if context.json:
            context.out_json(_commit_document(commit, made, told, full))
        else:
            with paged(context):
                for line in _commit_lines(context, db, commit, made, told, full):
                    context.out(line)
    if not made:
        note_gap(context, is_empty=is_empty, otherwise="no conversation is known for this commit")
    return ExitCode.OK if made else ExitCode.NOTHING_FOUND


def _commit_lines(
    context: Context,
    db: ObjectDatabase,
    commit: LoggedCommit,
    made: dict[Pair, Made],
    told: dict[Pair, Told],
    full: bool,
) -> Iterator[str]:
    style = context.style
    yield style.bold(clip(commit.summary, context.width))
    head = f"{commit.oid}  {local_day(commit.time)}  {commit.author}"
    yield style.path(clip(head, context.width))
    if made:
        linked = sum(one.lines for one in made.values())
        yield f"{linked:,} of {plural(commit.added, 'added line')} with a conversation"
    called = names(told.values())
    blobs = {file.path: file.blob for file in commit.files}
    for pair, one in made.items():
        yield ""
        yield from _made_lines(context, told[pair], called[pair], one, full)
        for path, lines in one.files.items():
            ranges = format_ranges(ranges_of(lines)) if lines else "lines taken away"
            place = f"{safe_line(context.shown_path(path))}:"
            where = clip(f"{place}{ranges}" if lines else f"{place} {ranges}", context.width - 12)
            yield f"    {where}  {style.dim(plural(len(lines), 'line') if lines else '')}".rstrip()
            if full and lines:
                text = (db.reader.read(blobs[path]) or b"").split(b"\n")
                for number in lines:
                    code = code_line(text[number - 1], context.width - 13)
                    yield f"    {style.dim(f'{number:>6}')} {style.good(f'+{code}')}"


def _made_lines(context: Context, told: Told, name: str, made: Made, full: bool) -> Iterator[str]:
    """Yield what an exchange was about."""
    exchange = told.exchange
    when = local_time(exchange.ended or exchange.started) if exchange else ""
    head = clip(" · ".join(filter(None, [name, who(told), when])), context.width)
    yield context.style.path(head)
    if exchange is None:
        yield from labelled(context, "asked", f"({missing_words(told)})")
    else:
        asked, answered = exchange.prompt.strip(), exchange.response.strip()
        if not full:
            asked, answered = summary_of_prompt(asked), summary_of_response(answered)
        yield from labelled(context, "asked", asked, context.style.bold)
        yield from labelled(context, "answered", answered or "(nothing in words)")
    yield from labelled(context, "evidence", evidence_words(made.links))


def _commit_document(
    commit: LoggedCommit, made: dict[Pair, Made], told: dict[Pair, Told], full: bool
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "commit": commit.oid,
        "author": commit.author,
        "time": utc(commit.time),
        "summary": commit.summary,
        "added": commit.added,
        "linked": sum(one.lines for one in made.values()),
        "exchanges": [
            {
                **exchange_document(told[pair], full=full),
                "files": [
                    {"path": path, "lines": format_ranges(ranges_of(lines))}
                    for path, lines in one.files.items()
                ],
                "links": [link_document(link) for link in one.links],
            }
            for pair, one in made.items()
        ],
    }
