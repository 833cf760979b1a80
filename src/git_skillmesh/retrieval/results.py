"""What a search gives back.

In: ranked documents. Out: `Hit` and `Answer`, plain data that the terminal, JSON and MCP share.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file worth showing; `marks` are (start, end) columns of matched words."""

    number: int
    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """Lines of a file, both included."""

    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that answers the query, or some neighbours: all of them are in `chunk_ids`.

    `chunk_id`, `score` and `features` are those of the best one. `line` is where to look:
    `symbol` and `kind` are those of the definition there and `definition` its lines, None where
    nothing is defined.
    """

    rank: int
    chunk_id: str
    chunk_ids: tuple[str, ...]
    path: str
    start_line: int
    end_line: int
    line: int
    symbol: str
    kind: str
    definition: Extent | None
    language: str
    score: float
    reasons: tuple[str, ...]
    commit: str | None
    changed: bool
    lines: tuple[Line, ...]
    text: str
    features: dict[str, float] = field(default_factory=dict)
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first, and what was searched.

    `behind` counts files that were not, `catch_up` is the command that reads them: `index` and its
    arguments.
    """

    query: str
    hits: tuple[Hit, ...]
    backend: str
    scope: str
    commit: str | None
    tree: str
    files: int
    chunks: int
    behind: int
    notes: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    catch_up: tuple[str, ...] = ()
