"""What the Chroma tier is made of: the rows that an index offers and what it says about them.

In: nothing. Out: the `Row` and `RowSource` that `index` implements and `mirror` and `doctor` read.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


class RowSource(Protocol):
    """A set of rows that a collection shall equal.

    `state` is an opaque fingerprint of everything the rows depend on (tree, model, rules);
    `model_id` and `dimension` name the embedding model.
    """

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
