"""`git skillmesh promote`: make a learning of a candidate, an exchange, a commit or a diff."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..learnings.model import MatcherKind, Scope, Severity, State
from .context import Context

if TYPE_CHECKING:
    from ..learnings.candidates import Candidate
    from ..learnings.model import Learning, Matcher
    from .promoting import Desk

_KINDS = {"regex": MatcherKind.REGEX, "text": MatcherKind.LITERAL, "rule": MatcherKind.AST}
_OF_PATHS = ("accompany", "untouchable", "max_bytes")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "promote",
        help="make a learning of a candidate, an exchange, a commit or a diff",
        description="Draft a learning from where it comes from, or from options alone, and put its "
        "file into the working tree, to be committed and reviewed like code. What the source does "
        "not say for certain is left to you: options win over what is drafted.",
    )
    source = parser.add_argument_group("where it comes from (one of them, or none)")
    source.add_argument("--candidate", metavar="ID", help="a candidate that `analyze` has found")
    source.add_argument(
        "--from-chat", metavar="EXCHANGE", help="an exchange: SESSION/NUMBER, or its id"
    )
    source.add_argument("--from-commit", metavar="REV", help="a commit that shows how it is done")
    source.add_argument("--from-diff", metavar="FILE", help="a diff; - reads standard input")
    add_fields(parser)
    add_matcher(parser)
    add_outcome(parser)


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what the learning is about."""
    about = parser.add_argument_group("what it says")
    about.add_argument("--id", metavar="NAME", help="its name (default: from the title)")
    about.add_argument("--title", metavar="TEXT", help="one line that says what to do")
    about.add_argument("--description", metavar="TEXT", help="what and why")
    about.add_argument("--pattern", metavar="TEXT", help="in words, what is looked for")
    about.add_argument("--category", metavar="WORD", help="what kind of insight it is")
    about.add_argument("--fix", metavar="TEXT", help="what to do instead")
    about.add_argument("--rewrite", metavar="CODE", help="the replacement of an ast match")
    for name, metavar, text in (
        ("tag", "WORD", "a word to find it by"),
        ("language", "NAME", "a language it is about"),
        ("path", "GLOB", "files it is about; !GLOB takes some away"),
        ("bad", "CODE", "an example that must match"),
        ("good", "CODE", "an example that must not match"),
    ):
        about.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[],
            help=f"{text} (may be repeated)",
        )  # fmt: skip
    about.add_argument(
        "--severity", choices=tuple(map(str, Severity)), help="how a finding is shown"
    )
    about.add_argument(
        "--state",
        choices=(str(State.PROPOSED), str(State.WARN), str(State.BLOCK)),
        help="how far it is trusted (default proposed); warn and block only if its examples prove "
        "the matcher",
    )
    about.add_argument("--force", metavar="REASON", help="why it may block without a backtest")


def add_matcher(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is looked for."""
    matcher = parser.add_argument_group("what is looked for")
    matcher.add_argument(
        "--kind", choices=tuple(map(str, MatcherKind)), help="where the options leave it open"
    )
    matcher.add_argument("--regex", metavar="RE2", help="a regular expression")
    matcher.add_argument("--text", metavar="TEXT", help="a text as it stands")
    matcher.add_argument("--rule", metavar="FILE", help="an ast-grep rule in YAML; - reads stdin")
    matcher.add_argument("--unless", metavar="RE2", help="takes back a match in such a line")
    matcher.add_argument("--ignore-case", action="store_true", help="of --regex and --text")
    matcher.add_argument(
        "--scope", choices=tuple(map(str, Scope)), help="what a match of text may span"
    )
    matcher.add_argument(
        "--required", action="store_true", help="messages of commits must match the --regex"
    )
    matcher.add_argument(
        "--accompany", metavar="GLOB", action="append", default=[],
        help="files of --path want a change of one of these, too (may be repeated)",
    )  # fmt: skip
    matcher.add_argument(
        "--untouchable", action="store_true", help="files of --path must not be changed"
    )
    matcher.add_argument(
        "--max-bytes", type=int, metavar="N", help="files of --path must not be larger"
    )


def add_outcome(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what becomes of it."""
    parser.add_argument(
        "--anyway", action="store_true", help="although it is like another learning, or against it"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing, print the file")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/review.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Draft, check, and write."""
    from .promoting import Desk

    given = [args.candidate, args.from_chat, args.from_commit, args.from_diff]
    if sum(one is not None for one in given) > 1:
        raise UsageError("a learning comes from one source", "give one of --candidate, --from-…")
    if args.from_diff == "-" and args.rule == "-":
        raise UsageError("only one of --from-diff and --rule can read standard input")
    desk = Desk(context)
    candidate = _candidate(args, context, desk)
    learning = desk.draft(candidate, args.id or "") if candidate else _blank(args, desk)
    learning = with_options(learning, args, context, desk, candidate)
    outcome = desk.judge(learning)
    return desk.promote(outcome, candidate, anyway=args.anyway, dry_run=args.dry_run)


def _candidate(args: argparse.Namespace, context: Context, desk: "Desk") -> "Candidate | None":
    if args.candidate is not None:
        return desk.candidate(args.candidate)
    if args.from_chat is not None:
        made = desk.from_exchange(args.from_chat)
    elif args.from_commit is not None:
        made = desk.from_commit(args.from_commit)
    elif args.from_diff is not None:
        made = desk.from_patch(_read(context, args.from_diff))
    else:
        return None
    if not (made.title or args.title):
        raise UsageError("nothing says what this change is about", "--title TEXT")
    return made if not args.title else replace(made, title=args.title)


def _blank(args: argparse.Namespace, desk: "Desk") -> "Learning":
    """Return a learning of which options have to say everything."""
    from ..learnings.model import Learning, Matcher

    if not args.title:
        raise UsageError(
            "a learning needs a title", "--title TEXT, or a source: --candidate, --from-…"
        )
    if _kind(args) is None:
        raise UsageError(
            "nothing says what is looked for", "--regex, --text, --rule, --accompany, …"
        )
    return Learning(
        args.id or desk.free_id(args.title),
        args.title,
        args.description or args.title,
        Matcher(MatcherKind.LITERAL),
        author=desk.author,
        created=desk.today,
        updated=desk.today,
    )


def with_options(
    learning: "Learning", args: argparse.Namespace, context: Context, desk: "Desk",
    candidate: "Candidate | None",
) -> "Learning":  # fmt: skip
    """Return a learning with what options say in the place of what was drafted."""
    from ..learnings.model import Fix
    from ..learnings.words import examples_in

    said = {
        "title": args.title, "description": args.description, "pattern": args.pattern,
        "category": args.category, "forced": args.force,
        "severity": Severity(args.severity) if args.severity else None,
        "state": State(args.state) if args.state else None,
        "tags": tuple(args.tag), "languages": tuple(args.language), "paths": tuple(args.path),
    }  # fmt: skip
    changed = replace(learning, **{name: value for name, value in said.items() if value})
    if args.fix or args.rewrite:
        fix = Fix(args.fix or learning.fix.text, args.rewrite or learning.fix.rewrite)
        changed = replace(changed, fix=fix)
    matcher = _matcher(args, context)
    if matcher is not None:
        # What was drafted for another matcher says nothing of this one.
        changed = replace(changed, matcher=matcher, bad=(), good=(), pattern=args.pattern or "")
        if candidate is not None:
            changed = desk.with_examples(changed, candidate)
    kind = changed.matcher.kind
    bad, good = (examples_in(kind, texts) for texts in (args.bad, args.good))
    return replace(changed, bad=changed.bad + bad, good=changed.good + good)


def _kind(args: argparse.Namespace) -> MatcherKind | None:
    """Return the kind of matcher that options ask for, None for none. Raises `UsageError`."""
    found = [kind for name, kind in _KINDS.items() if getattr(args, name) is not None]
    found += [MatcherKind.PATHS for name in _OF_PATHS if getattr(args, name)][:1]
    if len(found) > 1:
        raise UsageError("a learning has one matcher", "give one of --regex, --text, --rule, …")
    if found == [MatcherKind.REGEX] and (args.required or args.kind == MatcherKind.MESSAGE):
        return MatcherKind.MESSAGE
    if found and args.kind and args.kind != found[0]:
        raise UsageError(f"--kind {args.kind} does not go with the other options")
    if args.kind and not found:
        raise UsageError(f"--kind {args.kind} needs what is looked for", "--regex, --text, …")
    return found[0] if found else None


def _matcher(args: argparse.Namespace, context: Context) -> "Matcher | None":
    from ..learnings.model import Matcher
    from ..learnings.words import rule_of

    kind = _kind(args)
    if kind is None:
        for name in ("unless", "ignore_case", "scope", "required"):
            if getattr(args, name):
                raise UsageError(f"--{name.replace('_', '-')} needs --regex or --text")
        return None
    if kind is MatcherKind.AST:
        return rule_of(_read(context, args.rule), args.rule)
    if kind is MatcherKind.PATHS:
        return Matcher(
            kind, accompany=tuple(args.accompany), untouchable=args.untouchable,
            max_bytes=args.max_bytes or 0,
        )  # fmt: skip
    return Matcher(
        kind,
        Scope(args.scope or Scope.LINES),
        regex=args.regex or "",
        text=args.text or "",
        unless=args.unless or "",
        ignore_case=args.ignore_case,
        required=args.required,
    )


def _read(context: Context, name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return ((context.folder or Path()) / name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {name}", reason) from None
