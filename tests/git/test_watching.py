"""Whoever hears that nothing has happened in a working tree may believe it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.git import watching
from git_skillmesh.git.inotify import Inotify, Unwatchable
from git_skillmesh.git.repository import discover
from git_skillmesh.git.trees import WorkingTree, working_tree
from git_skillmesh.git.watching import Watch
from testing.examples import examples
from testing.repos import Repo, make_repo

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")

FILES = {
    "a.py": "x = 1\n",
    "src/b.py": "y = 2\n",
    "src/deep/c.py": "z = 3\n",
    ".gitignore": "out/\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with an ignored folder and an empty one."""
    made = make_repo(tmp_path / "r e p o", files=FILES)
    for name in ("out/inner", "empty"):
        (made.path / name).mkdir(parents=True)
    (made.path / "out/inner/o.txt").write_text("o")
    return made


def watched(repo: Repo) -> Watch:
    """Return a watch that has just begun."""
    watch = Watch(discover(repo.path))
    watch.begin()
    assert watch.problem == ""
    assert watch.quiet()
    return watch


def _write(name: str, text: str = "changed\n") -> Callable[[Repo], None]:
    def change(repo: Repo) -> None:
        path = repo.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


def _git(*args: str) -> Callable[[Repo], None]:
    return lambda repo: print(repo.git(*args))


NOTICED: dict[str, Callable[[Repo], object]] = {
    "an edit": _write("src/deep/c.py"),
    "a new file": _write("src/new.py"),
    "a file in an empty folder": _write("empty/new.py"),
    "a file in new folders": _write("one/two/three.py"),
    "a deletion": lambda repo: (repo.path / "a.py").unlink(),
    "a renamed file": lambda repo: (repo.path / "a.py").rename(repo.path / "z.py"),
    "a renamed folder": lambda repo: (repo.path / "src").rename(repo.path / "lib"),
    "a replaced file": lambda repo: (repo.path / "src/b.py").replace(repo.path / "a.py"),
    "permissions": lambda repo: (repo.path / "a.py").chmod(0o755),
    "rules of what is ignored": _write(".gitignore", ""),
    "rules outside of the tree": _write(".git/info/exclude", "*.py\n"),
    "settings": _git("config", "skillmesh.index.exclude", "a.py"),
    "settings of the user": _git("config", "--global", "core.excludesFile", "/none"),
    "the index": _git("rm", "--quiet", "--cached", "a.py"),
    "settings of the project": _write(".skillmesh/config.toml", ""),
}


@pytest.mark.parametrize("name", NOTICED)
def test_what_changes_the_answer_is_noticed(repo: Repo, name: str) -> None:
    watch = watched(repo)

    NOTICED[name](repo)

    assert not watch.quiet()
    watch.begin()
    assert watch.quiet()
    watch.close()


@pytest.mark.parametrize(
    "change",
    [
        _write("out/inner/o.txt"),
        _write("out/more/o.txt"),
        _write(".git/skillmesh/cache"),
        _git("update-ref", "refs/heads/other", "HEAD"),
        lambda repo: (repo.path / "a.py").read_text(),
        lambda repo: working_tree(discover(repo.path)),
    ],
)
def test_what_does_not_is_not(repo: Repo, change: Callable[[Repo], object]) -> None:
    watch = watched(repo)

    change(repo)

    assert watch.quiet()
    watch.close()


def test_folders_that_are_new_or_no_longer_ignored_are_watched_from_then_on(repo: Repo) -> None:
    watch = watched(repo)
    for name in ("one/two/three.py", "empty/deep/er.py"):
        _write(name)(repo)
    (repo.path / ".gitignore").unlink()
    watch.begin()
    for name in ("one/two/three.py", "empty/deep/er.py", "out/inner/o.txt", "out/p.txt"):
        assert watch.quiet()
        _write(name, "again")(repo)
        assert not watch.quiet()
        watch.begin()
    watch.close()


def test_a_linked_worktree_is_watched_alone(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", os.fspath(tmp_path / "linked"))
    ours, theirs = watched(repo), watched(Repo(tmp_path / "linked"))

    (tmp_path / "linked/a.py").write_text("theirs")

    assert ours.quiet()
    assert not theirs.quiet()


def test_of_a_repository_inside_only_its_end_matters(repo: Repo) -> None:
    inner = make_repo(repo.path / "inner", files={"i/i.py": ""})
    watch = watched(repo)
    (inner.path / "i/i.py").write_text("changed")
    assert watch.quiet()

    (inner.path / ".git").rename(repo.path.parent / "away")

    assert not watch.quiet()
    watch.begin()
    (inner.path / "i/i.py").write_text("changed again")
    assert not watch.quiet()


def test_a_bare_repository_has_nothing_to_watch_but_its_settings(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "bare", bare=True)
    watch = watched(repo)
    repo.git("config", "skillmesh.index.exclude", "x")
    assert not watch.quiet()


def test_after_a_while_it_is_looked_at_anyway(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watched(repo)
    monkeypatch.setattr(watching, "_TRUSTED_SECONDS", -1.0)
    assert not watch.quiet()


def test_what_cannot_be_watched_is_always_looked_at(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_MOST_FOLDERS", 2)
    watch = Watch(discover(repo.path))
    watch.begin()
    assert watch.problem == "more than 2 folders"
    assert not watch.quiet()


def test_other_systems_and_file_systems_are_always_looked_at(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "only_written_here", lambda folder: False)
    watch = Watch(discover(repo.path))
    watch.begin()
    assert watch.problem == "other machines may write to the repository"
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Unwatchable, match="this system has no inotify"):
        Inotify()


def test_events_that_were_lost_count_as_a_change(repo: Repo) -> None:
    watch = watched(repo)
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    first, second = repo.path / "a.py", repo.path / "src/b.py"
    for _ in range(most // 2 + 100):  # two different ones in turn: the same would be merged
        first.chmod(0o644)
        second.chmod(0o644)
    _write("lost/after.py")(repo)
    assert not watch.quiet()
    watch.begin()
    _write("lost/after.py", "changed")(repo)
    assert not watch.quiet()


NAMES = st.sampled_from(["a.py", "src/b.py", "src/n.py", "new/d/e.py", "out/o.py", "src"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES, st.sampled_from(["1", "2"])),
        st.tuples(st.just("remove"), NAMES, st.just("")),
        st.tuples(st.just("move"), NAMES, NAMES),
        st.tuples(st.just("ignore"), st.sampled_from(["", "src/", "out/", "*.py"]), st.just("")),
        st.tuples(
            st.just("git"), st.sampled_from(["add -A", "stash -u", "reset --hard"]), st.just("")
        ),
    ),
    max_size=12,
)  # fmt: skip


def _apply(repo: Repo, step: tuple[str, str, str]) -> None:
    what, name, other = step
    path = repo.path / name
    try:
        if what == "write":
            _write(name, other)(repo)
        elif what == "remove":
            path.unlink()
        elif what == "move":
            path.rename(repo.path / other)
        elif what == "ignore":
            (repo.path / ".gitignore").write_text(name + "\n")
        else:
            repo.git(*name.split())
    except (OSError, AssertionError):
        pass  # there is no such thing now


@settings(max_examples=examples(8), deadline=None)
@given(steps=STEPS)
def test_in_any_course_of_things_quiet_means_unchanged(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    repo = make_repo(tmp_path_factory.mktemp("any"), files=FILES)
    repository = discover(repo.path)
    watch = Watch(repository)
    seen: tuple[WorkingTree, dict[str, bytes]] | None = None
    for step in [("write", "a.py", "0"), *steps]:
        _apply(repo, step)
        quiet = watch.quiet()
        if not quiet:
            watch.begin()
        state = working_tree(repository)
        now = (
            state,
            {
                name: (repo.path / name).read_bytes()
                for name in (*state.changed, *state.untracked)
                if (repo.path / name).is_file()
            },
        )
        assert not quiet or now == seen
        seen = now
    watch.close()
