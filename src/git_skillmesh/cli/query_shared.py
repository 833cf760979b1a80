"""The page of `git skillmesh query --repo` and `--all-repos`, printed.

In: a `SharedAnswer`. Out: lines, or the documented JSON, and the exit code.
"""

import argparse
from typing import TYPE_CHECKING, Any

from ..display import plural
from ..errors import ExitCode
from .context import Context
from .excerpts import excerpt
from .query_repos import SharedAnswer, answer_shared
from .terminal import safe, safe_line

if TYPE_CHECKING:
    from ..retrieval.shared import SharedHit

_SCHEMA_VERSION = 1
_ASKED = 90
_SHORT = 12
_MARKS = {"learning": "learning", "chat": "conversation", "thought": "thought"}


def run(args: argparse.Namespace, context: Context, text: str) -> int:
    """Search several repositories and print.

    Raises what kept others from answering where nothing of this repository was asked for.
    """
    answer = answer_shared(args, context, text)
    if answer.failure is not None and not answer.with_own:
        raise answer.failure
    if context.json:
        context.out_json(document_of(answer, args.full))
    else:
        for hit in answer.hits:
            print_hit(context, hit, args.full)
        if not answer.hits:
            context.note(_nothing(answer))
        for note in answer.notes:
            context.note(safe_line(note))
    return ExitCode.OK if answer.hits else ExitCode.NOTHING_FOUND


def _nothing(answer: SharedAnswer) -> str:
    count = len(answer.asked) + answer.with_own
    if not answer.asked and answer.searched:
        return "nothing found: no other repository has rows in the shared store"
    return f"nothing found in {count} {'repository' if count == 1 else 'repositories'}"


def document_of(answer: SharedAnswer, full: bool) -> dict[str, Any]:
    """Return the answer in the documented JSON form."""
    return {
        "schema": _SCHEMA_VERSION,
        "query": answer.query,
        "found": [_hit_document(hit, full) for hit in answer.hits],
        "repositories": {
            "here": answer.with_own,
            "others": [{"repo_id": one.repo_id, "name": one.name} for one in answer.asked],
            "answered": answer.searched,
        },
        "notes": list(answer.notes),
    }


def _hit_document(hit: "SharedHit", full: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "rank": hit.rank,
        "kind": str(hit.kind),
        "repo_id": hit.repo_id,
        "repository": hit.repository,
        "here": hit.local,
        "id": hit.id,
        "title": hit.title,
        "score": hit.score,
        "cosine": round(hit.cosine, 4),
        "words": round(hit.words, 4),
        "facts": dict(hit.facts),
        "lines": [{"number": line.number, "text": line.text} for line in hit.lines],
    }
    if full:
        document["text"] = hit.text
    return document


def print_hit(context: Context, hit: "SharedHit", full: bool) -> None:
    """Print a hit, opened by the repository that it is of."""
    style = context.style
    owner = "here" if hit.local else safe_line(hit.repository)
    title, about = _head(context, hit)
    dimmed = style.dim(" · ".join(safe_line(part) for part in [*about, f"{hit.score:.2f}"] if part))
    context.out(f"{hit.rank:>2}. {style.tint(0, f'[{owner}]')} {title}  {dimmed}")
    if full:
        for number, text in enumerate(hit.text.split("\n"), int(hit.facts.get("start_line", 1))):
            context.out(f"    {style.dim(f'{number:>5}')} {safe(text)}")
        return
    for line in hit.lines:
        if line.text.strip() == hit.title.strip():
            continue
        column = f"{style.dim(f'{line.number:>5}')} " if hit.kind == "code" else ""
        context.out(f"    {column}{excerpt(context, line, 10 if column else 4)}")


def _head(context: Context, hit: "SharedHit") -> tuple[str, list[str]]:
    """Return what a hit is called, and what is said of it besides."""
    style, facts = context.style, hit.facts
    if hit.kind == "code":
        path = context.shown_path(facts["path"]) if hit.local else str(facts["path"])
        place = style.path(f"{safe_line(path)}:{facts['line']}")
        named = f"{place}  {style.bold(safe_line(hit.title))}" if hit.title else place
        length = plural(facts["end_line"] - facts["start_line"] + 1, "line")
        changed = "uncommitted" if facts["changed"] else str(facts["commit"])[:9]
        return named, [str(facts["kind"]), length, changed]
    cut = " …" if len(hit.title) > _ASKED else ""
    title = style.bold(safe_line(hit.title[:_ASKED] or "(no prompt)") + cut)
    if hit.kind == "learning":
        name = f"[{safe_line(str(facts['state']))}] {style.bold(safe_line(facts['learning_id']))}"
        return f"{name}  {safe_line(hit.title)}", [facts["severity"], facts["category"]]
    day = str(facts.get("started", facts.get("time", "")))[:10]
    about = [_MARKS[hit.kind], str(facts.get("agent", "")), day]
    return title, [*about, str(facts["session"])[:_SHORT] if hit.kind == "chat" else ""]
