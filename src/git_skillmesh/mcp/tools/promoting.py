"""The tool `promote`: propose a learning, for people to review.

In: what it says, what it looks for, where it comes from. Out: the file of a learning in state
`proposed` in the working tree, or why not. An agent cannot make it count: only people move it to
warn or block, and no learning that exists is touched.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from ...errors import UsageError
from ..answers import MOST_TOKENS, one_line, page, quoted
from ..host import Host
from ..tooling import add_tool

if TYPE_CHECKING:
    from ...gate.desk import Desk, Outcome
    from ...learnings.candidates import Candidate
    from ...learnings.model import Learning, Matcher

_LONGEST = 20_000  # characters of all that is said
_WIDTH = 400
# How it begins that a name is none of a commit, or of an exchange.
_NOT_FOUND = ("not a commit", "no such exchange", "no conversations")


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""

    def promote(
        title: str,
        description: str = "",
        source: Annotated[str, Field(description="SESSION/NUMBER, commit or candidate id")] = "",
        regex: str = "",
        text: str = "",
        rule: Annotated[str, Field(description="ast-grep rule in YAML")] = "",
        bad: Annotated[list[str], Field(description="code that must match")] = [],  # noqa: B006
        good: Annotated[list[str], Field(description="code that must not")] = [],  # noqa: B006
        paths: list[str] = [],  # noqa: B006
        languages: list[str] = [],  # noqa: B006
        fix: str = "",
        dry_run: bool = False,
    ) -> str:
        return propose(
            host, title, description, source, {"regex": regex, "text": text, "rule": rule},
            bad, good, paths, languages, fix, dry_run,
        )  # fmt: skip

    add_tool(
        server,
        promote,
        """Propose a learning for the team to review (a file in state proposed), after a correction
        that should not be needed twice. Give one of regex, text, rule, or a source.""",
        writes=True,
    )


def propose(
    host: Host, title: str, description: str, source: str, looks_for: dict[str, str],
    bad: Sequence[str], good: Sequence[str], paths: Sequence[str], languages: Sequence[str],
    fix: str, dry_run: bool,
) -> str:  # fmt: skip
    """Write a proposed learning, or say what is missing. Raises `UsageError` and others."""
    from ...gate.desk import Desk
    from ...index.references import chunk_with

    said = (title, description, *looks_for.values(), *bad, *good, *paths, *languages, fix)
    if sum(map(len, said)) > _LONGEST:
        raise UsageError(f"a learning is not longer than {_LONGEST:,} characters")
    if not title.strip():
        raise UsageError("a learning needs a title", "one line that says what to do")
    repository = host.repository
    desk = Desk(
        repository,
        lambda: host.config,
        lambda path, lines: chunk_with(repository, host.config, path, lines),
    )
    matcher = _matcher(looks_for)
    if matcher is None and not source.strip():
        raise UsageError("nothing says what is looked for", "regex, text, rule, or a source")
    candidate = _candidate(desk, source.strip()) if source.strip() else None
    if candidate is not None and not candidate.learning_id:
        candidate = replace(candidate, title=one_line(title, 200))
    learning = _learning(desk, candidate, title, description)
    if matcher is not None:
        learning = replace(learning, matcher=matcher, bad=(), good=(), pattern="")
        if candidate is not None:
            learning = desk.with_examples(learning, candidate)
    learning = _with(learning, description, bad, good, paths, languages, fix)
    outcome = desk.judge(learning)
    refused = desk.write(outcome, candidate, anyway=False, dry_run=dry_run)
    if not (refused or dry_run):
        host.go_on()
    return _told(outcome, refused, dry_run, drafted=candidate is not None)


def _matcher(looks_for: dict[str, str]) -> "Matcher | None":
    from ...learnings.model import Matcher, MatcherKind
    from ...learnings.words import rule_of

    given = {name: value for name, value in looks_for.items() if value.strip()}
    if len(given) > 1:
        raise UsageError("a learning has one matcher", f"one of {', '.join(given)}")
    for name, value in given.items():
        if name == "rule":
            return rule_of(value.encode(), "rule")
        if name == "regex":
            return Matcher(MatcherKind.REGEX, regex=value)
        return Matcher(MatcherKind.LITERAL, text=value)
    return None


def _candidate(desk: "Desk", source: str) -> "Candidate":
    """Return what a candidate, an exchange or a commit says. Raises `UsageError`."""
    from ...learnings.candidates import ID_PREFIX

    if "\0" in source:
        raise UsageError("not a source: it has a NUL")
    if source.startswith(ID_PREFIX):
        return desk.candidate(source)
    ways = (desk.from_commit, desk.from_exchange)
    first, second = reversed(ways) if "/" in source else ways
    try:
        return first(source)
    except UsageError as error:
        if not error.what.startswith(_NOT_FOUND):
            raise
    return second(source)


def _learning(
    desk: "Desk", candidate: "Candidate | None", title: str, description: str
) -> "Learning":
    from ...learnings.model import Learning, Matcher, MatcherKind

    if candidate is not None:
        return desk.draft(candidate, desk.free_id(title))
    return Learning(
        desk.free_id(title),
        one_line(title, 200),
        description.strip() or one_line(title, 200),
        Matcher(MatcherKind.LITERAL),
        author=desk.author,
        created=desk.today,
        updated=desk.today,
    )


def _with(
    learning: "Learning", description: str, bad: Sequence[str], good: Sequence[str],
    paths: Sequence[str], languages: Sequence[str], fix: str,
) -> "Learning":  # fmt: skip
    """Return a learning with what was said of it, in the only state that an agent may give."""
    from ...learnings.model import Fix, State
    from ...learnings.words import examples_in

    kind = learning.matcher.kind
    return replace(
        learning,
        state=State.PROPOSED,
        description=description.strip() or learning.description,
        bad=learning.bad + examples_in(kind, bad),
        good=learning.good + examples_in(kind, good),
        paths=tuple(paths) or learning.paths,
        languages=tuple(languages) or learning.languages,
        fix=Fix(fix, learning.fix.rewrite) if fix.strip() else learning.fix,
    )


def _told(outcome: "Outcome", refused: UsageError | None, dry_run: bool, *, drafted: bool) -> str:
    from ...learnings.candidates import is_placeholder

    learning = outcome.learning
    if refused:
        first = f"Not written: {one_line(refused.what, _WIDTH)}."
    else:
        verb = "It would be" if dry_run else "Proposed:"
        counts = f"{learning.matcher.kind}, {len(learning.bad)} bad and {len(learning.good)} good"
        first = f"{verb} {learning.path} ({counts} examples), for people to review and commit."
    blocks = []
    if is_placeholder(learning.matcher):
        blocks.append("Missing: what is looked for (regex, text or rule); the source does not say.")
    elif not (learning.bad and learning.good):
        blocks.append("Missing: examples, at least one bad and one good, that prove the matcher.")
    blocks += [one_line(f"Problem: {problem}", _WIDTH) for problem in outcome.problems]
    for one in outcome.conflicts:
        about = {"state": str(one.state), "relation": str(one.relation)}
        blocks.append(quoted(one_line(one.why), f"learning {one.learning_id}", about))
    if outcome.conflicts:
        blocks.append("What exists already is changed by review, not proposed again.")
    if (dry_run or drafted) and not refused:
        blocks.append(quoted(outcome.text, learning.path))
    return page(blocks, MOST_TOKENS, first=first)
