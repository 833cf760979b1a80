"""A conversation as people read it: prompts, steps, edits, answers.

In: exchanges. Out: lines for a terminal or a pipe. Nothing of a conversation is trusted: every line
is made safe, and cut or broken to the width of the screen.
"""

import re
from collections.abc import Iterator, Sequence

from ..sessions.edit_diff import diff_of
from ..sessions.events import Status
from ..sessions.model import Act, Exchange, ToolCall
from ..sessions.steps import used_on
from .columns import clip, local_time, plural, width_of, wrapped
from .context import Context
from .terminal import safe

_MOST_LINES = 200
_MOST_CHARACTERS = 20_000
_MOST_OF_A_DIFF = 24
_PROSE = 100
_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^#{1,6} ")


def exchange_lines(
    context: Context,
    exchange: Exchange,
    place: str,
    agent: str,
    status: Status = Status.CAPTURED,
    score: float | None = None,
    *,
    full: bool,
) -> Iterator[str]:
    """Yield an exchange: its head, the prompt, the steps with their edits, the answer."""
    style = context.style
    noted = status.value if status is not Status.CAPTURED else ""
    if score is not None:
        noted = ", ".join(filter(None, [noted, f"score {score:.2f}"]))
    when = local_time(exchange.started or exchange.ended)
    head = " · ".join(filter(None, [place, when, exchange.model, noted]))
    head = clip(head, context.width - 6)
    yield ""
    yield style.path(f"── {head} {'─' * max(min(context.width, _PROSE) - width_of(head) - 4, 2)}")
    yield ""
    yield from text_lines(context, exchange.prompt, full=full, is_prompt=True)
    if exchange.tools:
        yield ""
    for call in exchange.tools:
        yield from call_lines(context, call, full=full)
    if exchange.response.strip():
        yield ""
        yield style.dim(clip(agent or "agent", context.width))
        yield from text_lines(context, exchange.response, full=full)


def text_lines(
    context: Context, text: str, *, full: bool, is_prompt: bool = False
) -> Iterator[str]:
    """Yield a text in Markdown, indented: prose is broken into lines, code is not."""
    shown = text.strip("\n")
    if not full:
        shown = shown[:_MOST_CHARACTERS]
    width = min(context.width, _PROSE) - 4
    bar = context.style.good("▌") if is_prompt else " "
    fenced, count = "", 0
    for line in shown.split("\n"):
        fence = _FENCE.match(line)
        if fence and (not fenced or fenced == fence[1]):
            fenced = "" if fenced else fence[1]
            pieces = [context.style.dim(clip(line.rstrip(), width))]
        elif fenced or line.lstrip().startswith("|"):
            pieces = [safe(line[:_MOST_CHARACTERS]).rstrip().expandtabs(4)]
        elif _HEADING.match(line):
            pieces = [context.style.bold(piece) for piece in wrapped(line, width)]
        else:
            pieces = list(wrapped(line, width))
        for piece in pieces:
            if count == _MOST_LINES and not full:
                break
            count += 1
            yield f" {bar} {piece}".rstrip()
    left = len(text) - len(shown)
    if left > 1 or (count == _MOST_LINES and not full):
        rest = f"{left:,} more characters" if left > 1 else "more"
        yield f" {bar} {context.style.dim(f'… {rest} (--full)')}"


def call_lines(context: Context, call: ToolCall, *, full: bool) -> Iterator[str]:
    """Yield a step in one line, its edits as diffs, and with `full` its output."""
    style = context.style
    act = f"{'tool' if call.act is Act.OTHER else call.act.value:<6}"
    failed = "  (failed)" if call.failed else ""
    what = clip(used_on(call), context.width - 4 - len(act) - len(failed) - 1)
    yield f"  {style.dim(act)} {what}{style.bad(failed) if failed else ''}".rstrip()
    for edit in call.edits:
        if edit.path and edit.path not in (call.paths[:1] or ("",)):
            yield f"         {style.dim(clip(edit.path, context.width - 10))}"
        if edit.after is None:
            yield f"         {style.bad('deleted')}"
            continue
        yield from _diff(context, list(diff_of(edit)), full=full)
    if full and call.output and call.act is not Act.EDIT:
        for line in call.output.rstrip("\n").split("\n"):
            yield f"         {style.dim(clip(line.expandtabs(4), context.width - 9))}".rstrip()


def _diff(context: Context, lines: Sequence[str], *, full: bool) -> Iterator[str]:
    style, width = context.style, context.width - 9
    shown = lines if full or len(lines) <= _MOST_OF_A_DIFF + 2 else lines[:_MOST_OF_A_DIFF]
    paint = {"+": style.good, "-": style.bad, "@": style.path}
    for line in shown:
        text = clip(line[:1] + line[1:].expandtabs(4), width).rstrip()
        yield f"         {paint.get(line[0], str)(text)}".rstrip()
    if len(shown) < len(lines):
        left = plural(len(lines) - len(shown), "more line")
        yield f"         {style.dim(f'… {left} (--full)')}"
