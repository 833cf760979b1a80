"""Prompts and responses in a sentence or two, by extraction.

In: texts. Out: one line each, bounded, without control characters.
"""

_CHARACTERS = 200
_LOOKED_AT = 20_000


def summary_of_prompt(text: str) -> str:
    """Return what was asked."""
    return _first_line(text)


def summary_of_response(text: str) -> str:
    """Return what was decided or done."""
    return _first_line(text)


def _first_line(text: str) -> str:
    words = " ".join(text[:_LOOKED_AT].split())
    return "".join(c for c in words if c.isprintable())[:_CHARACTERS]
