"""JSON that somebody hands over: one document over several lines, a list, or a document a line.

In: bytes. Out: the documents, each with the line at which it begins as far as that is known.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from ..errors import UsageError


def documents(data: bytes, source: str) -> Iterator[tuple[int, Any]]:
    """Yield (line, document); `source` is what errors call it. Raises `UsageError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source}:{line}: not UTF-8") from None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        start = len(text) - len(text.lstrip())
        first = text.count("\n", 0, start) + 1
        yield from ((first, one) for one in (whole if isinstance(whole, list) else [whole]))
        return
    lines = text.split("\n")
    for number, each in enumerate(lines, 1):
        if not each.strip():
            continue
        try:
            yield number, json.loads(each)
        except json.JSONDecodeError as error:
            _complain(source, number, error, lines)
        except (ValueError, RecursionError):
            raise UsageError(f"{source}:{number}: not JSON: too deep") from None


def _complain(source: str, number: int, error: json.JSONDecodeError, lines: list[str]) -> NoReturn:
    """Raise `UsageError` for the place at which JSON ends to be any."""
    if number == 1:  # perhaps one document over many lines
        try:
            json.loads("\n".join(lines))
        except json.JSONDecodeError as whole:
            if whole.lineno > 1:
                error, number = whole, whole.lineno
    raise UsageError(f"{source}:{number}: not JSON: {error.msg} (column {error.colno})")
