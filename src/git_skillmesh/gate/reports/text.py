"""The report for people: by file, with the code, a caret, the reason, and what to do.

In: a `Report`, and optionally the lines of the files. Out: lines for a terminal or a pipe, in which
nothing that a stranger wrote can be obeyed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice

from ...display import Style, plural, safe_line, wrapped
from ..model import ChangedLearning, FailOn, Finding, LearningNote, Report
from .excerpt import excerpt
from .ordering import by_place, heading, outcome, suppressed_by_place, where

Lines = Mapping[str, Sequence[str]]

_MOST_LINES = 5
_MOST_PROSE = 12
_PROSE = 100
_INDENT = "  "


def render(
    report: Report,
    *,
    fail_on: FailOn = FailOn.BLOCK,
    colour: bool = False,
    width: int = 80,
    sources: Lines | None = None,
) -> str:
    """Return the report without a final line feed.

    `sources` has the lines of files at the head, by path: with them a line before and one after
    each finding are shown.
    """
    return "\n".join(_Writer(report, Style(colour), width, sources or {}).lines(fail_on))


class _Writer:
    def __init__(self, report: Report, style: Style, width: int, sources: Lines) -> None:
        self.report, self.style, self.width, self.sources = report, style, width, sources
        self.about: dict[str, LearningNote] = dict(report.about)
        self.told: set[tuple[str, str]] = set()

    def lines(self, fail_on: FailOn) -> Iterator[str]:
        for _, group in groupby(by_place(self.report.findings), key=heading):
            findings = list(group)
            yield self.style.path(safe_line(heading(findings[0])))
            for finding in findings:
                yield from self._finding(finding)
            yield ""
        for title, entries in self._sections():
            listed = list(entries)
            if listed:
                yield self.style.bold(title)
                yield from listed
                yield ""
        yield from self._summary(fail_on)

    def _finding(self, one: Finding) -> Iterator[str]:
        place = ":".join(str(number) for number in (one.place.line, one.place.column) if number)
        tint = self.style.bad if one.blocks else self.style.match
        grade, name = tint(one.severity.value), self.style.bold(safe_line(one.learning_id))
        words = (place, grade, name, "(blocks)" if one.blocks else "")
        yield _INDENT + " ".join(filter(None, words))
        texts = [one.title, one.message] if one.message != one.title else [one.title]
        for text in filter(None, texts):
            yield from self._prose(text.replace("\n", " "))
        yield from self._code(one)
        yield from self._advice(one)

    def _advice(self, one: Finding) -> Iterator[str]:
        """Yield what to do and where the learning comes from, once each."""
        if one.fix and (one.learning_id, one.fix) not in self.told:
            self.told.add((one.learning_id, one.fix))
            yield from self._prose(one.fix, "fix: ")
        note = self.about.get(one.learning_id)
        if note is None or (one.learning_id, "") in self.told:
            return
        self.told.add((one.learning_id, ""))
        if note.source_chat_id:
            chat = safe_line(note.source_chat_id)
            yield from self._prose(f"git skillmesh show {chat}", "learned in: ")
        elif note.source_commits:
            yield from self._prose(
                " ".join(commit[:12] for commit in note.source_commits), "learned from: "
            )

    def _prose(self, text: str, label: str = "") -> Iterator[str]:
        indent = 2 * _INDENT + " " * len(label)
        lines = wrapped(text.strip("\n"), min(self.width, _PROSE) - len(indent))
        for number, line in enumerate(islice(lines, _MOST_PROSE + 1)):
            start = 2 * _INDENT + self.style.dim(label) if label and not number else indent
            yield (start + (line if number < _MOST_PROSE else "…")).rstrip()

    def _code(self, one: Finding) -> Iterator[str]:
        for number, line, marked in self._shown_lines(one):
            label = f"{number or '':>5}"
            gutter = f"{_INDENT}{label} │ "
            end = one.place.end_column if one.place.end_line <= one.place.line else len(line) + 1
            column = one.place.column if marked and number else 0
            shown, carets = excerpt(line, column, end, self.width - len(gutter))
            yield (self.style.dim(gutter) + shown).rstrip()
            if carets:
                yield self.style.dim(f"{_INDENT}      │ ") + self.style.bad(carets)
        left = one.place.end_line - one.place.line + 1 - _MOST_LINES
        if one.place.line and left > 0:
            yield self.style.dim(f"{_INDENT}      │ … {plural(left, 'more line')}")

    def _shown_lines(self, one: Finding) -> Iterator[tuple[int, str, bool]]:
        """Yield (number, line, whether the finding begins in it)."""
        source = self.sources.get(one.place.path, ())
        first, last = one.place.line, max(one.place.end_line, one.place.line)
        if not first or last > len(source):
            for offset, line in enumerate(one.text.split("\n")[:_MOST_LINES] if one.text else ()):
                yield first + offset if first else 0, line, not offset
            return
        end = min(last, first + _MOST_LINES - 1)
        after = last + 1 if end == last < len(source) else end
        for number in range(max(first - 1, 1), after + 1):
            yield number, source[number - 1], number == first

    def _sections(self) -> Iterator[tuple[str, Iterable[str]]]:
        report = self.report
        yield (
            "Learnings that this change touches",
            (line for one in report.changed_learnings for line in self._changed(one)),
        )
        yield (
            "Learnings at the base that cannot be used; mend or remove their files",
            (line for problem in report.broken for line in self._entry(str(problem))),
        )
        yield (
            "Excused in the code",
            (
                line
                for one in suppressed_by_place(report.suppressed)
                for line in self._entry(
                    f"{where(one.finding)}  {one.finding.learning_id}: {one.reason}"
                )
            ),
        )
        yield (
            "Not looked at",
            (
                line
                for one in report.unchecked
                for line in self._entry(
                    f"{one.path}{f' ({one.learning_id})' if one.learning_id else ''}: {one.why}"
                )
            ),
        )
        yield (
            "About the changed code",
            (
                line
                for one in report.related
                for line in self._entry(
                    f"{one.path}{f':{one.line}' if one.line else ''}  {one.kind} {one.id}: "
                    f"{one.title} ({one.why})".lstrip()
                )
            ),
        )

    def _changed(self, one: ChangedLearning) -> Iterator[str]:
        states = dict.fromkeys(state for state in (one.state_before, one.state_after) if state)
        yield from self._entry(f"{one.learning_id}  {one.change}  {' → '.join(states)}".rstrip())
        for problem in one.problems:
            yield from self._entry(str(problem), 2 * _INDENT)
        if one.backtest:
            yield from self._entry(f"backtest: {one.backtest}", 2 * _INDENT)

    def _entry(self, text: str, indent: str = _INDENT) -> Iterator[str]:
        lines = wrapped(safe_line(text), min(self.width, _PROSE) - len(indent) - 2)
        for number, line in enumerate(lines):
            yield indent + 2 * " " * (number > 0) + line

    def _summary(self, fail_on: FailOn) -> Iterator[str]:
        report = self.report
        blocking, warning = outcome(report)
        spoiled = sum(one.spoiled for one in report.changed_learnings)
        counts = [
            f"{blocking:,} blocking" if blocking else "",
            plural(warning, "warning") if warning else "",
            f"{len(report.suppressed):,} excused" if report.suppressed else "",
            plural(len(report.broken), "broken rule") if report.broken else "",
            f"{spoiled:,} to mend" if spoiled else "",
            f"{len(report.unchecked):,} not looked at" if report.unchecked else "",
        ]
        code = report.exit_code(fail_on)
        found = ", ".join(filter(None, counts)) or "nothing found"
        tint = self.style.bad if code else self.style.good
        yield tint(found)
        applied = f"{plural(report.files, 'file')}, {plural(report.learnings, 'learning')}"
        yield f"{applied}; exit code {int(code)}"


def _grade(one: Finding) -> str:
    grade = one.severity.value
    return f"{grade}, blocks" if one.blocks else grade
