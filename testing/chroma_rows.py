"""Rows for the Chroma tier whose truth is a dictionary, so that a test can edit it at will.

In: files as {path: {symbol: text}}. Out: `Rows`, a row source with history, commits and a model,
`Place`, which holds them and a store, and `stored`, which reads a collection with Chroma's own
client.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import finding
from git_skillmesh.chroma.mirror import Outcome, mirror
from git_skillmesh.chroma.model import ByHead, ByUnion, Row
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import SkillmeshError

Files = dict[str, dict[str, str]]


def vector_of(text: str, model_id: str, dimension: int) -> NDArray[np.float32]:
    """Return a vector that only these arguments decide."""
    seed = int.from_bytes(hashlib.sha256(f"{model_id}:{text}".encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)


class Rows:
    """A row source over `files`; `commit` takes a new snapshot and names what changed."""

    sharing: ByHead | ByUnion | None = None

    def __init__(
        self,
        files: Files | None = None,
        repo_id: str = "repo-a",
        model_id: str = "model-1",
        dimension: int = 16,
    ) -> None:
        self.repo_id = repo_id
        self.model_id = model_id
        self.dimension = dimension
        self.files: Files = {}
        self.history: dict[str, Files] = {}
        self.commits: dict[str, str] = {}
        self.reachable: set[str] = set()
        self.asked: list[list[str]] = []
        self.commit("c0", files or {})

    @property
    def state(self) -> str:
        """Fingerprint of files and model."""
        text = json.dumps([self.files, self.model_id, self.dimension], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def commit(self, name: str, files: Files) -> None:
        """Make `files` the truth; every changed path gets the commit `name`."""
        for path in files.keys() | self.files.keys():
            if files.get(path) != self.files.get(path):
                self.commits[path] = name
        self.reachable.add(name)
        self.files = {path: dict(chunks) for path, chunks in files.items()}
        self.history[self.state] = self.files

    def edit(self, name: str, path: str, **chunks: str | None) -> None:
        """Commit a change of some chunks of a file; None deletes a chunk."""
        merged = {**self.files.get(path, {}), **chunks}
        kept = {symbol: text for symbol, text in merged.items() if text is not None}
        self.commit(name, {**self.files, path: kept})

    def remove(self, name: str, path: str) -> None:
        """Commit the deletion of a file."""
        self.commit(name, {other: c for other, c in self.files.items() if other != path})

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Compare with a snapshot."""
        if since == self.state:
            return False, []
        old = self.history.get(since or "")
        if old is None:
            return True, sorted(self.files)
        return False, sorted(
            path for path in old.keys() | self.files.keys() if old.get(path) != self.files.get(path)
        )

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the chunks of these files."""
        self.asked.append(list(paths))
        for path in self.asked[-1]:
            line = 1
            for symbol, text in self.files.get(path, {}).items():
                yield self._row(path, symbol, text, line, documents)
                line += text.count("\n") + 1

    def _row(self, path: str, symbol: str, text: str, line: int, documents: bool) -> Row:
        raw = f"{self.repo_id}:{path}:{symbol}".encode("utf-8", "surrogateescape")
        id_ = hashlib.sha256(raw).hexdigest()[:20]
        return Row(
            id=id_,
            path=path,
            embedding=vector_of(text, self.model_id, self.dimension),
            metadata={
                "chunk_id": id_,
                "repo_id": self.repo_id,
                "file_path": path,
                "blob_sha": hashlib.sha1(repr(self.files[path]).encode()).hexdigest(),  # noqa: S324
                "commit_sha": self.commits[path],
                "language": "python",
                "symbol": symbol,
                "kind": "function",
                "start_line": line,
                "end_line": line + text.count("\n"),
                "related_chat_ids": "",
                "indexed_at": f"at commit {self.commits[path]}",
            },
            document=text if documents else None,
            content_hash=hashlib.sha256(text.encode()).hexdigest()[:16],
        )

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return those that were not rewritten."""
        return frozenset(commits) & frozenset(self.reachable)

    def texts(self) -> dict[str, str]:
        """Return the text of every chunk by the id of its row."""
        return {row.id: row.document or "" for row in self.rows(sorted(self.files), documents=True)}


def files_of(count: int, chunks: int = 5) -> Files:
    """Return `count` files of `chunks` functions each."""
    return {
        f"src/module_{n}.py": {
            f"f{k}": f"def f{k}():\n    return {n * 1000 + k}" for k in range(chunks)
        }
        for n in range(count)
    }


def stored(
    target: Target, collection: str = "codebase_v1", repo_id: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return every record of a collection by id: metadata, document and embedding."""
    client = clients.open_client(target, 20)
    try:
        got: Any = client.get_collection(collection, embedding_function=None).get(
            where={"repo_id": repo_id} if repo_id else None,
            include=["metadatas", "documents", "embeddings"],
        )
        return {
            id_: {"metadata": dict(meta), "document": document, "embedding": np.asarray(vector)}
            for id_, meta, document, vector in zip(
                got["ids"], got["metadatas"], got["documents"], got["embeddings"], strict=True
            )
        }
    finally:
        clients.close(client)


def assert_equal(rows: Rows, target: Target, collection: str = "codebase_v1") -> None:
    """Assert that a collection holds exactly the source's rows, each findable by its vector."""
    found = stored(target, collection, rows.repo_id)
    kept = target.keeps_documents
    with_texts = target.kind != "persistent" if kept is None else kept
    expected = {row.id: row for row in rows.rows(sorted(rows.files), with_texts)}
    assert set(found) == set(expected)
    ignored = ("indexed_at", "row_hash", "commit_sha")
    for id_, row in expected.items():
        left = {k: v for k, v in found[id_]["metadata"].items() if k not in ignored}
        assert left == {k: v for k, v in row.metadata.items() if k not in ignored}
        assert found[id_]["document"] == row.document
        assert np.allclose(found[id_]["embedding"], row.embedding, atol=1e-5)
    client = clients.open_client(target, 20)
    try:
        lost = finding.unfindable(
            client.get_collection(collection, embedding_function=None),
            {id_: np.asarray(row.embedding) for id_, row in expected.items()},
        )
        assert lost == []
    finally:
        clients.close(client)


@dataclass
class Place:
    """A store, its state folder and the rows it is filled from."""

    target: Target
    state_dir: Path
    rows: Rows

    def mirror(self) -> Outcome:
        """Mirror the rows as they are now."""
        return mirror(self.rows, self.target, self.state_dir)

    @contextmanager
    def tampering(self) -> Iterator[Any]:
        """Open the collection with Chroma's own client, to change it behind our back."""
        client = clients.open_client(self.target, 20)
        try:
            yield client.get_collection("codebase_v1", embedding_function=None)
        finally:
            clients.close(client)


def main() -> None:
    """Mirror once in a process of its own: STATE_DIR STORE REPO_ID FILES_AS_JSON."""
    state_dir, folder, repo_id, files = sys.argv[1:]
    rows = Rows(json.loads(files), repo_id=repo_id)
    try:
        outcome = mirror(rows, Target("persistent", path=Path(folder)), Path(state_dir))
    except SkillmeshError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.stdout.write(json.dumps([outcome.upserted, outcome.deleted, outcome.rows]))


def start_mirror(
    place: Place, before: Callable[[], None] | None = None
) -> "subprocess.Popen[bytes]":
    """Start `main` for a place, in a session of its own; `before` runs in the child first."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "testing.chroma_rows",
            place.state_dir,
            place.target.store,
            place.rows.repo_id,
            json.dumps(place.rows.files),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,
        cwd=Path(__file__).parents[1],  # so that its interpreter finds it
        start_new_session=True,
    )


if __name__ == "__main__":
    main()
