"""The tool `check`: what a change brings in that a learning speaks against.

In: what to check: the working tree, what is staged, a range of commits, a patch that is not applied
yet. Out: findings as retrieved blocks, those that block first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from ...display import plural
from ...errors import UsageError
from ...monitoring.findings import note_findings
from ...monitoring.timing import Timed
from ..answers import MOST_TOKENS, bounded, one_line, page, quoted, shortened
from ..host import Host
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...gate.change import Change
    from ...gate.model import Finding, Report

_LONGEST_DIFF = 5_000_000
_LINES, _CHARACTERS, _WIDTH = 6, 600, 400
_MOST_NAMED = 5


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""

    def check(
        what: Annotated[str, Field(description="worktree, staged, or a range A..B")] = "worktree",
        diff: Annotated[str, Field(description="a patch to check before it is applied")] = "",
        message: Annotated[str, Field(description="commit message")] = "",
        offset: int = 0,
        budget: int = MOST_TOKENS,
    ) -> str:
        return checked(host, what, diff, message, offset, budget)

    add_tool(
        server,
        check,
        """Check a change against the team's learnings, before you write or commit it: findings with
        place, reason and fix; [block] ones fail CI.""",
    )


def checked(
    host: Host, what: str, diff: str = "", message: str = "", offset: int = 0,
    budget: int = MOST_TOKENS, related: bool = False,
) -> str:  # fmt: skip
    """Return the findings about a change, within a budget. Raises `UsageError`."""
    from ...gate.check import check
    from ...gate.matchers.message import CommitMessage
    from ...gate.reports.ordering import by_weight

    budget = bounded(budget, offset)
    text = CommitMessage("", message, merge=False) if message.strip() else None
    with (
        Timed(host.repository.state_dir, "check", "mcp") as timed,
        _change(host, what, diff) as (change, called),
    ):
        report = check(change, message=text, related=related)
        timed.outcome = "findings" if report.findings else "ok"
        # A patch that is only proposed is no change yet.
        if called != "the patch":
            kind = what.strip() or "worktree"
            note_findings(change, report, kind, message=text is not None or bool(change.head))
    found = by_weight(report.findings)
    blocks = [_finding(one) for one in found]
    blocks += [_note(report, place) for place in range(len(report.related))]
    blocks += list(_rest(report))
    return page(blocks[offset:], budget, offset, first=_summary(report, called), total=len(blocks))


@contextmanager
def _change(host: Host, what: str, diff: str) -> "Iterator[tuple[Change, str]]":
    from ...gate import change

    repository, name = host.repository, what.strip()
    if diff.strip() or name == "diff":
        if len(diff) > _LONGEST_DIFF:
            raise UsageError(f"the diff is longer than {_LONGEST_DIFF:,} characters", "divide it")
        with change.patched(repository, diff.encode()) as found:
            yield found, "the patch"
    elif name in ("", "worktree"):
        with change.worktree(repository, {}) as found:
            yield found, "the working tree"
    elif name == "staged":
        yield change.staged(repository, {}), "what is staged"
    elif ".." in name:
        base, _, tip = name.partition("..")
        found = change.between(repository, base or "HEAD", tip.removeprefix(".") or "HEAD")
        yield found, one_line(name, 100)
    else:
        raise UsageError(f"nothing to check: {name}", "worktree, staged, A..B, or a diff")


def _summary(report: "Report", called: str) -> str:
    """Return a line that says what was looked at and how it ended."""
    blocking = sum(one.blocks for one in report.findings)
    base = f" against {report.base[:12]}" if report.base else ""
    looked = f"{plural(report.learnings, 'learning')} on {plural(report.files, 'file')}"
    count = plural(len(report.findings), "finding") if report.findings else "nothing found"
    more = f", {blocking} blocking" if blocking else ""
    excused = f"; {len(report.suppressed)} excused in the code" if report.suppressed else ""
    return f"{called[:1].upper()}{called[1:]}{base}: {count}{more} ({looked}{excused})."


def _finding(one: "Finding") -> str:
    from ...gate.reports.ordering import where

    said = [one_line(one.message, _WIDTH)]
    said += [f"fix: {one_line(one.fix, _WIDTH)}"] if one.fix else []
    said += [shortened(one.text, _LINES, _CHARACTERS)] if one.text.strip() else []
    return quoted("\n".join(said), where(one), {"learning": one.learning_id, "state": one.state})


def _note(report: "Report", place: int) -> str:
    one = report.related[place]
    line = f":{one.line}" if one.line else ""
    where = f"{one.path}{line}" if one.path else ""
    return quoted(f"{one_line(one.title)}\n{one_line(one.why)}", f"{one.kind} {one.id}",
                  {"about": where})  # fmt: skip


def _rest(report: "Report") -> Iterator[str]:
    """Yield what else a reader should know: broken rules, what was not looked at, learnings."""
    for problem in report.broken:
        yield quoted(one_line(str(problem), _WIDTH), "a learning that cannot be used")
    for edit in report.changed_learnings:
        said = "; ".join(str(one) for one in edit.problems[:_MOST_NAMED])
        fine = "no problem" if edit.change == "removed" else "its examples do what they say"
        source = f"learning {edit.learning_id} ({edit.change})"
        yield quoted(one_line(said or fine, _WIDTH), source)
    for left in report.unchecked[:_MOST_NAMED]:
        yield quoted(one_line(left.why, _WIDTH), f"{left.path} (not looked at)")
    if len(report.unchecked) > _MOST_NAMED:
        yield f"Not looked at: {plural(len(report.unchecked) - _MOST_NAMED, 'more file')}"
