"""What the tools of collections answer: one JSON text, bounded, with nothing that a terminal obeys.

In: records. Out: JSON. Documents are data from elsewhere: they stand under the key "retrieved", and
cannot end the quotation that a client may put them into.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...display import tokens
from ..answers import MOST_TOKENS, escaped

# A document among others, and one that was asked for by its id, in characters.
EXCERPT, WHOLE = 1_500, 9_000
_LONGEST_VALUE = 300


def answer(fields: Mapping[str, Any]) -> str:
    """Return fields as JSON; those that say nothing are left out."""
    return json.dumps(_clean(_said(fields)), ensure_ascii=False)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in ("", None, [], {})}


def records(
    found: Sequence[Mapping[str, Any]], offset: int, total: int,
    more: Mapping[str, Any] | None = None, key: str = "retrieved",
) -> str:  # fmt: skip
    """Return as many whole records as an answer has room for, and where the next ones begin."""
    after = dict(more or {})
    left = MOST_TOKENS - tokens(answer(after)) - 40
    kept: list[Mapping[str, Any]] = []
    for record in found:
        left -= tokens(answer(record))
        if left < 0 and kept:
            break
        kept.append(_said(record))
    if offset + len(kept) < total:
        after["next_offset"] = offset + len(kept)
    return answer({key: kept, **after})


def cut(document: str, start: int, most: int) -> dict[str, Any]:
    """Return the part of a document from a character on, and how many characters follow it."""
    part = document[start : start + most]
    left = len(document) - start - len(part)
    return {"document": part, "cut": left if left > 0 else None}


def brief(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without what is empty, long texts cut."""
    return {
        key: value[:_LONGEST_VALUE] + " …"
        if isinstance(value, str) and len(value) > _LONGEST_VALUE
        else value
        for key, value in metadata.items()
        if value != ""
    }


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {escaped(str(key)): _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value
