"""What an expert card is, and a role, and a registry of them.

In: nothing. Out: frozen dataclasses; `loading` makes them, whatever format they were written in.
Only `Card.instructions` reads a file, when somebody asks for it: routing needs none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from .texts import read_body

# `domain.name`: two folders of the registry, of which the second is the name of the Agent Skill.
ID = r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*"


class Risk(StrEnum):
    """How much harm following the instructions wrongly could do."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Maturity(StrEnum):
    """How settled the instructions are."""

    ALPHA = "alpha"
    BETA = "beta"
    STABLE = "stable"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True)
class InputContract:
    """What an expert has to be told before it can begin, a phrase each."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Composability:
    """Ids of the experts whose work comes before and after, and of neighbours."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """An expert: what routes to it, what it needs and gives, and where its instructions are.

    `instruction_file` is relative to the registry's folder, with "/". `dependencies` are packages
    and programs, such as "pypi:pandas>=2.2", "npm:react>=19" or "bin:terraform>=1.9". `invocation`
    is a function tool as the providers' APIs know it, derived where a card says none.
    `root` is the folder of its registry; `body` holds the instructions where no file does. Neither
    counts when cards are compared.
    """

    id: str
    title: str
    domain: str
    instruction_file: str
    description: str = ""
    tags: tuple[str, ...] = ()
    tool_hints: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    input_contract: InputContract = InputContract()
    output_artifacts: tuple[str, ...] = ()
    quality_checks: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    composability: Composability = Composability()
    risk_level: Risk = Risk.LOW
    maturity: Maturity = Maturity.STABLE
    invocation: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = field(default=None, repr=False, compare=False)
    body: str | None = field(default=None, repr=False, compare=False)

    @cached_property
    def instructions(self) -> str:
        """The text of the instruction file without its front matter, read at the first use.

        Raises `yamlnodes.Unreadable` where the file is missing, leaves the registry or is not text.
        """
        if self.body is not None or self.root is None:
            return self.body or ""
        return read_body(self.root, self.instruction_file)

    @property
    def name(self) -> str:
        """The name of its Agent Skill, which is also the folder of its instruction file."""
        return self.id.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Role:
    """A bundle of experts for a kind of work, such as `backend-engineer`."""

    id: str
    title: str
    description: str
    experts: tuple[str, ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with a file of a registry, and in which line (from 1)."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Registry:
    """The cards and roles of one registry, in the order of their ids."""

    name: str
    root: Path
    cards: tuple[Card, ...]
    roles: tuple[Role, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Card]:
        """The cards by id; aliases do not count."""
        return {card.id: card for card in self.cards}


@dataclass(frozen=True, slots=True)
class RetrievalHit:
    """A card that answers a question.

    `score` is calibrated: the estimated probability that the card is the one asked for, 0 to 1.
    `sparse_score` (BM25) and `dense_score` (cosine) are as the signals give them.
    """

    card: Card
    score: float
    sparse_score: float
    dense_score: float
