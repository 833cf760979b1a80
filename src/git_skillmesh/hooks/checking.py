"""The check before a commit: what is staged, and the message.

In: a repository as git's environment names it. Out: a report on standard output where there is
something to say, and whether the commit may go on. Only a learning that blocks stops it, or the
file of a learning that cannot be used.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..gate.change import Change, nothing, staged
from ..gate.check import check, lines_at_head
from ..gate.messages import message_in
from ..gate.model import FailOn, Report
from ..git.repository import Repository, discover
from ..monitoring.record import has_open
from ..monitoring.timing import Timed


def check_commit(name: str, arguments: Sequence[str]) -> int:
    """Answer the hook `name`, pre-commit or commit-msg, and return its exit code."""
    repository = discover()
    with Timed(repository.state_dir, "check", name) as timed:
        change, report = _checked(repository, name, arguments)
        code = report.exit_code(FailOn.BLOCK)
        timed.outcome = "findings" if report.findings else code.name.lower()
    if report.findings or report.suppressed or has_open(repository.state_dir):
        from ..monitoring.findings import note_findings

        is_message = name == "commit-msg"
        note_findings(change, report, "staged", content=not is_message, message=is_message)
    if _says_something(report):
        _show(change, report)
    return code


def _checked(repository: Repository, name: str, arguments: Sequence[str]) -> tuple[Change, Report]:
    if name == "commit-msg":
        change = nothing(repository)
        message = message_in(repository, Path(arguments[0]), os.environ) if arguments else None
        return change, check(change, message=message, content=False)
    change = staged(repository)
    return change, check(change)


def _says_something(report: Report) -> bool:
    return bool(report.findings or report.broken or report.unchecked or report.changed_learnings)


def _show(change: Change, report: Report) -> None:
    from ..gate.reports.text import render

    out = sys.stdout
    try:
        width = os.get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):
        width = 80
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    text = render(
        report,
        colour=out.isatty() and not plain,
        width=width,
        sources=lines_at_head(change, report),
    )
    out.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace"))
    out.flush()
