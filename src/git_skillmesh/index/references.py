"""Which chunk some lines of a file are part of.

In: a path and lines. Out: the id that the chunk has in every store, for a learning to refer to.
"""

from collections.abc import Iterable

from ..config import Config
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from .documents import read_file
from .identity import chunk_id, repo_id

_TELLING = 3


def chunk_with(repository: Repository, config: Config, path: str, lines: Iterable[str]) -> str:
    """Return the id of the chunk of HEAD that has most of some lines; "" where none has any.

    Lines are compared without the white space around them. Raises `ConfigurationError`.
    """
    wanted = {line.strip() for line in lines if len(line.strip()) >= _TELLING}
    head = repository.head_commit()
    if not wanted or head is None or not _is_path(path):
        return ""
    with ObjectDatabase(repository) as db:
        tip = db.tip(head)
        entry = db.trees.at(tip.commit.tree, path) if tip else None
        data = db.reader.read(entry.oid) if entry and not entry.is_folder else None
    if data is None:
        return ""
    found = read_file(path, data, config.number("index.maxbytes")).documents
    counted = [
        (len(wanted & {line.strip() for line in one.chunk.text.split("\n")}), -place, one.chunk.key)
        for place, one in enumerate(found)
    ]
    count, _, key = max(counted, default=(0, 0, ""))
    return chunk_id(repo_id(repository, config), path, key) if count else ""


def _is_path(path: str) -> bool:
    """Return whether a file of a commit can be called so; a conversation may say anything."""
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return not {"", ".", ".."} & set(path.split("/")) and "\0" not in path
