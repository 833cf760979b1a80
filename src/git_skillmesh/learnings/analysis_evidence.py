"""What one exchange says for a learning.

In: an exchange, what its prompt says and what it did to code. Out: `Evidence`. An exchange gives
at most one correction, a few rules, and where it gives none of these, what was fixed or redone.
"""

from collections.abc import Iterable, Iterator, Sequence

from ..sessions.edits_as_diff import changes_of
from ..sessions.model import Exchange
from ..sessions.modification import modification_of
from ..sessions.summaries import cut, printable, summary_of_prompt, summary_of_response
from .analysis_changes import Work, is_code, redid_enough
from .analysis_prompts import Statement, is_machine, judged, reports_failure, statements
from .candidates import Change, Evidence, Kind, evidence_id

_EXCERPT = 400
_TELLING = 24  # "Done." says nothing
_MOST_RULES = 3
_MOST_LINES_OF_RULES = 20
# Where people write down how agents should work.
RULE_FILES = frozenset(
    {"claude.md", "agents.md", "agent.md", "gemini.md", ".cursorrules", ".windsurfrules",
     "copilot-instructions.md", ".clinerules", "contributing.md", "conventions.md"}
)  # fmt: skip


def evidence_of(
    exchange: Exchange,
    work: Work,
    *,
    session: str,
    number: int,
    agent: str = "",
    follows_edit: bool = False,
    by_person: bool = True,
) -> list[Evidence]:
    """Return the evidence of an exchange. `by_person` is False where an agent wrote the prompt."""
    about = _About(exchange, work, session, number, agent)
    said: list[Statement] = []
    if by_person:
        said = statements(exchange.prompt, follows_edit=follows_edit, is_first=number == 1)
    found = list(_said(about, said)) or list(_done(about, by_person))
    return [*found, *_written_rules(about)]


class _About:
    """What all evidence of an exchange shares."""

    def __init__(
        self, exchange: Exchange, work: Work, session: str, number: int, agent: str
    ) -> None:
        self.exchange, self.work = exchange, work
        self._session, self._number, self._agent = session, number, agent
        self._modification = ""

    def evidence(
        self, kind: Kind, excerpt: str, strength: float, signs: Iterable[str],
        changes: Sequence[Change] | None = None,
    ) -> Evidence:  # fmt: skip
        exchange, work = self.exchange, self.work
        # Agents copy exchanges when a session is resumed: the same words at the same time are one.
        place = exchange.started or f"{self._session}/{exchange.exchange_id}"
        return Evidence(
            evidence_id(str(kind), " ".join(excerpt.lower().split()), place),
            kind,
            excerpt,
            round(min(strength, 1.0), 3),
            exchange.started,
            self._session,
            exchange.exchange_id,
            self._number,
            self._agent,
            self.modification(),
            tuple(dict.fromkeys((*signs, *self.facts()))),
            work.changes if changes is None else tuple(changes),
            work.paths,
        )

    def facts(self) -> Iterator[str]:
        """Yield what the exchange did, in words."""
        if self.work.edited:
            yield "edited after"
        if self.work.redone:
            yield "lines taken back"
        if self.work.fixed:
            yield "tests passed after"

    def modification(self) -> str:
        """Return the kind of change; found out once, where there is evidence at all."""
        if not self._modification:
            asked = summary_of_prompt(self.exchange.prompt)
            answered = summary_of_response(self.exchange.response)
            changes = changes_of(self.exchange)
            self._modification = str(modification_of(self.exchange, asked, answered, changes))
        return self._modification


def _said(about: _About, said: Sequence[Statement]) -> Iterator[Evidence]:
    """Yield one correction, and rules that are none."""
    corrections = [one for one in said if one.corrects and one.correction > one.rule]
    rules = [one for one in said if one not in corrections]
    if corrections:
        excerpt = cut(printable(" ".join(one.text for one in corrections)), _EXCERPT)
        strength = max(one.correction for one in corrections)
        signs = (name for one in corrections for name in one.signs)
        yield about.evidence(Kind.CORRECTION, excerpt, strength, signs)
    for one in rules[:_MOST_RULES]:
        excerpt = cut(printable(one.text), _EXCERPT)
        yield about.evidence(Kind.RULE, excerpt, max(one.rule, one.correction), one.signs)


def _done(about: _About, by_person: bool) -> Iterator[Evidence]:
    """Yield what was fixed or redone without a word on how it should be."""
    exchange, work = about.exchange, about.work
    if not any(is_code(path) for path in work.paths):
        return
    told = summary_of_prompt(exchange.prompt) if by_person else ""
    told = told if len(told) >= _TELLING else ""
    done = summary_of_response(exchange.response)
    done = done if len(done) >= _TELLING else told
    if by_person and not is_machine(exchange.prompt) and reports_failure(exchange.prompt):
        strength = 0.6 if work.fixed else 0.45
        yield about.evidence(Kind.FIX, told, strength, ("failure reported",))
    elif work.fixed:
        yield about.evidence(Kind.FIX, done, 0.4, ("tests failed before",))
    elif redid_enough(work) and by_person:
        strength = min(0.25 + 0.01 * work.redone, 0.5)
        yield about.evidence(Kind.REDONE, told or done, strength, ())


def _written_rules(about: _About) -> Iterator[Evidence]:
    """Yield the rules that were written into a file for agents."""
    for change in about.work.changes:
        for text, statement in rules_in(change.path, change.after):
            signs = ("written down", *statement.signs)
            one = [Change(change.path, (), (text,), change.line)]
            yield about.evidence(Kind.RULE, text, statement.rule, signs, one)


def rules_in(path: str, added: Iterable[str]) -> Iterator[tuple[str, Statement]]:
    """Yield (text, what it is worth) for the lines that state a rule, in a file for agents."""
    if path.rpartition("/")[2].lower() not in RULE_FILES:
        return
    count = 0
    for line in added:
        bare = printable(line.strip().lstrip("-*+0123456789.) >").replace("**", ""))
        if line.lstrip().startswith(("#", "|", "```")) or not 20 <= len(bare) <= _EXCERPT:
            continue
        statement = judged(bare, is_first=True)
        if statement.is_rule and count < _MOST_LINES_OF_RULES:
            count += 1
            yield bare, statement
