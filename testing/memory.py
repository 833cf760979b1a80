"""Sessions to store, and stores to put them in.

In: numbers. Out: sessions that differ by them, the same at every call; `open_memory` for a
repository.
"""

import os
from collections.abc import Sequence

from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import Repo


def unredacted(exchange: Exchange) -> Exchange:
    """Redact nothing."""
    return exchange


def open_memory(repo: Repo, ref: str = "refs/skillmesh/memory") -> MemoryStore:
    """Return the store of a repository, without redaction."""
    return MemoryStore(repo.opened(), unredacted, ref)


def make_exchange(
    number: int, calls: int = 2, response: str = "done", owner: str = "s"
) -> Exchange:
    """Return an exchange: a prompt, an answer, tool calls."""
    start = f"2024-03-01T12:{number % 60:02}:00Z"
    tools = tuple(
        ToolCall(
            f"{owner}-{number}-{call}",
            "Edit",
            Act.EDIT,
            input=f'{{"file": "src/f{call}.py"}}',
            output=f"edited {call} of {owner}",
            time=start,
            paths=(f"src/f{call}.py",),
            edits=(Edit(f"src/f{call}.py", "x = 1\n", f"x = {number} + {call}\n"),),
        )
        for call in range(calls)
    )
    return Exchange(
        f"{owner}-{number}", f"change {number}", response, start, start[:-3] + "59Z", "m-1", tools
    )


def make_session(name: str = "s", exchanges: int = 3, parent: str = "", **more: str) -> Session:
    """Return a session with that many exchanges."""
    made = tuple(make_exchange(number, owner=name) for number in range(1, exchanges + 1))
    values = {"title": f"Title of {name}", "directory": "src", "branch": "main", **more}
    return Session(name, "claude-code", made, parent=parent, **values)


def tree_of(repo: Repo, ref: str = "refs/skillmesh/memory") -> dict[str, str]:
    """Return path → text of everything under a ref."""
    listed = [line.split("\t", 1) for line in repo.git("ls-tree", "-r", ref).splitlines()]
    texts = texts_of(repo, [about.split(" ")[2] for about, _ in listed])
    return {name: text for (_, name), text in zip(listed, texts, strict=True)}


def texts_of(repo: Repo, blobs: Sequence[str]) -> list[str]:
    """Return the text of each blob, without its last line feed."""
    asked = "".join(f"{blob}\n" for blob in blobs)
    answer, start, texts = os.fsencode(repo.run("cat-file", "--batch", stdin=asked).stdout), 0, []
    for blob in blobs:
        end = answer.index(b"\n", start)
        name, kind, size = answer[start:end].split(b" ")
        assert (name, kind) == (blob.encode(), b"blob")
        start = end + 1 + int(size) + 1
        texts.append(os.fsdecode(answer[end + 1 : start - 1]).removesuffix("\n"))
    return texts
