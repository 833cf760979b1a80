"""A candidate on the screen: what was said, what changed, what it would make and flag.

In: a `Shown`. Out: lines, made safe and no wider than the screen.
"""

import json
from collections.abc import Iterator, Sequence

from ..learnings.candidates import Candidate, Change, Decision, Fate, is_placeholder
from ..learnings.model import Learning, Matcher, MatcherKind
from ..sessions.summaries import summary_of_prompt
from .columns import clip, lines_word, local_day, local_time, plural, width_of
from .context import Context
from .conversation import exchange_lines, text_lines
from .promoting import conflict_lines
from .reviewing import Flagged, Said, Shown
from .telling import labelled
from .terminal import safe

_WIDEST = 100
_PROMPT_LINES = 8
_CHANGES, _CHANGE_LINES = 3, 6
_CODE, _FIRED, _FLAGGED_LINES = 4, 4, 2
_FATES = {
    Fate.KEPT: "its code is still there",
    Fate.CHANGED: "a person changed its code later",
    Fate.REVERTED: "its code was reverted",
    Fate.REPLACED: "a later exchange replaced its code",
    Fate.UNCOMMITTED: "its code is in no commit",
}


def screen(context: Context, shown: Shown, place: str, *, full: bool) -> Iterator[str]:
    """Yield a candidate; `full` is everything: whole exchanges, the file, all that is flagged."""
    candidate = shown.candidate
    yield from _head(context, candidate, place)
    for said in shown.said if full else _telling(shown.said):
        yield from _said(context, said, full=full)
    changes = [change for one in shown.said for change in one.evidence.changes]
    yield from _changes(context, changes if full else changes[:_CHANGES], full=full)
    if not full:
        yield from _more(context, 2, len(changes) - _CHANGES, "place")
    yield from _code(context, shown, full=full)
    yield ""
    yield from _proposal(context, shown, full=full)
    yield from _flagged(context, shown.flagged, full=full)
    yield ""


def _head(context: Context, one: Candidate, place: str) -> Iterator[str]:
    style = context.style
    scores = f"confidence {one.scores.confidence:.2f} · impact {one.scores.impact:.2f}"
    text = clip(f"{place} · {one.kind} · {scores} · {one.id}", context.width - 6)
    yield style.path(f"── {text} {'─' * max(min(context.width, _WIDEST) - width_of(text) - 4, 2)}")
    yield style.bold(clip(one.title, context.width))
    if one.decision is not Decision.OPEN:
        what = one.learning_id or one.reason
        yield style.bad(clip(f"{one.decision}: {what}", context.width))
    counted = [plural(len(one.evidence), "time")]
    if one.sessions:
        counted.append(f"in {plural(len(one.sessions), 'conversation')}")
    tags = f" · {', '.join(one.tags)}" if one.tags else ""
    yield style.dim(clip(f"seen {' '.join(counted)}{tags}", context.width))


def _telling(said: Sequence[Said]) -> Sequence[Said]:
    """Return the evidence that says most: one piece on a screen."""
    return [max(said, key=lambda one: (one.evidence.strength, one.evidence.time))] if said else []


def _said(context: Context, said: Said, *, full: bool) -> Iterator[str]:
    one = said.evidence
    yield ""
    about = [said.name, one.agent, local_time(one.time), _FATES.get(one.fate, "")]
    yield context.style.path(clip(" · ".join(filter(None, about)), context.width))
    if full and said.exchange is not None:
        place = f"exchange {one.number}"
        yield from exchange_lines(context, said.exchange, place, one.agent, full=True)
        return
    if said.exchange is not None:
        prompt = said.exchange.prompt.strip()
        lines = list(text_lines(context, prompt, full=False, is_prompt=True))
        if len(lines) > _PROMPT_LINES:  # what matters of a long one, and how it begins
            yield from labelled(context, "asked", summary_of_prompt(prompt))
            yield from labelled(context, "it says", one.excerpt, context.style.bold)
        else:
            yield from lines
    elif one.excerpt:
        yield from labelled(context, "it says", one.excerpt, context.style.bold)
    if said.steps:
        yield from labelled(context, "steps", said.steps, clipped=True)
    if one.signs:
        yield from labelled(context, "signs", ", ".join(one.signs), clipped=True)


def _changes(context: Context, changes: Sequence[Change], *, full: bool) -> Iterator[str]:
    style, width = context.style, context.width - 4
    for change in changes:
        yield ""
        line = f":{change.line}" if change.line else ""
        yield f"  {style.path(clip(context.shown_path(change.path) + line, width))}"
        for sign, lines, paint in (
            ("-", change.before, style.bad),
            ("+", change.after, style.good),
        ):
            shown = lines if full else lines[:_CHANGE_LINES]
            for text in shown:
                yield f"    {paint(clip(f'{sign} {text.expandtabs(4)}', width))}".rstrip()
            yield from _more(context, 4, len(lines) - len(shown), "line")


def _code(context: Context, shown: Shown, *, full: bool) -> Iterator[str]:
    listed = shown.code if full else shown.code[:_CODE]
    label: str = "code"
    if listed:
        yield ""
    for code in listed:
        where = f"{context.shown_path(code.path)}:{code.lines}" if code.path else ""
        text = "  ".join(filter(None, [where.rstrip(":"), code.commit[:9], code.summary]))
        yield from labelled(context, label, text, clipped=True)
        label = " "


def _proposal(context: Context, shown: Shown, *, full: bool) -> Iterator[str]:
    style, outcome = context.style, shown.outcome
    learning = outcome.learning
    yield from labelled(context, "learning", f"{learning.learning_id} ({learning.state})",
                        style.bold, clipped=True)  # fmt: skip
    if is_placeholder(learning.matcher):
        text = "none: no change says it for certain; edit to write one"
        yield from labelled(context, "matcher", text, style.bad)
    else:
        yield from labelled(context, "matcher", matcher_words(learning.matcher), style.match)
        yield from labelled(context, "where", _where(learning))
    if learning.fix.text:
        yield from labelled(context, "fix", learning.fix.text)
    counts = f"{len(learning.bad)} bad, {len(learning.good)} good"
    if outcome.problems:
        for problem in outcome.problems:
            yield from labelled(context, "problem", problem.what, style.bad)
    elif not is_placeholder(learning.matcher):
        yield from labelled(context, "examples", f"{counts}; both ways as they say", style.good)
    for line in conflict_lines(context, outcome.conflicts):
        yield from labelled(context, "beside", line)
    if full:
        yield ""
        for line in safe(outcome.text).splitlines():
            yield f"    {clip(line, context.width - 4)}".rstrip()
        yield ""


def _where(learning: Learning) -> str:
    return "; ".join(filter(None, [", ".join(learning.languages), ", ".join(learning.paths)])) or (
        "all files"
    )


def matcher_words(matcher: Matcher) -> str:
    """Return what a matcher looks for, in one text."""
    if matcher.kind is MatcherKind.AST:
        rule = dict(matcher.rule or {})
        if set(rule) == {"pattern"}:
            return f"syntax  {rule['pattern']}"
        return f"syntax  {json.dumps(rule, ensure_ascii=False)}"
    if matcher.kind is MatcherKind.PATHS:
        if matcher.untouchable:
            return "paths  must not be changed"
        if matcher.max_bytes:
            return f"paths  at most {matcher.max_bytes:,} bytes"
        return f"paths  only with {', '.join(matcher.accompany)}"
    required = "  (must be there)" if matcher.required else ""
    unless = f"  unless {matcher.unless}" if matcher.unless else ""
    return f"{matcher.kind}  {matcher.regex or matcher.text}{unless}{required}"


def _flagged(context: Context, found: Flagged, *, full: bool) -> Iterator[str]:
    style = context.style
    if found.why:
        yield from labelled(context, "flagged", f"nothing: {found.why}")
        return
    if not found.commits:
        return
    window = f"the last {plural(found.commits, 'commit')}"
    if not found.fired:
        yield from labelled(context, "flagged", f"nothing in {window}")
        return
    lines = f"{plural(found.lines, 'line')} in " if found.lines else ""
    text = f"{lines}{len(found.fired):,} of {window}"
    yield from labelled(context, "flagged", text, style.bold)
    for fired in found.fired if full else found.fired[:_FIRED]:
        commit = fired.commit
        head = f"{commit.oid[:9]}  {local_day(commit.time)}  {commit.subject}"
        yield f"    {clip(head, context.width - 4)}"
        if not fired.lines:  # it is about the message, or about files as a whole
            for finding in fired.findings if full else fired.findings[:_FLAGGED_LINES]:
                told = " ".join(filter(None, (finding.place.path, finding.message)))
                yield f"      {clip(told, context.width - 6)}"
        for line in fired.lines if full else fired.lines[:_FLAGGED_LINES]:
            where = f"{context.shown_path(line.path)}:{lines_word(line.number, line.number)}"
            code = line.text.decode("utf-8", "replace").strip().expandtabs(4)
            place = clip(where, context.width // 2)
            yield f"      {style.path(place)}  {clip(code, context.width - width_of(place) - 8)}"
        if not full:
            yield from _more(context, 6, len(fired.lines) - _FLAGGED_LINES, "line")
    if not full:
        yield from _more(context, 4, len(found.fired) - _FIRED, "commit")


def _more(context: Context, indent: int, left: int, what: str) -> Iterator[str]:
    """Yield how much is left out, if anything is."""
    if left > 0:
        words = plural(left, f"more {what}")
        yield " " * indent + context.style.dim(f"… {words}")
