"""A repository that remembers something, and its backup; tests copy both."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from testing.commands import call
from testing.conversations import tell_the_parcels_story
from testing.docs_pages import make_sample
from testing.repos import Repo, Result
from testing.thoughts import record_sessions

LEARNING = ".skillmesh/learnings/never-sleep.yaml"
DRAFT = ".skillmesh/learnings/drafts/not committed.yaml"


@dataclass(frozen=True)
class Kept:
    """A repository and a backup of it, made without Chroma."""

    repo: Repo
    file: Path

    def restore(self, *args: str, to: Repo | None = None) -> Result:
        """Restore the backup."""
        return call((to or self.repo).path, "restore", str(self.file), *args)


@pytest.fixture(autouse=True)
def local_tier_only(hermetic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the Chroma tier; tests of it ask for it."""
    monkeypatch.setenv("CHROMA_DB_IMPL", "off")


@pytest.fixture(scope="session")
def story(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Conversations, links, thoughts, learnings committed and not, settings. Never changed."""
    folder = tmp_path_factory.mktemp("story")
    repo = make_sample(folder)
    repo.commit("learn", {LEARNING: "id: never-sleep\n", ".skillmesh/config.toml": "[sync]\n"})
    tell_the_parcels_story(repo)
    record_sessions(repo)
    repo.write(DRAFT, "draft: 1\n").chmod(0o755)
    for name, value in {
        "repoid": "1234567890abcdef", "link.days": "30", "advise.endpoint": "http://model.example",
        "chroma.apikey": "key-that-is-secret", "sync.agreed": "https://example.org/a.git",
        "chroma.url": "http://ada:password@example.org",
    }.items():  # fmt: skip
        repo.git("config", f"skillmesh.{name}", value)
    repo.git("repack", "-a", "-d", "-k", "--quiet")  # most tests copy it: few files
    file = folder / "backup.tar"
    done = call(repo.path, "backup", str(file), env={"CHROMA_DB_IMPL": "off"})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return Kept(repo, file)


@pytest.fixture
def kept(story: Kept, tmp_path: Path) -> Kept:
    """A copy of the repository, and its backup."""
    return Kept(story.repo.copy(tmp_path / "parcels"), story.file)


@pytest.fixture
def emptied(kept: Kept) -> Kept:
    """A copy of the repository without all that a backup holds."""
    import shutil

    shutil.rmtree(kept.repo.path / ".skillmesh")
    shutil.rmtree(kept.repo.state_dir, ignore_errors=True)
    for name in ("refs/skillmesh/memory", "refs/notes/skillmesh"):
        kept.repo.git("update-ref", "-d", name)
    return kept
