"""A learning as the text in which it is searched, cut into parts.

In: a `Learning`. Out: chunks with line numbers in one text: what and why, what is looked for, what
to do instead, examples. A function of the learning alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ..chunking.model import Chunk
from .model import Example, Learning

# Raised whenever the text of the same learning changes; learnings are then read anew.
TEXT_VERSION = 1
# Characters of the examples, and of a line.
_EXAMPLES = 2_000
_LINE = 400


def search_text(learning: Learning) -> tuple[str, tuple[Chunk, ...]]:
    """Return the whole text and its parts, which are named by their `key`."""
    lines: list[str] = []
    chunks: list[Chunk] = []
    parts = {
        "description": ("section", [learning.title, learning.description]),
        "pattern": ("text", [learning.pattern, *_looked_for(learning)]),
        "fix": ("text", [learning.fix.text, learning.fix.rewrite]),
        "examples": ("block", _examples((*learning.bad, *learning.good))),
    }
    for key, (kind, texts) in parts.items():
        start = len(lines) + 1
        for text in texts:
            lines += [line[:_LINE].rstrip() for line in text.splitlines() if line.strip()]
        if len(lines) >= start:
            symbol = learning.title if key == "description" else ""
            body = "\n".join(lines[start - 1 :])
            chunks.append(Chunk(symbol, kind, "", start, len(lines), body, (), "", key))
    return "\n".join(lines), tuple(chunks)


def places_of(learning: Learning) -> str:
    """Return the words under which a learning is filed."""
    return " ".join((learning.category, *learning.tags, *learning.languages, *learning.paths))


def _looked_for(learning: Learning) -> Iterator[str]:
    matcher = learning.matcher
    yield from (matcher.regex, matcher.text, *matcher.accompany)
    for rule in (matcher.rule, matcher.constraints, matcher.utils):
        yield from _words(rule)


def _words(value: Any) -> Iterator[str]:
    """Yield the texts of a rule, without recursion: its depth is in the hands of its author."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            stack.extend(reversed(one.values()))
        elif isinstance(one, (list, tuple)):
            stack.extend(reversed(one))


def _examples(examples: Iterable[Example]) -> Iterator[str]:
    left = _EXAMPLES
    for example in examples:
        text = "\n".join((example.code, *example.files))[:left]
        left -= len(text)
        yield text
