"""`git skillmesh query`: search code, conversations, learnings and skills."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from ..display import plural
from ..errors import ConfigurationError, ExitCode, Unavailable, UsageError
from .context import Context
from .excerpts import WIDEST, aside, excerpt
from .terminal import safe, safe_line

if TYPE_CHECKING:
    from ..retrieval.chats import ChatAnswer
    from ..retrieval.learnings import LearningAnswer
    from ..retrieval.results import Answer, Hit
    from .query_all import OnPage
    from .query_skills import SkillAnswer

_SCHEMA_VERSION = 1
# A longer query is a log: what it names first and last says nothing of what is sought.
_MOST_BYTES = 256 * 1024
_BESIDE = 10  # columns before a line of code: its number
_SHORT = 12


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "query",
        help="search code, conversations, learnings and skills",
        description="Search the working tree, changed and untracked files included, the "
        "conversations with agents, what the team has learned, or the skills. Exit code 0: found, "
        "1: nothing found.",
    )
    parser.add_argument(
        "words",
        nargs="+",
        metavar="WORDS",
        help="a question, an identifier, or what a program printed; - reads standard input",
    )
    parser.add_argument("-n", "--limit", type=int, default=10, help="results to show (default 10)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--committed", action="store_true", help="search HEAD, not the working tree")
    where.add_argument("--at", metavar="REV", help="search the tree of a revision")
    parser.add_argument(
        "--lang",
        action="append",
        default=[],
        metavar="LANGUAGE",
        help="only this language, by name or extension",
    )
    parser.add_argument(
        "--path", action="append", default=[], metavar="GLOB", help="only paths that match"
    )
    parser.add_argument(
        "--kind", action="append", default=[], metavar="KIND", help="only chunks of this kind"
    )
    from . import query_chats, query_learnings, query_repos

    query_chats.add_options(parser)
    query_learnings.add_options(parser)
    query_repos.add_options(parser)
    parser.add_argument("--full", action="store_true", help="show whole chunks")
    parser.add_argument("--explain", action="store_true", help="show what each signal added")
    parser.add_argument(
        "--backend", choices=("auto", "local", "chroma"), default="auto", help="which tier answers"
    )
    parser.add_argument(
        "--rank", choices=("ranker", "rrf"), default="ranker", help="how signals are combined"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/query.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Search and print."""
    text = _checked(args, context)
    if args.repo or args.all_repos:
        from .query_shared import run as run_shared

        return run_shared(args, context, text)
    found = _answers(args, context, text)
    page = None
    if args.what == "all":
        from .query_all import page_of

        page = page_of(found.code, found.learned, found.chats, found.skills, args.limit)
    if context.json:
        context.out_json(_document(args, text, found, page))
    else:
        _print(args, context, found, page)
    return ExitCode.OK if any(one.hits for one in found if one) else ExitCode.NOTHING_FOUND


class _Found(NamedTuple):
    """The answers of the kinds, None for those that were not asked."""

    code: "Answer | None"
    learned: "LearningAnswer | None"
    chats: "ChatAnswer | None"
    skills: "SkillAnswer | None"


def _checked(args: argparse.Namespace, context: Context) -> str:
    """Return the query. Raises `UsageError` for one that cannot be answered."""
    from ..chunking.model import KINDS
    from .query_chats import check_options

    check_options(args, context)
    text = _text(args.words)
    if not text.strip():
        raise UsageError("the query is empty")
    if args.limit < 1:
        raise UsageError("-n must be at least 1")
    unknown = sorted(set(args.kind) - set(KINDS))
    if unknown:
        raise UsageError(f"unknown kind {unknown[0]!r}", "one of " + ", ".join(sorted(KINDS)))
    if args.lang:
        from ..retrieval.filters import languages_of

        args.lang = list(languages_of(args.lang))
    return text


def _answers(args: argparse.Namespace, context: Context, text: str) -> _Found:
    from .query_chats import answer_chats
    from .query_learnings import answer_learnings

    skills = None
    code = _code(args, context, text) if args.what in ("code", "all") else None
    learned = answer_learnings(args, context, text) if args.what in ("learnings", "all") else None
    chats = answer_chats(args, context, text) if args.what in ("chats", "all") else None
    if args.what in ("skills", "all"):
        from .query_skills import answer_skills

        skills = answer_skills(args, context, text)
    return _Found(code, learned, chats, skills)


def _document(
    args: argparse.Namespace, text: str, found: _Found, page: "Sequence[OnPage] | None"
) -> dict[str, Any]:
    """Return the answers in the documented JSON form."""
    from .query_chats import chats_document
    from .query_learnings import learnings_document

    parts = []
    if found.code is not None:
        parts.append(as_document(found.code, args.full, args.explain))
    if found.learned is not None:
        parts.append(learnings_document(found.learned, args.full, args.explain))
    if found.chats is not None:
        parts.append(chats_document(found.chats, args.full, args.explain))
    if found.skills is not None:
        from .query_skills import skills_document

        parts.append(skills_document(found.skills, args.full, args.what == "skills"))
    document: dict[str, Any] = {"schema": _SCHEMA_VERSION, "query": text}
    for part in parts:
        document |= part | {"notes": [*document.get("notes", ()), *part["notes"]]}
    if page is not None:
        document["together"] = [{"kind": one.kind, "rank": one.rank} for one in page]
    return document


def _print(
    args: argparse.Namespace, context: Context, found: _Found, page: "Sequence[OnPage] | None"
) -> None:
    from .query_chats import print_chats
    from .query_learnings import print_learnings

    full, explain = args.full, args.explain
    if page is not None:
        from .query_all import print_page

        print_page(context, page, full, explain)
    # Beside others a kind says what is missing, and nothing where it has nothing.
    shown, any_found = page is not None, bool(page)
    if found.code is not None:
        print_code(context, found.code, full, explain, shown=shown, found=any_found)
    if found.learned is not None and (args.what == "learnings" or found.learned.learnings):
        print_learnings(context, found.learned, full, explain, shown=shown, found=any_found)
    if found.chats is not None:
        print_chats(context, found.chats, full, explain, shown=shown, found=any_found)
    if found.skills is not None and args.what == "skills":
        from .query_skills import print_skills

        print_skills(context, found.skills, full)


def _code(args: argparse.Namespace, context: Context, text: str) -> "Answer":
    """Search the code in the tier that was asked for."""
    if args.backend != "chroma":
        return answer_code(args, context, text)
    if args.at:
        raise UsageError("the Chroma tier holds HEAD only", "use --backend local with --at")
    from .query_chroma import answer_from_chroma

    return answer_from_chroma(args, context, text)


def _text(words: list[str]) -> str:
    """Return the query. Raises `UsageError` for one that is too large."""
    if words == ["-"]:
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        text = data.decode(errors="replace")
    else:
        text = " ".join(words)
        data = text.encode(errors="surrogatepass")
    if len(data) > _MOST_BYTES:
        raise UsageError(f"the query is larger than {_MOST_BYTES // 1024} KiB",
                         "give it the part around the error")  # fmt: skip
    return text


def answer_code(args: argparse.Namespace, context: Context, text: str) -> "Answer":
    """Search the code in the local tier, indexing it first where that is missing."""
    from ..index.identity import repo_id
    from ..index.store import Store
    from ..index.view import NoIndexError, Scope, open_view
    from ..learnings.model import FOLDER
    from ..retrieval.search import Options, Searcher

    repository, config = context.repository, context.config
    store = Store(repository)
    source, vector, notes = _embed(context, store, text)
    scope = Scope.WORKING_TREE
    if args.at:
        scope = Scope.REVISION
    elif args.committed or repository.is_bare:
        scope = Scope.COMMITTED
    options = Options(
        args.limit,
        tuple(args.lang),
        tuple(args.path),
        tuple(args.kind),
        args.rank,
        args.explain,
        without=f"{FOLDER}/" if args.what == "all" else "",  # they have a part of the page
    )
    try:
        view = open_view(repository, config, store, source, scope, args.at or "")
    except NoIndexError:
        from .index import update_with_progress

        context.note("no index yet: making one (next time this is quick)")
        was_json, context.json = context.json, False
        try:
            update_with_progress(context, args.at or "", rebuild=False)
        finally:
            context.json = was_json
        view = open_view(repository, config, store, source, scope, args.at or "")
    try:
        return Searcher(view, repo_id(repository, config)).answer(text, options, vector, notes)
    finally:
        view.close()


def _embed(context: Context, store: Any, text: str) -> tuple[Any, Any, list[str]]:
    """Return the vector source, the query's vector and notes; words only when there is no model."""
    from ..index.vectors import source_of

    try:
        source = source_of(context.config, store.embeddings_path)
        return source, source.embed_query(text), []
    except (Unavailable, ConfigurationError) as error:
        return None, None, [f"ranked by words only: {error}"]


def as_document(answer: "Answer", full: bool, explain: bool) -> dict[str, Any]:
    """Return the answer in the documented JSON form."""
    results = []
    for hit in answer.hits:
        result = asdict(hit)
        for name, wanted in (("text", full), ("features", explain)):
            if not wanted:
                del result[name]
        result["lines"] = [{"number": line.number, "text": line.text} for line in hit.lines]
        results.append(result)
    return {
        "schema": _SCHEMA_VERSION,
        "query": answer.query,
        "results": results,
        "index": {
            "backend": answer.backend,
            "scope": answer.scope,
            "commit": answer.commit,
            "tree": answer.tree,
            "files": answer.files,
            "chunks": answer.chunks,
            "behind": answer.behind,
        },
        "notes": list(answer.notes),
        "suggestions": list(answer.suggestions),
    }


def print_code(
    context: Context, answer: "Answer", full: bool, explain: bool, *, shown: bool = False,
    found: bool = False,
) -> None:  # fmt: skip
    """Print the hits unless they are `shown`, and why there are none unless others are `found`."""
    from ..retrieval.search import NO_FILE_PASSES

    for hit in () if shown else answer.hits:
        print_hit(context, hit, full, explain)
    if not answer.hits and not found:
        query = safe_line(answer.query)
        asked = query if len(query) <= WIDEST else query[:WIDEST] + " …"
        context.note(f"nothing found for {asked!r} in {plural(answer.files, 'file')}")
        if answer.suggestions:
            names = ", ".join(safe_line(name) for name in answer.suggestions)
            context.note(f"did you mean: {names}")
        elif NO_FILE_PASSES not in answer.notes:
            context.note("try other words, fewer filters, or: git skillmesh status --skipped")
    if answer.behind:
        context.note(behind_note(answer))
    for note in answer.notes:
        context.note(safe_line(note))


def behind_note(answer: "Answer") -> str:
    """Say how many files were not searched, and what reads them."""
    command = safe_line(" ".join(["git skillmesh", *(answer.catch_up or ("index",))]))
    verb = "is" if answer.behind == 1 else "are"
    return f"{plural(answer.behind, 'file')} {verb} not read yet; run: {command}"


def print_hit(context: Context, hit: "Hit", full: bool, explain: bool) -> None:
    """Print a hit of code."""
    style = context.style
    place = f"{safe_line(context.shown_path(hit.path))}:{hit.line}"
    name = f"  {style.bold(safe_line(hit.symbol))}" if hit.symbol else ""
    extent = hit.definition or hit
    length = plural(extent.end_line - extent.start_line + 1, "line")
    about = [hit.kind, length, f"{hit.score:.2f}"]
    if hit.changed:
        about.append("uncommitted")
    elif hit.commit:
        about.append(hit.commit[:9])
    context.out(f"{hit.rank:>2}. {style.path(place)}{name}  {style.dim(' · '.join(about))}")
    if full:
        for number, text in enumerate(hit.text.split("\n"), hit.start_line):
            context.out(f"    {style.dim(f'{number:>5}')} {safe(text)}")
    else:
        for line in hit.lines:
            context.out(f"    {style.dim(f'{line.number:>5}')} {excerpt(context, line, _BESIDE)}")
    reasons = why(hit.reasons, hit.features, explain)
    context.out(f"{' ' * _BESIDE}{aside(context, f'why: {reasons}', _BESIDE, explain)}")
    if hit.sessions:
        chats = ", ".join(safe_line(session[:_SHORT]) for session in hit.sessions[:3])
        context.out(f"{' ' * _BESIDE}{aside(context, f'chats: {chats}', _BESIDE)}")


def why(reasons: Sequence[str], features: Mapping[str, float], explain: bool) -> str:
    """Return the signals that counted most; with `explain` all, with their shares."""
    if not explain:
        return ", ".join(reasons).replace("_", " ")
    parts = sorted(features.items(), key=lambda item: -abs(item[1]))
    return "  ".join(f"{name} {value:+.2f}" for name, value in parts if abs(value) >= 0.005)
