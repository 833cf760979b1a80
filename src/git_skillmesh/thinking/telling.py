"""Sessions of thoughts for people and programs: a tree, Markdown, JSON.

In: histories. Out: text and plain documents. Revisions and branches are shown as history, where
they belong: beneath the thought that was revised, or that a branch left.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..display import plural, safe, safe_line
from .history import History, Line, Step
from .model import ThinkingSession
from .records import document_of, line_of
from .summaries import Summary

SCHEMA = 1
_MOST_DEEP = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree: `kind` is thought, older (what was revised), or branch (no text)."""

    depth: int
    kind: str
    label: str
    text: str = ""


def tree_of(found: History) -> Iterator[Node]:
    """Yield the main line, and under each thought its older revisions and the branches from it."""
    main = next((line for line in found.lines if not line.name), None)
    branches = [line for line in found.lines if line.name]
    numbers = {step.number for step in main.steps} if main else set()
    for step in main.steps if main else ():
        yield from _step(found, step, 0)
        for line in branches:
            if line.branched_from == step.number:
                yield from _branch(found, line, 1)
    for line in branches:
        if line.branched_from not in numbers:
            yield from _branch(found, line, 0)


def _branch(found: History, line: Line, depth: int) -> Iterator[Node]:
    came = f" (from {line.branched_from})" if line.branched_from else ""
    yield Node(depth, "branch", f"branch {line.name}{came}")
    for step in line.steps:
        yield from _step(found, step, depth + 1)


def _step(found: History, step: Step, depth: int) -> Iterator[Node]:
    latest = step.latest
    about = []
    if latest.revises not in (0, step.number):
        about.append(f"revises {latest.revises}")
    later = found.revised_by(step)
    if later:
        about.append(f"revised by {', '.join(str(one.number) for one in later)}")
    if len(step.versions) > 1:
        about.append(f"revision {latest.revision}")
    if not latest.needs_more:
        about.append("no more needed")
    yield Node(depth, "thought", " · ".join([str(step.number), *about]), latest.text)
    for old in reversed(step.versions[:-1]):
        was = f"revision {old.revision}" if old.revision else "at first"
        yield Node(depth + 1, "older", was, old.text)


def facts_of(session: ThinkingSession) -> str:
    """Return what there is of a session, in a line."""
    told = [
        "open" if session.is_open else "closed",
        plural(session.thoughts, "thought"),
        _branches(len(session.branches)),
        plural(session.revisions, "revision") if session.revisions else "",
    ]
    return ", ".join(filter(None, told))


def _branches(count: int) -> str:
    return f"{count:,} branch{'es' * (count != 1)}" if count else ""


def markdown(found: History) -> str:
    """Return a session as a Markdown document."""
    session = found.session()
    lines = [f"# {safe_line(session.session_id)}", "", facts_of(session), ""]
    times = [time[:19].replace("T", " ") for time in (session.started, session.ended) if time]
    if times:
        lines += [f"{' to '.join(dict.fromkeys(times))} UTC", ""]
    for node in tree_of(found):
        indent = "  " * min(node.depth, _MOST_DEEP)
        label = f"**{safe_line(node.label)}**" if node.kind != "older" else f"*{node.label}*"
        first, *rest = safe(node.text).split("\n")
        lines.append(f"{indent}- {label} {first}".rstrip())
        lines += [f"{indent}  {line}".rstrip() for line in rest]
    return "\n".join(lines).rstrip() + "\n"


def json_lines(found: History) -> str:
    """Return a session as JSON lines that `think record` reads again."""
    return "".join(line_of(thought) + "\n" for thought in found.told)


def session_document(session: ThinkingSession) -> dict[str, Any]:
    """Return what is known of a session as JSON."""
    document = asdict(session)
    return {"session": document.pop("session_id"), **document, "branches": list(session.branches)}


def history_document(found: History) -> dict[str, Any]:
    """Return a session with all its thoughts as JSON; `think record` reads it again.

    `current` says of each step which of its revisions counts.
    """
    current = [
        {
            "number": step.number,
            "branch": step.branch,
            "thought": step.latest.text,
            "revision": step.latest.revision,
            "revised_by": [other.number for other in found.revised_by(step)],
        }
        for step in found.steps
    ]
    lines = [
        {"branch": line.name, "from": line.branched_from, "steps": len(line.steps)}
        for line in found.lines
    ]
    return {
        "schema": SCHEMA,
        **session_document(found.session()),
        "lines": lines,
        "current": current,
        "thoughts": [document_of(thought) for thought in found.told],
    }


def summary_document(found: History, summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON."""
    return {"schema": SCHEMA, **session_document(found.session()), "summary": asdict(summary)}


def summary_lines(summary: Summary) -> Iterator[tuple[str, str]]:
    """Yield labels and texts of a summary, for people and models."""
    first, ends = summary.first, summary.ends
    yield f"first, {first.number}", first.text
    for said in summary.revised:
        where = _where(said.number, said.branch)
        by = f" by {', '.join(map(str, said.revised_by))}" if said.revised_by else ""
        if (said.number, said.branch) != (first.number, first.branch) or by:
            yield f"revised{by}, {where}", said.text
        if said.before:
            yield f"at first, {where}", said.before
    for said in summary.decided:
        yield f"decided, {_where(said.number, said.branch)}", said.text
    for said in ends:
        if (said.number, said.branch) != (first.number, first.branch):
            yield f"last, {_where(said.number, said.branch)}", said.text


def _where(number: int, branch: str) -> str:
    return f"{number} of branch {branch}" if branch else str(number)
