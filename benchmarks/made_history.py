"""A repository with a long history, many conversations and links between them, by numbers.

In: a folder, how many commits, sessions and files. Out: the repository: the same at every call.
Each commit replaces a few lines of two files; half of the commits were made by exchanges, whose
conversations are in the memory.
"""

import hashlib
import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.made_conversations import session_of, words_of
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.links import Link, write_links
from git_skillmesh.sessions.model import Session
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import Repo

PER_SESSION = 8
_LINES = 120
_CHANGED = 3
_START, _STEP = 1_700_000_000, 1_500
_AUTHORS = ["Ada <ada@example.com>", "Ben <ben@example.com>", "Cleo <cleo@example.com>"]
_BATCH = 100


def make(path: Path, commits: int, sessions: int, files: int) -> Repo:
    """Make the repository."""
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "--quiet", "--initial-branch=main")
    marks = path / ".git" / "marks"
    made: list[list[Link]] = []
    with subprocess.Popen(
        ["git", "fast-import", "--quiet", f"--export-marks={marks}"],
        cwd=path, stdin=subprocess.PIPE,
    ) as process:  # fmt: skip
        if process.stdin is None:
            raise OSError("git fast-import has no pipe")
        for block in _history(commits, sessions, files, made):
            process.stdin.write(block)
    repo.git("reset", "--quiet", "--hard", "main")
    repo.git("commit-graph", "write", "--reachable", "--changed-paths", "--no-progress")
    named = dict(line.split() for line in marks.read_text().splitlines())
    repository = discover(path)
    links = {named[f":{n}"]: found for n, found in enumerate(made, 1) if found}
    write_links(repository, links)
    memory = MemoryStore(repository, lambda exchange: exchange)
    for first in range(0, sessions, _BATCH):
        memory.add(_session(n) for n in range(first, min(first + _BATCH, sessions)))
    return repo


def _session(number: int) -> Session:
    whole = session_of(number)
    return replace(whole, exchanges=whole.exchanges[:PER_SESSION])


def _history(commits: int, sessions: int, files: int, made: list[list[Link]]) -> Iterator[bytes]:
    rng = random.Random(7)
    words = [words_of(rng, 6) for _ in range(2_000)]
    texts = [[f"line {n} {rng.choice(words)}" for n in range(_LINES)] for _ in range(files)]
    paths = [f"src/area{n % 17}/part{n % 5}/file{n}.py" for n in range(files)]
    for number in range(commits):
        changed = range(files) if number == 0 else sorted(rng.sample(range(files), 2))
        exchange = _exchange(number, commits, sessions)
        links = []
        head = f"{rng.choice(_AUTHORS)} {_START + number * _STEP} +0000"
        subject = f"Change {number}: {rng.choice(words)}\n".encode()
        lines = [f"commit refs/heads/main\nmark :{number + 1}\nauthor {head}\ncommitter {head}\n"]
        parts = ["".join(lines).encode(), b"data %d\n%s" % (len(subject), subject)]
        for file in changed:
            text = texts[file]
            first = rng.randrange(_LINES - _CHANGED)
            if number:
                text[first : first + _CHANGED] = [
                    f"line {number} {rng.choice(words)}" for _ in range(_CHANGED)
                ]
            data = "".join(f"{line}\n" for line in text).encode()
            parts.append(b"M 100644 inline %s\n" % paths[file].encode())
            parts.append(b"data %d\n%s\n" % (len(data), data))
            if exchange and number:
                blob = hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()  # noqa: S324
                lines_of = ((first + 1, first + _CHANGED),)
                links.append(Link(*exchange, 0.9, "edit", paths[file], blob, lines_of))
        made.append(links)
        yield b"".join(parts)


def _exchange(number: int, commits: int, sessions: int) -> tuple[str, str] | None:
    """Return who made a commit, None for a person: every second one."""
    if number % 2 or not sessions:
        return None
    place = number // 2 * sessions * PER_SESSION // max(commits // 2, 1)
    session = min(place // PER_SESSION, sessions - 1)
    return f"s{session}", f"s{session}-{place % PER_SESSION}"
