"""What an exchange was about, without any model: what changed, where, by which steps, and why.

In: a session and one of its exchanges as data, and what is known of their fate. Out: a `Context`.
Nothing is read and nothing is written; the same data gives the same context everywhere.
docs/context.md says how each part is made.
"""

import hashlib
from dataclasses import dataclass
from itertools import groupby

from .confidence import Confidence, Fate, confidence_of
from .edits_as_diff import FileChange, changes_of, diff_summary
from .model import Exchange, Session
from .modification import Modification, modification_of
from .serving import Served
from .snippets import Snippet, involved_in, shown
from .summaries import summary_of_prompt, summary_of_response

_STEPS = 60
_FILES = 200
_TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Context:
    """What is kept of an exchange beside its text, as chat_history_v1 names it.

    `added` and `removed` are totals over `changes`, the net change of each file.
    `involved_entities` are the files and then their symbols as `path::Outer.inner`.
    `code_context` is `snippets` as text. The hashes are SHA-256 of the texts as they are stored.
    """

    modification_type: Modification
    confidence_score: float
    prompt_summary: str
    response_summary: str
    tool_sequence: str
    diff_summary: str
    involved_entities: tuple[str, ...]
    code_context: str
    added: int
    removed: int
    raw_prompt_hash: str
    raw_response_hash: str
    model_version: str
    changes: tuple[FileChange, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    confidence: Confidence | None = None


def context_of(
    session: Session, exchange: Exchange, fate: Fate | None = None, served: Served | None = None
) -> Context:
    """Return the context of an exchange of a session.

    `fate` is what became of its work; without it the confidence rests on the session alone.
    `served` knows which base and adapter a served name meant; without it the name stays.
    """
    changes = changes_of(exchange)
    involved = involved_in(changes)
    confidence = confidence_of(session, exchange, fate or Fate())
    asked, answered = summary_of_prompt(exchange.prompt), summary_of_response(exchange.response)
    return Context(
        modification_type=modification_of(exchange, asked, answered, changes),
        confidence_score=confidence.score,
        prompt_summary=asked,
        response_summary=answered,
        tool_sequence=tool_sequence(exchange),
        diff_summary=diff_summary(changes),
        involved_entities=(*(one.path for one in changes[:_FILES]), *involved.symbols),
        code_context=shown(involved.snippets),
        added=sum(change.added for change in changes),
        removed=sum(change.removed for change in changes),
        raw_prompt_hash=sha256(exchange.prompt),
        raw_response_hash=sha256(exchange.response),
        model_version=served.version_of(exchange) if served else exchange.model,
        changes=changes,
        snippets=involved.snippets,
        confidence=confidence,
    )


def tool_sequence(exchange: Exchange) -> str:
    """Return the acts in order, repeats counted: read→edit→bash; a long tail as `…`."""
    runs = [(act, len(list(calls))) for act, calls in groupby(call.act for call in exchange.tools)]
    steps = [f"{act}{_TIMES}{count}" if count > 1 else str(act) for act, count in runs[:_STEPS]]
    return "→".join(steps + ["…"] * (len(runs) > _STEPS))


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
