"""`git skillmesh link`: find which exchanges made which lines of commits."""

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..sessions.links import Link

_COMMIT_WIDTH = 12


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "link",
        help="find which exchanges made which lines of commits",
        description="Link lines of commits to the exchanges that wrote them. Runs by itself after "
        "a commit. Without a range: the commits that HEAD reaches, that are not older than the "
        "first session, and that were not looked at since the last exchange arrived. Commits that "
        "took the place of linked ones (amend, rebase, squash, pick) get their links first.",
    )
    parser.add_argument(
        "ranges", metavar="RANGE", nargs="*", help="commits to look at again: A..B, ^A B, a commit"
    )
    parser.add_argument(
        "--all", action="store_true", help="look again at all commits since the first session"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the links, write nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Link, and print what is new."""
    from ..sessions.carrying import carry_links
    from ..sessions.linking.linker import link_commits, link_new_commits
    from ..sessions.links import format_ranges

    write = not args.dry_run
    if args.all and args.ranges:
        raise UsageError("--all and a range exclude each other")
    carried = None
    if write and not args.ranges:
        carried = carry_links(context.repository, again=args.all)
    if args.all or args.ranges:
        outcome = link_commits(context.repository, context.config, args.ranges, write=write)
    else:
        outcome = link_new_commits(context.repository, context.config, write=write)
    if context.json:
        commits = [
            {"commit": commit, "links": [_document(link) for link in links]}
            for commit, links in outcome.links.items()
        ]
        context.out_json(
            {
                "looked_at": outcome.looked,
                "written": write,
                "commits": commits,
                "carried": list(carried.commits) if carried else [],
            }
        )
        return ExitCode.OK
    for commit, links in outcome.links.items():
        context.out(context.style.bold(commit[:_COMMIT_WIDTH]))
        for link in sorted(links, key=lambda link: (link.path, link.ranges, link.exchange)):
            lines = f":{format_ranges(link.ranges)}" if link.ranges else ""
            place = context.style.path(safe_line(f"{link.path}{lines}" or "the commit"))
            exchange = safe_line(f"{link.exchange} in {link.session}")
            context.out(f"  {link.evidence:8} {link.confidence:.2f}  {place}  {exchange}")
    if carried and carried.commits:
        count = len(carried.commits)
        lines = f"{carried.lines} line{'s' * (carried.lines != 1)}"
        context.note(f"carried the links of {lines} to {count} commit{'s' * (count != 1)}")
    done = "linked" if write else "would be linked"
    count = len(outcome.links)
    context.note(f"{count} of {outcome.looked} commit{'s' * (outcome.looked != 1)} {done}")
    return ExitCode.OK


def _document(link: "Link") -> dict[str, Any]:
    return {
        "session": link.session,
        "exchange": link.exchange,
        "confidence": link.confidence,
        "evidence": str(link.evidence),
        "path": link.path,
        "blob": link.blob,
        "lines": [list(pair) for pair in link.ranges],
        "via": list(link.via),
    }
