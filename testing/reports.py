"""Reports of checks, made by hand: one of everything, and what strangers might put into one."""

from dataclasses import replace

from git_skillmesh.gate.model import (
    NO_REASON,
    ChangedLearning,
    Finding,
    LearningNote,
    Place,
    Related,
    Report,
    Suppressed,
    Unchecked,
)
from git_skillmesh.learnings.model import Severity, State
from git_skillmesh.learnings.reading import Problem

BASE, HEAD, COMMIT = "b" * 40, "a" * 40, "c" * 40
CHAT = "3f2a9c1e"


def finding(
    path: str = "src/net/client.py",
    line: int = 12,
    *,
    learning_id: str = "bounded-retries",
    title: str = "Retry a bounded number of times",
    message: str = "this loop retries for ever",
    text: str = "    while True: retry()",
    columns: tuple[int, int] = (5, 16),
    end_line: int = 0,
    severity: Severity = Severity.ERROR,
    state: State = State.BLOCK,
    fix: str = "use retry_with_backoff(limit=5)",
    commit: str = "",
    fingerprint: str = "",
) -> Finding:
    """Return a finding; by default one that blocks."""
    column, end_column = columns if line else (0, 0)
    return Finding(
        learning_id,
        title,
        message,
        Place(path, line, end_line or line, column, end_column),
        text,
        severity,
        state,
        fingerprint or f"{learning_id}/{path}/{text.split()}"[:64],
        fix,
        commit,
    )


def note(learning_id: str, *, chat: str = CHAT) -> tuple[str, LearningNote]:
    """Return what is known of a learning."""
    return learning_id, LearningNote(
        title="Retry a bounded number of times",
        description="A server that is down stays down.\nWe were paged for it twice.",
        path=f".skillmesh/learnings/{learning_id}.yaml",
        source_chat_id=chat,
        source_commits=() if chat else (COMMIT,),
        tags=("network", "reliability"),
        category="reliability",
    )


def full_report() -> Report:
    """Return a report that has one of everything."""
    return Report(
        base=BASE,
        head=HEAD,
        findings=(
            finding(),
            finding(line=40, text="\twhile True: retry(again)", columns=(2, 12)),
            finding(
                "src/api.py",
                7,
                learning_id="no-print",
                title="Log, do not print",
                message="Log, do not print",
                text="print(\n    value,\n)",
                columns=(1, 2),
                end_line=9,
                severity=Severity.WARNING,
                state=State.WARN,
                fix="",
            ),
            finding(
                "db/schema.sql",
                0,
                learning_id="migrate",
                title="A change of the schema has a migration",
                message="db/schema.sql is changed and nothing in db/migrations/ is",
                text="",
                severity=Severity.WARNING,
                fix="",
            ),
            finding(
                "",
                0,
                learning_id="subject-length",
                title="Short subjects",
                message="the subject has more than 72 characters",
                text="Add everything",
                severity=Severity.NOTE,
                state=State.WARN,
                fix="",
                commit=COMMIT,
            ),
            finding(
                "src/api.py",
                3,
                learning_id=NO_REASON,
                title="An ignore needs a reason",
                message="skillmesh: ignore[no-print] says no reason",
                text="# skillmesh: ignore[no-print]",
                columns=(1, 30),
                severity=Severity.WARNING,
                state=State.WARN,
                fix="say why after the bracket",
            ),
        ),
        suppressed=(
            Suppressed(finding("src/net/poll.py", 3), "polls a local socket, which cannot be down"),
        ),
        unchecked=(
            Unchecked("dist/app.min.js", "larger than 1 MB"),
            Unchecked("src/deep.py", "nested too deep", "bounded-retries"),
        ),
        broken=(Problem(".skillmesh/learnings/odd.yaml", 3, "unknown field: matchr"),),
        related=(
            Related(
                "conversation",
                f"{CHAT}/12",
                "Make the client survive a restart",
                "made the lines 12-19 that this change replaces",
                "src/net/client.py",
                12,
            ),
        ),
        changed_learnings=(
            ChangedLearning(
                "no-print",
                "edited",
                State.WARN,
                State.BLOCK,
                (Problem(".skillmesh/learnings/no-print.yaml", 14, "block needs two examples"),),
                "fired on 3 of 1,204 commits, 0 mistaken",
            ),
            ChangedLearning("no-eval", "added", None, State.PROPOSED),
        ),
        learnings=12,
        files=5,
        about=(
            note("bounded-retries"),
            note("migrate", chat=""),
            note("no-print"),
            note("subject-length"),
        ),
    )


HOSTILE = (
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[1A",
    "\r::error::forged",
    "\n::stop-commands::x",
    "\n##[error]forged",
    "%0A::error::forged",
    "a,title=forged:b",
    "</details><script>alert(1)</script>",
    "`|](https://evil.example) @everyone #1 **bold** <!-- x -->",
    "[x]: https://evil.example",
    "\n\n# Heading\n- [ ] task\n```\n~~~~~",
    "\u202etxt.exe\u2066",
    "\x00\x7f\x9b31m",
    "\udc80\ud83d",
    "日本語 👩‍👩‍👧 e\u0301",
    "https://evil.example/?a=1&b=2 www.evil.example evil@example.com",
    "x" * 9_000,
)


def hostile_report(texts: "tuple[str, ...]" = HOSTILE) -> Report:
    """Return a report in which every text of a stranger is one of `texts`."""
    findings = tuple(
        finding(
            f"src/{text}",
            number,
            learning_id=f"rule-{number}",
            title=text,
            message=text,
            text=text,
            columns=(1, 4),
            fix=text,
        )
        for number, text in enumerate(texts, 1)
    )
    return Report(
        BASE,
        HEAD,
        findings,
        tuple(Suppressed(replace(one), one.text) for one in findings),
        tuple(Unchecked(text, text, text) for text in texts),
        tuple(Problem(text, 1, text) for text in texts),
        tuple(Related("conversation", text, text, text, text, 1) for text in texts),
        tuple(
            ChangedLearning(text, "edited", State.WARN, None, (Problem(text, 1, text),), text)
            for text in texts
        ),
        1,
        1,
        tuple(
            (one.learning_id, LearningNote(one.text, one.text, one.text, one.text, (), (one.text,)))
            for one in findings
        ),
    )
