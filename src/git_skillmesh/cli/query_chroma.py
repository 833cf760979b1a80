"""`git skillmesh query --backend chroma`: nearest vectors of the shared collection.

In: the query. Out: an `Answer`, with lines read from git. Ranked by vectors alone, over HEAD as it
was last mirrored.
"""

import argparse
from typing import Any

from ..errors import ConfigurationError
from ..git.globs import Globs
from ..git.objects import BlobReader
from ..index.identity import repo_id
from ..index.store import Store
from ..index.vectors import source_of
from ..retrieval.excerpt import best_lines, mark
from ..retrieval.results import Answer, Hit
from ..retrieval.terms import parse
from .context import Context

_COLLECTION = "codebase_v1"
# Globs are matched here, so more is asked for than shown.
_OVERSAMPLING = 20


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
        count = reader.count(_COLLECTION, repo)
        found = reader.query(
            _COLLECTION,
            source.embed_query(text),
            min(wanted, max(count, 1)),
            where,
            source.model_id,
        )
    globs = Globs(args.path or ("**",))
    kept = [item for item in found if globs.match(str(item[2]["file_path"]))][: args.limit]
    query = parse(text)
    hits = []
    with BlobReader(repository) as blobs:
        data = blobs.read_many(str(metadata["blob_sha"]) for _, _, metadata in kept)
        for rank, ((number, distance, metadata), content) in enumerate(
            zip(kept, data, strict=True), 1
        ):
            first, last = int(metadata["start_line"]), int(metadata["end_line"])
            lines = (content or b"").decode(errors="replace").split("\n")[first - 1 : last]
            lines = [line.removesuffix("\r") for line in lines]
            hits.append(
                Hit(
                    rank=rank,
                    chunk_id=number,
                    chunk_ids=(number,),
                    path=str(metadata["file_path"]),
                    start_line=first,
                    end_line=last,
                    line=first,
                    symbol=str(metadata["symbol"]),
                    kind=str(metadata["kind"]),
                    definition=None,
                    language=str(metadata["language"]),
                    score=round(1 - distance, 4),
                    reasons=("dense",),
                    commit=str(metadata["commit_sha"]) or None,
                    changed=False,
                    lines=best_lines(lines, first, mark(lines, query)),
                    text="\n".join(lines),
                    features={"dense": round(1 - distance, 4)},
                )
            )
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
    )
