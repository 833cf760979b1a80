"""What a brief is made of.

In: nothing. Out: `Block`.
"""

from typing import NamedTuple


class Block(NamedTuple):
    """Something to tell: `key` says what it is, `part` of which kind, `files` what it points at."""

    key: str
    part: str
    text: str
    files: tuple[str, ...] = ()
