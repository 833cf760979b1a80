"""Collections of one's own, filled with one writer process, and read back whole.

In: a repository with a configured store. Out: what its collections hold.
"""

import base64
from typing import Any

from git_skillmesh.chroma import own_copy
from git_skillmesh.chroma.pipe import Writer
from git_skillmesh.chroma.target import target_of
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.vectors import builtin_source
from testing.repos import Repo

DOCUMENTS = {
    "d-1": ("Retry lost scans three times.", {"topic": "retry", "n": 1, "sure": True}),
    "d-2": ("Ask the depot again, but wait.", {"topic": "retry", "n": 2.5}),
    "d ü\u2028": ("No metadata at all, but signs: \u202e \0.".replace("\0", ""), {}),
}


def fill(repo: Repo, name: str = "decisions") -> None:
    """Make a collection with a few documents, as an agent does through MCP."""
    repository = discover(repo.path)
    target = target_of(load(repository), repository)
    assert target is not None
    source = builtin_source()
    repository.state_dir.mkdir(exist_ok=True)
    with Writer(target, repository.state_dir) as writer:
        more = {"model_id": source.model_id}
        writer.ask("own_create", name=name, description="What we decided", dimension=256, **more)
        for number, (document, metadata) in DOCUMENTS.items():
            vector = base64.b64encode(source.embed_query(document).astype("<f4").tobytes()).decode()
            writer.ask(
                "own_add", name=name, number=number, metadata=metadata, document=document,
                vector=vector, **more,
            )  # fmt: skip


def held(repo: Repo) -> dict[str, list[dict[str, Any]]]:
    """Return name → records of every collection of one's own."""
    repository = discover(repo.path)
    target = target_of(load(repository), repository)
    assert target is not None
    with own_copy.opened(target) as reader:
        if reader is None:
            return {}
        return {
            shape.name: [{"shape": shape.metadata}, *own_copy.records(reader, shape.name)]
            for shape in own_copy.shapes(reader)
        }
