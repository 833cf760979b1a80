"""Clones that write, forget and sync in any order, and what must be true in the end.

In: steps, as tuples of numbers. Out: `World`, whose `settle` brings the clones together and whose
`check` compares them with a model that knows nothing of git.
"""

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from git_skillmesh.errors import Busy, Unavailable
from git_skillmesh.git.notes import add_lines, all_notes
from git_skillmesh.git.remotes import find_remote
from git_skillmesh.sessions.events import Event
from git_skillmesh.sessions.layout import key_of
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.sync import sync

from .memory import make_exchange, open_memory
from .remotes import make_hub, refuse_once
from .repos import Repo, make_repo

REF, NOTES = "refs/skillmesh/memory", "refs/notes/skillmesh"
SESSIONS = tuple(f"s{number}" for number in range(3))
# What may happen, as often as it stands here.
ACTIONS = ("add", "add", "grow", "event", "note", "amend", "sync", "sync", "sync", "forget",
           "forget", "killed", "refused", "both")  # fmt: skip
Step = tuple[str, int, int, int]


@dataclass
class Model:
    """What has been written anywhere, and what was forgotten anywhere."""

    exchanges: dict[str, dict[str, Exchange]] = field(default_factory=dict)
    events: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, set[str]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)

    def learn(self, session: Session) -> None:
        """Take in a session: of each exchange the richer one."""
        known = self.exchanges.setdefault(session.session_id, {})
        for exchange in session.exchanges:
            old = known.get(exchange.exchange_id)
            if old is None or len(exchange.tools) > len(old.tools):
                known[exchange.exchange_id] = exchange

    def left(self) -> dict[str, dict[str, Exchange]]:
        """Return the sessions that must be everywhere in the end."""
        return {
            name: exchanges
            for name, exchanges in self.exchanges.items()
            if name not in self.forgotten
        }


class World:
    """Some clones and the bare repositories that they share."""

    def __init__(self, folder: Path, clones: int, hubs: int) -> None:
        self.model = Model()
        self.hubs = [make_hub(folder, f"hub{number}.git") for number in range(hubs)]
        self.clones: list[Repo] = []
        self.syncs = self.failures = 0
        self._children: list[int] = []
        for number in range(clones):
            repo = make_repo(folder, f"clone{number}", files={"a": f"{number}\n"})
            repo.git("config", "notes.rewriteRef", f"{NOTES}*")
            for place, hub in enumerate(self.hubs):
                repo.git("remote", "add", f"hub{place}", hub.path.as_uri())
            self.clones.append(repo)

    def take(self, steps: Sequence[Step]) -> None:
        """Do the steps: what, and three numbers that say where and how much."""
        for number, (what, where, about, much) in enumerate(steps):
            repo = self.clones[where % len(self.clones)]
            hub = about % len(self.hubs)
            name = SESSIONS[about % len(SESSIONS)]
            if what in ("sync", "killed", "refused", "both"):
                self._sync_somehow(what, repo, hub, much)
            elif what in ("note", "amend"):
                self._annotate(what, repo, number)
            else:
                self._remember(what, repo, name, much, number)

    def _remember(self, what: str, repo: Repo, name: str, much: int, number: int) -> None:
        memory = open_memory(repo)
        if what in ("add", "grow"):
            made = tuple(make_exchange(n, calls=1, owner=name) for n in range(1, much + 1))
            if what == "grow":
                made = (make_exchange(much, calls=1 + number % 4, owner=name),)
            session = Session(name, "codex", made, f"title {number}" if much == 1 else "")
            memory.add([session])
            self.model.learn(session)
            return
        if name not in {found.head.session_id for found in memory.sessions()}:
            return
        if what == "forget":
            memory.forget(name)
            self.model.forgotten.add(name)
        else:
            memory.append_event(name, Event("note", number, name, "2024-03-01T00:00:00Z"))
            self.model.events.setdefault(name, set()).add(str(number))

    def _annotate(self, what: str, repo: Repo, number: int) -> None:
        if what == "amend":
            repo.git("commit", "--quiet", "--amend", "--allow-empty", "-m", f"amended {number}")
        else:
            add_lines(repo.opened(), {repo.head: [f'{{"note": {number}}}']})
        for commit, lines in all_notes(repo.opened()).items():
            self.model.notes.setdefault(commit, set()).update(lines)

    def _sync_somehow(self, what: str, repo: Repo, hub: int, much: int) -> None:
        if what == "refused":
            refuse_once(self.hubs[hub])
        if what == "killed":
            child = self._in_background(repo, hub)
            time.sleep(random.random() * 0.15)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        elif what == "both":
            other = self.clones[much % len(self.clones)]  # often the same clone twice
            children = [self._in_background(one, hub) for one in (repo, other)]
            for child in children:
                os.waitpid(child, 0)
        else:
            self.sync(repo, hub)

    def _in_background(self, repo: Repo, hub: int) -> int:
        child = os.fork()
        if child:
            return child
        try:
            self.sync(repo, hub)
        finally:
            os._exit(0)

    def sync(self, repo: Repo, hub: int) -> bool:
        """Sync a clone with a hub, and return whether it came through."""
        repository = repo.opened()
        self.syncs += 1
        try:
            sync(repository, find_remote(repository, f"hub{hub}"))
        except (Unavailable, Busy):
            self.failures += 1
            return False
        return True

    def settle(self) -> None:
        """Let every clone sync with every hub, twice. Raises AssertionError if one cannot."""
        for hub in self.hubs:
            (hub.hooks_dir / "pre-receive").unlink(missing_ok=True)
        for _ in range(2):
            for repo in self.clones:
                for place in range(len(self.hubs)):
                    assert self.sync(repo, place), f"{repo.path} cannot sync with {place}"

    def check(self) -> None:
        """Compare all clones and hubs with each other and with the model."""
        everywhere = [*self.clones, *self.hubs]
        for ref in (REF, NOTES):
            trees = {repo.run("rev-parse", "-q", "--verify", f"{ref}^{{tree}}").stdout
                     for repo in everywhere}  # fmt: skip
            assert len(trees) == 1, f"{ref} differs: {trees}"
        for repo in self.clones:
            self._check_one(repo)
        for repo in everywhere:
            history = repo.run("rev-list", "--objects", REF).stdout
            kept = [name for name in self.model.forgotten if f"/{key_of(name)}/" in history]
            assert kept == [], f"{repo.path} still has {kept}"
            repo.git("fsck", "--strict", "--no-dangling", "--no-progress")

    def _check_one(self, repo: Repo) -> None:
        memory = open_memory(repo)
        found = {
            summary.head.session_id: {
                exchange.exchange_id: exchange
                for exchange in memory.exchanges(summary.head.session_id)
            }
            for summary in memory.sessions()
        }
        left = self.model.left()
        assert found == left
        events = {name: {str(event.value) for event in memory.events(name)} for name in found}
        assert events == {name: self.model.events.get(name, set()) for name in left}
        assert all(memory.is_forgotten(name) for name in self.model.forgotten)
        notes = {commit: set(lines) for commit, lines in all_notes(repo.opened()).items()}
        assert notes == self.model.notes
