"""Questions as vectors: each is made once, and beside other work.

In: a model and a question. Out: its vector. Kinds share models, and the next page asks the same
question again. One thread asks at a time.
"""

from collections import OrderedDict
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from ..index.vectors import VectorSource

_KEPT = 32

Vector = NDArray[np.float32]


class Questions:
    """The vectors of the last questions."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Vector] = OrderedDict()
        self._begun: _Making | None = None

    def begin(self, source: VectorSource, text: str) -> None:
        """Begin to make a vector that will be asked for. What goes wrong is told by `of`."""
        key = source.model_id, text
        self._finish()
        if key not in self._known:
            self._begun = _Making(key, source)
            self._begun.start()

    def of(self, source: VectorSource, text: str) -> Vector:
        """Return the vector of a question. Raises what `source` raises."""
        key = source.model_id, text
        begun = self._begun is not None and self._begun.key == key
        if begun and (error := self._finish()) is not None:
            raise error
        if key not in self._known:
            self._keep(key, source.embed_query(text))
        self._known.move_to_end(key)
        return self._known[key]

    def _finish(self) -> Exception | None:
        """Keep what was begun, or return what went wrong."""
        begun, self._begun = self._begun, None
        if begun is None:
            return None
        begun.join()
        if begun.vector is not None:
            self._keep(begun.key, begun.vector)
        return begun.error

    def _keep(self, key: tuple[str, str], vector: Vector) -> None:
        self._known[key] = vector
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)


class _Making(Thread):
    """A vector that is being made."""

    def __init__(self, key: tuple[str, str], source: VectorSource) -> None:
        super().__init__(daemon=True)
        self.key = key
        self.vector: Vector | None = None
        self.error: Exception | None = None
        self._source = source

    def run(self) -> None:
        try:
            self.vector = self._source.embed_query(self.key[1])
        except Exception as error:
            self.error = error
