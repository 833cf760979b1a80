"""The list of sessions, a page at a time, the one that was active last first.

In: a reading, the number of a page. Out: `Sessions`.
"""

from ..parts import sessions
from ..stores import Reading
from .refs import Document, session_ref

PAGE = 100


def pages_of(reading: Reading) -> int:
    """Return how many pages there are, at least one."""
    return max(-(-len(sessions(reading).listed) // PAGE), 1)


def page_of_sessions(reading: Reading, page: int) -> Document | None:
    """Return a page, None if there is none of this number."""
    pages = pages_of(reading)
    if not 0 <= page < pages:
        return None
    shown = sessions(reading).listed[page * PAGE : (page + 1) * PAGE]
    listed = [session_ref(reading, one) for one in shown]
    return {"page": page, "pages": pages, "sessions": listed}
