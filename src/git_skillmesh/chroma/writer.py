"""`python -m git_skillmesh.chroma.writer`: the only code that writes to Chroma.

In: requests on standard input. Out: one reply each on standard output, in order. A request and a
reply are one line of JSON; a reply is {"ok": {…}} or {"error": {"kind", "what", "mend"}}, where
"kind" names a class of `git_skillmesh.errors`. Vectors are base64 of little-endian float32, row
after row. The first failure ends the process, and so does the end of standard input.

| op | fields | reply |
|---|---|---|
| start | target, wait_s | max_batch; locks a local store, then opens it |
| open | name, repo_id, model_id, dimension, rebuild | name, uuid, staging, documents, token, mark |
| list | repo_id, offset, field, values | rows [[id, row_hash, path, commit]], more |
| look | ids, field | rows [[id, row_hash, path, commit]] of those that are there |
| claim | repo_id, token, mark | nothing; the token says who mirrored last, the mark what |
| write | upsert [[id, metadata, document]], vectors, update [[id, metadata]], delete | missing |
| finish | repo_id, expected | rows (0 if null is expected), token, mark; searches some vectors |
| adopt | name | nothing; the replacement takes the place of `name` |
| ensure | embeddings by collection | reports, one a collection |
| register | record, first | nothing; others can look the repository up |
| probe | | nothing; reads and searches every collection |
| own_create | name, description, model_id, dimension | created |
| own_add | name, model_id, number, metadata, document, vector | added |
| own_change | name, number, metadata | metadata, as it is now |
| own_delete | name, number | nothing |
| own_make | name, space, metadata | nothing; a collection that is there stays as it is |
| own_put | name, rows [[id, metadata, document]], vectors | nothing |

A local store is locked from `start` until the process has ended: the descriptor is never closed,
so that the kernel releases it after the last thread of Chroma is gone. The lock file holds a word
while a writer is at work; after a crash it stays, and a reader then opens the store alone.
"""

import base64
import gc
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Busy, ReadOnly, UsageError
from . import claims, directory_store, finding, own_store, parts, store
from . import client as clients
from .locking import acquire_in_turn
from .pages import CLOUD_MOST, Pages
from .target import Target

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

T = TypeVar("T")

BATCH = 500
SAMPLE = 24
# For one request; a batch takes about a second where nothing else is going on.
_READ_TIMEOUT_S = 30.0
# Until a server shows that it is there: nobody waits for an answer, and it may have much to do.
_PATIENCE_S = 10.0


class Session:
    """One run of the writer: a store, and the collection that is being filled."""

    target: Target
    client: "ClientAPI"
    collection: "Collection"
    lock: int | None = None
    pages: Pages
    request_bytes = parts.REQUEST_BYTES

    def __init__(self) -> None:
        self.sample: dict[str, NDArray[np.float32]] = {}

    def do_start(self, target: dict[str, Any], wait_s: float) -> dict[str, Any]:
        """Lock and open the store."""
        self.target = Target.from_message(target)
        if self.target.kind == "persistent":
            self._lock(wait_s)
        gc.disable()  # an eighth of the time that importing Chroma takes
        self.client = self._try(self._opened)
        gc.freeze()
        gc.enable()
        self.pages = Pages(self.target)
        limit = CLOUD_MOST if self.target.is_hosted else BATCH
        told = self._try(self.client.get_max_batch_size)
        return {"max_batch": min(limit, told) if told > 0 else limit}

    def _opened(self) -> "ClientAPI":
        return clients.open_client(self.target, _READ_TIMEOUT_S, _PATIENCE_S)

    def _lock(self, wait_s: float) -> None:
        folder = self.target.store
        busy = Busy(f"another process has the Chroma store {folder} open", "try again later")
        self.lock = acquire_in_turn(self.target.lock_file, False, wait_s, busy)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReadOnly(f"cannot write {folder}: {error.strerror}") from None
        database = clients.database_of(self.target)
        if not os.access(folder, os.W_OK) or (
            database.exists() and not os.access(database, os.W_OK)
        ):
            raise ReadOnly(f"cannot write {folder}")
        os.pwrite(self.lock, b"writing\n", 0)

    def do_open(
        self, name: str, repo_id: str, model_id: str, dimension: int, rebuild: bool
    ) -> dict[str, Any]:
        """Choose the collection to fill, creating it or a replacement when needed."""
        self.sample.clear()
        self._refuse_stranger(repo_id)
        self.collection, staging = self._try(
            lambda: store.open_for_writing(self.client, name, repo_id, model_id, dimension, rebuild)
        )
        return {
            "name": self.collection.name,
            "uuid": str(self.collection.id),
            "staging": staging,
            "documents": self._try(lambda: self._documents(name, repo_id)),
            **self._try(lambda: claims.claim_of(self.client, self.collection, repo_id)),
        }

    def _documents(self, name: str, repo_id: str) -> bool:
        """Whether texts are kept; a replacement does as what it replaces."""
        there = store.find(self.client, name) or self.collection
        return store.keeps_documents(there, self.target, repo_id)

    def do_list(
        self, repo_id: str, offset: int, field: str = "file_path", values: list[str] | None = None
    ) -> dict[str, Any]:
        """Return one page of what the store says it holds of a repository."""
        where: dict[str, Any] = {"repo_id": repo_id}
        if values is not None:
            where = {"$and": [where, {field: {"$in": values}}]}
        options: Any = {"where": where, "offset": offset, "include": ["metadatas"]}
        page: Any = self._try(
            lambda: self.pages.ask(lambda most: self.collection.get(limit=most, **options))
        )
        rows = _rows_of(page, field)
        return {"rows": rows, "more": len(rows) == self.pages.most}

    def do_look(self, ids: list[str], field: str) -> dict[str, Any]:
        """Return what the store says of some rows."""
        rows: list[list[str]] = []
        offset = 0
        while offset < len(ids):
            part = self._look(ids[offset:])
            rows += _rows_of(part, field)
            offset += self.pages.most
        return {"rows": rows}

    def _look(self, ids: list[str]) -> Any:
        def ask(most: int) -> Any:
            part = ids[:most]
            return self.collection.get(ids=part, limit=len(part), include=["metadatas"])

        return self._try(lambda: self.pages.ask(ask))

    def do_claim(self, repo_id: str, token: str, mark: str = "") -> dict[str, Any]:
        """Leave a token that tells every other mirror of this repository that we wrote."""
        self._try(lambda: claims.leave(self.client, self.collection, repo_id, token, mark))
        return {}

    def do_write(
        self, upsert: list[Any], vectors: str, update: list[Any], delete: list[str]
    ) -> dict[str, Any]:
        """Apply one batch."""
        import numpy as np

        matrix = np.frombuffer(base64.b64decode(vectors), dtype="<f4")
        matrix = matrix.reshape(len(upsert), -1 if upsert else 0)
        missing = self._write(upsert, matrix, update, delete)
        for id_ in delete:
            self.sample.pop(id_, None)
        for n in range(0, len(upsert), max(1, len(upsert) // 3)):
            if len(self.sample) < SAMPLE or upsert[n][0] in self.sample:
                self.sample[upsert[n][0]] = matrix[n]
        return {"missing": missing}

    def _write(
        self,
        upsert: list[Any],
        matrix: "NDArray[np.float32]",
        update: list[Any],
        delete: list[str],
    ) -> list[str]:
        """Write a batch, a server's in parts that its proxy takes."""
        if self.target.kind == "persistent":
            return store.write(self.collection, upsert, matrix, update, delete)
        missing: list[str] = []
        for part in parts.divided(upsert, matrix, update, delete, self.request_bytes):
            missing += self._write_part(part)
        return missing

    def _write_part(self, part: parts.Part) -> list[str]:
        try:
            return self._try(lambda: store.write(self.collection, *part.fields))
        except Exception as error:
            halves = parts.halves(part) if parts.is_too_large(error) else ()
            if not halves:
                raise
        self.request_bytes = max(self.request_bytes // 2, 1)  # what follows is made smaller at once
        return [id_ for half in halves for id_ in self._write_part(half)]

    def do_finish(self, repo_id: str, expected: int | None) -> dict[str, Any]:
        """Check what was written and count. The search also makes Chroma persist its index."""
        self._try(lambda: finding.check_written(self.collection, self.sample))
        rows = 0
        if expected is not None:
            rows = self._try(lambda: store.count(self.collection, repo_id, expected))

        def claim() -> dict[str, str]:
            fresh = store.find(self.client, self.collection.name)
            return claims.claim_of(self.client, fresh or self.collection, repo_id)

        return {"rows": rows, **self._try(claim)}

    def do_adopt(self, name: str) -> dict[str, Any]:
        """Swap the filled replacement in."""
        staging = self.collection.name
        if staging != name:
            # Not retried as a whole: every step of it may have happened.
            store.adopt(self.client, staging, name)
        self._try(lambda: store.drop_abandoned(self.client, name))
        return {}

    def do_ensure(self, embeddings: dict[str, dict[str, str]]) -> dict[str, Any]:
        """Create and upgrade collections."""
        return {"reports": self._try(lambda: store.ensure(self.client, embeddings))}

    def do_register(self, record: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
        """Write the repository's record in the list of all."""
        self._refuse_stranger(record["repo_id"])
        own = self.target.borrowed_by is None
        self._try(lambda: directory_store.register(self.client, record, first, own))
        return {}

    def _refuse_stranger(self, repo_id: str) -> None:
        borrowed_by = self.target.borrowed_by
        self._try(lambda: directory_store.refuse_stranger(self.client, repo_id, borrowed_by))

    def do_probe(self) -> dict[str, Any]:
        """Read everything once in a way that a damaged store does not survive."""
        for collection in store.all_collections(self.client):
            got: Any = collection.get(limit=1, include=["metadatas", "embeddings"])
            if len(got["ids"]):
                collection.query(query_embeddings=[got["embeddings"][0]], n_results=1)
        return {}

    def do_own_create(
        self, name: str, description: str, model_id: str, dimension: int
    ) -> dict[str, Any]:
        """Make a collection of a user's."""
        create = own_store.create
        return {
            "created": self._try(
                lambda: create(self.client, name, description, model_id, dimension)
            )
        }

    def do_own_add(
        self,
        name: str,
        model_id: str,
        number: str,
        metadata: dict[str, Any],
        document: str,
        vector: str,
    ) -> dict[str, Any]:
        """Add a document to a user's collection. Repeated, it finds what it has added."""
        import numpy as np

        row = np.frombuffer(base64.b64decode(vector), dtype="<f4")
        collection = self._try(lambda: own_store.opened(self.client, name))
        own_store.same_model(collection, model_id)
        add = own_store.add
        return {"added": self._try(lambda: add(collection, number, metadata, document, row))}

    def do_own_change(self, name: str, number: str, metadata: dict[str, Any]) -> dict[str, Any]:
        """Change the metadata of a document."""
        collection = self._try(lambda: own_store.opened(self.client, name))
        return {"metadata": self._try(lambda: own_store.change(collection, number, metadata))}

    def do_own_delete(self, name: str, number: str) -> dict[str, Any]:
        """Delete a document."""
        collection = self._try(lambda: own_store.opened(self.client, name))
        # Not retried: it may have happened.
        own_store.delete(collection, number)
        return {}

    def do_own_make(self, name: str, space: str, metadata: dict[str, Any]) -> dict[str, Any]:
        """Make a user's collection as it was elsewhere."""
        self._try(lambda: own_store.make(self.client, name, space, metadata))
        return {}

    def do_own_put(self, name: str, rows: list[Any], vectors: str) -> dict[str, Any]:
        """Write records of a user's collection; repeated, it writes the same again."""
        import numpy as np

        matrix = np.frombuffer(base64.b64decode(vectors), dtype="<f4").reshape(len(rows), -1)
        collection = self._try(lambda: own_store.opened(self.client, name))
        self._try(lambda: own_store.put(collection, rows, matrix))
        return {}

    def end(self) -> None:
        """Say that the store was left in order; the lock stays until the process is gone."""
        if self.lock is not None:
            os.ftruncate(self.lock, 0)

    def _try(self, call: Callable[[], T]) -> T:
        """Call once for a folder; for a server again after failures that pass."""
        if self.target.kind == "persistent":
            return call()
        from .patience import patiently

        return patiently(call)


def main(session: Session | None = None) -> int:
    """Serve requests until standard input ends. Returns 0, or 1 after a failure."""
    session = session or Session()
    for line in sys.stdin.buffer:
        try:
            request = json.loads(line)
            operation = request.pop("op")
            reply = {"ok": getattr(session, f"do_{operation}")(**request)}
        except BaseException as error:
            if isinstance(error, UsageError):
                session.end()  # it was refused before anything was done
            _send({"error": _told(error, session)})
            return 1
        _send(reply)
    session.end()
    return 0


def _rows_of(page: Any, field: str) -> list[list[str]]:
    names = ("row_hash", field, "commit_sha")
    return [
        [id_, *(str(meta.get(name, "")) for name in names)]
        for id_, meta in zip(page["ids"], page["metadatas"], strict=True)
    ]


def _told(error: BaseException, session: Session) -> dict[str, str]:
    target = getattr(session, "target", None)
    if target is None:
        return {"kind": "Unavailable", "what": f"the writer failed: {error!r}", "mend": ""}
    told = clients.explain(error, target)
    return {"kind": type(told).__name__, "what": told.what, "mend": told.mend}


def _send(reply: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        status = main()
    except BrokenPipeError:
        status = 1  # Whoever asked is gone; the next run sees what was done.
    # Not through the interpreter's own shutdown: Chroma's threads need no farewell.
    os._exit(status)
