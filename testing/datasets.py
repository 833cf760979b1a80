"""A repository whose conversations make a data set, and data sets read back.

In: a folder. Out: `tell_the_depots` gives a repository several sessions with rewards.
"""

import json
from pathlib import Path
from typing import Any

from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.training.dataset.blocks import applied, parse_context, parse_edits
from git_skillmesh.training.model import Verdict
from testing.conversations import link
from testing.memory import open_memory
from testing.repos import Repo, make_repo
from testing.rewarded import events_of, reward

WORDS = [
    "parcel",
    "depot",
    "scan",
    "weigh",
    "route",
    "label",
    "customs",
    "stamp",
    "crate",
    "pallet",
    "truck",
    "ferry",
    "harbour",
    "ledger",
    "invoice",
    "tariff",
    "queue",
    "shelf",
    "lift",
    "conveyor",
    "beacon",
    "sensor",
    "driver",
    "dispatch",
    "manifest",
    "sorter",
]


def edit_of(path: str, before: str | None, after: str, *, whole: bool = False) -> ToolCall:
    """Return an edit of a part of a file, or of all of it."""
    edit = Edit(path, before, after, whole=whole)
    return ToolCall(f"e-{path}", "Edit", Act.EDIT, path, "", paths=(path,), edits=(edit,))


def read_of(path: str, text: str, first: int = 1) -> ToolCall:
    """Return the reading of a file, its lines numbered as tools do."""
    lines = text.splitlines()
    shown = "".join(f"{n:6}→{line}\n" for n, line in enumerate(lines, first))
    return ToolCall(f"r-{path}", "Read", Act.READ, path, shown, paths=(path,))


def module_of(number: int) -> str:
    """Return a module of its own for a number."""
    name, other = WORDS[number % len(WORDS)], WORDS[(number * 7 + 3) % len(WORDS)]
    return "".join(
        f"def {name}_{row}(value):\n    return value + {number * 100 + row}  # {other}\n\n\n"
        for row in range(4)
    )


def asked_of(number: int, name: str = "s") -> Exchange:
    """Return an exchange that changes one line of the module of its number."""
    path, text = f"src/m{number}.py", module_of(number)
    old = f"    return value + {number * 100 + 2}  # "
    line = next(line for line in text.splitlines() if line.startswith(old))
    day, hour = 1 + number // 24, number % 24
    topic = " ".join(WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 5, 7, 9, 11))
    time = f"2026-03-{day:02}T{hour:02}:10:00Z"
    return Exchange(
        f"{name}-{number}", f"Make {topic} number {number} wait for the {WORDS[number % 26]}.",
        f"The {topic} waits now.", time, f"2026-03-{day:02}T{hour:02}:12:00Z", "m-1",
        (read_of(path, text), edit_of(path, line, f"{line}\n    # waits {number}")),
    )  # fmt: skip


def tell_the_depots(folder: Path, sessions: int = 12) -> Repo:
    """Return a repository with that many sessions of one exchange each, two of three kept."""
    date = {"GIT_COMMITTER_DATE": "2026-02-01T00:00:00Z", "GIT_AUTHOR_DATE": "2026-02-01T00:00:00Z"}
    repo = make_repo(folder)
    for number in range(sessions):
        repo.write(f"src/m{number}.py", module_of(number))
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "the modules", env=date)
    memory = open_memory(repo)
    memory.add(
        Session(f"s{number}", "claude-code", (asked_of(number),), branch="main")
        for number in range(sessions)
    )
    scores = [0.2 if number % 3 == 2 else 0.9 for number in range(sessions)]
    memory.append_to_many({f"s{n}": events_of(f"s-{n}", score) for n, score in enumerate(scores)})
    return repo


def tell_the_attempts(repo: Repo) -> None:
    """Add two attempts at one thing, of which the second stayed and was committed."""
    path, text = "src/m0.py", module_of(0)
    first = text.replace("value + 1 ", "value - 1 ")
    second = text.replace("value + 1 ", "value * 1 ")
    tried = Exchange(
        "a-1", "Let the second function of the module take a factor, please.", "It subtracts now.",
        "2026-03-20T08:00:00Z", "2026-03-20T08:01:00Z", "m-1",
        (edit_of(path, text, first, whole=True),),
    )  # fmt: skip
    again = Exchange(
        "a-2", "No, a factor, not a difference.", "It multiplies now.",
        "2026-03-20T08:05:00Z", "2026-03-20T08:06:00Z", "m-1",
        (edit_of(path, "value - 1 ", "value * 1 "),),
    )  # fmt: skip
    open_memory(repo).add([Session("a", "codex", (tried, again))])
    repo.commit("take a factor", {path: second})
    link(repo, "HEAD", path, [6], "a", "a-2")
    reward(repo, "a", "a-1", 0.1, Verdict.IGNORED, (("a", "a-2"),))
    reward(repo, "a", "a-2", 0.9)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a data set."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def applied_in(line: dict[str, Any], key: str = "") -> dict[str, str]:
    """Return the files that a prompt shows, after the edits of its answer."""
    messages = line["messages"] if "messages" in line else [*line["prompt"], *line[key]]
    files = {one.path: one.text for one in parse_context(messages[1]["content"])}
    return applied(files, parse_edits(messages[2]["content"]))
