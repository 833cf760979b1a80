"""What Chroma Cloud accepts at most, so that a copy fails before it begins and not in the middle.

In: records. Out: what exceeds which limit. The numbers are those of its documentation
(https://docs.trychroma.com/cloud/quotas-limits); it raises most of them on request.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .records import Record

DIMENSION = 4096
DOCUMENT_BYTES = 16_384
URI_BYTES = 256
ID_BYTES = 128
NAME_BYTES = 128
VALUE_BYTES = 4096
COLLECTION_VALUE_BYTES = 256
KEY_BYTES = 36
KEYS = 32


def excess(record: Record) -> Iterator[str]:
    """Yield a phrase for each limit that a record exceeds, the same for all that exceed it."""
    if len(record.vector) > DIMENSION:
        yield f"a vector of more than {DIMENSION:,} numbers"
    for what, text, most in (
        ("an id", record.id, ID_BYTES),
        ("a document", record.document, DOCUMENT_BYTES),
        ("a URI", record.uri, URI_BYTES),
    ):
        if text is not None and _larger(text, most):
            yield f"{what} of more than {most:,} bytes"
    yield from _excess_of(record.fields, VALUE_BYTES, "")


def excess_of_collection(name: str, metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each limit that a collection itself exceeds."""
    if _larger(name, NAME_BYTES):
        yield f"a name of more than {NAME_BYTES} bytes"
    yield from _excess_of(metadata, COLLECTION_VALUE_BYTES, " of the collection")


def _excess_of(metadata: Mapping[str, Any], most: int, whose: str) -> Iterator[str]:
    if len(metadata) > KEYS:
        yield f"more than {KEYS} keys{whose}"
    for key, value in metadata.items():
        if _larger(key, KEY_BYTES):
            yield f"a key{whose} of more than {KEY_BYTES} bytes"
        if isinstance(value, str) and _larger(value, most):
            yield f"{key!r:.40}{whose} of more than {most:,} bytes"


def _larger(text: str, most: int) -> bool:
    return len(text) > most or (4 * len(text) > most and len(text.encode()) > most)
