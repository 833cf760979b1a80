"""Working memory under the names that rules of other servers use; the answers are JSON text.

In: thoughts, questions, ids of sessions. Out: JSON of what was recorded, found, or came of a
session, within the bounds of an answer. Text that was retrieved cannot close the tags that a client
puts around it, nor move a terminal.
"""

import json
from collections.abc import Iterable
from typing import Any

from mcp.server import MCPServer

from ...display import tokens
from ...errors import UsageError
from ...thinking.model import Thought
from ...thinking.store import ThoughtStore
from ..answers import MOST_TOKENS, escaped
from ..host import Host
from ..tooling import add_tool
from ..tools.thinking import finder_of, record, session_named, shown

_MOST_HITS = 50


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tools."""

    def chroma_sequential_thinking(
        thought: str,
        thought_number: int,
        total_thoughts: int,
        next_thought_needed: bool = True,
        session_id: str = "",
        is_revision: bool = False,
        revises_thought: int = 0,
        branch_from_thought: int = 0,
        branch_id: str = "",
        needs_more_thoughts: bool = False,
    ) -> str:
        revises = revises_thought or (thought_number if is_revision else 0)
        told = Thought(
            session_id, thought_number, thought, total_thoughts, branch_id, branch_from_thought,
            revises=revises, needs_more=next_thought_needed or needs_more_thoughts,
        )  # fmt: skip
        return recorded_json(host, told)

    def chroma_find_similar_thoughts(
        query: str,
        n_results: int = 5,
        threshold: float = 0.0,
        session_id: str = "",
        include_branches: bool = True,
    ) -> str:
        return found_json(host, query, n_results, threshold, session_id, include_branches)

    def chroma_get_session_summary(session_id: str, include_all_thoughts: bool = True) -> str:
        return summary_json(host, session_id, include_all_thoughts)

    add_tool(
        server,
        chroma_sequential_thinking,
        """Record a step of reasoning; the same number again revises it. Pass the returned
        session_id to go on.""",
        writes=True,
    )
    add_tool(
        server, chroma_find_similar_thoughts, "Search the thoughts of earlier sessions by meaning."
    )
    add_tool(server, chroma_get_session_summary, "What came of a session of thoughts.")


def recorded_json(host: Host, thought: Thought) -> str:
    """Record a thought, and say what became of it."""
    done, alike, redactions = record(host, thought)
    stored = done.thought
    return _json({
        "session_id": stored.session_id,
        "thought_number": stored.number,
        "total_thoughts": stored.total,
        "next_thought_needed": stored.needs_more,
        "branch_id": stored.branch,
        "revision": stored.revision,
        "status": {"new": "recorded", "revision": "revised", "known": "known already"}[done.fate],
        "thoughts": done.thoughts,
        "branches": list(done.branches),
        "redacted": sorted(redactions),
        "similar": [_said(hit.thought, score=hit.score) for hit in alike],
    })  # fmt: skip


def found_json(
    host: Host, query: str, count: int, threshold: float, session_id: str, branches: bool
) -> str:
    """Return the thoughts that answer a question."""
    from ...thinking.search import LEAST

    if not query.strip():
        raise UsageError("query is empty")
    answer = finder_of(host).find(
        query, host.config, limit=min(max(count, 1), _MOST_HITS), main_only=not branches,
        session=session_named(host, session_id), least=threshold if threshold > 0 else LEAST,
    )  # fmt: skip
    rows = (
        _said(hit.thought, score=hit.score, revised_to=shown(hit.revised)) for hit in answer.hits
    )
    kept, left = _fitting(rows, MOST_TOKENS - 100)
    return _json({
        "similar_thoughts": kept, "left_off": left, "found": answer.found,
        "searched": answer.searched, "notes": list(answer.notes),
    })  # fmt: skip


def summary_json(host: Host, session_id: str, all_thoughts: bool) -> str:
    """Return what came of a session, and its thoughts as far as there is room."""
    from ...thinking.summaries import summary_of
    from ...thinking.telling import session_document, summary_lines

    found = ThoughtStore(host.repository, str).find(session_id.strip())
    facts: dict[str, Any] = {"session_id": found.session_id, **session_document(found.session())}
    del facts["session"], facts["first"]
    facts["summary"] = [f"{label}: {text}" for label, text in summary_lines(summary_of(found))]
    if all_thoughts:
        rows = (
            _said(step.latest, branch_from_thought=step.latest.branched_from,
                  revision=step.latest.revision)
            for step in found.steps
        )  # fmt: skip
        kept, left = _fitting(rows, MOST_TOKENS - tokens(_json(facts)) - 50)
        facts |= {"retrieved": kept, "left_off": left}
    return _json(facts)


def _said(thought: Thought, **more: Any) -> dict[str, Any]:
    """Return a thought as a record; what is empty is left out."""
    found = {
        "session_id": thought.session_id,
        "thought_number": thought.number,
        "branch_id": thought.branch,
        "timestamp": thought.time,
        "thought": shown(thought.text),
        **more,
    }
    return {key: value for key, value in found.items() if value not in ("", 0)}


def _fitting(rows: Iterable[dict[str, Any]], budget: int) -> tuple[list[dict[str, Any]], int]:
    """Return the records that an answer has room for, and how many it has not."""
    kept: list[dict[str, Any]] = []
    left = 0
    for row in rows:
        budget -= tokens(_json(row))
        if left or (budget < 0 and kept):
            left += 1
        else:
            kept.append(row)
    return kept, left


def _json(document: Any) -> str:
    return json.dumps(_clean(document), ensure_ascii=False)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value
