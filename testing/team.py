"""A team: a bare repository, clones of it, and one Chroma server that all of them write to.

In: a folder and the address of a server. Out: `Team`. Everything is done in this process, as the
commands and the background worker do it, except for the writer of Chroma, which is a process of its
own.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from git_skillmesh.chroma.chats import exchange_rows
from git_skillmesh.chroma.codebase import codebase_rows, mirror_codebase
from git_skillmesh.chroma.directory import announce
from git_skillmesh.chroma.doctor import Finding, examine
from git_skillmesh.chroma.learnings import learning_rows
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.model import RowSource
from git_skillmesh.chroma.pipe import WriterWhenNeeded
from git_skillmesh.chroma.remembered import CHATS, REMEMBERED, mirror_remembered
from git_skillmesh.chroma.schemas import CODE
from git_skillmesh.chroma.target import Target, target_of
from git_skillmesh.chroma.thoughts import thought_rows
from git_skillmesh.config import Config, load
from git_skillmesh.git.remotes import find_remote
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.update import update, update_exchanges, update_learnings, update_provenance
from git_skillmesh.sessions.sync import sync

from .chroma_rows import stored
from .remotes import make_hub
from .repos import Repo, make_repo

REPO_ID = "team/project"
COLLECTIONS = ("codebase_v1", "chat_history_v1", "derived_learnings_v1", "thinking_sessions_v1")
# What says when or by whom a row was written, not what it is of.
_VOLATILE = ("indexed_at", "row_hash", "commit_sha")
Rows = dict[str, dict[str, Any]]


@dataclass
class Team:
    """The clones, by name; `settings` come before all configuration."""

    folder: Path
    url: str
    settings: dict[str, str] = field(default_factory=dict)
    clones: dict[str, Repo] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hub = make_hub(self.folder, "hub.git")
        self.settings |= {
            "chroma.impl": "http", "chroma.url": self.url, "repoid": REPO_ID, "index.jobs": "1",
        }  # fmt: skip

    def start(self, name: str, files: dict[str, str]) -> Repo:
        """Make the first clone, and push its first commit."""
        repo = make_repo(self.folder, name)
        repo.git("remote", "add", "origin", self.hub.path.as_uri())
        repo.commit("first", dict(files))
        repo.git("push", "--quiet", "--set-upstream", "origin", "main")
        self.clones[name] = repo
        return repo

    def clone(self, name: str) -> Repo:
        """Clone what the bare repository has."""
        self.clones[name] = self.hub.clone(self.folder / name)
        return self.clones[name]

    def opened(self, repo: Repo) -> tuple[Repository, Config, Target]:
        """Return repository, configuration and target of a clone."""
        repository = discover(repo.path)
        config = load(repository, self.settings)
        target = target_of(config, repository)
        assert target is not None
        return repository, config, target

    def code(self, repo: Repo) -> Outcome:
        """Bring the code up to date, and nothing else."""
        repository, config, target = self.opened(repo)
        update(repository, config, wait_seconds=60)
        return mirror_codebase(repository, config, target)

    def chats(self, repo: Repo) -> Outcome:
        """Bring the exchanges up to date, and nothing else."""
        repository, config, target = self.opened(repo)
        update_exchanges(repository, config, 60)
        outcome = mirror_remembered(CHATS, repository, config, target)
        assert outcome is not None
        return outcome

    def index(self, repo: Repo) -> None:
        """Bring the local tier up to date."""
        repository, config, _ = self.opened(repo)
        outcome = update(repository, config, wait_seconds=60)
        update_provenance(repository, outcome, 60)
        update_exchanges(repository, config, 60)
        update_learnings(repository, config, 60)

    def mirror(self, repo: Repo) -> dict[str, Outcome]:
        """Bring both tiers up to date, as the worker does; raises what it would log."""
        self.index(repo)
        repository, config, target = self.opened(repo)
        with WriterWhenNeeded(target, repository.state_dir) as one:
            done = {CODE: mirror_codebase(repository, config, target, writers=one)} | {
                kind.collection: mirror_remembered(kind, repository, config, target, writers=one)
                for kind in REMEMBERED
            }
            announce(repository, config, target, done, one)
        return {name: outcome for name, outcome in done.items() if outcome is not None}

    def sync(self, repo: Repo) -> None:
        """Share the memory."""
        repository = discover(repo.path)
        sync(repository, find_remote(repository, "origin"))

    @contextmanager
    def sources(self, repo: Repo) -> Iterator[dict[str, RowSource]]:
        """Open what the collections should be, as a clone sees it."""
        repository, config, _ = self.opened(repo)
        with ExitStack() as stack:
            opened = (
                stack.enter_context(codebase_rows(repository, config)),
                stack.enter_context(exchange_rows(repository, config)),
                stack.enter_context(learning_rows(repository, config)),
                stack.enter_context(thought_rows(repository, config)),
            )
            yield {
                name: source
                for name, source in zip(COLLECTIONS, opened, strict=True)
                if source is not None
            }

    def wanted(self, repo: Repo) -> dict[str, Rows]:
        """Return the rows that a clone would have there, by collection and id."""
        with self.sources(repo) as sources:
            return {
                name: {
                    row.id: _plain(row.metadata, row.document)
                    for row in source.rows(source.changes(None)[1], documents=True)
                }
                for name, source in sources.items()
            }

    def there(self, repo: Repo) -> dict[str, Rows]:
        """Return the rows that the server has, by collection and id."""
        _, _, target = self.opened(repo)
        return {
            name: {
                id_: _plain(row["metadata"], row["document"])
                for id_, row in stored(target, name, REPO_ID).items()
            }
            for name in self.wanted(repo)
        }

    def findings(self, repo: Repo) -> list[Finding]:
        """Return what doctor finds."""
        repository, _, target = self.opened(repo)
        found: list[Finding] = []
        with self.sources(repo) as sources:
            for name, source in sources.items():
                found += examine(source, target, repository.state_dir, 20, name)
        return found


def _plain(metadata: Any, document: str | None) -> dict[str, Any]:
    return {k: v for k, v in metadata.items() if k not in _VOLATILE} | {"document": document}
