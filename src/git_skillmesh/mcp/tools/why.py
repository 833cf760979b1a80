"""The tool `why`: which conversation made lines of a file, and which learnings are about them.

In: a file and lines. Out: what `index.behind` knows of them, as text of retrieved blocks.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from ...display import plural
from ...errors import UsageError
from ..answers import MOST_TOKENS, bounded, one_line, page, quoted, shortened
from ..host import Host
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...index.learned import Reasons
    from ...learnings.model import Learning
    from ...sessions.answering import Group

_RANGE = re.compile(r"\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*")
_PLACE = re.compile(r"(.+?):(\d[\d,\s-]*)", re.DOTALL)
_PROMPT_LINES, _PROMPT = 30, 2_000
_COMMITS, _DESCRIPTION = 3, 300


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""

    def why(
        file: str,
        lines: Annotated[str, Field(description="12, 12-20 or 3,8-9; all if empty")] = "",
        at: Annotated[str, Field(description="revision; else the working tree")] = "",
        offset: int = 0,
        budget: int = MOST_TOKENS,
    ) -> str:
        return explain(host, file, lines, at, offset, budget)

    add_tool(
        server,
        why,
        """Why code is as it is: the prompt and answer that made lines of a file, the evidence, the
        commits, the team's learnings about it. Use before you change or question code.""",
    )


def explain(
    host: Host, file: str, lines: str = "", at: str = "", offset: int = 0, budget: int = MOST_TOKENS
) -> str:
    """Return what is known of lines of a file, within a budget. Raises `UsageError` and others."""
    from ...gate.scope import applying_to
    from ...index.behind import behind
    from ...learnings.sources import Sources
    from ...sessions.finding import HOW_TO_GET_SOME, NO_MEMORY

    budget = bounded(budget, offset)
    path, ranges = _place(host, file, lines)
    repository = host.repository
    sources = Sources(repository)
    found = behind(
        repository, lambda: host.config, path, ranges, repository.asked_commit(at), sources
    )
    known = sum(group.told is not None for group in found.groups)
    first = f"{plural(len(found.groups), 'origin')} of these lines, {known} with a conversation"
    if found.is_empty:
        first += f" ({NO_MEMORY}: {HOW_TO_GET_SOME})"
    blocks = list(_groups(path, found.groups, found.learned))
    blocks += [_learning(one) for one in applying_to(path, sources.all())]
    return page(blocks[offset:], budget, offset, first=f"{first}.", total=len(blocks))


def _place(host: Host, file: str, lines: str) -> tuple[str, list[str]]:
    """Return path and ranges as git takes them. Raises `UsageError`."""
    if not file.strip():
        raise UsageError("which file?", "file=PATH, from the root of the repository")
    found = _PLACE.fullmatch(file)
    top = host.repository.top
    if not lines and found and not (top and os.path.lexists(Path(top, file.replace("\0", "")))):
        file, lines = found[1], found[2]
    ranges = []
    for each in lines.split(",") if lines.strip() else ():
        match = _RANGE.fullmatch(each)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if first < 1 or last < first:
            raise UsageError(f"no such lines: {lines}", "12, 12-20 or 3,8-9; they count from 1")
        ranges.append(f"{first},{last}")
    return host.tree_path(file), ranges


def _groups(path: str, groups: "Sequence[Group]", learned: "Sequence[Reasons]") -> Iterator[str]:
    """Yield what is known of each group of lines, those of conversations first."""
    from ...git.dates import local_time
    from ...sessions.links import format_ranges, ranges_of
    from ...sessions.summaries import summary_of_response
    from ...sessions.wording import (
        commit_words,
        evidence_words,
        missing_words,
        names,
        unknown_words,
        who,
    )

    called = names(group.told for group in groups if group.told)
    ordered = sorted(zip(groups, learned, strict=True), key=lambda pair: pair[0].told is None)
    for group, reasons in ordered:
        place = f"{path}:{format_ranges(ranges_of(line.blamed.number for line in group.lines))}"
        told = group.told
        about: dict[str, str] = {}
        said: list[str] = []
        if told is None:
            said.append(unknown_words(group))
        else:
            about["exchange"] = called[told.session, told.exchange_id]
            exchange = told.exchange
            if exchange is None:
                said.append(missing_words(told))
            else:
                asked = shortened(exchange.prompt, _PROMPT_LINES, _PROMPT)
                answered = summary_of_response(exchange.response)
                said += [f"asked: {asked or '(nothing in words)'}", f"answered: {answered}"]
                when = local_time(exchange.ended or exchange.started)
                said.append(f"by: {', '.join(filter(None, [who(told), when]))}")
            said.append(f"evidence: {evidence_words(group.links)}")
            said += [f"commit: {commit_words(commit)}" for commit in group.commits[:_COMMITS]]
            if len(group.commits) > _COMMITS:
                said.append(f"commits: {len(group.commits) - _COMMITS} more")
            before = dict.fromkeys(oid[:9] for link in group.links for oid in link.via)
            if before:
                said.append(f"before: {' → '.join(before)} (rewritten since)")
        for one, because in reasons.values():
            why = " and the ".join(because)
            said.append(f"learned: [{one.state}] {one.learning_id}: {one.title} (of the {why})")
        yield quoted("\n".join(said), place, about)


def _learning(one: "Learning") -> str:
    """Return a learning that applies to the file."""
    about = {"state": str(one.state), "severity": str(one.severity)}
    said = [one_line(one.title), one_line(one.description, _DESCRIPTION)]
    said += [f"instead: {one_line(one.fix.text, _DESCRIPTION)}"] if one.fix.text else []
    return quoted("\n".join(dict.fromkeys(said)), f"learning {one.learning_id}", about)
