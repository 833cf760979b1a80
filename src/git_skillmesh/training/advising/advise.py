"""Advice on a change: what a model says that the memory bears out.

In: a change, settings, limits. Out: `Plan`, the requests as they would be sent; of these `Outcome`.
Partial answers count; what no model saw is told.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ...config import Config
from ...display import plural
from ...gate.change import Change
from ...gate.model import Unchecked
from ...git.objects import BlobReader
from ...sessions.redaction import Redactor
from ...sessions.redaction_policy import policy_of
from .answers import Read, read_answer
from .model import Advice, Outcome, Part, Piece, Request
from .parts import packed, pieces_of, rows_of
from .prompt import answer_tokens, request_of, room_for
from .sendable import Cleaner, refused_content, sendable
from .server import Failed, Server
from .sources import Memory

Tell = Callable[[int, int], None] | None
_MOST_FAILURES = 2  # in a row, then the rest is not asked


class Limits(NamedTuple):
    """Tokens in all and of one request, answers included; seconds in all and for one request."""

    tokens: int = 100_000
    context: int = 8_000
    seconds: float = 300.0
    each_seconds: float = 120.0


@dataclass(slots=True)
class Plan:
    """What would be sent, in this order; `left_out` says what is not, `learnings` were held up."""

    requests: list[Request] = field(default_factory=list)
    left_out: list[Unchecked] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    learnings: int = 0
    cleaner: Cleaner = field(default_factory=lambda: Cleaner(Redactor()))

    @property
    def tokens(self) -> int:
        """An estimate of the tokens that are sent."""
        return sum(one.tokens for one in self.requests)


def plan(change: Change, config: Config, limits: Limits, tell: Tell = None) -> Plan:
    """Return the requests about a change. Raises the errors of git and of the settings."""
    made = Plan(cleaner=Cleaner(Redactor(policy_of(config))))
    room, sources_room = room_for(limits.context)
    pieces = _pieces(change, config, made, room)
    parts = list(packed(pieces, room))
    if not parts:
        return made
    left = limits.tokens
    spent = f"not sent: {limits.tokens:,} tokens are spent"
    unknown: list[Part] = []
    with Memory(change, config, made.cleaner) as memory:
        made.notes, made.learnings = memory.notes, memory.learnings
        for number, part in enumerate(parts):
            if tell:
                tell(number, len(parts))
            if not left:  # what is known of a part takes up to a second to find
                made.left_out += [Unchecked(path, spent) for path in part.paths]
                continue
            most = answer_tokens(limits.context)
            request = request_of(part, memory.sources(part), sources_room, most, made.cleaner)
            if request is None:
                unknown.append(part)
            elif request.tokens + request.answer_tokens > left:
                made.left_out += [Unchecked(path, spent) for path in part.paths]
                left = 0
            else:
                left -= request.tokens + request.answer_tokens
                made.requests.append(request)
    sent = {path for request in made.requests for path in request.part.paths}
    nothing = dict.fromkeys(path for part in unknown for path in part.paths if path not in sent)
    made.left_out += [Unchecked(path, "not sent: nothing is known of it") for path in nothing]
    made.left_out = list(dict.fromkeys(made.left_out))
    return made


def _pieces(change: Change, config: Config, made: Plan, room: int) -> list[Piece]:
    files, left_out = sendable(change, config)
    made.left_out += left_out
    found: list[Piece] = []
    with BlobReader(change.repository) as reader:
        for file in files:
            data = reader.read(file.blob)
            why = "not sent: git does not have it" if data is None else ""
            why = why or refused_content(file.path, data or b"")
            if why or data is None:
                made.left_out.append(Unchecked(file.path, why))
                continue
            old = reader.read(file.old_blob) if file.old_blob and file.had_text else b""
            new = made.cleaner.lines(data)
            places = rows_of(file, new, made.cleaner.lines(old or b""))
            some = list(pieces_of(file.path, places, room))
            made.files += bool(some)
            found += some
    return found


def ask(made: Plan, server: Server, limits: Limits, tell: Tell = None) -> Outcome:
    """Ask what is planned. Raises nothing: what fails, and an interruption, are in the outcome."""
    began = time.monotonic()
    found = Outcome(
        left_out=list(made.left_out), notes=list(made.notes), planned=len(made.requests),
        files=made.files, learnings=made.learnings,
    )  # fmt: skip
    kept: list[Advice] = []
    why = ""
    failures = 0
    spent = 0
    number = 0
    try:
        for number, request in enumerate(made.requests):
            left = limits.seconds - (time.monotonic() - began)
            if left <= 0:
                why = f"{limits.seconds:.0f} seconds are over"
            elif spent + request.tokens + request.answer_tokens > limits.tokens:
                why = f"{limits.tokens:,} tokens are spent"
            elif failures >= _MOST_FAILURES:
                why = "the server does not answer"
            if why:
                break
            if tell:
                tell(number, len(made.requests))
            found.asked += 1
            try:
                reply = server.ask(request, left)
            except Failed as error:
                _note_failure(found, request, str(error))
                failures = _MOST_FAILURES if error.final else failures + 1
                continue
            failures = 0
            spent += reply.sent + reply.received
            found.answered += 1
            found.sent, found.received = found.sent + reply.sent, found.received + reply.received
            _take(found, kept, read_answer(reply.text, request, made.cleaner), reply.cut)
        else:
            number = len(made.requests)
    except KeyboardInterrupt:
        found.interrupted, why = True, "interrupted"
    for request in made.requests[number:]:
        found.left_out += [Unchecked(path, f"not asked: {why}") for path in request.part.paths]
    found.left_out = list(dict.fromkeys(found.left_out))
    found.advice, found.merged = _merged(kept)
    found.seconds = time.monotonic() - began
    return found


def _note_failure(found: Outcome, request: Request, said: str) -> None:
    if said not in found.problems:
        found.problems.append(said)
    found.left_out += [Unchecked(path, f"not answered: {said}") for path in request.part.paths]


def _take(found: Outcome, kept: list[Advice], read: Read, is_cut: bool) -> None:
    kept += read.advice
    found.dropped += read.dropped
    if not read.understood:
        found.dropped["not in the form that was asked for (a whole answer)"] += 1
    if is_cut:
        said = "an answer broke off at the most tokens it may have"
        if said not in found.problems:
            found.problems.append(said)


def _merged(advice: list[Advice]) -> tuple[list[Advice], int]:
    """Return the advice without what says the same again, and how much of it did."""
    kept: list[Advice] = []
    seen: set[tuple[object, ...]] = set()
    for one in sorted(advice, key=lambda one: (one.path, one.line)):
        cited = one.source.kind, one.source.id
        keys = {(one.path, one.line, *cited), (one.path, one.message.casefold(), *cited)}
        if seen.isdisjoint(keys):
            kept.append(one)
        seen |= keys
    return kept, len(advice) - len(kept)


def summary(found: Outcome) -> str:
    """Return in one line what became of the answers."""
    said = [f"{plural(found.answered, 'answer')} to {plural(found.asked, 'request')}"]
    said += [f"{found.planned - found.asked} not asked"] if found.planned > found.asked else []
    dropped = ", ".join(f"{count} {why}" for why, count in sorted(found.dropped.items()))
    said += [f"dropped: {dropped}"] if dropped else []
    said += [f"{found.merged} said again"] if found.merged else []
    said += [f"{found.sent:,} tokens sent, {found.received:,} received, {found.seconds:.1f} s"]
    return "; ".join(said)
