"""The timeline: commits and sessions by time, the newest first, a page at a time.

In: a reading, the number of a page. Out: `Timeline`. Commits stand at the time of their author,
where the conversation is that made them; subagents stand with the session that started them.
"""

from dataclasses import dataclass

from ...git.commitlog import Headline, LoggedCommit, logged
from ...sessions.answering import made_of
from ...sessions.links import read_links
from ..parts import SessionRow, commits, sessions
from ..stores import Reading
from .refs import Document, commit_ref, exchange_refs, moment, session_ref

PAGE = 100
_MOST_EXCHANGES = 12


@dataclass(frozen=True, slots=True)
class Order:
    """All entries, the newest first: their times, and what they are."""

    times: tuple[str, ...]
    entries: tuple[Headline | SessionRow, ...]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(-(-len(self.entries) // PAGE), 1)


def order(reading: Reading) -> Order:
    """Return the order of all entries."""
    state = reading.state

    def make() -> Order:
        # Of the same second a conversation comes after the commit that it led to, further down.
        found: list[tuple[str, Headline | SessionRow]] = [
            (moment(one.time), one) for one in commits(reading).listed
        ]
        talks = sessions(reading)
        found += [
            (one.time[:19], one)
            for one in talks.listed
            if not one.head.parent or one.head.parent not in talks.by_id
        ]
        found.sort(key=lambda each: each[0][:19], reverse=True)  # stable: git's order stays
        return Order(tuple(each[0] for each in found), tuple(each[1] for each in found))

    return reading.part("order", (state.head, state.memory), make)


def timeline(reading: Reading, page: int) -> Document | None:
    """Return a page, None if there is none of this number."""
    listed = order(reading)
    if not 0 <= page < listed.pages:
        return None
    shown = listed.entries[page * PAGE : (page + 1) * PAGE]
    oids = [one.oid for one in shown if isinstance(one, Headline)]
    found = {one.oid: one for one in logged(reading.repository, oids)}
    noted = read_links(reading.repository, oids)
    by_commit = {oid: made_of(one, noted.get(oid, ())) for oid, one in found.items()}
    shown_of = {oid: list(made)[:_MOST_EXCHANGES] for oid, made in by_commit.items()}
    named = exchange_refs(reading, (pair for pairs in shown_of.values() for pair in pairs))
    entries = []
    for one in shown:
        if isinstance(one, SessionRow):
            entries.append({"type": "session", **session_ref(reading, one)})
            continue
        entries.append(
            {
                "type": "commit",
                **commit_ref(one),
                "exchanges": [named[pair] for pair in shown_of.get(one.oid, ())],
                "added": _added(one, found.get(one.oid)),
                "linked": sum(made.lines for made in by_commit.get(one.oid, {}).values()),
                "merge": len(one.parents) > 1,
            }
        )
    return {"page": page, "pages": listed.pages, "entries": entries}


def _added(one: Headline, commit: LoggedCommit | None) -> int | None:
    return commit.added if commit and len(one.parents) < 2 else None
