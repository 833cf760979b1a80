"""What an export is searched by: everything that it holds, by name.

In: a reading, the paths of the export. Out: `SearchIndex`.
"""

from collections.abc import Iterable

from ..keys import key_of_exchange
from ..learned import learnings_of
from ..parts import commits, files, sessions
from ..stores import Reading
from .refs import Document, commit_ref, exchange_refs, file_ref, learning_ref


def search_index(reading: Reading, paths: Iterable[str]) -> Document:
    """Return the names of what is there."""
    there = frozenset(paths)
    pairs = [
        (row.head.session_id, exchange)
        for row in sessions(reading).listed
        if f"session/{row.key}" in there
        for _, exchange, _ in reading.lookup.beginnings(row.head.session_id)
        if f"exchange/{key_of_exchange(row.head.session_id, exchange)}" in there
    ]
    listed = files(reading)
    return {
        "files": [file_ref(path) for key, path in listed.by_key.items() if f"file/{key}" in there],
        "exchanges": list(exchange_refs(reading, pairs).values()),
        "learnings": [
            learning_ref(read.learning) for read in learnings_of(reading).values() if read.learning
        ],
        "commits": [
            commit_ref(one) for one in commits(reading).listed if f"commit/{one.oid}" in there
        ],
    }
