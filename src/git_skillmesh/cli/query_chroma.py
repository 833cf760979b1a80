"""`git skillmesh query --backend chroma`: nearest vectors of the shared collection.

In: the query. Out: an `Answer`, with lines read from git. Ranked by vectors alone, over HEAD as it
was last mirrored.
"""

import argparse
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..chroma.schemas import CODE
from ..display import plural
from ..errors import ConfigurationError
from ..git.globs import Globs
from ..git.objects import BlobReader
from ..index.identity import repo_id
from ..index.store import Store
from ..index.vectors import source_of
from ..retrieval.excerpt import best_lines, mark
from ..retrieval.results import Answer, Hit
from ..retrieval.terms import Query, parse
from .context import Context

if TYPE_CHECKING:
    from ..chroma.reader import Hit as Found

# Globs are matched here, so more is asked for than shown.
_OVERSAMPLING = 20
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NO_BLOB = "0" * 40  # which no repository has


def answer_from_chroma(args: argparse.Namespace, context: Context, text: str) -> Answer:
    """Search the Chroma tier. Raises `Unavailable`, `Busy`, `ConfigurationError`."""
    from ..chroma.reader import ChromaReader
    from ..chroma.target import target_of

    repository, config = context.repository, context.config
    target = target_of(config, repository)
    if target is None:
        raise ConfigurationError(
            "the Chroma tier is off", "git config skillmesh.chroma.impl persistent"
        )
    source = source_of(config, Store(repository).embeddings_path)
    repo = repo_id(repository, config)
    conditions: list[dict[str, Any]] = [{"repo_id": repo}]
    if args.lang:
        conditions.append({"language": {"$in": args.lang}})
    if args.kind:
        conditions.append({"kind": {"$in": args.kind}})
    where = conditions[0] if len(conditions) == 1 else {"$and": conditions}
    wanted = args.limit * (_OVERSAMPLING if args.path else 1)
    with ChromaReader(target) as reader:
        count = reader.count(CODE, repo)
        found = reader.query(
            CODE,
            source.embed_query(text),
            min(wanted, max(count, 1)),
            where,
            source.model_id,
        )
    globs = Globs(args.path or ("**",))
    kept = [item for item in found if globs.match(_text(item[2], "file_path"))][: args.limit]
    query = parse(text)
    with BlobReader(repository) as blobs:
        # What is no id is not asked for: git is asked line by line, and a store may say anything.
        named = [_text(metadata, "blob_sha") for _, _, metadata in kept]
        ids = [name if _BLOB.fullmatch(name) else _NO_BLOB for name in named]
        hits = [
            _hit(rank, one, data, query)
            for rank, (one, data) in enumerate(zip(kept, blobs.read_many(ids), strict=True), 1)
        ]
    absent = sum(not hit.text for hit in hits)
    lacks = f"{plural(absent, 'result')} of files that this clone does not have: git fetch"
    commit, tree = repository.head_tree()
    return Answer(
        query=text,
        hits=tuple(hits),
        backend="chroma",
        scope="committed",
        commit=commit,
        tree=tree,
        files=0,
        chunks=count,
        behind=0,
        notes=(lacks,) if absent else (),
    )


def _hit(rank: int, found: "Found", data: bytes | None, query: Query) -> Hit:
    """Return a row as a hit; `data` is the file that it is of, None where git does not have it."""
    number, distance, metadata = found
    first = max(_number(metadata, "start_line"), 1)
    last = max(_number(metadata, "end_line"), first)
    lines = (data or b"").decode(errors="replace").split("\n")[first - 1 : last]
    lines = [line.removesuffix("\r") for line in lines]
    score = round(1 - distance, 4)
    return Hit(
        rank=rank,
        chunk_id=number,
        chunk_ids=(number,),
        path=_text(metadata, "file_path"),
        start_line=first,
        end_line=last,
        line=first,
        symbol=_text(metadata, "symbol"),
        kind=_text(metadata, "kind"),
        definition=None,
        language=_text(metadata, "language"),
        score=score,
        reasons=("dense",),
        commit=_text(metadata, "commit_sha") or None,
        changed=False,
        lines=best_lines(lines, first, mark(lines, query)),
        text="\n".join(lines),
        features={"dense": score},
    )


def _text(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name, "")
    return value if isinstance(value, str) else ""


def _number(metadata: Mapping[str, Any], name: str) -> int:
    value = metadata.get(name, 0)
    return value if isinstance(value, int) else 0
