"""A memory of made conversations with rewards, as large as one asks, the same at every call.

In: a repository, a number. Out: the memory filled. Text is of a few hundred words by chance, so
that nothing is alike that should not be; sizes are near those of real transcripts.
"""

import random
from collections.abc import Iterator
from functools import lru_cache

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.events import Event
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.store import MemoryStore
from git_skillmesh.training.model import Verdict
from testing.repos import Repo
from testing.rewarded import events_of

FILES = 200
PER_SESSION = 20
_BATCH = 500
_SYLLABLES = ["ka", "lo", "mi", "ren", "tu", "sa", "bel", "dor", "fin", "gra", "hul", "jes"]


def words_of(rng: random.Random, count: int) -> str:
    """Return so many words."""
    return " ".join("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(count))


@lru_cache(maxsize=FILES)
def file_of(number: int) -> str:
    """Return a file of about 3 KB."""
    rng = random.Random(number)
    return "".join(
        f"def {words_of(rng, 1)}_{row}(value):\n    # {words_of(rng, 6)}\n    return {row}\n\n\n"
        for row in range(40)
    )


def fill(repo: Repo, exchanges: int) -> None:
    """Store conversations of so many exchanges, and what they earned."""
    for number in range(FILES):
        repo.write(f"src/f{number}.py", file_of(number))
    date = {"GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z", "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z"}
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "files", env=date)
    memory = MemoryStore(discover(repo.path), lambda exchange: exchange)
    sessions = -(-exchanges // PER_SESSION)
    for first in range(0, sessions, _BATCH):
        numbers = range(first, min(first + _BATCH, sessions))
        memory.add(session_of(number) for number in numbers)
        events = {f"s{n}": list(_events(n)) for n in numbers}
        memory.append_to_many(events)


def _events(number: int) -> Iterator[Event]:
    for turn in range(PER_SESSION):
        later = ((f"s{number}", f"s{number}-{turn + 1}"),) if turn % 5 == 3 else ()
        verdict = Verdict.IGNORED if turn % 5 == 3 else Verdict.IMPLEMENTED
        score = 0.2 if later else 0.6 + turn / 100
        yield from events_of(f"s{number}-{turn}", score, verdict, later)


def session_of(number: int) -> Session:
    """Return a session of 20 exchanges, each with two files read and one changed."""
    rng = random.Random(1_000_000 + number)
    exchanges = tuple(_exchange(rng, number, turn) for turn in range(PER_SESSION))
    return Session(f"s{number}", "claude-code", exchanges, branch="main")


def _exchange(rng: random.Random, number: int, turn: int) -> Exchange:
    name = f"s{number}-{turn}"
    minutes = number * 30 + turn
    day, rest = divmod(minutes, 1440)
    month, day = divmod(day, 28)
    year, month = divmod(month, 12)
    start = f"{2025 + year}-{month + 1:02}-{day + 1:02}T{rest // 60:02}:{rest % 60:02}:00Z"
    path = f"src/f{(number * 7 + turn) % FILES}.py"
    row = f"    return {rng.randrange(40)}\n"
    new = f"    # {words_of(rng, 8)}\n{row}"
    other = f"src/f{rng.randrange(FILES)}.py"
    tools = (
        *(_read(f"{name}-{p}", p) for p in (path, other)),
        ToolCall(f"{name}-e", "Edit", Act.EDIT, path, "ok", paths=(path,),
                 edits=(Edit(path, row, new),)),
        ToolCall(f"{name}-b", "Bash", Act.BASH, "pytest -q", words_of(rng, 60)),
    )  # fmt: skip
    return Exchange(name, words_of(rng, 40), words_of(rng, 80), start, start, "m-1", tools)


def _read(name: str, path: str) -> ToolCall:
    lines = file_of(int(path[5:-3])).splitlines()
    text = "".join(f"{n:6}→{line}\n" for n, line in enumerate(lines, 1))
    return ToolCall(name, "Read", Act.READ, path, text, paths=(path,))
