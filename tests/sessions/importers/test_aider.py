"""Aider: what was applied and committed, and whose commit it was."""

import os
import time
from collections.abc import Iterator

import pytest

from git_skillmesh.sessions.importers import aider
from git_skillmesh.sessions.importers.records import Imported, lines_of, made_id
from git_skillmesh.sessions.model import Act, Edit, Exchange, Problem, Session, ToolCall
from testing.transcripts import ROOTS

START = "2026-01-23T15:39:00.000Z"
HISTORY = """
# aider chat started at 2026-01-23 16:39:00

> Aider v0.86.2
> Main model: openai/gpt-5.4 with diff edit format

#### /add lib/a.py
> Added lib/a.py to the chat.

#### /ask make it blink
#### and glow

#### make it blink
#### and glow

I change `lib/a.py`:

lib/a.py
```python
<<<<<<< SEARCH
old
=======
new
>>>>>>> REPLACE
```

```
<<<<<<< SEARCH
=======
more
>>>>>>> REPLACE
```

b.md
```
> whole
```

> Committing lib/a.py before applying edits.
> Commit 1111111 what stood there
> Applied edit to lib/a.py
> Applied edit to b.md
> Commit 1a2b3c4 feat: blink

#### /undo
> Removed: 1a2b3c4 feat: blink
> Now at:  1111111 what stood there

#### /commit
> Commit 2222222 mine

# aider chat started at 2026-01-23 17:39:00

#### hello

Hello.
"""


@pytest.fixture(autouse=True)
def _an_hour_east() -> Iterator[None]:
    """Aider writes local times without a zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "CET-1"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def read(text: str) -> Imported:
    return aider.read(lines_of(text.encode()), ".aider.chat.history.md", ROOTS)


def test_a_history() -> None:
    done = read(HISTORY)
    first, second = (made_id("aider", f"2026-01-23 {hour}:39:00", 0) for hour in (16, 17))
    start, ends = HISTORY.index("I change"), HISTORY.index("\n> Committing")
    said = HISTORY[start:ends].strip()

    def call(
        number: int, name: str, act: Act, output: str, *edits: Edit, commit: str = ""
    ) -> ToolCall:
        paths = tuple(dict.fromkeys(edit.path for edit in edits))
        commits = (commit,) if commit else ()
        call_id = made_id(first, number, output)
        return ToolCall(
            call_id, name, act, output=output, paths=paths, edits=edits, commits=commits
        )

    prompt = "make it blink\nand glow"
    exchanges = (
        Exchange(
            made_id(first, 2, prompt), prompt, said, START, START, model="openai/gpt-5.4",
            tools=(
                call(1, "edit", Act.EDIT, "Applied edit to lib/a.py",
                     Edit("lib/a.py", "old\n", "new\n"),
                     Edit("lib/a.py", "", "more\n", whole=True, line=1)),
                call(2, "edit", Act.EDIT, "Applied edit to b.md",
                     Edit("b.md", None, "> whole\n", whole=True, line=1)),
                call(3, "commit", Act.BASH, "Commit 1a2b3c4 feat: blink", commit="1a2b3c4"),
            ),
        ),
        Exchange(
            made_id(first, 3, "/undo"), "/undo", "",
            tools=(call(4, "undo", Act.EDIT, "Removed: 1a2b3c4 feat: blink"),),
        ),
    )  # fmt: skip
    assert done.problems == ()
    assert done.sessions[0].exchanges == exchanges
    assert done.sessions[1] == Session(
        second, "aider", (Exchange(made_id(second, 0, "hello"), "hello", "Hello.",
                                   "2026-01-23T16:39:00.000Z", "2026-01-23T16:39:00.000Z"),),
        source=".aider.chat.history.md", started="2026-01-23T16:39:00.000Z",
    )  # fmt: skip


def test_two_chats_of_one_second() -> None:
    twice = "# aider chat started at 2026-01-23 16:39:00\n\n#### hello\n\nHello.\n\n" * 2
    assert len({session.session_id for session in read(twice).sessions}) == 2


def test_another_file_is_one_problem() -> None:
    assert read("# Notes\n\nx\n\ny\n") == Imported(
        problems=(
            Problem(
                ".aider.chat.history.md",
                1,
                "not a history of aider: text before the start of a chat",
            ),
        )
    )
