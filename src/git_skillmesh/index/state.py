"""What the index holds, and what it lacks: the facts behind `status`.

In: a repository. Out: plain documents. Nothing is read that the index does not have yet.
"""

from collections import Counter
from typing import Any

from ..config import Config
from ..errors import ConfigurationError, Unavailable
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from .exchanges import READING, exchange_store, memory_tree
from .store import Store
from .sync import resolve
from .vectors import source_of


def index_state(repository: Repository, config: Config, tree: str) -> dict[str, Any]:
    """Return what the index has of a tree; `behind` counts files that it lacks."""
    store = Store(repository)
    found: dict[str, Any] = {"exists": False, "files": 0, "chunks": 0, "behind": 0, "bytes": 0}
    catalogue = store.reader_if_any()
    if catalogue is None:
        return found
    try:
        resolution = resolve(repository, catalogue, config, tree)
        rows = catalogue.files(resolution.members.tolist()).values()
        models = catalogue.models()
        languages = Counter(row.language for row in rows if row.chunks)
        segments = catalogue.segments()
    finally:
        catalogue.close()
    try:
        model = source_of(config, store.embeddings_path).model_id
        problem = ""
    except (Unavailable, ConfigurationError) as error:
        model, problem = "", str(error)
    return {
        "exists": True,
        "files": sum(1 for row in rows if row.chunks),
        "chunks": sum(row.chunks for row in rows),
        "behind": len(resolution.missing),
        "bytes": store.size(),
        "segments": len(segments),
        "model": model,
        "model_problem": problem,
        "without_vectors": sum(
            count for number, count, _ in segments if model not in models.get(number, ())
        ),
        "languages": dict(languages.most_common()),
    }


def memory_state(repository: Repository) -> dict[str, Any]:
    """Count the conversations that are indexed; `behind` when newer ones are stored."""
    with ObjectDatabase(repository) as db:
        tree = memory_tree(db)
    found = {"sessions": 0, "exchanges": 0, "behind": tree is not None}
    catalogue = exchange_store(repository).reader_if_any()
    if catalogue is None:
        return found
    try:
        if catalogue.latest_trees(READING):
            count = "SELECT count(DISTINCT session), count(*) FROM exchanges"
            found["sessions"], found["exchanges"] = map(int, catalogue.rows(count)[0])
            found["behind"] = catalogue.latest_trees(READING)[0][0] != (tree or "")
    finally:
        catalogue.close()
    return found
