"""What is known of lines, in words: evidence, who answered, commits, why nothing is known.

In: groups of lines with what the memory tells of them. Out: short texts, for people and for models;
whoever shows them makes them safe.
"""

from collections.abc import Iterable, Sequence

from ..git.blame import BlamedCommit
from ..git.dates import local_day
from .answering import Group, Missing, Pair, Told
from .finding import short_ids
from .links import Link

_EVIDENCE = {
    "edit": "the agent recorded this edit",
    "quoted": "the agent's output names the commit",
    "content": "the agent wrote these lines",
    "moved": "moved from lines with a link",
    "files": "files and time fit",
}
_MISSING = {
    Missing.FORGOTTEN: "the conversation was forgotten",
    Missing.ABSENT: "the conversation is not in this clone",
    Missing.BROKEN: "the record of the conversation cannot be read",
}


def evidence_words(links: Sequence[Link]) -> str:
    """Return the kinds of evidence, each with the confidence of its links."""
    kinds: dict[str, list[float]] = {}
    for link in links:
        kinds.setdefault(_EVIDENCE.get(link.evidence, link.evidence), []).append(link.confidence)
    told = []
    for kind, found in kinds.items():
        low, high = f"{min(found):.2f}", f"{max(found):.2f}"
        told.append(f"{kind}, confidence {low if low == high else f'{low} to {high}'}")
    return "; ".join(told)


def missing_words(told: Told) -> str:
    """Return why nothing more is known of an exchange."""
    return _MISSING[told.missing] if told.missing else ""


def names(told: Iterable[Told]) -> dict[Pair, str]:
    """Return how exchanges are called for short: SESSION/NUMBER, which every command takes.

    Where a number is shared, or nothing is there that has one, it is the id.
    """
    listed = list(told)
    short = short_ids({one.session: one.parent for one in listed})
    return {
        (one.session, one.exchange_id): f"{short[one.session]}/{_called(one)}" for one in listed
    }


def _called(told: Told) -> str:
    if told.number:
        return str(told.number)
    return told.exchange_id[:8] if told.missing else told.exchange_id


def who(told: Told) -> str:
    """Return the agent and its model."""
    model = told.exchange.model if told.exchange else ""
    return ", ".join(filter(None, [told.agent or "an agent", model]))


def commit_words(commit: BlamedCommit, *, by: bool = False) -> str:
    """Return who committed lines, when and as what; `by` begins with the person."""
    day, summary = local_day(commit.time), commit.summary
    if by:
        return f"{commit.author} in {commit.oid[:9]} on {day}: {summary}"
    return f"{commit.oid[:9]}  {day}  {commit.author}  {summary}"


def unknown_words(group: Group) -> str:
    """Return what to say of lines that no exchange is known to have made."""
    commit = group.commits[0]
    count = len(group.lines)
    these = "this line" if count == 1 else f"these {count:,} lines"
    if commit.is_uncommitted:
        return f"{these} {'is' if count == 1 else 'are'} not committed yet"
    if commit.boundary:
        return (
            f"no conversation is known for {these}: history ends at {commit_words(commit)} "
            "(a shallow clone; git fetch --unshallow)"
        )
    return f"no conversation is known for {these}: written by {commit_words(commit, by=True)}"
