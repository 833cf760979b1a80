"""Which paths git leaves alone.

In: paths from the top of a working tree, whether they are there or not. Out: those of them that git
is told to ignore, and those that it would not add anyway.
"""

from collections.abc import Iterable

from .repository import Repository

# Git ends at a path that it cannot place; from so many on the rest is not asked for.
_MOST_REFUSED = 100
_FIELDS = 4  # source, line, pattern, path


def ignored(repository: Repository, paths: Iterable[str]) -> set[str]:
    """Return the paths that git leaves alone, none of them in a bare repository.

    Also those that it can say nothing of: what lies beyond a symbolic link or in a submodule.
    """
    left = sorted({path for path in paths if path and "\0" not in path})
    found: set[str] = set()
    if repository.is_bare:
        return found
    for _ in range(_MOST_REFUSED):
        # As ./PATH: what begins with a colon would be taken for a pattern.
        asked = b"".join(b"./" + path.encode("utf-8", "surrogateescape") + b"\0" for path in left)
        told = repository.git.run_unchecked(
            "check-ignore", "--no-index", "-z", "-v", "-n", "--stdin", stdin=asked
        ).stdout.split(b"\0")
        patterns = told[2::_FIELDS][: len(told) // _FIELDS]
        for path, pattern in zip(left, patterns, strict=False):
            if pattern and not pattern.startswith(b"!"):
                found.add(path)
        left = left[len(patterns) :]
        if not left:
            return found
        found.add(left.pop(0))
    return found | set(left)
