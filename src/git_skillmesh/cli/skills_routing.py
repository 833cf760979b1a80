"""`git skillmesh skills index|retrieve|emit`: which skills fit a task, and their instructions."""

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from ..registry.choosing import entries_of, likely, open_retriever, with_prerequisites
from ..registry.model import Registry
from ..registry.rendering import (
    DEFAULT_BUDGET,
    Emitted,
    Entry,
    document,
    emit,
    hit_of,
)
from .columns import clip, plural
from .context import Context
from .skills_registry import key_of, place_of, registry_of, repository_of
from .terminal import safe_line

if TYPE_CHECKING:
    from ..registry.retriever import SkillRetriever
    from ..registry.router import Routing

TOP_K = 3
_INDENT = "    "


def retriever_of(registry: Registry, key: str, backend: str, context: Context) -> "SkillRetriever":
    """Return what answers questions about a registry; what it reads is kept for the next time."""
    repository = repository_of(context)
    config = context.config if backend == "chroma" and repository is not None else None
    return open_retriever(registry, key, backend, repository, config)


def index(args: argparse.Namespace, context: Context) -> int:
    """Read all skills now, so that the next question need not."""
    if args.words:
        raise UsageError("index takes no words", "--registry PATH")
    registry = registry_of(args, context)
    start = time.monotonic()
    retriever = retriever_of(registry, key_of(args, context), args.backend or "auto", context)
    seconds = time.monotonic() - start
    if context.json:
        context.out_json(
            {
                "registry": registry.name,
                "skills": len(registry.cards),
                "backend": retriever.backend.name,
                "seconds": round(seconds, 3),
            }
        )
    else:
        context.out(f"{plural(len(registry.cards), 'skill')} indexed in {seconds:.1f} s")
    return ExitCode.OK if registry.cards else ExitCode.NOTHING_FOUND


def _routed(args: argparse.Namespace, context: Context) -> "tuple[str, list[Entry], Routing]":
    """Return the question, what was found and the whole answer."""
    from ..registry.router import Options

    text = _question(args)
    top_k = TOP_K if args.top_k is None else args.top_k
    if top_k < 1:
        raise UsageError("--top-k must be at least 1")
    registry = registry_of(args, context)
    retriever = retriever_of(registry, key_of(args, context), args.backend or "auto", context)
    routing = retriever.route(text, top_k, Options(dense=args.dense is not False))
    entries = entries_of(routing)
    if args.action == "emit" and args.top_k is None:
        # A model is not to read what is hardly meant, unless so many were asked for.
        entries = likely(entries)
    if args.with_prerequisites:
        entries = with_prerequisites(entries, registry)
    return text, entries, routing


def _question(args: argparse.Namespace) -> str:
    if args.query is not None and args.words:
        raise UsageError("the task is there twice", "either --query TEXT or words")
    text = args.query if args.query is not None else " ".join(args.words)
    if not text.strip():
        raise UsageError("the task is missing", f"git skillmesh skills {args.action} WORDS")
    return str(text)


def retrieve(args: argparse.Namespace, context: Context) -> int:
    """Say which skills fit a task."""
    text, entries, routing = _routed(args, context)
    if context.json:
        found: dict[str, Any] = {"query": text, "hits": [hit_of(entry) for entry in entries]}
        context.out_json(found if entries else {**found, "reason": routing.reason})
    else:
        print_entries(entries, context)
        if not entries:
            context.note(safe_line(routing.reason))
    return ExitCode.OK if entries else ExitCode.NOTHING_FOUND


def print_entries(entries: Sequence[Entry], context: Context, first: int = 1) -> None:
    """Print skills that were found, two lines each."""
    style = context.style
    for rank, entry in enumerate(entries, first):
        card = entry.card
        about = [f"{entry.scores[0]:.2f}"] if entry.scores else []
        about += [f"before {safe_line(', '.join(entry.before))}"] if entry.before else []
        about += ["third party"] if entry.third_party else []
        number = f"{rank:>2}." if entry.scores else "  +"
        name, title = style.bold(safe_line(card.id)), clip(card.title, 80)
        context.out(f"{number} {name}  {title}  {style.dim(' · '.join(about))}")
        context.out(_INDENT + style.dim(clip(card.description, max(context.width - 4, 20))))


def emit_skills(args: argparse.Namespace, context: Context) -> int:
    """Write the instructions of the skills that fit a task, for a model."""
    provider = args.provider or ("json" if context.json else "claude")
    budget = DEFAULT_BUDGET if args.budget is None else args.budget
    for name, value in (("--budget", budget), ("--instruction-chars", args.instruction_chars or 0)):
        if value < 0:
            raise UsageError(f"{name} must not be negative")
    text, entries, routing = _routed(args, context)
    made = emit(
        text, entries, provider, budget or None,
        characters=args.instruction_chars,
        registry=str(place_of(args.registry, context)) if args.registry else "",
    )  # fmt: skip
    if not entries:
        _write_nothing(text, provider, routing.reason, context)
        return ExitCode.NOTHING_FOUND
    if context.json and provider != "json":
        context.out_json({**_document(text, made), "provider": provider, "text": made.text})
    else:
        context.out_bytes(made.text.encode("utf-8", "backslashreplace"))
    for entry in made.dropped if provider == "openai-tools" else ():
        context.note(f"no room for {safe_line(entry.card.id)}: --budget")
    return ExitCode.OK


def _document(text: str, made: Emitted) -> dict[str, Any]:
    found = document(text, made.entries, made.shown, made.dropped)
    return {**found, "tokens": made.tokens}


def _write_nothing(text: str, provider: str, reason: str, context: Context) -> None:
    """A reader of JSON gets JSON; in other blocks nothing is there to be said."""
    if context.json or provider == "json":
        context.out_json({"query": text, "hits": [], "reason": reason})
        return
    if provider == "openai-tools":
        context.out("[]")
    context.note(safe_line(reason))
