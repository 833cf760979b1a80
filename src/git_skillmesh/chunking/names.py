"""Names of symbols and the paths they form."""

NAME_CHARS = 200
"""Longer names and symbol paths are cut: they come from nonsense."""


def tidy_name(name: bytes) -> str:
    """A name as it is shown: decoded, on one line, without quotes."""
    return " ".join(name.decode("utf-8", "replace").split()).strip("\"'`")[:NAME_CHARS]


def path_of(scope: str, name: str) -> str:
    """The symbol path of a name in a scope."""
    if not name or not scope:
        return scope or name
    return f"{scope}.{name}"[:NAME_CHARS]
