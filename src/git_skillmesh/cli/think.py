"""`git skillmesh think`: record, find and read thoughts, the working memory of agents."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from .actions import check_action
from .context import Context

if TYPE_CHECKING:
    from ..thinking.model import Thought
    from ..thinking.store import Recorded, ThoughtStore

# A text may stand before and behind options.
WORDS_ANYWHERE = True
ACTIONS = (
    "record",
    "branch",
    "revise",
    "search",
    "summary",
    "sessions",
    "show",
    "export",
    "forget",
)
_WRITING = ("record", "branch", "revise")
# Option → the actions that know it.
_OPTIONS = {
    "session": ("record", "search"),
    "number": ("record",),
    "total": _WRITING,
    "branch": ("record", "branch", "revise"),
    "leaves": ("record", "branch"),
    "revises": ("record",),
    "last": _WRITING,
    "author": _WRITING,
    "limit": ("search", "sessions"),
    "offset": ("search",),
    "form": ("export",),
    "yes": ("forget",),
    "gc": ("forget",),
}
_SPELLED = {"leaves": "from", "form": "format"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "think",
        help="record, find and read thoughts, the working memory of agents",
        description="Working memory: numbered thoughts in sessions, with branches and revisions, "
        "kept beside the conversations. record TEXT (- reads stdin; without TEXT, JSON lines on "
        "stdin); branch SESSION --from N TEXT; revise SESSION N TEXT; search QUESTION; "
        "summary [SESSION], show [SESSION] and export [SESSION]: the latest one by default; "
        "sessions; forget SESSION. Exit code 0: done, or found; 1: nothing found.",
    )
    parser.add_argument("action", metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument(
        "words", nargs="*", metavar="WORDS", help="the text, the question, or the session"
    )
    parser.add_argument("--session", metavar="ID",
                        help="record: go on with it (default: a new one); "
                        "search: only this one")  # fmt: skip
    parser.add_argument("--number", type=int, metavar="N",
                        help="record: the thought's number (default: the next); one that is there "
                        "is revised")  # fmt: skip
    parser.add_argument("--total", type=int, metavar="N", help="how many thoughts are expected")
    parser.add_argument("--branch", metavar="NAME", help="the branch that the thought belongs to")
    parser.add_argument("--from", dest="leaves", type=int, metavar="N",
                        help="record, branch: the thought that the branch leaves")  # fmt: skip
    parser.add_argument("--revises", type=int, metavar="N",
                        help="record: the earlier thought that this one corrects")  # fmt: skip
    parser.add_argument("--last", action="store_true",
                        help="no further thought is needed: it closes the session")  # fmt: skip
    parser.add_argument("--author", metavar="NAME", help="who thinks so")
    parser.add_argument("-n", "--limit", type=int, metavar="N",
                        help="search, sessions: show at most N (search: 10)")  # fmt: skip
    parser.add_argument("--offset", type=int, metavar="N", help="search: leave out the first N")
    parser.add_argument("--format", dest="form", choices=("markdown", "json", "jsonl"),
                        help="export: as what (default markdown); record reads json and jsonl "
                        "again")  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="forget: do not ask")
    parser.add_argument("--gc", action="store_true",
                        help="forget: drop the objects at once (git gc --prune=now: all that "
                        "nothing refers to goes)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/thinking.md")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="when to use colour")  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one of the actions. Raises `UsageError`."""
    check_action(args, ACTIONS, _OPTIONS, _SPELLED)
    for name in ("number", "total", "leaves", "revises", "limit"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UsageError(f"--{_SPELLED.get(name, name)} must be at least 1")
    if args.action in _WRITING:
        return _write(args, context)
    if args.action == "forget":
        from .think_forget import forget

        return forget(args, context)
    from . import think_reading

    return int(getattr(think_reading, args.action)(args, context))


def _write(args: argparse.Namespace, context: Context) -> int:
    """Record what arguments or standard input tell."""
    from ..thinking.redacting import redactor_of
    from ..thinking.store import ThoughtStore

    found: Counter[str] = Counter()
    store = ThoughtStore(context.repository, redactor_of(context.config, found))
    thoughts = {"record": _told, "branch": _branched, "revise": _revised}[args.action](args, store)
    recorded = store.record_all(thoughts)
    if any(one.fate != "known" for one in recorded):
        context.go_on()
    if context.json:
        context.out_json({
            "schema": 1,
            "recorded": [_document(one) for one in recorded],
            "redactions": dict(sorted(found.items())),
        })  # fmt: skip
        return ExitCode.OK
    for one in recorded:
        context.out(_line(one))
    if found:
        kinds = (f"{rule} {count}" for rule, count in found.most_common())
        context.note(f"redacted: {', '.join(kinds)}")
    return ExitCode.OK


def _told(args: argparse.Namespace, store: "ThoughtStore") -> "list[Thought]":
    """Return the thought that arguments tell, or those of standard input."""
    from ..thinking.records import thoughts_from_json

    if args.words:
        return [_thought(args, args.session or "", _text(args.words), args.number or 0)]
    if sys.stdin.isatty():
        raise UsageError("nothing to record", "think record TEXT, or pipe JSON lines in")
    read = thoughts_from_json(sys.stdin.buffer.read(), "standard input")
    for name in ("number", "total", "branch", "leaves", "revises", "last"):
        if getattr(args, name):
            raise UsageError(f"--{_SPELLED.get(name, name)} needs TEXT", "JSON says it itself")
    told = {"session_id": args.session, "author": args.author}
    wanted = {name: value for name, value in told.items() if value}
    return [replace(one, **wanted) for one in read]


def _branched(args: argparse.Namespace, store: "ThoughtStore") -> "list[Thought]":
    if len(args.words) < 2 or not args.leaves:
        raise UsageError("branch takes SESSION --from N TEXT")
    known = store.find(args.words[0])
    if all(step.number != args.leaves for step in known.steps):
        raise UsageError(f"session {known.session_id} has no thought {args.leaves}")
    return [_thought(args, known.session_id, _text(args.words[1:]), 0)]


def _revised(args: argparse.Namespace, store: "ThoughtStore") -> "list[Thought]":
    if len(args.words) < 3 or not args.words[1].isdecimal():
        raise UsageError("revise takes SESSION NUMBER TEXT")
    known, number = store.find(args.words[0]), int(args.words[1][:9])
    step = known.step(number, args.branch or "")
    if step is None:
        where = f" on branch {args.branch}" if args.branch else ""
        raise UsageError(f"session {known.session_id} has no thought {number}{where}")
    # A revision says nothing of whether the session goes on, unless --last does.
    last = args.last or not known.is_open
    thought = _thought(args, known.session_id, _text(args.words[2:]), number, last=last)
    return [replace(thought, revises=number, branch=args.branch or "")]


def _text(words: Sequence[str]) -> str:
    if list(words) == ["-"]:
        return sys.stdin.buffer.read().decode("utf-8", "replace").strip()
    return " ".join(words)


def _thought(
    args: argparse.Namespace, session: str, text: str, number: int, last: bool | None = None
) -> "Thought":
    from ..thinking.model import Thought

    return Thought(
        session, number, text, args.total or 0, args.branch or "", args.leaves or 0,
        revises=args.revises or 0, needs_more=not (args.last if last is None else last),
        author=args.author or "",
    )  # fmt: skip


def _line(one: "Recorded") -> str:
    from .terminal import safe_line

    thought = one.thought
    total = f" of {thought.total}" if thought.total else ""
    branch = f" on branch {thought.branch}" if thought.branch else ""
    fate = {"new": "", "known": "  known already"}.get(one.fate, f"  revision {thought.revision}")
    return safe_line(f"{thought.session_id}  thought {thought.number}{total}{branch}{fate}")


def _document(one: "Recorded") -> dict[str, object]:
    from ..thinking.records import document_of

    return {
        **document_of(one.thought),
        "fate": one.fate,
        "thoughts": one.thoughts,
        "branches": list(one.branches),
    }
