"""From rows of a chroma-mcp-server store to conversations, thoughts and proposals for learnings.

In: `Row`s, of which any value may have any type. Out: what they tell, and one line for each row
that does not fit. Every id is made of the row's, so that the same row is the same thing again.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...errors import UsageError
from ...learnings.candidates import Candidate, Evidence, Kind, Scores, to_learning
from ...learnings.model import Learning
from ...learnings.naming import slug_of
from ...learnings.reading import TITLE_LENGTH
from ...sessions.importers.records import Misfit, Report, get, made_id, utc
from ...sessions.importers.tools import act_of
from ...sessions.model import Act, Exchange, Session, ToolCall
from ...thinking.model import Thought, checked
from .foreign import Row

ORIGIN = "chroma-mcp-server"
CODE, CHATS, LEARNINGS, THOUGHTS = (
    "codebase_v1",
    "chat_history_v1",
    "derived_learnings_v1",
    "thinking_sessions_v1",
)
# A text of a summary; what is longer is none, and would make every later reader slow.
LONGEST = 200_000
_LONGEST_ID = 200
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_NO_SCORES = Scores(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class CodeRow:
    """What the id of a chunk says: PATH:COMMIT:INDEX."""

    path: str
    commit: str


def sessions_from(rows: Iterable[Row], report: Report, known_commits: "Knows") -> Iterator[Session]:
    """Yield a session for each row; several of one conversation have the same id.

    A row that names commits of which the repository has none is somebody else's, and is reported.
    """
    for row in rows:
        with report.guard(0, _shown(row.id)):
            yield _session(row, known_commits)


class Knows:
    """Which commits a repository has; each is asked for once, many at a time."""

    def __init__(self, ask: Callable[[list[str]], Collection[str]]) -> None:
        self._ask = ask
        self._known: dict[str, bool] = {}

    def look_up(self, commits: Iterable[str]) -> None:
        """Ask for what is not known yet."""
        fresh = sorted({commit for commit in commits if commit not in self._known})
        if fresh:
            there = self._ask(fresh)
            self._known.update((commit, commit in there) for commit in fresh)

    def some(self, commits: Collection[str]) -> bool:
        """Whether one of these is there, or none is named."""
        self.look_up(commits)
        return not commits or any(self._known[commit] for commit in commits)


def commits_of(row: Row) -> list[str]:
    """Return the ids of commits that a row names; what is none is left out."""
    said = row.metadata.get("commit_shas") or row.metadata.get("commit_sha")
    return _listed(said) if isinstance(said, str) else []


def is_commit(text: str) -> bool:
    """Whether a text may be the id of a commit, perhaps a short one."""
    return _COMMIT.fullmatch(text) is not None


def _session(row: Row, known_commits: Knows) -> Session:
    said = row.metadata
    prompt = _text(said, "raw_prompt") or _text(said, "prompt_summary")
    response = _text(said, "raw_response") or _text(said, "response_summary")
    document = _checked_text(row.document, "its document")
    if not prompt and not response:
        prompt = document
    if not prompt and not response:
        raise Misfit("it says neither what was asked nor what was answered")
    commits = commits_of(row)
    if not known_commits.some(commits):
        raise Misfit(f"none of its commits is in this repository: {', '.join(commits)[:60]!a}")
    name = exchange_id_of(row.id)
    session = _id(said, "session_id") or f"row-{name[:12]}"
    time = utc(said.get("timestamp"))
    exchange = Exchange(
        name, prompt, response, time, time, _text(said, "model_version"), tuple(_calls(said, name))
    )
    source = f"{ORIGIN}:{CHATS}"
    return Session(f"{session}-{ORIGIN}", ORIGIN, (exchange,), source=source, started=time)


def exchange_id_of(row_id: str) -> str:
    """Return the id of the exchange that a row of conversations becomes."""
    return made_id(ORIGIN, CHATS, row_id)


def _calls(said: Mapping[str, Any], name: str) -> Iterator[ToolCall]:
    """Yield the tools by their names, which is all that is known, and what was kept of the code.

    None of them is an edit with its text, so none is evidence of who wrote a line.
    """
    for number, tool in enumerate(_listed(_text(said, "tool_sequence"), r"→|->|,")):
        yield ToolCall(f"{name}-{number}", tool[:100], act_of(tool))
    for key in ("involved_entities", "code_context", "diff_summary"):
        text = _text(said, key)
        if text:
            yield ToolCall(f"{name}-{key}", key, Act.OTHER, output=text)


def thoughts_from(rows: Iterable[Row], report: Report) -> list[Thought]:
    """Return the thoughts, session by session and in the order of their numbers."""
    found: list[Thought] = []
    for row in rows:
        with report.guard(0, _shown(row.id)):
            found.append(_thought(row))
    return sorted(found, key=lambda one: (one.session_id, one.branch != "", one.number, one.time))


def _thought(row: Row) -> Thought:
    said = row.metadata
    text = _checked_text(row.document, "its document") or _text(said, "thought")
    number = _number(said, "thought_number")
    if not number:
        raise Misfit('"thought_number" is missing')
    session = _id(said, "session_id")
    if not session:
        raise Misfit('"session_id" is missing')
    try:
        return checked(
            Thought(
                f"{session}-{ORIGIN}",
                number,
                text,
                _number(said, "total_thoughts"),
                _id(said, "branch_id"),
                _number(said, "branch_from_thought"),
                needs_more=_flag(said, "next_thought_needed"),
                time=utc(said.get("timestamp")),
                author=ORIGIN,
            )
        )
    except UsageError as error:
        raise Misfit(error.what) from None


def learnings_from(
    rows: Iterable[Row], report: Report, exchanges: Mapping[str, str], today: str
) -> Iterator[Learning]:
    """Yield a proposal for each row; its matcher is one that is found nowhere yet.

    `exchanges` has the exchange that each row of conversations became.
    """
    seen: dict[str, str] = {}
    for row in rows:
        with report.guard(0, _shown(row.id)):
            said = _id(row.metadata, "learning_id") or row.id
            if said in seen:
                raise Misfit(f"its learning_id is that of {_shown(seen[said])}")
            seen[said] = row.id
            yield _learning(row, said, exchanges, today)


def _learning(row: Row, said_id: str, exchanges: Mapping[str, str], today: str) -> Learning:
    said = row.metadata
    description = _checked_text(row.document, "its document") or _text(said, "description")
    if not description.strip():
        raise Misfit("it has no description")
    title = " ".join(description.strip().splitlines()[0].split())
    title = title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1].rstrip() + "…"
    confidence = said.get("confidence")
    is_number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    if confidence is not None and not (is_number and 0 <= confidence <= 1):
        raise Misfit('"confidence" is no number from 0 to 1')
    digest = hashlib.sha256(f"{ORIGIN}\0{said_id}".encode("utf-8", "replace")).hexdigest()
    source = _id(said, "source_chat_id")
    evidence = Evidence(
        f"c-{digest[:12]}", Kind.RULE, title, 0.0, exchange=exchanges.get(source, "")
    )
    candidate = Candidate(evidence.id, Kind.RULE, title, description, (evidence,), _NO_SCORES)
    made = to_learning(candidate, f"{slug_of(title)}-{digest[:6]}", ORIGIN, today)
    return replace(
        made,
        category=_one_line(_text(said, "category")),
        tags=tuple(dict.fromkeys((*_words(_text(said, "tags")), ORIGIN))),
        pattern=_text(said, "pattern"),
        example_code_reference="".join(_text(said, "example_code_reference").split()),
        confidence=None if confidence is None else float(confidence),
    )


def code_from(rows: Iterable[Row], report: Report) -> Iterator[CodeRow]:
    """Yield what the ids of chunks say."""
    for row in rows:
        path, _, rest = row.id.partition(":")
        head, _, index = row.id.rpartition(":")
        path, _, commit = head.rpartition(":")
        if path and index.isdecimal() and rest:
            yield CodeRow(path, commit)
        else:
            report.add(0, f"{_shown(row.id)}: it is no PATH:COMMIT:INDEX")


def _text(said: Mapping[str, Any], key: str) -> str:
    return _checked_text(get(said, key, str, ""), f'"{key}"')


def _checked_text(text: str, what: str) -> str:
    if len(text) > LONGEST:
        raise Misfit(f"{what} has {len(text):,} characters, more than {LONGEST:,}")
    return text.replace("\0", "\ufffd")


def _id(said: Mapping[str, Any], key: str) -> str:
    text = _text(said, key).strip()
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise Misfit(f'"{key}" is no id: {text[:40]!a}')
    return text


def _number(said: Mapping[str, Any], key: str) -> int:
    value = get(said, key, int, 0)
    if isinstance(value, bool):
        raise Misfit(f'"{key}" is true or false, not a number')
    return value


def _flag(said: Mapping[str, Any], key: str) -> bool:
    value = said.get(key, True)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise Misfit(f'"{key}" is neither true nor false')
    return value


def _listed(text: str, separators: str = ",") -> list[str]:
    return [part for part in (part.strip() for part in re.split(separators, text)) if part]


def _words(text: str) -> list[str]:
    return ["-".join(part.split()) for part in _listed(text)]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shown(row_id: str) -> str:
    return f"{row_id[:80]!a}"
