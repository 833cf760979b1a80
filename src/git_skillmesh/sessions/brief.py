"""An exchange in a line or two: what was asked, and what came of it.

In: texts of any length. Out: one line each.
"""

import re

_LOOKED_AT = 20_000
_LONGEST = 300
# What stands around the words of a sentence in Markdown.
_MARKS = re.compile(
    r"\*{2,}|`+|^[ \t]*(?:#+|>+|[-+*]|\d+[.)])\s+|\[([^\]\n]*)\]\([^)\n]*\)", re.MULTILINE
)
_FENCED = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)


def prompt_in_brief(text: str) -> str:
    """Return how a prompt begins, in one line."""
    return _line(text[:_LOOKED_AT])


def response_in_brief(text: str) -> str:
    """Return what a response says in the end: its last paragraph of words, in one line."""
    prose = _MARKS.sub(r"\1", _FENCED.sub("", text[-_LOOKED_AT:]))
    paragraphs = [_line(part) for part in re.split(r"\n\s*\n", prose)]
    telling = [part for part in paragraphs if len(part.split()) >= 4 and not part.endswith("?")]
    return (telling or [part for part in paragraphs if part] or [""])[-1]


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else words[:_LONGEST].rpartition(" ")[0] + " …"
