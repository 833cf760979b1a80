"""The section about skills in a file that is somebody else's, such as AGENTS.md.

In: the file as bytes, and a section. Out: the file with the section in it, and without it again,
byte for byte as it was.
"""

from ..marked import Marks

_MARKS = Marks("git-skillmesh skills")


def merged(old: bytes | None, section: str) -> bytes:
    """Return a file with a section, as `Marks.merged`."""
    return _MARKS.merged(old, section)


def without(old: bytes) -> bytes | None:
    """Return the file as it was before, as `Marks.without`."""
    return _MARKS.without(old)
