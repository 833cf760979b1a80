"""What the Chroma tier is made of: the rows that an index offers and what it says about them.

In: nothing. Out: the `Row` and `RowSource` that `index` implements and `mirror` and `doctor` read.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Metadata = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One record: `embedding` has the source's dimension, `content_hash` covers the text alone."""

    id: str
    path: str
    embedding: "NDArray[np.float32] | Sequence[float]"
    metadata: Metadata
    document: str | None
    content_hash: str


class Standing(Enum):
    """How what is here compares with what a store holds."""

    NEWER = "newer"
    SAME = "the same"
    OLDER = "older"
    REPLACED = "instead of it"


@dataclass(frozen=True, slots=True)
class ByHead:
    """Rows that describe a commit which all clones agree on: who knows the newer one writes.

    `standing` compares with the commit that a store has the rows of. `since(theirs, own)` makes the
    state from which `RowSource.changes` starts out of the store's state and that of the last own
    mirror; None if the store's is of another kind. `field` is the metadata that has the path.
    """

    commit: str
    standing: Callable[[str], Standing]
    since: Callable[[str, str | None], str | None]
    field: str


@dataclass(frozen=True, slots=True)
class ByUnion:
    """Rows of a memory of which no clone knows all: each writes what has changed in its own.

    Only what was forgotten is deleted. `field` is the metadata that names a row's session,
    `path_of` makes its path of that, and `forgotten` says which paths are to go. `tombstones`
    is another text whenever something was forgotten, "" where nothing was.
    """

    field: str
    path_of: Callable[[str], str]
    forgotten: Callable[[Iterable[str]], frozenset[str]]
    tombstones: str


class RowSource(Protocol):
    """A set of rows that a collection shall equal.

    `state` is an opaque fingerprint of everything the rows depend on (tree, model, rules);
    `model_id` and `dimension` name the embedding model. `sharing` says what other clones have to
    do with the rows; None where the store holds what this one has, and nothing else.
    """

    @property
    def sharing(self) -> ByHead | ByUnion | None:
        """How clones share the rows."""

    @property
    def repo_id(self) -> str:
        """Identity of the repository in shared stores."""

    @property
    def state(self) -> str:
        """Fingerprint of what the rows describe."""

    @property
    def model_id(self) -> str:
        """The embedding model; vectors of two models never share a collection."""

    @property
    def dimension(self) -> int:
        """Length of every embedding."""

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Return (everything, paths): the paths whose rows may differ from the state `since`.

        `everything` means that `paths` is the full list, because `since` is None or unknown.
        """

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the rows of these paths that exist now; documents only if asked for."""

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return those of the commits that HEAD still reaches."""
