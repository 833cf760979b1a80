"""The tools `think`, `find_thoughts` and `session_summary`: working memory that outlives a session.

In: thoughts and questions. Out: what was recorded and where; thoughts as retrieved text. What the
tools of the toolset `collections` share with these is here too.
"""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any
from weakref import WeakKeyDictionary

from mcp.server import MCPServer
from pydantic import Field

from ...errors import UsageError
from ...thinking.model import Thought
from ...thinking.store import Recorded, ThoughtStore
from ..answers import escaped, page, quoted
from ..host import Host
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...thinking.search import Finder, ThoughtHit

_MOST_HITS = 50
_LONGEST_SHOWN = 4_000
_finders: "WeakKeyDictionary[Host, Finder]" = WeakKeyDictionary()


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tools."""

    def think(
        thought: str,
        thought_number: Annotated[int, Field(description="0: next; used again: a revision")] = 0,
        total_thoughts: int = 0,
        next_thought_needed: bool = True,
        session_id: Annotated[str, Field(description="empty: a new session")] = "",
        branch_id: str = "",
        branch_from_thought: int = 0,
        revises_thought: int = 0,
    ) -> str:
        told = Thought(
            session_id, thought_number, thought, total_thoughts, branch_id, branch_from_thought,
            revises=revises_thought, needs_more=next_thought_needed,
        )  # fmt: skip
        return recorded_text(host, told)

    def find_thoughts(query: str, session_id: str = "", limit: int = 5, offset: int = 0) -> str:
        return found_text(host, query, session_id, limit, offset)

    def session_summary(session_id: str = "") -> str:
        return summary_text(host, session_id)

    add_tool(
        server,
        think,
        """Record a step of reasoning that should outlive this chat: plans, hypotheses, decisions
        of a longer task. Tells of like thoughts in other sessions.""",
        writes=True,
    )
    add_tool(
        server,
        find_thoughts,
        """Search earlier thoughts by meaning: what was tried, ruled out, decided, and why.""",
    )
    add_tool(
        server,
        session_summary,
        """What a session of thoughts came to: first, revised, decided, last. Empty: the latest.
        Use to take up work again.""",
    )


def record(host: Host, thought: Thought) -> tuple[Recorded, "list[ThoughtHit]", Counter[str]]:
    """Store a thought; return it, thoughts of other sessions like it, and what was redacted."""
    found: Counter[str] = Counter()
    from ...thinking.redacting import redactor_of

    done = ThoughtStore(host.repository, redactor_of(host.config, found)).record(thought)
    if done.fate != "known":
        host.go_on()
    return done, finder_of(host).alike(done.thought, host.config), found


def finder_of(host: Host) -> "Finder":
    """Return what searches the thoughts of a server's repository, kept warm between calls."""
    from ...thinking.search import Finder

    known = _finders.get(host)
    if known is None or known.repository is not host.repository:
        known = _finders[host] = Finder(host.repository)
    return known


def session_named(host: Host, name: str) -> str:
    """Return the id of the session that a name is or begins, "" for "". Raises `UsageError`."""
    return ThoughtStore(host.repository, str).find(name).session_id if name.strip() else ""


def recorded_text(host: Host, thought: Thought) -> str:
    """Record a thought, and say what became of it."""
    done, alike, found = record(host, thought)
    stored = done.thought
    total = f" of {stored.total}" if stored.total else ""
    branch = f" on branch {stored.branch}" if stored.branch else ""
    fate = {"new": "Recorded", "revision": "Revised", "known": "Known already:"}[done.fate]
    lines = [
        f"{fate} thought {stored.number}{total}{branch}, session_id={stored.session_id}"
        + ("" if stored.needs_more else " (closed)")
    ]
    if done.branches:
        lines.append(f"branches: {', '.join(done.branches)}")
    if found:
        lines.append(f"redacted: {', '.join(sorted(found))}")
    first = escaped("\n".join(lines))
    if not alike:
        return first
    blocks = [_block(hit) for hit in alike]
    return page(blocks, first=f"{first}\nThoughts of other sessions like it:")


def found_text(host: Host, query: str, session_id: str, limit: int, offset: int) -> str:
    """Return a page of thoughts that answer a question."""
    if not query.strip():
        raise UsageError("query is empty")
    if offset < 0:
        raise UsageError("offset cannot be negative")
    session = session_named(host, session_id)
    limit = min(max(limit, 1), _MOST_HITS)
    answer = finder_of(host).find(query, host.config, limit=limit, offset=offset, session=session)
    if not answer.hits:
        if answer.found:
            return f"No more: {answer.found} thoughts in all."
        if not answer.searched:
            return "No thoughts are recorded yet."
        return f"No thought says anything about this, of {answer.searched}."
    notes = "\n".join(map(escaped, answer.notes))
    return page([_block(hit) for hit in answer.hits], offset=offset, first=notes,
                total=answer.found)  # fmt: skip


def _block(hit: "ThoughtHit") -> str:
    thought = hit.thought
    about = {
        "session": thought.session_id,
        "branch": thought.branch,
        "when": thought.time[:10],
        "author": thought.author,
        "score": f"{hit.score:.2f}",
    }
    text = shown(thought.text)
    if hit.revised:
        text += f"\n\nLater revised to:\n{shown(hit.revised)}"
    return quoted(text, f"thought {thought.number}", about)


def shown(text: str) -> str:
    """Return a thought, cut where it is long."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} …"


def summary_text(host: Host, session_id: str) -> str:
    """Return what a session came to."""
    from ...thinking.summaries import summary_of
    from ...thinking.telling import facts_of, summary_lines

    found = ThoughtStore(host.repository, str).find(session_id.strip())
    session = found.session()
    lines = [f"{label}: {text}" for label, text in summary_lines(summary_of(found))]
    about = {"state": facts_of(session), "from_to": f"{session.started[:16]} {session.ended[:16]}"}
    return quoted("\n".join(lines), f"session {found.session_id}", about)
