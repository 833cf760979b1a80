"""What a person says to an agent: corrections, rules in words, reports of failure.

In: a prompt and whether edits came before it. Out: `Statement`s, each a sentence of the prompt as
it stands, with what it is worth from 0 to 1 and the signs that say so. No model is asked.

A sentence counts for its signs: each is a pattern with a weight, and weights are joined as
probabilities that do not know of each other. What programs say in the name of a person says
nothing, nor do pasted logs, code and quotations (`sessions.summaries` leaves them out). English
has most signs; of German, French, Spanish, Portuguese, Russian and Chinese the plainest are known.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, reduce
from itertools import islice
from pathlib import Path
from typing import Any

from ..sessions.summaries import sentences_of

# From here on a sentence is taken for what it seems to be.
CORRECTS = 0.45
RULES = 0.5
# What is looked at: a person who corrects says so near the beginning, or near the end.
_SENTENCES = 40
_LONG = 12
_SHORTEST = 3  # words
_LONGEST = 400

_LOOKED_AT = 4_000
_COMMENT = ("//", "/*", "* ", "# ", "\u23ba", "\u23bf")


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern of words and what it is worth."""

    name: str
    weight: float
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that corrects, or that states a rule; both where both are high enough."""

    text: str
    correction: float
    rule: float
    signs: tuple[str, ...]

    @property
    def corrects(self) -> bool:
        """Whether it says that something should be otherwise than it is."""
        return self.correction >= CORRECTS

    @property
    def is_rule(self) -> bool:
        """Whether it says how things are to be done in general."""
        return self.rule >= RULES


_BEGIN = (
    r"^\W*(?:(?:and|but|so|also|ok(?:ay)?|hm+|well|please|yes|yeah|right|cool|then|oh|ah|sorry)\b"
    r"[\s,.:;-]*){0,3}"
)
_DOES = (
    r"(?:add|use|do|make|put|change|remove|delete|touch|commit|push|create|call|write|run|include"
    r"|rename|move|import|mention|hard-?code|hide|print|log|return|fall ?back|duplicate|skip|mock"
    r"|rely|assume|expose|store|keep|set|show|repeat|introduce|ignore|leave|edit|modify|break"
    r"|generate|guess|force|merge|squash|just|ever|try|copy|mix|wrap|swallow|throw|pass|test|install)"
)


@cache
def _shipped() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("analysis_signs.toml").read_text("utf-8"))


@cache
def shape(name: str) -> re.Pattern[str]:
    """Return the shipped words that make a sentence something else than it seems."""
    exact = name in ("machine", "output_of_task")
    pattern = "|".join(_shipped()["words"][name])
    return re.compile(rf"\s*(?:{pattern})" if name == "machine" else pattern, 0 if exact else re.I)


@cache
def signs(kind: str) -> tuple[Sign, ...]:
    """Return the shipped signs: of a "correction" or of a "rule"."""
    return tuple(
        Sign(row["name"], row["weight"], re.compile(_filled("|".join(row["any"])), re.I))
        for row in _shipped()[kind]
    )


def _filled(pattern: str) -> str:
    return pattern.replace("{begin}", _BEGIN).replace("{does}", _DOES)


_OBJECTION = 0.45
_BARE_NO = re.compile(r"\W*(?:no|nope|nah|wrong|stop|nein|non|нет|不)\W*(?:\n|$)", re.I)


def is_machine(prompt: str) -> bool:
    """Return whether a program wrote a prompt in the name of a person."""
    head = prompt[:_LOOKED_AT]
    return not head.strip() or bool(
        shape("machine").match(head) or shape("output_of_task").search(prompt[-600:])
    )


def statements(prompt: str, *, follows_edit: bool, is_first: bool = False) -> list[Statement]:
    """Return the sentences that correct or state a rule, in order.

    `follows_edit`: an exchange shortly before changed files. The first prompt of a session has
    nothing to correct.
    """
    if is_machine(prompt):
        return []
    spoken = (
        one.text[:_LONGEST] for one in sentences_of(prompt, pasted_too=False) if not one.is_heading
    )
    said = list(islice(spoken, _SENTENCES))
    found = []
    for place, text in enumerate(said):
        one = judged(text, follows_edit=follows_edit, is_first=is_first)
        if not is_first and _objects(prompt, said, place):
            raised = round(1 - (1 - one.correction) * (1 - _OBJECTION), 3)
            one = Statement(one.text, raised, one.rule, ("objects", *one.signs))
        if place >= _LONG:  # far into a long text it is a specification that speaks
            one = Statement(one.text, one.correction * 0.7, one.rule * 0.7, one.signs)
        if one.corrects or one.is_rule:
            found.append(one)
    return found


def _objects(prompt: str, said: list[str], place: int) -> bool:
    """Return whether a sentence opens the prompt with an objection, or follows a bare "no"."""
    if place > 0:
        return place == 1 and bool(_BARE_NO.fullmatch(said[0]))
    words = len(said[0].split())
    asks = shape("asks").search(said[0]) and not shape("right").search(said[0])
    opens = bool(shape("but").match(said[0])) and not asks and words >= _SHORTEST
    return opens or (bool(_BARE_NO.match(prompt[:12].strip())) and not _BARE_NO.fullmatch(said[0]))


def judged(text: str, *, follows_edit: bool = True, is_first: bool = False) -> Statement:
    """Return what one sentence is worth as a correction and as a rule."""
    words = len(text.split())
    if text.startswith(_COMMENT):
        return Statement(text, 0.0, 0.0, ())
    if words < _SHORTEST and not re.search(r"[^\x00-\x7f]{4}", text):
        return Statement(text, 0.0, 0.0, ())
    plain = _spelled(text)
    corrections, rules = (
        list(_found(signs("correction"), plain)),
        list(_found(signs("rule"), plain)),
    )
    correction, rule = _joined(corrections), _joined(rules)
    asks, urges = bool(shape("asks").search(plain)), bool(shape("urges").search(plain))
    if urges:
        corrections.append(_URGE)
        correction = _joined(corrections)
    elif asks:
        correction, rule = correction * 0.5, rule * 0.4
    if asks:
        rule *= 0.5
    if shape("own").search(plain):
        correction, rule = correction * 0.6, rule * 0.5
    if shape("one_shot").search(plain):
        correction *= 0.7
    if shape("task").search(plain):
        correction, rule = correction * 0.7, rule * 0.8
    if not follows_edit:
        correction *= 0.9
    if is_first:
        correction = 0.0
    if words < _SHORTEST + 1:
        rule *= 0.5
    names = dict.fromkeys(sign.name for sign in (*corrections, *rules))
    return Statement(text, round(correction, 3), round(rule, 3), tuple(names))


_URGE = Sign("urges", 0.45, re.compile(""))


_CONTRACTED = re.compile(
    r"\b(do|does|did|is|are|was|were|have|has|wo|ca|should|could|would|must)nt\b", re.I
)
_THATS = re.compile(r"\b(that|what|there|here)s\b", re.I)


def _spelled(text: str) -> str:
    """Return a text with the apostrophes that people leave out, or that come in other shapes."""
    text = text.replace("\u2019", "'").replace("\u02bc", "'")
    text = _THATS.sub(r"\1's", _CONTRACTED.sub(r"\1n't", text))
    return re.sub(r"\bim\b", "i'm", text, flags=re.I)


def reports_failure(prompt: str) -> bool:
    """Return whether a person says that something does not work."""
    if is_machine(prompt):
        return False
    return any(shape("fails").search(text) for text in _few(prompt))


def _few(prompt: str) -> Iterator[str]:
    for place, sentence in enumerate(sentences_of(prompt, pasted_too=False)):
        if place >= _LONG:
            return
        yield sentence.text[:_LONGEST]


def _found(listed: tuple[Sign, ...], text: str) -> Iterator[Sign]:
    seen = set()
    for sign in listed:
        if sign.name not in seen and sign.pattern.search(text):
            seen.add(sign.name)
            yield sign


def _joined(found: list[Sign]) -> float:
    return 1 - reduce(lambda left, sign: left * (1 - sign.weight), found, 1.0)
