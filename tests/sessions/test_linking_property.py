"""No line is ever attributed to an exchange that did not write it.

Sessions and a person edit files at random, by insertion, replacement, deletion, whole files, moves
and renames, and commit now and then. Every line is unique, so a model knows who wrote it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.git.refs import list_refs
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.model import Exchange, Session, ToolCall
from testing.examples import examples
from testing.linking import by_line, commit, link, wrote
from testing.memory import open_memory
from testing.repos import Repo, make_repo

AUTHORS = ("person", "one", "two")
ACTIONS = ("insert", "replace", "delete", "write", "move", "rename", "indent", "commit")
STEPS = st.lists(
    st.tuples(st.sampled_from(AUTHORS), st.sampled_from(ACTIONS), st.integers(0, 10**6)),
    min_size=4, max_size=24,
)  # fmt: skip


@dataclass
class World:
    """The working tree, who wrote each line, and what the sessions recorded."""

    repo: Repo
    files: dict[str, list[str]] = field(default_factory=lambda: {"a.py": [], "b.py": []})
    writer: dict[str, str] = field(default_factory=dict)
    minute: float = 0
    calls: dict[str, list[ToolCall]] = field(default_factory=lambda: {"one": [], "two": []})
    exchanges: dict[str, list[Exchange]] = field(default_factory=lambda: {"one": [], "two": []})
    linked: int = 0
    expected: int = 0

    def current(self, author: str) -> str:
        return f"{author}-{len(self.exchanges.get(author, ()))}"

    def fresh(self, author: str, count: int, chance: random.Random) -> list[str]:
        lines = []
        for _ in range(count):
            line = f"name_{len(self.writer)} = compute_{chance.randrange(10**9)}()"
            self.writer[line] = "person" if author == "person" else self.current(author)
            lines.append(line)
        return lines

    def record(self, author: str, path: str, before: list[str], start: int, old: int) -> None:
        """Record what changed from `start` on as an agent does, with a line of context."""
        if author == "person":
            return
        after = self.files[path]
        new = len(after) - (len(before) - old)
        first = max(start - 1, 0)
        texts = ["".join(f"{line}\n" for line in part) for part in
                 (before[first : start + old], after[first : start + new])]  # fmt: skip
        self.calls[author].append(wrote(self.minute, path, texts[0], texts[1], line=first + 1))

    def act(self, author: str, action: str, number: int) -> None:
        chance = random.Random(number)
        self.minute += 1
        path = chance.choice(sorted(self.files))
        lines = self.files[path]
        before = list(lines)
        at = chance.randint(0, len(lines))
        if action == "insert":
            lines[at:at] = self.fresh(author, chance.randint(1, 4), chance)
            self.record(author, path, before, at, 0)
        elif action in ("replace", "delete") and lines:
            at = min(at, len(lines) - 1)
            count = min(chance.randint(1, 3), len(lines) - at)
            lines[at : at + count] = self.fresh(author, 2, chance) if action == "replace" else []
            self.record(author, path, before, at, count)
        elif action == "write":
            keep = [line for line in lines if chance.random() < 0.7]
            keep[at:at] = self.fresh(author, chance.randint(1, 5), chance)
            self.files[path] = keep
            if author != "person":
                texts = ["".join(f"{line}\n" for line in part) for part in (before, keep)]
                self.calls[author].append(
                    wrote(self.minute, path, texts[0], texts[1], whole=True, line=1)
                )
        elif action == "move" and lines:
            other = chance.choice(sorted(self.files))
            at = min(at, len(lines) - 1)
            part, lines[at : at + 2] = lines[at : at + 2], []
            self.record(author, path, before, at, len(part))
            target = self.files[other]
            was, place = list(target), chance.randint(0, len(target))
            target[place:place] = part
            self.record(author, other, was, place, 0)
        elif action == "rename":
            name = f"f{len(self.files)}_{number}.py"
            self.files[name] = self.files.pop(path)
        elif action == "indent" and lines:
            at = min(at, len(lines) - 1)
            lines[at] = f"    {lines[at]}"
        elif action == "commit":
            self.commit()

    def commit(self) -> None:
        for path in self.repo.path.glob("*.py"):
            path.unlink()
        commit(self.repo, self.minute, {
            path: "".join(f"{line}\n" for line in lines) for path, lines in self.files.items()
        })  # fmt: skip
        self.remember()
        self.check()

    def remember(self) -> None:
        """Store what the sessions did since, and begin their next exchanges."""
        for author, calls in self.calls.items():
            if calls:
                done = Exchange(
                    self.current(author), "do", "done", calls[0].time, tools=tuple(calls)
                )
                self.exchanges[author].append(done)
                told = tuple(self.exchanges[author])
                open_memory(self.repo).add([Session(author, "claude-code", told)])
                self.calls[author] = []

    def check(self) -> None:
        outcome = link(self.repo)
        new = {line.lstrip() for line in self.added()}
        for path, lines in self.files.items():
            for number, found in by_line(self.repo, path).items():
                line = lines[number - 1].lstrip()
                exchange, kind = found.split(" ")
                assert exchange == self.writer[line], (line, found)
                assert line in new or kind == "moved", (line, found)
                self.linked += line in new
        self.expected += sum(self.writer[line] != "person" for line in new)
        assert outcome.looked <= 1

    def added(self) -> Iterator[str]:
        """Yield the lines that no earlier commit had."""
        before = self.repo.run("rev-parse", "HEAD~1").stdout.strip()
        known = self.repo.git("log", "-p", "--format=", before) if len(before) == 40 else ""
        had = {line[1:].strip() for line in known.splitlines() if line.startswith("+")}
        for lines in self.files.values():
            yield from (line for line in lines if line.strip() not in had)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("property"))


@given(STEPS)
@settings(
    max_examples=examples(5), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_no_line_is_attributed_to_an_exchange_that_did_not_write_it(
    shared: Repo, steps: list[tuple[str, str, int]]
) -> None:
    for ref in list_refs(discover(shared.path)):
        shared.git("update-ref", "-d", ref)
    for path in shared.state_dir.glob("linking.db*"):
        path.unlink()
    world = World(shared)
    for step in steps:
        world.act(*step)
    world.commit()


def test_nearly_every_line_of_an_agent_is_linked(tmp_path: Path) -> None:
    """What a person indents or an agent moves before it is committed may be lost, no more."""
    linked = expected = 0
    for seed in range(6):
        chance = random.Random(seed)
        world = World(make_repo(tmp_path, str(seed)))
        for _ in range(30):
            world.act(chance.choice(AUTHORS), chance.choice(ACTIONS), chance.randrange(10**6))
        world.commit()
        linked, expected = linked + world.linked, expected + world.expected
    assert expected > 70
    assert linked / expected >= 0.95, (linked, expected)
