"""Keep the index of learnings: their words, their vectors, and what filters ask of them.

In: versions of the files under `.skillmesh/learnings`. Out: an index like that of the code in
`.git/skillmesh/learnings`, in which a version is read once and kept by its blob. A file that cannot
be used is in it without a text, and with what is wrong.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..embedding.static import Fields
from ..embedding.tokens import identifiers
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..learnings.files import blobs_at, folder_at
from ..learnings.model import Learning, State
from ..learnings.reading import Problem, ReadFile, read_learning
from ..learnings.text import TEXT_VERSION, places_of, search_text
from .build import Batch, Version, assemble
from .catalogue import Catalogue
from .documents import TERMS_VERSION, Document, FileDocuments, documents_of
from .maintenance import GRACE_SECONDS, prune, prune_is_due
from .store import Store
from .vectors import VectorSource

NAME = "learnings"
# What a text, its terms and the facts depend on besides the file; raised with the rules of reading.
READING = f"1.{TEXT_VERSION}.{TERMS_VERSION}"
_TABLE = "CREATE TABLE IF NOT EXISTS learnings (file INTEGER PRIMARY KEY, facts TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Info:
    """What the index knows of a version of a file: the state is None where it cannot be used."""

    state: State | None
    kind: str = ""
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files of learnings: path → blob, the bytes that git has not, and what cannot be read."""

    blobs: Mapping[str, str]
    unstored: Mapping[str, bytes]
    refused: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningsReport:
    """What one run did: files `read`, `learnings` there are, files that cannot be used."""

    read: int = 0
    learnings: int = 0
    broken: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Files that were read: `infos` in the order of the batch's; `missing` has git not."""

    batch: Batch
    infos: tuple[Info, ...]
    missing: tuple[Problem, ...]


def learning_store(repository: Repository) -> Store:
    """Return the store of the index of learnings."""
    return Store(repository, NAME)


def committed(repository: Repository, tree: str) -> Shelf:
    """Return the learnings of a commit or tree."""
    return Shelf(blobs_at(repository, tree), {})


def read_versions(
    repository: Repository, shelf: Shelf, wanted: Collection[str], source: VectorSource | None
) -> Reading:
    """Read files of a shelf. Raises `Unavailable` when the embedding model is."""
    stored = sorted(path for path in wanted if path not in shelf.unstored)
    with BlobReader(repository) as reader:
        data = list(reader.read_many(shelf.blobs[path] for path in stored))
    contents = dict(zip(stored, data, strict=True))
    contents |= {path: shelf.unstored[path] for path in wanted if path in shelf.unstored}
    read, infos, missing = [], [], []
    for path, content in sorted(contents.items()):
        if content is None:
            missing.append(Problem(path, 1, "git does not have its content"))
            continue
        file = read_learning(path, content)
        infos.append(_info_of(file))
        version = Version(path, shelf.blobs[path], len(content), READING)
        read.append((version, _documents(file.learning), len(content)))
    return Reading(assemble(read, source), tuple(infos), tuple(missing))


def _documents(learning: Learning | None) -> FileDocuments:
    if learning is None:
        return FileDocuments("", None, ())
    text, chunks = search_text(learning)
    title, places = f"{learning.title} {learning.learning_id}", places_of(learning)
    first, *others = documents_of(chunks, title, places)
    # Prose means what all of it says: the parts of a file's place, as code has it, would drown it.
    said = "\n".join((learning.title, learning.description, learning.pattern, places))
    whole = [replace(_embedded_as(first, f"{text}\n{places}"), prose=said)]
    rest = [_embedded_as(document, document.chunk.text) for document in others]
    return FileDocuments("", None, (*whole, *rest))


def _embedded_as(document: Document, text: str) -> Document:
    return replace(document, fields=Fields(Counter(identifiers(text)), {}, {}, {}))


def _info_of(file: ReadFile) -> Info:
    learning = file.learning
    if learning is None:
        return Info(None, problems=file.problems)
    return Info(learning.state, learning.matcher.kind, learning.languages, learning.paths)


def add(store: Store, catalogue: Catalogue, reading: Reading) -> int:
    """Make what was read part of the index and return the file id of the first."""
    base = catalogue.next_file_id()
    facts = [(base + number, json.dumps(asdict(info))) for number, info in enumerate(reading.infos)]
    with catalogue.transaction():
        catalogue.connection.execute(_TABLE)
        catalogue.connection.executemany("INSERT OR REPLACE INTO learnings VALUES (?, ?)", facts)
    return store.add(catalogue, reading.batch)


def known_versions(catalogue: Catalogue) -> dict[tuple[str, str], int]:
    """Return (path, blob) → file id of all that was read in the way of today."""
    rows = catalogue.all_files()
    return {(row.path, row.blob): row.id for row in rows if row.reading == READING}


def read_infos(catalogue: Catalogue) -> dict[int, Info]:
    """Return file id → what is known of every version."""
    if not catalogue.rows("SELECT 1 FROM sqlite_master WHERE name = 'learnings'"):
        return {}
    rows = catalogue.rows("SELECT file, facts FROM learnings")
    return {int(number): _info(json.loads(facts)) for number, facts in rows}


def _info(facts: dict[str, Any]) -> Info:
    problems = tuple(Problem(**problem) for problem in facts["problems"])
    state = State(facts["state"]) if facts["state"] else None
    return Info(state, facts["kind"], tuple(facts["languages"]), tuple(facts["paths"]), problems)


def sync_learnings(
    repository: Repository,
    source: VectorSource | None,
    wait_seconds: float = 0.0,
    tree: str = "",
    listed: tuple[str, dict[str, str]] | None = None,
) -> LearningsReport:
    """Make sure that the index has the learnings of HEAD (or of `tree`); drop what is long unused.

    `listed` is what `folder_at` says of the tree, for who has asked already.

    Raises `Busy`, `ReadOnly`, `Damaged`, `Unavailable` when the embedding model is.
    """
    store = learning_store(repository)
    folder, blobs = listed or folder_at(repository, tree or repository.head_tree()[1])
    shelf = Shelf(blobs, {})
    if not folder and not store.catalogue_path.exists():
        return LearningsReport()
    store.drop_other_models(source, wait_seconds)
    with store.writing(wait_seconds) as catalogue:
        known = known_versions(catalogue)
        missing = [path for path, blob in shelf.blobs.items() if (path, blob) not in known]
        reading = read_versions(repository, shelf, missing, source)
        if reading.batch.files:
            add(store, catalogue, reading)
            known = known_versions(catalogue)
        if folder:
            members = [known[at] for at in shelf.blobs.items() if at in known]
            with catalogue.transaction():
                catalogue.put_tree(folder, READING, {}, np.array(sorted(members), np.int32))
        store.compact(catalogue)
        if prune_is_due(catalogue):
            prune_learnings(repository, catalogue, store)
        infos = read_infos(catalogue)
    found = {path: infos[known[path, blob]] for path, blob in shelf.blobs.items()
             if (path, blob) in known}  # fmt: skip
    broken = [problem for info in found.values() for problem in info.problems]
    usable = sum(1 for info in found.values() if info.state)
    return LearningsReport(len(reading.batch.files), usable, (*broken, *reading.missing))


def prune_learnings(
    repository: Repository,
    catalogue: Catalogue,
    store: Store,
    grace_seconds: int = GRACE_SECONDS,
) -> int:
    """Forget versions that nothing needs any more, as `maintenance.prune` does; return how many."""
    gone = prune(repository, catalogue, store, grace_seconds)
    with catalogue.transaction():
        catalogue.connection.execute(_TABLE)
        catalogue.connection.execute(
            "DELETE FROM learnings WHERE file NOT IN (SELECT id FROM files)"
        )
    return gone


@dataclass(frozen=True, slots=True)
class LearningsState:
    """What there is to say of the learnings at HEAD and their index.

    `states` counts them, `broken` cannot be used, `behind` are not indexed yet; `differences` are
    words about what the index has otherwise than the files.
    """

    states: Mapping[str, int]
    broken: tuple[Problem, ...]
    behind: int
    differences: tuple[str, ...] = ()

    @property
    def learnings(self) -> int:
        """How many can be used."""
        return sum(self.states.values())


def state_of_learnings(repository: Repository) -> LearningsState:
    """Return what the index says; files that it lacks are read. Raises `Damaged`."""
    return _compare(repository, trusting=True)


def examine_learnings(repository: Repository) -> LearningsState | None:
    """Read all files of HEAD and compare; None where there are none, nor ever were."""
    found = _compare(repository, trusting=False)
    has_index = learning_store(repository).catalogue_path.exists()
    return found if found.learnings or found.broken or has_index else None


def _compare(repository: Repository, trusting: bool) -> LearningsState:
    store = learning_store(repository)
    shelf = committed(repository, repository.head_tree()[1])
    shown = shelf.blobs
    differences: list[str] = []
    stored: dict[tuple[str, str], Info] = {}
    catalogue = store.reader_if_any()
    if catalogue is not None:
        try:
            infos = read_infos(catalogue)
            known = known_versions(catalogue)
            stored = {at: infos[number] for at, number in known.items() if number in infos}
            differences = [] if trusting else store.check_files(catalogue)
        finally:
            catalogue.close()
    found = {path: info for (path, blob), info in stored.items() if shown.get(path) == blob}
    reread = [path for path in shown if not trusting or path not in found]
    reading = read_versions(repository, shelf, reread, None)
    read = dict(zip((file.path for file in reading.batch.files), reading.infos, strict=True))
    differences += [
        f"{path}: the index has it otherwise"
        for path, info in read.items()
        if path in found and found[path] != info
    ]
    infos_now = {**found, **read}.values()
    states = Counter(str(info.state) for info in infos_now if info.state)
    broken = sorted(problem for info in infos_now for problem in info.problems)
    behind = len(shown) - len(found)
    return LearningsState(states, (*broken, *reading.missing), behind, tuple(differences))
