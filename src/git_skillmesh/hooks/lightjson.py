"""JSON without the package `json`, which takes as long to load as half of an interpreter.

In: text, or plain values. Out: values, or ASCII text. The parser and the quoting are those of
`json` itself, written in C; an interpreter without them uses the package.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

try:
    from _json import encode_basestring_ascii, make_scanner

    class _Strict:
        """What the scanner wants to know, as `json.JSONDecoder` says it."""

        strict = True
        object_hook = None
        object_pairs_hook = None
        array_hook = None
        parse_float = float
        parse_int = int
        parse_constant = float
        memo: dict[str, str] = {}  # noqa: RUF012

    _scan: Callable[[str, int], tuple[Any, int]] = make_scanner(_Strict)  # type: ignore[arg-type]
except (ImportError, AttributeError, TypeError):  # no CPython, or not as it was
    import json
    from json.encoder import encode_basestring_ascii

    _scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

_SPACE = " \t\n\r"


def parse(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError, RecursionError."""
    text = text.strip(_SPACE)
    try:
        value, end = _scan(text, 0)
    except (StopIteration, SystemError):  # an error whose class is in the package
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError("more than one JSON value")
    return value


def write(value: object) -> str:
    """Return JSON of text, whole numbers, truth values, None, lists and dictionaries of those."""
    if isinstance(value, str):
        return str(encode_basestring_ascii(value))
    if isinstance(value, dict):
        pairs = (f"{encode_basestring_ascii(str(k))}:{write(v)}" for k, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if isinstance(value, int) else "null"
