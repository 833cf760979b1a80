"""Names that outlive edits: the id of a chunk in every store.

In: repository, path and the chunk's key. Out: `chunk_id`.
"""

import hashlib
import os

from ..config import Config
from ..git.repository import Repository
from ..learnings.model import FOLDER
from ..sessions import layout
from .roots import oldest_root


def repo_id(repository: Repository, config: Config) -> str:
    """Return the configured identity of the repository, or the derived one."""
    return config["repoid"] or repository.derive_id(config.origin, oldest_root)


def chunk_id(repo: str, path: str, key: str) -> str:
    """Return 32 hex digits for a chunk of a path; the same after its body was edited."""
    material = b"\0".join([repo.encode(), os.fsencode(path), key.encode(errors="surrogatepass")])
    return hashlib.sha256(material).hexdigest()[:32]


def chat_id(repo: str, session: str, exchange: str) -> str:
    """Return 32 hex digits for an exchange of a conversation."""
    return chunk_id(repo, layout.key_of(session), layout.exchange_key(exchange))


def learning_key(repo: str, learning: str) -> str:
    """Return 32 hex digits for a learning of a repository."""
    return chunk_id(repo, FOLDER, learning)
