"""What a reviewer of candidates gets to see, gathered: the same for the terminal and as JSON.

In: candidates. Out: a `Shown` each: the learning it would make, the words and steps behind it, the
code that came of it, and what its matcher would have flagged.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..errors import Damaged
from ..gate.desk import Outcome
from ..gate.matchers.model import RuleError
from ..gate.past import PastCommit, Window, past_commits
from ..gate.replay import Fired, replay
from ..gate.trial import hits
from ..git.commitlog import commit_log
from ..git.database import ObjectDatabase
from ..git.globs import Globs
from ..learnings.candidates import Candidate, Decision, Evidence, is_placeholder, to_json
from ..learnings.skips import Skips, skips_of
from ..sessions.context import tool_sequence
from ..sessions.finding import short_ids
from ..sessions.links import format_ranges, read_links
from ..sessions.lookup import Lookup
from ..sessions.model import Exchange
from ..sessions.summaries import cut
from .promoting import Desk, outcome_document

_MOST_CODE = 12
_PROMPT = 4_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which candidates: each filter that is not empty has to fit."""

    types: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    confidence: float = 0.0
    globs: tuple[str, ...] = ()
    session: str = ""
    decided: bool = False

    def fits(self, one: Candidate) -> bool:
        """Whether a candidate is asked for."""
        types = {evidence.modification for evidence in one.evidence}
        paths = {path for evidence in one.evidence for path in evidence.paths}
        return (
            (self.decided or one.decision is Decision.OPEN)
            and (not self.types or bool(self.types & types))
            and (not self.kinds or one.kind in self.kinds)
            and one.scores.confidence >= self.confidence
            and (not self.globs or any(map(Globs(self.globs).match, paths)))
            and (not self.session or self.session in one.sessions)
        )


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of a commit that came of an exchange."""

    path: str
    lines: str
    commit: str
    summary: str


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of evidence with the exchange it is from, as far as the memory still has it.

    `name` is how every command takes the exchange: SESSION/NUMBER.
    """

    evidence: Evidence
    name: str
    exchange: Exchange | None
    steps: str


@dataclass(frozen=True, slots=True)
class Flagged:
    """What a matcher would have said of the last commits; `why` it could not be asked, or ""."""

    commits: int
    fired: tuple[Fired, ...] = ()
    why: str = ""

    @property
    def lines(self) -> int:
        """How many lines it would have flagged."""
        return sum(len(one.lines) for one in self.fired)


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate and all that a reviewer sees of it."""

    candidate: Candidate
    outcome: Outcome
    said: tuple[Said, ...]
    code: tuple[Code, ...]
    flagged: Flagged
    skipped: bool


class Table:
    """The candidates of one review, with what is read once for all of them."""

    def __init__(self, desk: Desk, commits: int) -> None:
        self.desk = desk
        self.skips: Skips = skips_of(desk.repository)
        self._commits = commits
        heads = [one.head for one in desk.store.sessions()]
        self._short = short_ids({head.session_id: head.parent for head in heads})

    def shown(self, candidate: Candidate, text: str = "") -> Shown:
        """Return what is shown of a candidate; `text` is what the user has made of its learning."""
        outcome = self.outcome(candidate, text)
        return self._shown(candidate, outcome, self._flagged([outcome])[0])

    def all_shown(self, candidates: Sequence[Candidate]) -> Iterator[Shown]:
        """Yield the same of many."""
        outcomes = [self.outcome(candidate) for candidate in candidates]
        every = zip(candidates, outcomes, self._flagged(outcomes), strict=True)
        yield from (self._shown(*one) for one in every)

    def _shown(self, candidate: Candidate, outcome: Outcome, found: Flagged) -> Shown:
        said, code = tuple(self._said(candidate)), tuple(self._code(candidate))
        return Shown(candidate, outcome, said, code, found, self.skips.has(candidate))

    def outcome(self, candidate: Candidate, text: str = "") -> Outcome:
        """Return the learning that a candidate makes, judged."""
        return self.desk.judge_text(text) if text else self.desk.judge(self.desk.draft(candidate))

    def _said(self, candidate: Candidate) -> Iterator[Said]:
        with ObjectDatabase(self.desk.repository) as db:
            lookup = Lookup(db)
            for one in candidate.evidence:
                exchange = None
                if one.session:
                    try:
                        exchange = lookup.exchange(one.session, one.exchange)
                    except Damaged:
                        exchange = None
                short = self._short.get(one.session, one.session)
                name = f"{short}/{one.number}" if one.session else ""
                yield Said(one, name, exchange, tool_sequence(exchange) if exchange else "")

    def _code(self, candidate: Candidate) -> Iterator[Code]:
        """Yield the linked lines of the commits that speak for a candidate."""
        repository = self.desk.repository
        pairs = {(one.session, one.exchange) for one in candidate.evidence if one.session}
        commits = [oid for oid in candidate.commits if self._is_there(oid)][:_MOST_CODE]
        if not commits:
            return
        links = read_links(repository, commits)
        summaries = {
            oid: next(iter(commit_log(repository, [oid], [], 1))).summary for oid in commits
        }
        for oid in commits:
            mine = [one for one in links.get(oid, ()) if (one.session, one.exchange) in pairs]
            places = dict.fromkeys(
                (one.path, format_ranges(one.ranges)) for one in mine if one.path
            )
            for path, lines in places or {("", ""): None}:
                yield Code(path, lines, oid, summaries[oid])

    def _is_there(self, oid: str) -> bool:
        git = self.desk.repository.git
        return git.run_unchecked("cat-file", "-e", f"{oid}^{{commit}}").returncode == 0

    def _flagged(self, outcomes: Sequence[Outcome]) -> list[Flagged]:
        """Return what the matchers would have flagged, in one pass over the commits."""
        found = [self._unasked(outcome) for outcome in outcomes]
        asked = [place for place, one in enumerate(found) if one is None]
        learnings = [outcomes[place].learning for place in asked]
        fired: list[list[Fired]] = [[] for _ in asked]
        for _, each in replay(self.desk.repository, learnings, self._past if asked else []):
            for place, one in each.items():
                fired[place].append(one)
        told = iter(fired)
        return [one or Flagged(len(self._past), tuple(next(told))) for one in found]

    def _unasked(self, outcome: Outcome) -> Flagged | None:
        """Return why a matcher is not held against the past, None if it is."""
        if not self._past:
            return Flagged(0, why="there are no commits yet" if self._commits else "")
        if is_placeholder(outcome.learning.matcher):
            return Flagged(len(self._past), why="there is no matcher yet")
        try:
            hits(outcome.learning)
        except RuleError as error:
            return Flagged(len(self._past), why=error.what)
        return None

    @cached_property
    def _past(self) -> list[PastCommit]:
        """The commits that matchers are held against, the newest first."""
        repository = self.desk.repository
        if not self._commits or repository.head_commit() is None:
            return []
        return past_commits(repository, Window(count=self._commits))


def chosen(candidates: Iterable[Candidate], wanted: Wanted) -> list[Candidate]:
    """Return the candidates that are asked for, the best first."""
    return [one for one in candidates if wanted.fits(one)]


def document_of(shown: Shown) -> dict[str, Any]:
    """Return a candidate as JSON has it; docs/review.schema.json describes it."""
    one = to_json(shown.candidate)
    one["skipped"] = shown.skipped
    pairs = zip(one["evidence"], shown.said, strict=True)
    one["evidence"] = [_evidence_document(document, said) for document, said in pairs]
    one["code"] = [
        {"path": code.path, "lines": code.lines, "commit": code.commit, "summary": code.summary}
        for code in shown.code
    ]
    one["flagged"] = flagged_document(shown.flagged)
    return one | outcome_document(shown.outcome)


def _evidence_document(document: dict[str, Any], said: Said) -> dict[str, Any]:
    return {
        **document,
        "name": said.name,
        "prompt": cut(said.exchange.prompt, _PROMPT) if said.exchange else None,
        "tool_sequence": said.steps,
    }


def flagged_document(found: Flagged) -> dict[str, Any]:
    """Return what a matcher would have flagged, as JSON has it."""
    return {
        "commits": found.commits,
        "fired": len(found.fired),
        "lines": found.lines,
        "why_not": found.why,
        "findings": [
            {
                "commit": fired.commit.oid,
                "summary": fired.commit.subject,
                "messages": list(dict.fromkeys(one.message for one in fired.findings)),
                "lines": [
                    {
                        "path": line.path,
                        "line": line.number,
                        "text": line.text.decode("utf-8", "replace"),
                    }
                    for line in fired.lines
                ],
            }
            for fired in found.fired
        ],
    }
