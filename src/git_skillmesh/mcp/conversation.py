"""Exchanges as blocks for a model: in short, or whole in pieces; and what made a commit.

In: exchanges of the memory. Out: retrieved blocks. In short, a block has the prompt, the steps with
their edits, and the answer, each cut; whole, nothing is left out.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..display import plural
from .answers import one_line, pieces, quoted, shortened

if TYPE_CHECKING:
    from ..git.repository import Repository
    from ..sessions.model import Exchange, ToolCall

_LINES, _CHARACTERS = 25, 1_500  # of a prompt or an answer
_STEPS, _DIFFS, _DIFF_LINES = 15, 4, 12
_WIDTH, _LONGEST_STEP = 200, 160


def exchange_block(exchange: "Exchange", name: str) -> str:
    """Return an exchange in short."""
    said = [f"prompt: {shortened(exchange.prompt, _LINES, _CHARACTERS)}"]
    said += list(_steps(exchange.tools))
    if exchange.response.strip():
        said.append(f"answer: {shortened(exchange.response, _LINES, _CHARACTERS)}")
    return quoted("\n".join(said), f"exchange {name}", _about(exchange))


def exchange_pieces(exchange: "Exchange", session: str, number: int) -> list[str]:
    """Return all of an exchange: prompt, each step with edits and output, answer."""
    from ..sessions.edit_diff import diff_of

    texts = [("prompt", exchange.prompt)]
    for place, call in enumerate(exchange.tools, 1):
        lines = [_step(call)]
        if call.input.strip() and one_line(call.input, _LONGEST_STEP) not in lines[0]:
            lines.append(call.input)
        for edit in call.edits:
            lines.append(f"--- {edit.path}" if edit.after is not None else f"deleted {edit.path}")
            lines += diff_of(edit) if edit.after is not None else ()
        if call.output.strip():
            lines += ["output:", call.output.rstrip("\n")]
        texts.append((f"step {place} of {len(exchange.tools)}", "\n".join(lines)))
    texts.append(("answer", exchange.response))
    found: list[str] = []
    for what, text in texts:
        parts = pieces(text) if text.strip() else []
        for part, piece in enumerate(parts, 1):
            about = {"part": what}
            if len(parts) > 1:
                about["piece"] = f"{part} of {len(parts)}"
            if not found:
                about |= _about(exchange)
            found.append(quoted(piece, f"exchange {session}/{number}", about))
    return found


def commit_blocks(repository: "Repository", oid: str) -> tuple[str, list[str]]:
    """Return a line about a commit, and a block for each exchange that made lines of it."""
    from ..git.commitlog import commit_log
    from ..git.database import ObjectDatabase
    from ..sessions.answering import made_of, tell_pairs
    from ..sessions.links import format_ranges, ranges_of, read_links
    from ..sessions.lookup import Lookup
    from ..sessions.summaries import summary_of_prompt, summary_of_response
    from ..sessions.wording import evidence_words, missing_words, names, who

    (commit,) = commit_log(repository, [oid], [], 1)
    made = made_of(commit, read_links(repository, [oid]).get(oid, ()))
    with ObjectDatabase(repository) as db:
        told = tell_pairs(Lookup(db), made, "all")
    called, blocks = names(told.values()), []
    for pair, one in made.items():
        exchange = told[pair].exchange
        said = [missing_words(told[pair])]
        if exchange is not None:
            said = [f"asked: {summary_of_prompt(exchange.prompt)}"]
            said.append(f"answered: {summary_of_response(exchange.response)}")
            said.append(f"by: {who(told[pair])}")
        said.append(f"evidence: {evidence_words(one.links)}")
        for path, lines in one.files.items():
            ranges = format_ranges(ranges_of(lines)) if lines else " lines taken away"
            said.append(f"made: {path}:{ranges}")
        blocks.append(quoted("\n".join(said), f"exchange {called[pair]}"))
    linked = sum(one.lines for one in made.values())
    first = f"commit {oid[:12]}: {linked:,} of {plural(commit.added, 'added line')} with a "
    return f"{first}conversation", blocks


def _about(exchange: "Exchange") -> dict[str, str]:
    return {"when": exchange.started or exchange.ended, "model": exchange.model}


def _steps(calls: "tuple[ToolCall, ...]") -> Iterator[str]:
    from ..sessions.edit_diff import diff_of

    diffs = 0
    for call in calls[:_STEPS]:
        yield _step(call)
        for edit in call.edits:
            if diffs == _DIFFS or edit.after is None:
                continue
            diffs += 1
            lines = [one_line(line, _WIDTH) if len(line) > _WIDTH else line.rstrip()
                     for line in diff_of(edit)]  # fmt: skip
            yield from (f"  {line}" for line in lines[:_DIFF_LINES])
            if len(lines) > _DIFF_LINES:
                yield f"  … ({plural(len(lines) - _DIFF_LINES, 'more line')})"
    if len(calls) > _STEPS:
        yield f"… ({plural(len(calls) - _STEPS, 'more step')})"


def _step(call: "ToolCall") -> str:
    from ..sessions.model import Act
    from ..sessions.steps import used_on

    act = "tool" if call.act is Act.OTHER else call.act.value
    return f"{act}: {one_line(used_on(call), _LONGEST_STEP)}{' (failed)' if call.failed else ''}"
