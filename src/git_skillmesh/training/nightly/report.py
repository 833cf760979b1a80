"""A report for people: as text, and as Markdown that a page of a forge shows.

In: a `Report`. Out: lines. What it names (branches, reasons, names of files) is text of others, so
control characters are made visible, and Markdown's own signs mean nothing in it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...display import Style, safe_line
from .model import Did, Outcome, Report, Told

_NAME_WIDTH, _DID_WIDTH = 9, 11
_SIGNS = re.compile(r"([\\`*_{}\[\]()#+!|<>~&@$:^=-])")
_SHORT = 12


def text_of(report: Report, style: Style) -> Iterator[str]:
    """Yield the lines of a report."""
    for step in report.steps:
        did = f"{step.did:{_DID_WIDTH}}"
        shown = {
            Did.RAN: style.good, Did.FAILED: style.bad, Did.INTERRUPTED: style.bad,
            Did.WOULD: style.bold,
        }.get(step.did, style.dim)(did)  # fmt: skip
        took = f" ({step.seconds:.1f} s)" if step.did is Did.RAN else ""
        yield f"{step.name:{_NAME_WIDTH}}  {shown}  {safe_line(step.why)}{took}"
        if step.figures and step.did is not Did.SKIPPED:
            yield " " * (_NAME_WIDTH + _DID_WIDTH + 4) + safe_line(said(step.figures))
    yield f"{report.outcome} in {report.seconds:.1f} s"
    if report.next:
        yield f"to go on: {report.next}"


def markdown_of(report: Report) -> str:
    """Return a report in Markdown."""
    lines = [f"## Nightly training: {report.outcome}", ""]
    at = f" at {report.commit[:_SHORT]}" if report.commit else ""
    lines += [f"{report.started}{at}, {report.seconds:.1f} s.", ""]
    lines += ["| step | what was done | why | seconds | figures |", "|---|---|---|---:|---|"]
    lines += [_row(step) for step in report.steps]
    failed = [step for step in report.steps if step.did in (Did.FAILED, Did.INTERRUPTED)]
    for step in failed:
        lines += ["", f"**{step.name}** ended with exit code {step.code}: {_escaped(step.why)}"]
    if report.next:
        lines += ["", f"To go on: `{report.next}`"]
    return "\n".join(lines) + "\n"


def _row(step: Told) -> str:
    seconds = f"{step.seconds:.1f}" if step.did not in (Did.SKIPPED, Did.WOULD) else ""
    cells = (step.name, step.did.value, _escaped(step.why), seconds, _escaped(said(step.figures)))
    return "| " + " | ".join(cells) + " |"


def said(figures: Mapping[str, Any]) -> str:
    """Return figures in one line."""
    return ", ".join(f"{name.replace('_', ' ')} {_value(one)}" for name, one in figures.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and len(value) == 3:  # a mean with its interval
        return "{:.4g} ({:.4g} to {:.4g})".format(*value)
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def _escaped(text: str) -> str:
    return _SIGNS.sub(r"\\\1", safe_line(text))


def succeeded(report: Report) -> bool:
    """Return whether nothing failed."""
    return report.outcome not in (Outcome.FAILED, Outcome.INTERRUPTED)
