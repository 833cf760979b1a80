"""`git skillmesh query --in skills`: search the instructions of experts.

In: the query. Out: what `skills retrieve` finds, and how it is printed.
"""

import argparse
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..registry.choosing import NAME, entries_of
from ..registry.rendering import Entry, hit_of
from ..yamlnodes import Unreadable
from .context import Context
from .skills_registry import registry_of
from .skills_routing import print_entries, retriever_of
from .terminal import safe, safe_line


@dataclass(frozen=True, slots=True)
class SkillAnswer:
    """The skills that were found and how sure that is, or the reason why there are none."""

    hits: tuple[Entry, ...]
    reason: str
    confidence: float = 0.0


def check_options(args: argparse.Namespace) -> None:
    """Raise `UsageError` for options that do not fit a search of skills."""
    for name in ("lang", "path", "kind", "at", "committed"):
        if getattr(args, name):
            raise UsageError(f"--{name} is for code", "add --in code")
    if args.backend == "chroma" or args.rank != "ranker" or args.explain:
        raise UsageError("skills are ranked in one way", "leave out --backend, --rank, --explain")


def answer_skills(args: argparse.Namespace, context: Context, text: str) -> SkillAnswer:
    """Search the skills."""
    from ..retrieval.together import MOST_SKILLS

    limit = args.limit if args.what == "skills" else min(args.limit, MOST_SKILLS)
    registry = registry_of(args, context)
    routing = retriever_of(registry, NAME, "auto", context).route(text, limit)
    return SkillAnswer(tuple(entries_of(routing)), routing.reason, routing.confidence)


def skills_document(answer: SkillAnswer, full: bool, alone: bool) -> dict[str, Any]:
    """Return the answer in the documented JSON form."""
    hits = []
    for entry in answer.hits:
        hit = hit_of(entry)
        if full:
            hit["text"] = _instructions(entry)
        hits.append(hit)
    return {"skills": hits, "notes": [answer.reason] if alone and answer.reason else []}


def print_skills(context: Context, answer: SkillAnswer, full: bool) -> None:
    """Print the skills found, or why there are none."""
    for rank, entry in enumerate(answer.hits, 1):
        print_skill(context, entry, rank, full)
    if not answer.hits:
        context.note(safe_line(answer.reason))


def print_skill(context: Context, entry: Entry, rank: int, full: bool) -> None:
    """Print a skill."""
    print_entries([entry], context, rank)
    for line in _instructions(entry).rstrip("\n").split("\n") if full else ():
        context.out(f"    {safe(line)}".rstrip())


def _instructions(entry: Entry) -> str:
    try:
        return entry.card.instructions
    except Unreadable:
        return ""
