"""`git skillmesh forget`: remove conversations for good."""

import argparse
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import ExitCode, UsageError
from ..git.checkouts import remote_names
from ..git.notes import REF as NOTES
from ..git.notes import all_notes
from ..git.refs import drop_unreachable, list_refs
from ..git.repository import Repository
from ..learnings.analysis_cache import drop as drop_analysis
from ..sessions.finding import find_session
from ..sessions.forgetting import Forgotten
from ..sessions.layout import REF
from ..sessions.links import parse_link
from ..sessions.openings import drop_openings, titles
from ..sessions.reading import Summary
from ..sessions.store import MemoryStore
from ..sessions.summed import drop_summaries
from .columns import clip, local_time, plural
from .context import Context
from .telling import SCHEMA
from .terminal import safe_line

_WAIT_SECONDS = 60
_OWN_TRACKING = re.compile(r"refs/skillmesh/remotes/([^/]+)/memory")
_TRACKING = re.compile(r"refs/(?:skillmesh/remotes|remotes)/([^/]+)/.*")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "forget",
        help="remove conversations for good",
        description="Remove conversations and those of their subagents from the memory, its "
        "history included, and keep them from coming back. Says who else still holds them.",
    )
    parser.add_argument(
        "sessions", nargs="+", metavar="SESSION", help="an id of a conversation or its beginning"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--gc",
        action="store_true",
        help="drop the objects at once (git gc --prune=now: all that nothing refers to goes)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Ask, forget, and say what is left elsewhere."""
    memory = MemoryStore(context.repository, lambda exchange: exchange)  # nothing is written
    chosen = dict.fromkeys(
        text if memory.is_forgotten(text) else find_session(memory, text) for text in args.sessions
    )
    if not args.yes and not _confirmed(context, memory, list(chosen)):
        context.note("nothing was forgotten")
        return ExitCode.NOTHING_FOUND
    results = [memory.forget(session) for session in chosen]
    drop_openings(context.repository)
    drop_summaries(context.repository)
    drop_analysis(context.repository)
    _drop_from_index(context)
    if args.gc:
        drop_unreachable(context.repository)
    if context.json:
        context.out_json(document(context.repository, results, args.gc))
        return ExitCode.OK
    for line in told(context, results, args.gc):
        context.out(line)
    return ExitCode.OK


def _drop_from_index(context: Context) -> None:
    """Take what was forgotten out of the index at once, and out of Chroma in the background."""
    from ..index.exchanges import exchange_store
    from ..index.update import update_exchanges

    if exchange_store(context.repository).catalogue_path.exists():
        update_exchanges(context.repository, context.config, _WAIT_SECONDS)
    context.go_on()


def _confirmed(context: Context, memory: MemoryStore, chosen: Sequence[str]) -> bool:
    """Show what would go, and ask. Raises `UsageError` where nobody can answer."""
    if context.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("forgetting cannot be undone", "say --yes where nobody can be asked")
    known = memory.sessions()
    family = _family(known, chosen)
    listed = [one for one in known if one.head.session_id in family]
    called = titles(context.repository, listed)
    for one in listed:
        head = one.head
        about = f"{head.session_id}  {local_time(head.ended or head.started)}  {head.agent}"
        about += f"  {plural(one.exchanges, 'exchange')}  {called[head.session_id]}"
        context.note(f"  {clip(about, context.width - 2)}")
    question = f"Forget {plural(len(listed), 'conversation')} for good? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _family(known: Iterable[Summary], chosen: Sequence[str]) -> set[str]:
    """Return the sessions and those that they started, directly or not."""
    parents = {one.head.session_id: one.head.parent for one in known}
    family = set(chosen)
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def told(context: Context, results: Sequence[Forgotten], collected: bool) -> Iterator[str]:
    """Yield what was forgotten, and who still holds it, in lines."""
    sessions = [session for result in results for session in result.sessions]
    for session in sessions:
        yield f"forgotten  {safe_line(session)}"
    commits = sum(result.commits for result in results)
    yield f"{plural(commits, 'commit')} of {REF} rewritten; no import brings it back"
    objects, expiry = results[-1].objects, results[-1].expiry
    if collected:
        yield "the objects are gone"
    elif any(result.objects for result in results) or objects:
        total = sum(result.objects for result in results)
        yield f"git gc drops {plural(total, 'object')} when older than {expiry}, at once with:"
        yield "  git gc --prune=now"
    noted = _noted(context.repository, sessions)
    if noted:
        yield f"notes of {plural(noted, 'commit')} in {NOTES} keep the id, and nothing else"
    for what, command in _elsewhere(context.repository, results):
        yield safe_line(what)
        yield f"  {safe_line(command)}"


def _elsewhere(repository: Repository, results: Sequence[Forgotten]) -> Iterator[tuple[str, str]]:
    """Yield who still holds a session, or may, and what removes it there."""
    refs = sorted({ref for result in results for ref in result.refs})
    oids = list_refs(repository)
    remotes = remote_names(repository)
    known = set()
    for ref in refs:
        found = _TRACKING.fullmatch(ref)
        if found and found[1] in remotes:
            known.add(found[1])
            # Not a push: what others have shared since is united with what is here, not replaced.
            command = f"git skillmesh sync {shlex.quote(found[1])}"
            yield f"{found[1]} held it when it was last fetched ({ref})", command
        else:
            yield f"{ref} still holds it here", f"git update-ref -d {shlex.quote(ref)}"
    fetched = filter(None, (_OWN_TRACKING.fullmatch(ref) for ref in oids))
    known |= {found[1] for found in fetched}
    for remote in remotes:
        if remote not in known:
            command = f"git ls-remote {shlex.quote(remote)} {REF}"
            yield f"what {remote} holds is not known here", command


def _noted(repository: Repository, sessions: Iterable[str]) -> int:
    """Return the number of commits whose notes name one of the sessions."""
    gone = set(sessions)
    return sum(
        any((link := parse_link(line)) and link.session in gone for line in lines)
        for lines in all_notes(repository).values()
    )


def document(
    repository: Repository, results: Sequence[Forgotten], collected: bool
) -> dict[str, Any]:
    """Return the same as JSON."""
    sessions = [session for result in results for session in result.sessions]
    return {
        "schema": SCHEMA,
        "sessions": sessions,
        "commits": sum(result.commits for result in results),
        "objects": 0 if collected else sum(result.objects for result in results),
        "expiry": results[-1].expiry,
        "notes": _noted(repository, sessions),
        "elsewhere": [
            {"what": what, "command": command} for what, command in _elsewhere(repository, results)
        ],
    }
