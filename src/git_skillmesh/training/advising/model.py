"""What advice on a change is made of, as plain data.

In: nothing. Out: `Part` (what of a change one request shows), `Source` (what may be cited there),
`Advice` (a finding that stood every check), `Outcome` (all of it, and what became of the rest).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ...gate.model import Unchecked


class Kind(StrEnum):
    """What a source is. Similar code is shown and cannot be cited."""

    LEARNING = "learning"
    CONVERSATION = "conversation"
    CODE = "code"

    @property
    def letter(self) -> str:
        """How the names of such sources begin in a request."""
        return {"learning": "L", "conversation": "C", "code": "K"}[self.value]


@dataclass(frozen=True, slots=True)
class Source:
    """Something of the memory that has to do with a part of a change.

    `id` is that of the learning, of the exchange, or the place of code. `text` is what is shown,
    redacted; `why` says what connects it. `session` is that of an exchange, `path` the file of a
    learning or of code.
    """

    kind: Kind
    id: str
    title: str
    text: str
    why: str = ""
    session: str = ""
    path: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring lines of one file: (sign, number in the new file or 0, text); sign `+ - `."""

    path: str
    rows: tuple[tuple[str, int, str], ...]

    @property
    def added(self) -> frozenset[int]:
        """The numbers of the added lines."""
        return frozenset(number for sign, number, _ in self.rows if sign == "+")


@dataclass(frozen=True, slots=True)
class Part:
    """What of a change one request shows."""

    pieces: tuple[Piece, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in it, each once."""
        return tuple(dict.fromkeys(piece.path for piece in self.pieces))

    @property
    def added(self) -> dict[str, dict[int, str]]:
        """Path → number → text of the added lines: the only places that a finding may name."""
        found: dict[str, dict[int, str]] = {}
        for piece in self.pieces:
            lines = found.setdefault(piece.path, {})
            lines.update({number: text for sign, number, text in piece.rows if sign == "+"})
        return found


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the server: the part, the sources by the name they have in it, the text.

    `tokens` is an estimate of what is sent, `answer_tokens` the most that is asked for.
    """

    part: Part
    sources: Mapping[str, Source]
    messages: tuple[Mapping[str, str], ...]
    tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding that names an added line, and cites a source with words that stand in it."""

    path: str
    line: int
    message: str
    quote: str
    source: Source
    text: str
    fingerprint: str = ""


@dataclass(slots=True)
class Outcome:
    """What came of a change.

    `dropped` counts findings that did not stand a check, by reason; `merged` those that said the
    same again. `left_out` are files and parts of them that no model saw. `problems` are requests
    that failed. `planned`, `asked` and `answered` count requests; `sent` and `received` tokens, as
    the server tells them or estimated. `interrupted`: the user did not wait for the end.
    """

    advice: list[Advice] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    merged: int = 0
    left_out: list[Unchecked] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    planned: int = 0
    asked: int = 0
    answered: int = 0
    sent: int = 0
    received: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    files: int = 0
    learnings: int = 0
