"""`git skillmesh query --repo NAME`, `--all-repos`: this repository and others on one page.

In: the query. Out: a `SharedAnswer`. What is this repository's comes from the local tier, what is
others' from the shared store; a store that does not answer costs a note, not the local results.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..chroma.schemas import CHATS, CODE, LEARNINGS, THOUGHTS
from ..errors import ConfigurationError, SkillmeshError, Unavailable, UsageError
from ..git.globs import Globs
from .context import Context
from .query_chats import chat_options

if TYPE_CHECKING:
    from ..chroma.directory import Listed
    from ..chroma.others import Wanted
    from ..chroma.reader import ChromaReader
    from ..retrieval.shared import Owner, SharedHit
    from ..retrieval.terms import Query
    from ..retrieval.together import Kind

# Of others so many rows are asked for one result: of a file the best one is shown.
_OVERSAMPLING = 5
_OVERSAMPLING_PATHS = 20
_LEAST_ASKED = 30


@dataclass
class SharedAnswer:
    """A page of several repositories; `asked` of others, `searched` says whether they answered."""

    query: str
    hits: "Sequence[SharedHit]" = ()
    asked: "Sequence[Listed]" = ()
    with_own: bool = False
    searched: bool = False
    notes: list[str] = field(default_factory=list)
    failure: SkillmeshError | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the choice of repositories."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--repo",
        action="append",
        default=[],
        metavar="NAME",
        help="search this repository of the shared store, by name or id; . is the one here",
    )
    chosen.add_argument(
        "--all-repos",
        action="store_true",
        help="search all repositories of the shared store, with this one",
    )


def check_options(args: argparse.Namespace) -> None:
    """Raise `UsageError` for options that make no sense for several repositories."""
    refused = {
        "--at": args.at, "--committed": args.committed, "--explain": args.explain,
        "--backend": args.backend != "auto", "--rank": args.rank != "ranker",
    }  # fmt: skip
    for name, given in refused.items():
        if given:
            raise UsageError(
                f"{name} is for this repository alone", "leave out --repo, --all-repos"
            )
    if args.what == "skills":
        raise UsageError("skills belong to no repository", "leave out --repo, --all-repos")


def answer_shared(args: argparse.Namespace, context: Context, text: str) -> SharedAnswer:
    """Search. Raises `UsageError` for a name that no repository has; see `SharedAnswer.failure`."""
    from ..chroma.directory import Listed, is_shared, recorded
    from ..chroma.others import Wanted
    from ..chroma.reader import ChromaReader
    from ..chroma.target import target_of
    from ..index.identity import repo_id
    from ..retrieval.shared import one_list, one_page
    from ..retrieval.terms import parse

    here = repo_id(context.repository, context.config)
    target = target_of(context.config, context.repository)
    answer = SharedAnswer(text, with_own=args.all_repos or any(n in (".", here) for n in args.repo))
    query = parse(text)
    others: dict[Kind, list[SharedHit]] = {}
    try:
        if target is None or not is_shared(target, context.repository):
            raise ConfigurationError(
                "no store is shared with other repositories",
                "set chroma.impl and chroma.url, or a chroma.path that all of them use",
            )
        with ChromaReader(target) as reader:
            known = recorded(reader)
            ids = [one.repo_id for one in known]
            if not args.all_repos:
                ids = _named(reader, known, args.repo, here)
            answer.with_own = answer.with_own or here in ids
            named = {one.repo_id: one for one in known}
            answer.asked = [named.get(one, Listed(one)) for one in ids if one != here]
            wanted = Wanted(tuple(one.repo_id for one in answer.asked), here, args.all_repos)
            others = _others(args, context, query, reader, answer, wanted)
        answer.searched = True
    except UsageError:
        raise
    except SkillmeshError as error:
        answer.failure = error
        answer.notes.append(f"other repositories were not searched: {error.what}")
    own = _own(args, context, query, answer, here) if answer.with_own else {}
    kinds = [kind for kind in _kinds(args.what) if own.get(kind) or others.get(kind)]
    lists = {kind: one_list(own.get(kind, ()), others.get(kind, ())) for kind in kinds}
    answer.hits = one_page(lists, args.limit)
    return answer


def _named(
    reader: "ChromaReader", known: "Sequence[Listed]", names: Sequence[str], here: str
) -> list[str]:
    """Return the ids that names mean, looking for repositories without a record if need be."""
    from ..chroma.directory import listed
    from ..chroma.others import choose

    try:
        return choose(known, names, here)
    except UsageError:
        return choose(listed(reader), names, here)


def _kinds(what: str) -> "tuple[Kind, ...]":
    from ..retrieval.together import Kind

    return {
        "code": (Kind.CODE,),
        "chats": (Kind.CHAT,),
        "learnings": (Kind.LEARNING,),
        "thoughts": (Kind.THOUGHT,),
        "all": (Kind.LEARNING, Kind.CODE, Kind.CHAT),
    }[what]


def _others(
    args: argparse.Namespace, context: Context, query: "Query", reader: "ChromaReader",
    answer: SharedAnswer, wanted: "Wanted",
) -> "dict[Kind, list[SharedHit]]":  # fmt: skip
    """Return what other repositories have, best first, by kind."""
    from ..chroma.others import search
    from ..retrieval.shared import Owner, Row, of_others

    if not wanted.repositories and not wanted.everything:
        return {}
    owners = {one.repo_id: Owner(one.repo_id, one.shown) for one in answer.asked}
    globs = Globs(args.path) if args.path else None
    factor = _OVERSAMPLING_PATHS if args.path else _OVERSAMPLING
    count = max(args.limit * factor, _LEAST_ASKED)
    found = {}
    for kind in _kinds(args.what):
        collection, called = _MIRRORED[kind]
        if kind == "learning" and globs:
            answer.notes.append(f"{called} of other repositories: no store knows their --path")
            continue
        try:
            question = _question(context, kind, query.text)
            rows = search(reader, collection, question, wanted, count, _conditions(args, kind))
        except (Unavailable, ConfigurationError) as error:
            if "no collection" not in error.what:
                answer.notes.append(f"{called} of other repositories: {error.what}")
            continue
        own = [
            Row(
                row.id,
                owners.get(row.repo_id) or Owner(row.repo_id, row.repo_id),
                row.cosine,
                row.metadata,
                row.document,
            )
            for row in rows
            if _passes(args, globs, kind, row.metadata)
        ]
        found[kind] = of_others(kind, own, query)[: args.limit]
    return found


# The collection of a kind, and what its rows are called.
_MIRRORED = {
    "code": (CODE, "code"), "chat": (CHATS, "conversations"), "learning": (LEARNINGS, "learnings"),
    "thought": (THOUGHTS, "thoughts"),
}  # fmt: skip


def _question(context: Context, kind: str, text: str) -> tuple[Any, str]:
    """Return the vector of the question in the model of a kind, and that model's id."""
    from ..index.store import Store
    from ..index.vectors import prose_source_of, source_of

    cache = Store(context.repository).embeddings_path
    source = (prose_source_of if kind == "learning" else source_of)(context.config, cache)
    return source.embed_query(text), source.model_id


def _conditions(args: argparse.Namespace, kind: str) -> list[dict[str, Any]]:
    """Return the filters that a store knows."""
    found: list[dict[str, Any]] = []
    if kind == "code" and args.lang:
        found.append({"language": {"$in": args.lang}})
    if kind == "code" and args.kind:
        found.append({"kind": {"$in": args.kind}})
    if kind == "learning":
        found.append({"state": {"$in": args.state or ["proposed", "warn", "block"]}})
    return found


def _passes(
    args: argparse.Namespace, globs: "Globs | None", kind: str, metadata: "Mapping[str, Any]"
) -> bool:
    """Whether a row passes the filters that a store does not know."""
    from ..retrieval.chats import is_wanted

    def text(name: str) -> str:
        return str(metadata.get(name, ""))

    if kind == "code":
        return globs is None or globs.match(text("file_path"))
    if kind == "learning":
        named = text("languages")
        return not (args.lang and named) or not set(args.lang).isdisjoint(named.split(","))
    if kind == "chat":
        about = text("involved_entities").split(",")
        facts = text("agent"), text("session_id"), text("timestamp")
        return is_wanted(chat_options(args), *facts) and (
            globs is None or any(map(globs.match, filter(None, about)))
        )
    return True


def _own(
    args: argparse.Namespace, context: Context, query: "Query", answer: SharedAnswer, here: str
) -> "dict[Kind, list[SharedHit]]":
    """Return what this repository has, best first, by kind."""
    from ..chroma.directory import name_of
    from ..retrieval.shared import Owner
    from ..retrieval.together import Kind

    owner = Owner(here, name_of(context.repository, context.config), local=True)
    readers = {
        Kind.CODE: _own_code, Kind.CHAT: _own_chats, Kind.LEARNING: _own_learnings,
        Kind.THOUGHT: _own_thoughts,
    }  # fmt: skip
    return {kind: readers[kind](args, context, query, answer, owner) for kind in _kinds(args.what)}


def _own_code(
    args: argparse.Namespace, context: Context, query: "Query", answer: SharedAnswer,
    owner: "Owner",
) -> "list[SharedHit]":  # fmt: skip
    from ..retrieval.shared import own_code
    from .query import answer_code, behind_note

    found = answer_code(args, context, query.text)
    if found.behind:
        answer.notes.append(behind_note(found))
    answer.notes += found.notes
    return [own_code(owner, hit, query) for hit in found.hits]


def _own_chats(
    args: argparse.Namespace, context: Context, query: "Query", answer: SharedAnswer,
    owner: "Owner",
) -> "list[SharedHit]":  # fmt: skip
    from ..index.identity import chat_id
    from ..retrieval.shared import own_chat
    from .query_chats import answer_chats

    found = answer_chats(args, context, query.text)
    if found.behind:
        answer.notes.append("the newest conversations are not read yet; run: git skillmesh index")
    answer.notes += found.notes
    return [
        own_chat(owner, chat_id(owner.repo_id, hit.session, hit.exchange), hit, query)
        for hit in found.hits
    ]


def _own_learnings(
    args: argparse.Namespace, context: Context, query: "Query", answer: SharedAnswer,
    owner: "Owner",
) -> "list[SharedHit]":  # fmt: skip
    from ..index.identity import learning_key
    from ..retrieval.shared import own_learning
    from .query_learnings import answer_learnings

    found = answer_learnings(args, context, query.text)
    answer.notes += found.notes
    return [
        own_learning(owner, learning_key(owner.repo_id, hit.learning.learning_id), hit, query)
        for hit in found.hits
    ]


def _own_thoughts(
    args: argparse.Namespace, context: Context, query: "Query", answer: SharedAnswer,
    owner: "Owner",
) -> "list[SharedHit]":  # fmt: skip
    from ..index.identity import chunk_id
    from ..retrieval.shared import own_thought
    from ..sessions import layout
    from ..thinking.search import Finder

    found = Finder(context.repository).find(query.text, context.config, limit=args.limit)
    answer.notes += found.notes
    hits = []
    for hit in found.hits:
        one = hit.thought
        folder = f"{layout.THOUGHTS}/{layout.thinking_key(one.session_id)}"
        place = f"{layout.branch_key(one.branch)}/{one.number}/{one.revision}"
        facts = {
            "session": one.session_id, "number": one.number, "branch": one.branch,
            "time": one.time,
        }  # fmt: skip
        number = chunk_id(owner.repo_id, folder, place)
        hits.append(own_thought(owner, number, facts, one.text, hit.cosine, query))
    return hits
