"""The report as Markdown: the summary of a job, or the comment on a pull request.

In: a `Report`, and where its repository is on the web. Out: Markdown as GitHub reads it, by
learning, in which no word of a stranger is markup, mention, reference or link.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from ...display import plural, safe, safe_line
from ..model import ChangedLearning, FailOn, Finding, LearningNote, Report
from .ordering import by_place, by_weight, heading, outcome, suppressed_by_place, uri_path, where

MARKER = "<!-- skillmesh-gate -->"
ADVICE_MARKER = "<!-- skillmesh-advice -->"
SUMMARY = 1_048_576
COMMENT = 65_536

# What is kept free for the line that tells what was left out.
_RESERVE = 200
_MOST_LINES, _LINE, _PROSE = 8, 200, 2_000
_PUNCTUATION = re.compile(r"[!\"#$&'()*+:<=>@\[\\\]^_`{|}~]")
# What GitHub links in text: mentions, references, addresses. A space without width ends them.
_LINKED = re.compile(r"@|#|://|(?i:\bwww(?=\.)|\bGH-)")
_NO_WIDTH = "\u200b"


def render(
    report: Report,
    *,
    fail_on: FailOn = FailOn.BLOCK,
    repository_url: str = "",
    limit: int = SUMMARY,
    advice: str = "",
) -> str:
    """Return Markdown of at most `limit` bytes; the first line is `MARKER`.

    `repository_url` ("https://github.com/OWNER/NAME") makes links of places and of learnings.
    `advice` says who has found it, where that is no check; the first line is `ADVICE_MARKER` then.
    """
    writer = _Writer(report, repository_url.rstrip("/"))
    head = writer.advice(advice) if advice else writer.head(fail_on)
    kept, size, left_out = [], _RESERVE, 0
    for block, findings in chain([(head, 0)], writer.blocks()):
        length = len(block.encode()) + 2
        if size + length > limit or left_out:
            left_out += max(findings, 1)
            continue
        kept.append(block)
        size += length
    if left_out:
        kept.append(f"{left_out:,} more left out: the log of the check has them all.")
    return "\n\n".join(kept)


class _Writer:
    def __init__(self, report: Report, url: str) -> None:
        self.report, self.url = report, url
        self.about: dict[str, LearningNote] = dict(report.about)

    def head(self, fail_on: FailOn) -> str:
        report = self.report
        blocking, warning = outcome(report)
        code = report.exit_code(fail_on)
        said = "nothing found"
        if report.findings:
            said = plural(len(report.findings), "finding")
        said += "; this fails the check" if code else ""
        counts = [
            f"{blocking:,} blocking" if blocking else "",
            plural(warning, "warning") if warning else "",
            f"{len(report.suppressed):,} excused" if report.suppressed else "",
            plural(len(report.broken), "broken rule") if report.broken else "",
            f"{plural(report.files, 'file')} against {plural(report.learnings, 'learning')}",
            f"exit code {int(code)}",
        ]
        return f"{MARKER}\n### git skillmesh: {said}\n\n{', '.join(filter(None, counts))}"

    def advice(self, said: str) -> str:
        count = plural(len(self.report.findings), "finding")
        return f"{ADVICE_MARKER}\n### git skillmesh advice: {count}\n\n{escaped(said)}"

    def blocks(self) -> Iterator[tuple[str, int]]:
        """Yield parts in the order of their weight, each with the findings that it has."""
        if self.report.broken:
            listed = "".join(f"\n- {escaped(str(one))}" for one in self.report.broken)
            yield f"#### Learnings at the base that cannot be used\n{listed}", 0
        groups: dict[str, list[Finding]] = {}
        for one in by_weight(self.report.findings):
            groups.setdefault(one.learning_id, []).append(one)
        for findings in groups.values():
            ordered = by_place(findings)
            yield f"{self._learning(ordered[0])}\n\n{self._finding(ordered[0])}", 1
            for one in ordered[1:]:
                yield self._finding(one), 1
        for title, entries in self._sections():
            listed = "".join(f"\n- {entry}" for entry in entries)
            if listed:
                yield _folded(title, listed), 0

    def _learning(self, one: Finding) -> str:
        note = self.about.get(one.learning_id)
        grade = "⛔ blocks" if one.blocks else one.severity.value
        lines = [f"#### {escaped(one.title)}\n\n{coded(one.learning_id)}, {grade}"]
        if note:
            lines[0] += f", {self._link(note.path, self.report.base)}" if note.path else ""
            lines += [f"Why: {escaped(note.description)}"] if note.description else []
            if note.source_chat_id:
                lines.append(f"Learned in {coded(f'git skillmesh show {note.source_chat_id}')}")
            elif note.source_commits:
                commits = ", ".join(coded(commit[:12]) for commit in note.source_commits)
                lines.append(f"Learned from {commits}")
        return "\n\n".join(lines)

    def _finding(self, one: Finding) -> str:
        at = one.place
        place = coded(heading(one))
        if at.path:
            place = self._link(at.path, self.report.head, at.line, at.end_line)
        block = f"- {place}: {escaped(one.message)}"
        if one.fix:
            block += f"\n\n  Fix: {escaped(one.fix)}"
        if one.text.strip():
            block += f"\n\n{_fenced(one.text)}"
        return block

    def _link(self, path: str, commit: str, line: int = 0, end_line: int = 0) -> str:
        name = coded(f"{path}:{line}" if line else path)
        if not self.url or not commit:
            return name
        lines = f"#L{line}" if line else ""
        lines += f"-L{end_line}" if end_line > line else ""
        return f"[{name}]({self.url}/blob/{commit}/{uri_path(path)}{lines})"

    def _sections(self) -> Iterator[tuple[str, Iterable[str]]]:
        report = self.report
        yield "Learnings that this change touches", map(_changed, report.changed_learnings)
        yield (
            "Excused in the code",
            (
                f"{coded(where(one.finding))}, {coded(one.finding.learning_id)}: "
                f"{escaped(one.reason)}"
                for one in suppressed_by_place(report.suppressed)
            ),
        )
        yield (
            "Not looked at",
            (
                f"{coded(one.path)}{f' ({coded(one.learning_id)})' if one.learning_id else ''}: "
                f"{escaped(one.why)}"
                for one in report.unchecked
            ),
        )
        yield (
            "About the changed code",
            (
                f"{coded(f'{one.path}:{one.line}')}: {escaped(one.why)}: {escaped(one.title)}, "
                + coded(
                    f"git skillmesh show {one.id}"
                    if one.kind == "conversation"
                    else f"git skillmesh learnings show {one.id}"
                )
                for one in report.related
            ),
        )


def _changed(one: ChangedLearning) -> str:
    states = dict.fromkeys(state.value for state in (one.state_before, one.state_after) if state)
    lines = [f"{coded(one.learning_id)} is {escaped(one.change)}, {' → '.join(states)}"]
    lines += [escaped(str(problem)) for problem in one.problems]
    lines += [f"backtest: {escaped(one.backtest)}"] if one.backtest else []
    return "<br>".join(lines)


def _folded(title: str, listed: str) -> str:
    return f"<details><summary>{title}</summary>\n{listed}\n\n</details>"


def escaped(text: str) -> str:
    """Return text of a stranger as text: one line, no markup, no mention, no reference, no link."""
    text = safe(text[:_PROSE] + "…" * (len(text) > _PROSE))
    text = _LINKED.sub(lambda match: _broken(match[0]), " ".join(text.split(" ")))
    text = _PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", text)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    text = re.sub("^-", "&#45;", "<br>".join(line for line in lines if line))
    return text.encode("utf-8", "replace").decode()


def _broken(linked: str) -> str:
    return f":{_NO_WIDTH}//" if linked == "://" else linked + _NO_WIDTH


def coded(text: str) -> str:
    """Return text as a code span: nothing in one is markup, mention, reference or link."""
    text = safe_line(text[:_PROSE]).encode("utf-8", "replace").decode().strip()
    fence = "`" * (_longest_run(text) + 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}" if text else ""


def _fenced(text: str) -> str:
    """Return code in a fence that is longer than any within it, as part of a list item."""
    text = safe(text[: _MOST_LINES * _LINE * 4]).encode("utf-8", "replace").decode()
    lines = text.split("\n")
    shown = [line[:_LINE] + "…" * (len(line) > _LINE) for line in lines[:_MOST_LINES]]
    shown += ["…"] * (len(lines) > _MOST_LINES)
    fence = "`" * max(_longest_run("\n".join(shown)) + 1, 3)
    return "\n".join(f"  {line}".rstrip() for line in (fence, *shown, fence))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
