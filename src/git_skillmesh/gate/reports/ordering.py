"""The order of findings in reports, and what several of them say alike.

In: findings. Out: the same, sorted, and words for their places; alike on every machine.
"""

from collections.abc import Iterable
from urllib.parse import quote

from ...learnings.model import Severity
from ..model import Finding, Report, Suppressed

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def by_place(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings as their places stand: by path, line, column."""
    return sorted(findings, key=_place)


def suppressed_by_place(suppressed: Iterable[Suppressed]) -> list[Suppressed]:
    """Return what is excused as its places stand."""
    return sorted(suppressed, key=lambda one: (_place(one.finding), one.reason))


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """Return the most important first: those that block, then by severity, then by place."""
    return sorted(findings, key=lambda one: (not one.blocks, _RANK[one.severity], _place(one)))


def _place(one: Finding) -> tuple[str, str, int, int, int, int, str, str]:
    at = one.place
    end = (at.end_line, at.end_column)
    return (at.path, one.commit, at.line, at.column, *end, one.learning_id, one.fingerprint)


def occurrences(findings: Iterable[Finding]) -> dict[int, int]:
    """Return, by the identity of each finding, the how-manyth (from 1) of its fingerprint it is."""
    seen: dict[str, int] = {}
    numbers = {}
    for one in by_place(findings):
        seen[one.fingerprint] = numbers[id(one)] = seen.get(one.fingerprint, 0) + 1
    return numbers


def heading(finding: Finding) -> str:
    """Return the file that a finding is in, or in words that it is in a message."""
    if finding.place.path:
        return finding.place.path
    return f"message of {finding.commit[:12]}" if finding.commit else "commit message"


def where(finding: Finding) -> str:
    """Return the place as editors take it: path, line, column, as far as there are any."""
    numbers = (finding.place.line, finding.place.column)
    return ":".join([heading(finding), *(str(number) for number in numbers if number)])


def uri_path(path: str) -> str:
    """Return a path percent-encoded; bytes that are no UTF-8 stay what they are."""
    try:
        return quote(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return quote(path.encode("utf-8", "replace"))


def outcome(report: Report) -> tuple[int, int]:
    """Return how many findings block and how many do not."""
    blocking = sum(one.blocks for one in report.findings)
    return blocking, len(report.findings) - blocking
