"""`git skillmesh query --in chats`: search the conversations.

In: the query. Out: a `ChatAnswer`, and how it is printed.
"""

import argparse
import re
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, Unavailable, UsageError
from .context import Context
from .excerpts import aside, excerpt
from .query import why
from .terminal import progress_bar, safe, safe_line

if TYPE_CHECKING:
    from ..retrieval.chats import ChatAnswer, ChatHit, ChatOptions

# How long a run waits for another one that indexes the same conversations.
_WAIT_SECONDS = 600
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T[\d:.]*Z?)?)?)?")
_YEAR, _DAY = len("2026"), len("2026-03-01")
_SHORT = 12
_ASKED = 90


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the filters for conversations."""
    parser.add_argument(
        "--in",
        dest="what",
        choices=("code", "chats", "learnings", "skills", "thoughts", "all"),
        default="code",
        help="search code, conversations, learnings, skills, thoughts (of several repositories), "
        "or all but these (default code)",
    )
    parser.add_argument(
        "--agent", action="append", default=[], metavar="NAME", help="only chats with this agent"
    )
    parser.add_argument(
        "--session", action="append", default=[], metavar="ID", help="only this conversation"
    )
    parser.add_argument("--since", default="", metavar="DATE", help="only chats from this day on")
    parser.add_argument("--until", default="", metavar="DATE", help="only chats up to this day")


def check_options(args: argparse.Namespace, context: Context) -> None:
    """Raise `UsageError` for options that do not fit what is searched; read the dates."""
    from .query_learnings import check_options as check_learnings

    of_chats = {"--agent": args.agent, "--session": args.session, "--since": args.since,
                "--until": args.until}  # fmt: skip
    of_code = {"--lang": args.lang, "--kind": args.kind, "--at": args.at,
               "--committed": args.committed}  # fmt: skip
    if args.repo or args.all_repos:
        from .query_repos import check_options as check_repos

        check_repos(args)
    elif args.what == "thoughts":
        raise UsageError("thoughts of this repository alone", "git skillmesh think search QUESTION")
    if args.what in ("code", "learnings", "skills", "thoughts"):
        _refuse(of_chats, "conversations", "--in chats")
    if args.what in ("code", "chats", "skills", "thoughts"):
        _refuse({"--state": args.state}, "learnings", "--in learnings")
    if args.what == "learnings":
        check_learnings(args)
    if args.what == "skills":
        from .query_skills import check_options as check_skills

        check_skills(args)
    if args.what == "thoughts":
        _refuse({**of_code, "--path": args.path}, "code", "--in code")
    if args.what == "chats":
        _refuse(of_code, "code", "--in code")
        if args.backend == "chroma" or args.rank != "ranker":
            raise UsageError("conversations are ranked in one way", "leave out --backend, --rank")
    for name in ("since", "until"):
        if date := getattr(args, name):
            setattr(args, name, _date(context, name, date))


def _date(context: Context, option: str, text: str) -> str:
    """Return what a date begins with in the memory (UTC); a day may be told as to git."""
    from ..git.dates import time_of

    if not _DATE.fullmatch(text):
        return time_of(context.repository, text, end=option == "until").removesuffix("Z")
    try:
        datetime.fromisoformat(text if len(text) > _DAY else text + "-01-01"[len(text) - _YEAR :])
    except ValueError:
        raise UsageError(f"--{option} is no date: {text}", "as in 2026-03-01 (UTC)") from None
    return text


def _refuse(options: dict[str, Any], what: str, mend: str) -> None:
    for name, value in options.items():
        if value:
            raise UsageError(f"{name} is for {what}", f"add {mend}")


def answer_chats(args: argparse.Namespace, context: Context, text: str) -> "ChatAnswer":
    """Search the conversations, indexing them first where that is missing."""
    from ..index.exchange_view import open_exchanges
    from ..index.exchanges import exchange_store, sync_exchanges
    from ..index.vectors import source_of
    from ..index.view import NoIndexError
    from ..retrieval.chats import ChatSearcher

    repository = context.repository
    notes: list[str] = []
    source, vector = None, None
    try:
        source = source_of(context.config, exchange_store(repository).embeddings_path)
        vector = source.embed_query(text)
    except (Unavailable, ConfigurationError) as error:
        notes.append(f"conversations are ranked by words only: {error}")
    try:
        view = open_exchanges(repository, source)
    except NoIndexError:
        with progress_bar("conversations", context.quiet) as progress:
            sync_exchanges(repository, source, _WAIT_SECONDS, progress=progress)
        view = open_exchanges(repository, source)
    try:
        return ChatSearcher(view).answer(text, chat_options(args), vector, notes)
    finally:
        view.close()


def chat_options(args: argparse.Namespace) -> "ChatOptions":
    """Return the filters for conversations."""
    from ..retrieval.chats import ChatOptions

    return ChatOptions(
        args.limit, tuple(args.agent), tuple(args.path), tuple(args.session), args.since,
        args.until,
    )  # fmt: skip


def chats_document(answer: "ChatAnswer", full: bool, explain: bool) -> dict[str, Any]:
    """Return the answer in the documented JSON form."""
    found = []
    for hit in answer.hits:
        result = asdict(hit)
        for name, wanted in (("text", full), ("features", explain)):
            if not wanted:
                del result[name]
        result["lines"] = [{"number": line.number, "text": line.text} for line in hit.lines]
        found.append(result)
    return {
        "exchanges": found,
        "memory": {"exchanges": answer.exchanges, "behind": answer.behind},
        "notes": list(answer.notes),
    }


def print_chats(
    context: Context, answer: "ChatAnswer", full: bool, explain: bool, *, shown: bool = False,
    found: bool = False,
) -> None:  # fmt: skip
    """Print the exchanges unless they are `shown`; why there are none unless others are `found`."""
    for hit in () if shown else answer.hits:
        print_chat(context, hit, full, explain)
    if not answer.hits and not found:
        if answer.exchanges:
            context.note(f"no conversation found, of {answer.exchanges} exchanges")
        else:
            context.note("no conversations are stored yet; run: git skillmesh import")
    if answer.behind:
        context.note("the newest conversations are not read yet; run: git skillmesh index")
    for note in answer.notes:
        context.note(safe_line(note))


def print_chat(context: Context, hit: "ChatHit", full: bool, explain: bool, kind: str = "") -> None:
    """Print an exchange; `kind` says what it is beside other things."""
    style = context.style
    asked = safe_line(hit.asked[:_ASKED]) + (" …" if len(hit.asked) > _ASKED else "")
    about = [kind, hit.agent, hit.started[:10], hit.session[:_SHORT], f"{hit.score:.2f}"]
    dimmed = style.dim(" · ".join(safe_line(part) for part in about if part))
    context.out(f"{hit.rank:>2}. {style.bold(asked or '(no prompt)')}  {dimmed}")
    if full:
        for text in hit.text.split("\n"):
            context.out(f"    {safe(text)}")
    else:
        for line in hit.lines:
            if not (hit.part == "prompt" and line.text.strip() == hit.asked):
                context.out(f"    {excerpt(context, line, 4)}")
    if hit.paths:
        more = f" and {len(hit.paths) - 3} more" if len(hit.paths) > 3 else ""
        context.out(f"    {style.path(safe_line(', '.join(hit.paths[:3])))}{style.dim(more)}")
    part = safe_line(hit.part[:_ASKED])
    shown = why(hit.reasons, hit.features, explain)
    context.out(f"    {aside(context, f'why: {part}; {shown}', 4, explain)}")
