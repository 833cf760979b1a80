"""The shims at work: real commits, merges, checkouts and rebases in all kinds of repositories."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.install import Report, install
from git_skillmesh.hooks.shim import TEMPLATES, render
from testing.environment import hook_processes
from testing.repos import Repo, Result, make_repo, run

Install = Callable[[Repo], Report]
Runs = Callable[[Repo], list[Path]]


def test_a_commit_in_the_main_checkout(tmp_path: Path, install_hooks: Install, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    repo.commit("second", {"a.txt": "2\n"})
    assert runs(repo) == [repo.path]


def test_a_commit_from_a_subfolder(tmp_path: Path, install_hooks: Install, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"deep/down/a.txt": "1\n"})
    install_hooks(repo)
    repo.write("deep/down/a.txt", "2\n")
    Repo(repo.path / "deep" / "down").git("commit", "--quiet", "-a", "-m", "from below")
    assert runs(repo) == [repo.path]


@pytest.mark.parametrize(
    "name", ['it\'s "quoted", costs $HOME `id` \\b', "-dash, ünï and\na new line"]
)
def test_a_commit_in_a_folder_with_an_odd_name(
    tmp_path: Path, install_hooks: Install, runs: Runs, name: str
) -> None:
    repo = make_repo(tmp_path, name, files={"a.txt": "1\n"})
    install_hooks(repo)
    assert commit_quietly(repo) == SILENT
    assert runs(repo) == [repo.path]


def test_hooks_installed_from_a_linked_worktree_serve_every_worktree(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    main = make_repo(tmp_path, files={"a.txt": "1\n"})
    linked = main.worktree(tmp_path / "linked tree", "topic")
    install_hooks(linked)
    linked.commit("in the linked worktree")
    assert runs(main) == [linked.path]
    main.commit("in the main one")
    assert runs(main) == [linked.path, main.path]
    third = main.worktree(tmp_path / "third", "other")
    assert runs(main) == [linked.path, main.path, third.path]


def test_a_submodule(tmp_path: Path, install_hooks: Install, runs: Runs) -> None:
    library = make_repo(tmp_path, "library", files={"l.txt": "1\n"})
    outer = make_repo(tmp_path, "outer", files={"o.txt": "1\n"})
    inner = outer.submodule(library, "vendor")
    install_hooks(inner)
    inner.commit("in the submodule")
    assert runs(inner) == [inner.path]
    assert inner.state_dir == outer.path / ".git" / "modules" / "vendor" / "skillmesh"
    outer.commit("outside")
    assert runs(outer) == []


def test_a_worktree_of_a_bare_repository(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    origin = make_repo(tmp_path, "origin", files={"a.txt": "1\n"})
    bare = origin.clone(tmp_path / "bare.git", "--bare")
    install_hooks(bare)
    linked = bare.worktree(tmp_path / "linked", "topic")
    linked.commit("second")
    assert set(runs(bare)) == {linked.path}


def test_a_bare_repository_is_served_by_its_own_folder(tmp_path: Path, runs: Runs) -> None:
    bare = make_repo(tmp_path, files={"a.txt": "1\n"}).clone(tmp_path / "bare.git", "--bare")
    install(discover(bare.path))
    shim = run(bare.path / "hooks" / "post-merge", "0", cwd=bare.path, env={"GIT_DIR": "."})
    assert shim == SILENT
    assert runs(bare) == [bare.path]


def test_a_folder_of_hooks_inside_the_working_tree(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", "tools/githooks/README": "ours\n"})
    repo.git("config", "core.hooksPath", "tools/githooks")
    report = install_hooks(repo)
    assert report.folder == repo.path / "tools" / "githooks"
    repo.git("commit", "--quiet", "--allow-empty", "-m", "second")
    assert runs(repo) == [repo.path]


def test_a_shared_folder_of_hooks_serves_only_who_asked_for_it(tmp_path: Path, runs: Runs) -> None:
    shared = tmp_path / "shared hooks"
    wants = make_repo(tmp_path, "wants", files={"a.txt": "1\n"})
    other = make_repo(tmp_path, "other", files={"a.txt": "1\n"})
    for repo in (wants, other):
        repo.git("config", "core.hooksPath", os.fspath(shared))
    install(discover(wants.path), shared_hooks=True)
    linked = wants.worktree(tmp_path / "linked", "topic")
    for repo in (linked, other):
        assert commit_quietly(repo) == SILENT
    assert set(runs(wants)) == {linked.path}
    assert runs(other) == []
    assert not other.state_dir.exists()


def test_a_working_tree_that_does_not_lead_to_its_repository(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    away = (f"--git-dir={repo.path / '.git'}", f"--work-tree={dotfiles}")
    Repo(dotfiles).git(*away, "commit", "--quiet", "--allow-empty", "-m", "from elsewhere")
    assert runs(repo) == [repo.path / ".git"]


def git_says(repo: Repo, *args: str) -> Result:
    """Run git as a user would who sees both streams."""
    return repo.run(*args)


SILENT = Result(0, "", "")


def commit_quietly(repo: Repo) -> Result:
    return git_says(repo, "commit", "--quiet", "--allow-empty", "-m", "quietly")


def everyday_work(repo: Repo) -> list[Result]:
    """Do what people do in a day, and return all that git said."""
    (repo.path / "a.txt").write_text("2\n")
    said = [git_says(repo, "commit", "-a", "-m", "with -a")]
    for name in ("b.txt", "c.txt"):
        (repo.path / name).write_text(f"{name}\n")
    said.append(git_says(repo, "add", "b.txt", "c.txt"))
    said.append(git_says(repo, "commit", "-m", "one path", "b.txt"))
    said.append(git_says(repo, "commit", "-m", "the rest"))
    said.append(git_says(repo, "commit", "--amend", "-m", "the rest, amended"))
    said.append(git_says(repo, "checkout", "-b", "topic", "HEAD~2"))
    for name in ("d.txt", "e.txt", "f.txt"):
        (repo.path / name).write_text(f"{name}\n")
        said.append(git_says(repo, "add", name))
        said.append(git_says(repo, "commit", "-m", name))
    said.append(git_says(repo, "rebase", "-i", "--force-rebase", "main"))
    said.append(git_says(repo, "checkout", "main"))
    said.append(git_says(repo, "merge", "--no-ff", "-m", "merge topic", "topic"))
    said.append(git_says(repo, "cherry-pick", "--allow-empty", "HEAD^2"))
    said.append(git_says(repo, "checkout", "HEAD~1", "--", "a.txt"))
    said.append(git_says(repo, "reset", "--hard", "HEAD~1"))
    return said


def test_git_says_and_does_the_same_as_without_hooks(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    plain = make_repo(tmp_path, "plain", files={"a.txt": "1\n"})
    hooked = make_repo(tmp_path, "hooked", files={"a.txt": "1\n"})
    install_hooks(hooked)
    said = everyday_work(plain)
    assert everyday_work(hooked) == said
    assert [result.returncode for result in said].count(0) == len(said) - 1  # the empty pick
    assert hooked.git("log", "--all", "--format=%H") == plain.git("log", "--all", "--format=%H")
    assert hooked.git("status", "--porcelain") == ""
    served = runs(hooked)
    assert set(served) == {hooked.path}
    assert len(served) <= 5


def test_a_rebase_of_several_picks_is_one_or_two_runs(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    for number in range(8):
        repo.commit(f"pick {number}", {f"{number}.txt": "x\n"})
    install_hooks(repo)
    repo.git("rebase", "--quiet", "-i", "--root", "--force-rebase")
    assert 1 <= len(runs(repo)) <= 2


def test_what_changes_no_commit_starts_no_worker(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    repo.git("checkout", "HEAD", "--", "a.txt")
    repo.git("checkout", "--quiet", "-b", "same-commit")
    assert runs(repo) == []
    assert not repo.state_dir.exists()


def test_nothing_of_the_caller_stays_open(
    tmp_path: Path, install_hooks: Install, hermetic: str, cold_start: None
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    # Any of these pipes that the worker held would stay open until it has ended.
    extra_read, extra_write = os.pipe()
    high = fcntl.fcntl(extra_write, fcntl.F_DUPFD, 42)  # a free one: 42 may be another's pipe
    os.set_inheritable(extra_write, True)
    process = subprocess.Popen(
        ["git", "commit", "--quiet", "--allow-empty", "-m", "x"],
        cwd=repo.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(extra_write, high),
    )
    os.close(extra_write)
    os.close(high)
    output = process.communicate(b"")
    assert (process.returncode, output) == (0, (b"", b""))
    assert os.read(extra_read, 1) == b""
    os.close(extra_read)
    deadline = time.monotonic() + 60
    while len(found := hook_processes(hermetic)) != 1:  # the shim may be on its way out
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (pid,) = found
    while os.getpriority(os.PRIO_PROCESS, pid) != min(os.nice(0) + 10, 19):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert os.getsid(pid) == pid
    for number in (0, 1, 2):
        assert os.fspath(Path(f"/proc/{pid}/fd/{number}").readlink()) == os.devnull


SH_HOOK = """\
#!/bin/sh
echo "sh hook $# $*" >>"{out}"
cat >>"{out}"
echo "said on stderr" >&2
exit {status}
"""
PYTHON_HOOK = """\
#!{python} -IS
import sys
with open({out!r}, "a") as stream:
    stream.write(f"python hook {{len(sys.argv) - 1}} {{' '.join(sys.argv[1:])}}\\n")
    stream.write(sys.stdin.read())
sys.stderr.write("said on stderr\\n")
sys.exit({status})
"""


@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("template", [SH_HOOK, PYTHON_HOOK], ids=["sh", "python"])
def test_a_foreign_hook_gets_what_git_gives_and_answers_for_itself(
    tmp_path: Path, install_hooks: Install, runs: Runs, template: str, status: int
) -> None:
    said = []
    for name in ("plain", "hooked"):
        out = tmp_path / f"{name}.out"
        repo = make_repo(tmp_path, name, files={"a.txt": "1\n"})
        repo.git("branch", "topic")
        for hook in TEMPLATES:
            left = 0 if hook in ("pre-commit", "commit-msg") else status  # these end the commit
            text = template.format(out=os.fspath(out), status=left, python=sys.executable)
            repo.hook(hook, text)
        if name == "hooked":
            install_hooks(repo)
        results = [
            git_says(repo, "commit", "--allow-empty", "-m", "one"),
            git_says(repo, "commit", "--allow-empty", "--amend", "-m", "two"),
            git_says(repo, "checkout", "topic"),
            git_says(repo, "merge", "main"),
        ]
        said.append((results, out.read_text()))
    assert said[1] == said[0]
    results, written = said[0]
    assert [result.returncode for result in results] == [0, 0, 1 if status else 0, 0]
    assert "amend" in written  # with standard input: old id, new id
    assert set(runs(repo)) == {repo.path}


@pytest.mark.parametrize("linked", [False, True], ids=["main", "linked"])
def test_the_worker_is_told_what_was_rewritten(tmp_path: Path, linked: bool) -> None:
    """Here it cannot start; what it would be told is there, and the foreign hook had it too."""
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install(discover(repo.path))
    for name in TEMPLATES:
        (repo.hooks_dir / name).write_bytes(render(name, shared=False, python="/nonexistent"))
    repo.hook("post-rewrite.before-skillmesh", f'#!/bin/sh\ncat >>"{tmp_path}/said"\n')
    where = repo.worktree(tmp_path / "linked", "topic") if linked else repo
    one, two = where.commit("one"), where.commit("two")
    where.git("commit", "--quiet", "--allow-empty", "--amend", "-m", "amended")
    said = f"{two} {where.head}\n"
    assert (repo.state_dir / "rewritten").read_text() == said
    olds = [one, where.head]
    where.git("reset", "--quiet", "--hard", "HEAD~2")
    where.commit("upstream", {"b.txt": "2\n"})
    where.git("rebase", "--quiet", "--keep-empty", "--onto", "HEAD", "HEAD~1", olds[1])
    news = where.git("rev-list", "--reverse", "HEAD~2..HEAD").split()
    said += "".join(f"{old} {new}\n" for old, new in zip(olds, news, strict=True))
    assert (repo.state_dir / "rewritten").read_text() == said
    assert (tmp_path / "said").read_text() == said


def test_a_hook_that_git_would_not_run_is_not_run(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-commit", "#!/bin/sh\necho must not run >&2\n", mode=0o644)
    install_hooks(repo)
    assert commit_quietly(repo) == SILENT
    assert runs(repo) == [repo.path]


def test_a_shim_chained_to_itself_ends(tmp_path: Path, install_hooks: Install, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    hook = repo.hooks_dir / "post-commit"
    shutil.copy(hook, hook.with_name("post-commit.before-skillmesh"))
    assert commit_quietly(repo) == SILENT
    assert runs(repo) == [repo.path]


def test_an_interpreter_that_vanished(tmp_path: Path, install_hooks: Install, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    gone = "/nonexistent/it's gone/python"
    for name in TEMPLATES:
        (repo.hooks_dir / name).write_bytes(render(name, shared=False, python=gone))
    assert commit_quietly(repo) == SILENT  # no folder for a log
    log = repo.state_dir / "log" / "shim.log"
    repo.state_dir.mkdir()
    for _ in range(3):
        assert commit_quietly(repo) == SILENT
    assert [line.split(" /")[0] for line in log.read_text().splitlines()] == [
        "post-commit: cannot start"
    ]
    assert gone in log.read_text()
    linked = repo.worktree(tmp_path / "linked", "topic")
    assert commit_quietly(linked) == SILENT
    assert log.read_text().startswith("post-commit: cannot start ")
    assert runs(repo) == []


def test_a_state_folder_that_cannot_be_made(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    repo.state_dir.write_text("somebody's file\n")
    assert commit_quietly(repo) == SILENT
    assert runs(repo) == []
    assert repo.state_dir.read_text() == "somebody's file\n"


def test_a_state_folder_that_is_read_only(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    repo.state_dir.mkdir()
    repo.state_dir.chmod(0o555)
    command = ["git", "commit", "--quiet", "--allow-empty", "-m", "x"]
    if os.geteuid() == 0:  # root may write everywhere unless it gives that right away
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to give up root's rights")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    try:
        assert run(*command, cwd=repo.path) == SILENT
        assert runs(repo) == []
        assert list(repo.state_dir.iterdir()) == []
    finally:
        repo.state_dir.chmod(0o755)
    assert commit_quietly(repo) == SILENT
    assert runs(repo) == [repo.path]
