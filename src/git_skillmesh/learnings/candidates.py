"""What a candidate for a learning is, and how one becomes a proposal.

In: what analysis found. Out: `Candidate`s as plain data, their JSON form, and `to_learning`.
docs/analysis.md says how they are found and scored. All text in them is redacted.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from .model import Example, Fix, Learning, Matcher, MatcherKind, State
from .reading import TITLE_LENGTH

ID_PREFIX = "c-"
_NO_FIX = Fix()
_TO_WRITE = "skillmesh-no-matcher-yet "


class Kind(StrEnum):
    """What made somebody look: the strongest evidence of a candidate names it."""

    CORRECTION = "correction"  # a person told the agent that it should be otherwise
    RULE = "rule"  # a rule stated in words
    REDONE = "redone"  # a later exchange took back or replaced what one had written
    FIX = "fix"  # checks failed, an edit, checks passed
    REVERT = "revert"  # a commit was taken back
    FOLLOW_UP = "follow-up"  # a fix of lines that had just been written


class Fate(StrEnum):
    """What became of the code of an exchange."""

    NONE = "none"  # it wrote none
    KEPT = "kept"
    CHANGED = "changed"  # gone at HEAD, and no recorded exchange took it: a person did
    REVERTED = "reverted"
    REPLACED = "replaced"
    UNCOMMITTED = "uncommitted"  # not in HEAD, and no commit is known to have had it


class Decision(StrEnum):
    """What a person said of a candidate."""

    OPEN = "open"
    REJECTED = "rejected"
    PROMOTED = "promoted"


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of one place, before and after; cut to what a reader needs. `line` from 1, or 0."""

    path: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a candidate.

    `excerpt` is what the person said, or the subject of the commit. `session` and `exchange` are
    "" where it is about commits alone. `strength` is 0..1, what the words or the facts are worth by
    themselves. `signs` are words that say why: "never", "instead of", "tests passed after" and so
    on. `fate` is that of the code which the exchange wrote.
    """

    id: str
    kind: Kind
    excerpt: str
    strength: float
    time: str = ""
    session: str = ""
    exchange: str = ""
    number: int = 0
    agent: str = ""
    modification: str = ""
    signs: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    paths: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    fate: Fate = Fate.NONE


@dataclass(frozen=True, slots=True)
class Proposal:
    """A matcher with the lines it was taken from: `bad` must match, `good` must not."""

    matcher: Matcher
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    pattern: str
    fix: Fix = _NO_FIX
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """Each is 0..1; `total` is what candidates are sorted by. docs/analysis.md has the formula."""

    confidence: float
    impact: float
    richness: float
    total: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """What might be a learning. The evidence is in order of time, the first one gave the id.

    `aliases` are the ids of all evidence: a decision about any of them is one about the candidate,
    so that it stands when earlier evidence comes to light. `reason` is that of a rejection,
    `learning_id` what it was promoted to.
    """

    id: str
    kind: Kind
    title: str
    description: str
    evidence: tuple[Evidence, ...]
    scores: Scores
    proposal: Proposal | None = None
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    decision: Decision = Decision.OPEN
    reason: str = ""
    learning_id: str = ""

    @property
    def aliases(self) -> tuple[str, ...]:
        """The ids under which it may be known."""
        return tuple(one.id for one in self.evidence)

    @property
    def sessions(self) -> tuple[str, ...]:
        """The conversations that speak for it."""
        return tuple(dict.fromkeys(one.session for one in self.evidence if one.session))

    @property
    def commits(self) -> tuple[str, ...]:
        """The commits that speak for it."""
        return tuple(dict.fromkeys(oid for one in self.evidence for oid in one.commits))


def evidence_id(*parts: str) -> str:
    """Return the id of evidence: a hash of what makes it the same thing everywhere."""
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return ID_PREFIX + hashlib.sha256(data).hexdigest()[:12]


def to_learning(candidate: Candidate, learning_id: str, author: str, date: str) -> Learning:
    """Return the proposal of a candidate, for a reviewer to finish.

    Where no matcher could be derived it holds one that is found nowhere, so that the file can be
    read, and the reviewer writes the real one: see `is_placeholder`.
    """
    proposal = candidate.proposal
    source = next((one.exchange for one in candidate.evidence if one.exchange), "")
    return Learning(
        learning_id=learning_id,
        title=_one_line(candidate.title)[:TITLE_LENGTH].rstrip() or learning_id,
        description=candidate.description.strip() or candidate.title,
        matcher=proposal.matcher if proposal else placeholder(candidate),
        state=State.PROPOSED,
        category=str(candidate.kind),
        tags=candidate.tags,
        languages=proposal.languages if proposal else candidate.languages,
        paths=() if proposal else candidate.paths,
        pattern=proposal.pattern if proposal else "",
        fix=proposal.fix if proposal else _NO_FIX,
        bad=proposal.bad if proposal else (),
        good=proposal.good if proposal else (),
        source_chat_id="".join(source.split()),
        source_commits=candidate.commits,
        confidence=round(candidate.scores.confidence, 3),
        author=_one_line(author),
        created=date,
        updated=date,
    )


def placeholder(candidate: Candidate) -> Matcher:
    """Return a matcher that is found nowhere: the reviewer writes the real one."""
    return Matcher(MatcherKind.LITERAL, text=_TO_WRITE + candidate.id)


def is_placeholder(matcher: Matcher) -> bool:
    """Return whether a matcher still has to be written."""
    return matcher.text.startswith(_TO_WRITE)


def to_json(candidate: Candidate) -> dict[str, Any]:
    """Return what JSON can hold, with what follows from the evidence beside it."""
    document: dict[str, Any] = _plain(asdict(candidate))
    document["aliases"] = list(candidate.aliases)
    document["sessions"] = list(candidate.sessions)
    document["commits"] = list(candidate.commits)
    return document


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """Return the form that is kept in the cache."""
    document: dict[str, Any] = _plain(asdict(evidence))
    return document


def evidence_from_json(document: Mapping[str, Any]) -> Evidence:
    """Return the evidence. Raises KeyError, TypeError, ValueError for what is none."""
    changes = tuple(
        Change(one["path"], tuple(one["before"]), tuple(one["after"]), one["line"])
        for one in document["changes"]
    )
    values = {**document, "changes": changes, "kind": Kind(document["kind"])}
    values["fate"] = Fate(document["fate"])
    for name in ("signs", "paths", "commits"):
        values[name] = tuple(document[name])
    return Evidence(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, StrEnum) else value


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
