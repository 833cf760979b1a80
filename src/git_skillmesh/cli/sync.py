"""`git skillmesh sync`: fetch and share conversations and their links."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from .context import Context
from .terminal import agrees, is_somebody_there, safe_line

if TYPE_CHECKING:
    from ..git.remotes import Remote
    from ..sessions.difference import Difference
    from ..sessions.sync import Outcome


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "sync",
        help="fetch and share conversations",
        description="Fetch the conversations and links that a remote has, unite them with those "
        "here, and share the result. What was forgotten here is forgotten there.",
    )
    parser.add_argument(
        "remote",
        metavar="REMOTE",
        nargs="?",
        help="a remote or an address (default: the remote of the branch, else origin)",
    )
    parser.add_argument("--fetch-only", action="store_true", help="share nothing")
    parser.add_argument(
        "--dry-run", action="store_true", help="fetch, and only say what would be done with it"
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help="do not ask before the first share"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing about the work")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Sync, or show what it would do."""
    from ..git.remotes import default_remote, find_remote
    from ..git.transport import Manners
    from ..sessions.sync import plan, sync

    repository = context.repository
    remote = find_remote(repository, args.remote) if args.remote else default_remote(repository)
    if remote is None:
        raise UsageError(
            "there is no remote to sync with, or none of several is the default",
            "git skillmesh sync REMOTE",
        )
    here = is_somebody_there()
    manners = Manners(ask=here, seconds=None if here else 600)
    if args.dry_run:
        _show(context, plan(repository, remote, manners), "would be ")
        return ExitCode.OK
    consent = _Consent(context, remote, args.yes)
    push_too = not args.fetch_only and consent.possible()
    outcome = sync(repository, remote, push_too=push_too, manners=manners, agree=consent.given)
    if outcome.fetched:
        context.go_on()
    _show(context, outcome, "", consent.reason)
    return ExitCode.OK


class _Consent:
    """Asks before conversations go to an address for the first time, and keeps the answer."""

    def __init__(self, context: Context, remote: "Remote", yes: bool) -> None:
        self._context = context
        self._remote = remote
        self._yes = yes
        self.reason = ""

    def possible(self) -> bool:
        """Return whether anything may be pushed at all."""
        if self._context.config["sync.push"] == "never":
            origin = self._context.config.origins["sync.push"]
            self.reason = f"sync.push is never ({origin})"
        return not self.reason

    def given(self, difference: "Difference") -> bool:
        """Return whether `difference` may be shared now."""
        from ..sessions.consent import answer, remember

        repository, remote = self._context.repository, self._remote
        said = answer(repository, remote)
        if said or (said is None and not difference):
            return True
        if self._yes or (said is None and not is_somebody_there()):
            self._context.note(safe_line(f"sharing {difference} with {remote.url}"))
            agreed = True
        elif said is False:
            self.reason = f"you said no to {remote.url}; --yes to share"
            return False
        else:
            agreed = agrees(safe_line(f"share {difference} with {remote.url}?"))
            self.reason = "" if agreed else "you said no"
        remember(repository, remote, agreed)
        return agreed


def _show(context: Context, outcome: "Outcome", mood: str, reason: str = "") -> None:
    if context.json:
        context.out_json(_document(outcome, reason))
        return
    parts = []
    if outcome.fetched:
        parts.append(f"{mood}fetched: {outcome.fetched}")
    if outcome.shared:
        parts.append(f"shared: {outcome.shared}")
    if outcome.waiting:
        why = f" ({reason})" if reason else ""
        parts.append(f"{mood or 'not '}shared: {outcome.waiting}{why}")
    if outcome.rewritten:
        parts.append(f"its history {mood or 'was '}rewritten without what was forgotten")
    context.out(safe_line(f"{outcome.remote.shown}: {'; '.join(parts) or 'nothing to do'}"))


def _document(outcome: "Outcome", reason: str) -> dict[str, Any]:
    return {
        "remote": outcome.remote.shown,
        "url": outcome.remote.url,
        "fetched": asdict(outcome.fetched),
        "shared": asdict(outcome.shared),
        "waiting": asdict(outcome.waiting),
        "rewritten": outcome.rewritten,
        "attempts": outcome.attempts,
        "reason": reason,
    }
