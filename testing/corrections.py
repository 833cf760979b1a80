"""Conversations in which a person corrects an agent, in a repository that shows what came of it.

In: a repository, or numbers. Out: sessions with edits, tests and prompts as an import stores them.
"""

from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.memory import open_memory
from testing.repos import Repo

PATH = "src/depot.py"
REQUESTS = "import requests\n\n\ndef scans(url):\n    return requests.get(url).json()\n"
HTTPX = "import httpx\n\n\ndef scans(url):\n    return httpx.get(url).json()\n"


def said(
    number: int, prompt: str, *tools: ToolCall, response: str = "Done.", day: int = 1,
    owner: str = "s",
) -> Exchange:  # fmt: skip
    """Return an exchange; its times follow from the day and the number."""
    started = f"2026-03-{day:02}T10:{number:02}:00Z"
    ended = f"2026-03-{day:02}T10:{number:02}:30Z"
    return Exchange(f"{owner}-{number}", prompt, response, started, ended, "m-1", tools)


def edit(number: int, before: str, after: str, path: str = PATH) -> ToolCall:
    """Return a recorded edit of a whole file."""
    change = Edit(path, before or None, after, whole=True, line=1)
    return ToolCall(
        f"edit-{number}", "Edit", Act.EDIT, path, "done", paths=(path,), edits=(change,)
    )


def run_of_tests(number: int, *, passed: bool) -> ToolCall:
    """Return a run of tests with its output."""
    output = "3 passed in 0.10s\n" if passed else "=== 1 failed, 2 passed in 0.10s ===\n"
    return ToolCall(f"run-{number}", "Bash", Act.BASH, "pytest -q", output)


def corrected(owner: str = "s", day: int = 1, prompt: str = "") -> Session:
    """Return a session in which the second prompt corrects what the first one brought."""
    prompt = prompt or "No, we use `httpx` instead of `requests` in this project."
    return Session(
        owner,
        "claude-code",
        (
            said(1, "Fetch the scans of a depot.", edit(1, "", REQUESTS), day=day, owner=owner),
            said(2, prompt, edit(2, REQUESTS, HTTPX), day=day, owner=owner),
            said(3, "Thanks! What does it return?", day=day, owner=owner),
        ),
    )


def tell_of_corrections(repo: Repo) -> None:
    """Store two sessions that say the same, and commit what came of them."""
    repo.write(PATH, HTTPX)
    repo.commit("fetch scans")
    again = "Please use httpx instead of requests here too, as in this project everywhere."
    open_memory(repo).add([corrected("one"), corrected("two", day=4, prompt=again)])
