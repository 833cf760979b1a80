"""Import Chroma without what its authors check of their own classes.

In: nothing. Out: `chromadb` is loaded. Its decorators compare the signature of each method with
that of the base class, at every import. That and the collection of garbage take a fifth of the time
of the import, and whoever asks or commits pays for it; they are laid aside for just so long.
"""

import abc
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Unchecked(metaclass=abc.ABCMeta):  # noqa: B024  # it stands for a base class of others
    """In the place of `EnforceOverrides`, whose metaclass is an ABCMeta too."""


def _as_it_is(method: Any = None, **_options: bool) -> Any:
    return (lambda each: each) if method is None else method


_INSTEAD = {"EnforceOverrides": _Unchecked, "override": _as_it_is, "overrides": _as_it_is}


def load() -> None:
    """Import `chromadb` once. Raises ImportError."""
    if "chromadb" in sys.modules:
        return
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _without_checks():
            import chromadb  # noqa: F401
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _without_checks() -> Iterator[None]:
    try:
        import overrides
    except ImportError:  # a Chroma that does without
        yield
        return
    kept = {name: getattr(overrides, name) for name in _INSTEAD}
    try:
        vars(overrides).update(_INSTEAD)
        yield
    finally:
        vars(overrides).update(kept)
