"""How likely the work of an exchange was kept.

In: a session, one of its exchanges, and what became of it. Out: a score from 0 to 1 and its parts.

Each piece of evidence has a function that says how much speaks for "kept", from -1 to 1, or None
where there is none. Weighted, they move the prior: docs/context.md has the formula.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .model import Exchange, Session, ToolCall
from .outcomes import Outcome, outcome_of

PRIOR = 0.6
WEIGHTS = {
    "committed": 1.5,
    "tests": 0.5,
    "not undone": 1.5,
    "next prompt": 0.5,
    "not reverted": 7.0,
    "survived": 4.0,
}

_AHEAD = 12
_AHEAD_FOR_TESTS = 3
_LOOKED_AT = 400
_MOST_LINES = 3_000
_TELLING = 6


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the work of an exchange, as far as others know it; None where they do not.

    `committed`: some of it is in a commit. `lines_linked`: how many lines of commits are linked to
    it, `lines_alive`: how many of these are still there at HEAD. `reverted`: a commit took it back.
    """

    committed: bool | None = None
    lines_linked: int = 0
    lines_alive: int | None = None
    reverted: bool | None = None


@dataclass(frozen=True, slots=True)
class Confidence:
    """`score` is 0..1; `parts` says from -1 to 1 what each piece of evidence says, by name."""

    score: float
    parts: tuple[tuple[str, float], ...] = ()


def confidence_of(session: Session, exchange: Exchange, fate: Fate) -> Confidence:
    """Return how likely the work of an exchange was kept."""
    later = _later(session, exchange)
    found = {
        "committed": committed(exchange, later, fate),
        "tests": checks_passed(exchange, later),
        "not undone": not_undone(exchange, later),
        "next prompt": next_prompt_accepts(later),
        "not reverted": not_reverted(fate),
        "survived": survived(fate),
    }
    parts = tuple((name, round(value, 3)) for name, value in found.items() if value is not None)
    odds = math.log(PRIOR / (1 - PRIOR)) + sum(WEIGHTS[name] * value for name, value in parts)
    score = 1 / (1 + math.exp(-odds))
    return Confidence(min(max(round(score, 3), 0.001), 0.999), parts)


def committed(exchange: Exchange, later: tuple[Exchange, ...], fate: Fate) -> float | None:
    """Return 1 for work that is in a commit by its links, -1 for work that is in none.

    Where nobody knows: 0.5 if the agent made a commit after its edits, in this exchange or soon.
    """
    if fate.committed is not None or fate.lines_linked:
        return 1.0 if fate.committed or fate.lines_linked else -1.0
    calls = [*_after_edits(exchange), *(call for one in later for call in one.tools)]
    return 0.5 if any(call.commits for call in calls) else None


def checks_passed(exchange: Exchange, later: tuple[Exchange, ...]) -> float | None:
    """Return what the last check after the edits said, or else the first one that came soon."""
    outcomes = list(_outcomes(_after_edits(exchange)))
    if outcomes:
        return float(outcomes[-1].value)
    soon = (call for one in later[:_AHEAD_FOR_TESTS] for call in one.tools)
    first = next(_outcomes(soon), None)
    return float(first.value) if first else None


def not_undone(exchange: Exchange, later: tuple[Exchange, ...]) -> float | None:
    """Return 1 if later edits of the session took none of the new lines away, -1 if all of them."""
    written = _written(exchange)
    if not written:
        return None
    total = written.total()
    for one in later:
        for edit in (edit for call in one.tools for edit in call.edits):
            before, after = _lines(edit.path, edit.before), _lines(edit.path, edit.after)
            _take_away(before - after, written)
    return 2 * written.total() / total - 1


def next_prompt_accepts(later: tuple[Exchange, ...]) -> float | None:
    """Return -1 if the next prompt rejects the work, 1 if it accepts it, else None."""
    said = later[0].prompt[:_LOOKED_AT].lower() if later else ""
    if _REJECTS.search(said):
        return -1.0
    return 1.0 if _ACCEPTS.search(said) else None


def not_reverted(fate: Fate) -> float | None:
    """Return -1 for work that a commit took back, a little if it is known that none did."""
    if fate.reverted is None:
        return None
    return -1.0 if fate.reverted else 0.05


def survived(fate: Fate) -> float | None:
    """Return the share of linked lines still alive, from -1 for none to 1 for all."""
    if fate.lines_alive is None or not fate.lines_linked:
        return None
    return 2 * min(fate.lines_alive / fate.lines_linked, 1.0) - 1


def _later(session: Session, exchange: Exchange) -> tuple[Exchange, ...]:
    """Return the exchanges that followed, as many as are looked at."""
    ids = [one.exchange_id for one in session.exchanges]
    at = ids.index(exchange.exchange_id) if exchange.exchange_id in ids else len(ids)
    return session.exchanges[at + 1 : at + 1 + _AHEAD]


def _after_edits(exchange: Exchange) -> tuple[ToolCall, ...]:
    last = max((n for n, call in enumerate(exchange.tools) if call.edits), default=-1)
    return exchange.tools[last + 1 :]


def _outcomes(calls: "tuple[ToolCall, ...] | Iterator[ToolCall]") -> Iterator[Outcome]:
    return (outcome for call in calls if (outcome := outcome_of(call)))


def _written(exchange: Exchange) -> Counter[tuple[str, str]]:
    """Return the lines that the edits of an exchange left, by file."""
    written: Counter[tuple[str, str]] = Counter()
    for edit in (edit for call in exchange.tools for edit in call.edits):
        before, after = _lines(edit.path, edit.before), _lines(edit.path, edit.after)
        _take_away(before - after, written)
        written.update(after - before)
    return written


def _take_away(lines: Counter[tuple[str, str]], written: Counter[tuple[str, str]]) -> None:
    for line in lines.keys() & written.keys():
        written[line] = max(written[line] - lines[line], 0)


def _lines(path: str, text: str | None) -> Counter[tuple[str, str]]:
    """Return the lines of a text that say something, without their indentation."""
    stripped = map(str.strip, (text or "").split("\n", _MOST_LINES)[:_MOST_LINES])
    return Counter((path, line) for line in stripped if len(line) >= _TELLING)


_REJECTS = re.compile(
    r"^\W*(no|nope|wrong|stop|undo|revert|nein|stopp|falsch|non|arrête|annule|errado|нет"
    r"|стоп)\b(?! (problem|worries|need))"
    r"|\b(that'?s|that is|this is|it'?s) (not (right|what|correct|working)|wrong|incorrect|broken)"
    r"|\b(revert|undo|roll(ing)? ?back|back out|take back) (that|this|it|the|your|those|all)\b"
    r"|\b(do(es)?n'?t|did ?n'?t|is ?n'?t|not|does not|did not) (work|working|fix|help)\b"
    r"|\bstill (broken|failing|fails|not|the same|get|getting|see|seeing|doesn'?t|wrong)\b"
    r"|\b(you broke|you('ve| have) broken|not what i|i didn'?t ask|i did not ask|why did you)\b"
    r"|\b(rückgängig|mach das weg|das ist falsch|(funktioniert|geht) (immer noch )?nicht)\b"
    r"|\b(ça ne (marche|fonctionne) pas|c'est faux|reviens en arrière)\b"
    r"|\b(no funciona|está mal|deshaz|revierte|não funciona"
    r"|está errado|desfa(z|ça))\b"
    r"|не работает|откати|неправильно"
    r"|不对|错了|撤销|回滚|还是不|不行|違う|元に戻|動かな|되돌려|안 ?돼|틀렸"
)
_ACCEPTS = re.compile(
    r"^\W*(thanks|thank you|perfect|great|awesome|nice|excellent|good|lgtm|love it|yes|yep|yeah"
    r"|cool|ok(ay)? (great|good|cool|nice)|danke|super|passt|perfekt|merci|parfait|gracias|perfecto"
    r"|obrigad\w|perfeito|спасибо|отлично)\b"
    r"|\b(looks good|works (now|great|well|fine)|that worked|it works|ship it"
    r"|commit (this|that|it|and|the)|push (this|that|it)|merge (this|that|it)"
    r"|create (a|the) pr|open a pr|get a pr)\b"
    r"|谢谢|完美|很好|太好了|ありがとう|감사|완벽"
)
