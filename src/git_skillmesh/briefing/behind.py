"""The conversations behind code that a prompt names, and those that were clearly alike.

In: places of the tree, exchanges that were alike. Out: `Block`s: who asked what, when, what came of
it, which commit. The running conversation is left out: the agent has it before its eyes.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from ..display import quoted
from ..errors import Damaged
from ..git.database import ObjectDatabase
from ..index.glance import Glance
from ..sessions.lookup import Lookup
from ..sessions.model import Exchange
from ..sessions.summaries import summary_of_prompt, summary_of_response
from .block import Block
from .places import Spot

if TYPE_CHECKING:
    from .alike import Alike

_MOST_BEHIND, _MOST_ALIKE = 2, 1
# An exchange that made less of a whole file than this does not explain the file.
_LEAST_SHARE, _LEAST_LINES = 0.15, 2
_SHOWN_FILES = 6
_SESSION_NAME = 13


def behind_blocks(
    spots: Sequence[Spot], glance: Glance, db: ObjectDatabase, session: str, told: Collection[str]
) -> Iterator[Block]:
    """Yield what made the lines of places, at most two conversations."""
    lookup, shown = Lookup(db), set[str]()
    for spot in spots:
        makers = [one for one in glance.makers(spot.file, spot.ordinals) if one[0] != session]
        whole = sum(lines for _, _, lines in makers)
        owner, exchange, lines = next(iter(makers), ("", "", 0))
        key = f"exchange:{owner}/{exchange}"
        small = lines < _LEAST_LINES or lines < whole * _LEAST_SHARE
        # What made less than that explains nothing, and neither do those behind it.
        if not owner or key in told or key in shown or (small and not spot.ordinals):
            continue
        about = {"behind": spot.name if spot.path in spot.name else f"{spot.name} in {spot.path}"}
        block = _block(key, "behind", owner, exchange, about, glance, db, lookup)
        if block is not None:
            shown.add(key)
            yield block
        if len(shown) >= _MOST_BEHIND:
            return


def alike_blocks(
    found: "Sequence[Alike]", glance: Glance, db: ObjectDatabase, told: Collection[str]
) -> Iterator[Block]:
    """Yield the most alike exchange that was not told of yet."""
    lookup = Lookup(db)
    left = _MOST_ALIKE
    for one in found:
        past = one.past
        key = f"exchange:{past.session}/{past.exchange}"
        if key in told or left < 1:
            continue
        about = {"alike": ", ".join(one.shared[:8])}
        block = _block(key, "alike", past.session, past.exchange, about, glance, db, lookup)
        if block is not None:
            left -= 1
            yield block


def _block(
    key: str, part: str, session: str, exchange: str, about: dict[str, str], glance: Glance,
    db: ObjectDatabase, lookup: Lookup,
) -> Block | None:  # fmt: skip
    number, head = lookup.number(session, exchange), lookup.head(session)
    try:
        found = lookup.exchange(session, exchange) if number and head else None
    except Damaged:
        found = None
    if found is None or head is None:
        return None
    asked, answered = summary_of_prompt(found.prompt), summary_of_response(found.response)
    files = _changed(found)
    lines = [f"asked: {asked}" if asked else "", f"answered: {answered}" if answered else ""]
    if files:
        more = len(files) - _SHOWN_FILES
        listed = ", ".join(files[:_SHOWN_FILES])
        lines.append(f"changed: {listed}" + (f" and {more} more" if more > 0 else ""))
    commits = list(_commits(session, exchange, glance, db))
    lines += [f"commit: {told}" for told in commits]
    # What was like it and led to nothing says nothing.
    if not (asked or answered) or (part == "alike" and not files and not commits):
        return None
    names = {
        **about,
        "session": f"{session[:_SESSION_NAME]}/{number}",
        "agent": head.agent,
        "when": (found.ended or found.started or head.started)[:10],
    }
    text = quoted("\n".join(filter(None, lines)), "conversation", names)
    return Block(key, part, text, tuple(files[:_SHOWN_FILES]))


def _changed(exchange: Exchange) -> list[str]:
    edits = (edit.path for call in exchange.tools if not call.failed for edit in call.edits)
    return list(dict.fromkeys(edits))


def _commits(session: str, exchange: str, glance: Glance, db: ObjectDatabase) -> Iterator[str]:
    """Yield the commit that has most lines of an exchange, in words."""
    for oid in glance.commits(session, exchange):
        found = db.reader.look_up(oid)
        if found is not None and found.kind == "commit":
            message = found.data.partition(b"\n\n")[2].decode("utf-8", "replace").strip()
            yield f"{oid[:9]} {message.partition(chr(10))[0][:100]}"
            return
