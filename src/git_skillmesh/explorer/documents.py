"""Documents as bytes of JSON, and the last ones kept for as long as they are true.

In: stores, the path of a document. Out: JSON in ASCII. A document is kept under the state that it
was made of, unless something in it is still being computed. Two that ask for the same at once get
the same.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..errors import SkillmeshError
from .answers import answer, import_views
from .data.refs import SLOW
from .parts import links, read_openings, sessions
from .stores import Reading, State, Stores

_MOST_BYTES = 32_000_000
# What also rests on what is computed beside it, and on the clock.
_NEVER = ("overview", "search", "learning")
_Key = tuple[str, str]


class Documents:
    """What a server answers of one repository, to somebody with so much `patience`."""

    def __init__(self, stores: Stores, patience: float = 1.0) -> None:
        self.stores = stores
        self._patience = patience
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._size = 0
        self._making: dict[_Key, threading.Lock] = {}

    def json(self, path: str, asked: Mapping[str, str] | None = None) -> bytes | None:
        """Return a document, None if there is none at this path. Raises `SkillmeshError`."""
        kind = path.partition("/")[0]
        if kind in _NEVER:
            return self._made(path, asked)[0]
        state = self.stores.state()
        key = (state.name, path)
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                with self._lock:
                    known = self._kept.get(key)
                    if known is not None:
                        self._kept.move_to_end(key)
                        return known
                data, final = self._made(path, asked, state)
                if data is not None and final:
                    self._keep(key, data)
                return data
        finally:
            with self._lock:
                self._making.pop(key, None)

    def prepare(self) -> None:
        """Make what a page shows first, and what makes the rest quick. Raises `SkillmeshError`."""
        # Each waits for a git process of its own; what all of them need is made once.
        for part in (links, sessions):
            threading.Thread(target=self._read, args=(part,), daemon=True).start()
        self.json("overview")
        self.json("timeline/0")
        import_views()
        self._read(read_openings)
        state = self.stores.state()
        if state.head:
            self.stores.blames.index_paths(state.head)

    def _read(self, part: Callable[[Reading], object]) -> None:
        with suppress(SkillmeshError, OSError), self.stores.reading() as reading:
            part(reading)

    def _made(
        self, path: str, asked: Mapping[str, str] | None, state: State | None = None
    ) -> tuple[bytes | None, bool]:
        """Return a document, and whether it stays as it is for as long as the state does."""
        with self.stores.reading(state, self._patience) as reading:
            document = answer(reading, path, asked)
        if document is None:
            return None, False
        return json.dumps(document, separators=(",", ":")).encode(), _is_final(document)

    def _keep(self, key: _Key, data: bytes) -> None:
        with self._lock:
            self._size += len(data) - len(self._kept.pop(key, b""))
            self._kept[key] = data
            while self._size > _MOST_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1])


def _is_final(document: Mapping[str, Any]) -> bool:
    return bool(document.get("complete", True)) and SLOW not in document.get("cut", ())
