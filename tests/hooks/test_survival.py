"""Every way to rewrite history, one by one, with the hooks that `init` installs.

In some tests the hooks start the worker; in the others they leave word for it, and the links are
carried when all is done. A line that ends in `# ask-N` was written by the exchange ask-N; it is
linked in the commit that brings it. At the end each line of HEAD is asked for as `why` asks: who is
blamed, what does that commit's note say. Lines without the comment are people's.
"""

import re
import shlex
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.install import install
from git_skillmesh.hooks.shim import TEMPLATES, render
from git_skillmesh.sessions.carrying import carry_links
from git_skillmesh.sessions.links import (
    Evidence,
    Link,
    lines_linked,
    ranges_of,
    read_links,
    write_links,
)
from testing.repos import Repo, make_repo

Wait = Callable[[Repo], str]

BASE = "".join(f"base line number {n}\n" for n in range(1, 9))
ONE = "first = combine(alpha, beta)  # ask-1\nsecond = measure(first)  # ask-1\n"
TWO = "third = resolve(gamma, delta)  # ask-2\n}\n"
THREE = "fourth = explain(epsilon)  # ask-3\n"
THEIRS = "a_person = wrote(this, line)\n"


def link(repo: Repo, commit: str = "HEAD") -> str:
    """Link the lines of a commit by what they say, and return its id."""
    oid = repo.git("rev-parse", commit)
    links = []
    for path in repo.git("diff-tree", "-r", "--name-only", "--no-commit-id", oid).splitlines():
        wanted: dict[str, list[int]] = {}
        blamed = repo.git("blame", "-l", "-s", oid, "--", path).splitlines()
        for number, line in enumerate(blamed, 1):
            if line.startswith(oid) and (found := re.search(r"# (ask-\d+)$", line)):
                wanted.setdefault(found[1], []).append(number)
        blob = repo.git("rev-parse", f"{oid}:{path}")
        for ask, numbers in wanted.items():
            links.append(Link("s-1", ask, 0.95, Evidence.EDIT, path, blob, ranges_of(numbers)))
    write_links(discover(repo.path), {oid: links})
    return oid


def attributed(repo: Repo, *paths: str, rev: str = "HEAD") -> str:
    """Return the files' lines, each with the exchange that its link names."""
    repository = discover(repo.path)

    @cache
    def linked_in(oid: str, name: str) -> dict[int, Link]:
        links = read_links(repository, [oid]).get(oid, ())
        return lines_linked(links, name, repo.git("rev-parse", f"{oid}:{name}"))

    said = []
    for path in paths:
        out = repo.git("blame", "--line-porcelain", rev, "--", path)
        oid, number, name = "", 0, ""
        for line in out.split("\n"):
            if re.match(r"[0-9a-f]{40} \d", line):
                oid, number = line.split()[0], int(line.split()[1])
            elif line.startswith("filename "):
                name = line[9:]
            elif line.startswith("\t"):
                found = linked_in(oid, name).get(number)
                said.append(f"{found.exchange if found else '-':<6}{line[1:]}\n")
    return "".join(said)


def expected(text: str) -> str:
    """Return what has to be attributed: each line to the exchange that it names."""
    asked = (re.search(r"# (ask-\d+)$", line) for line in text.splitlines())
    lines = zip(asked, text.splitlines(), strict=True)
    return "".join(f"{found[1] if found else '-':<6}{line}\n" for found, line in lines)


def at(text: str, line: int, block: str) -> str:
    """Return a text with a block before one of its lines, counted from 1."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: line - 1], block, *lines[line - 1 :]])


@pytest.fixture(scope="module")
def linked(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with hooks, a base, and three linked commits; the second has a person's line.

    No worker has run in it.
    """
    made = make_repo(tmp_path_factory.mktemp("linked"), files={"app.py": BASE, "lib.py": BASE})
    text = BASE
    for message, block in (("one", ONE), ("two", TWO + THEIRS), ("three", THREE)):
        text = at(text, {"one": 2, "two": 7, "three": 13}[message], block)
        made.commit(message, {"app.py": text})
        link(made)
    install(discover(made.path))
    return made


@pytest.fixture
def served(linked: Repo, tmp_path: Path) -> Repo:
    """A copy of the repository with three linked commits, whose hooks start the worker."""
    return linked.copy(tmp_path / "repo")


@pytest.fixture
def repo(served: Repo) -> Repo:
    """The same, but its hooks only keep what git told them: the worker's part is done in `check`.

    All that the worker does besides, for each commit of a rebase, concerns other tests.
    """
    for name in TEMPLATES:
        shim = render(name, shared=False, python="/nonexistent")
        (served.path / ".git" / "hooks" / name).write_bytes(shim)
    return served


ALL = at(at(at(BASE, 2, ONE), 7, TWO + THEIRS), 13, THREE)


def check(
    repo: Repo, text: str, *, wait: Wait | None = None, rev: str = "HEAD", path: str = "app.py"
) -> None:
    """Wait for the worker or do its part, then ask for every line of a file."""
    if wait is None:
        carry_links(discover(repo.path))
    else:
        log = wait(repo)
        assert " end after " in log
        assert "not carried" not in log
        assert "failed" not in log
    assert repo.git("show", f"{rev}:{path}") + "\n" == text
    assert attributed(repo, path, rev=rev) == expected(text)


def todo(*lines: str) -> dict[str, str]:
    """Return the environment for a rebase that does these things."""
    said = "".join(f"{line}\\n" for line in lines)
    return {"GIT_SEQUENCE_EDITOR": f"printf {shlex.quote(said)} >", "GIT_EDITOR": "true"}


def sedited(script: str) -> dict[str, str]:
    """Return the environment for a rebase whose list is changed by a sed script."""
    return {"GIT_SEQUENCE_EDITOR": f"sed -i -e {shlex.quote(script)}", "GIT_EDITOR": "true"}


def test_nothing_is_rewritten(served: Repo, wait_for_worker: Wait) -> None:
    before = served.git("rev-parse", "refs/notes/skillmesh")
    served.git("commit", "--quiet", "--allow-empty", "-m", "empty")
    check(served, ALL, wait=wait_for_worker)
    assert served.git("rev-parse", "refs/notes/skillmesh") == before


def test_amend(served: Repo, wait_for_worker: Wait) -> None:
    was = served.head
    text = at(ALL, 1, THEIRS)
    served.write("app.py", text)
    served.git("commit", "--quiet", "--all", "--amend", "-m", "three, amended")
    check(served, text, wait=wait_for_worker)
    blob = served.git("rev-parse", "HEAD:app.py")
    found = read_links(discover(served.path), [served.head])[served.head]
    fresh = Link("s-1", "ask-3", 0.95, "edit", "app.py", blob, ((14, 14),), (was,))
    assert [each for each in found if each.blob == blob] == [fresh]


def test_amend_of_an_amend_before_the_worker_comes(repo: Repo) -> None:
    text = ALL
    for number in range(4):
        text = at(text, 1, f"this line came with amend number {number}\n")
        repo.write("app.py", text)
        repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    check(repo, text)


def test_amend_in_which_a_person_replaces_a_linked_line(repo: Repo) -> None:
    text = ALL.replace("fourth = explain(epsilon)  # ask-3", "fourth = explain(epsilon, 2)")
    repo.write("app.py", text)
    repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    check(repo, text)
    assert "ask-3" not in attributed(repo, "app.py")


def test_amend_by_a_formatter(repo: Repo) -> None:
    text = ALL.replace("fourth = explain(epsilon)", "    fourth  =  explain( epsilon )")
    repo.write("app.py", text)
    repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    check(repo, text)


def test_amend_that_moves_a_line_to_another_file(repo: Repo) -> None:
    text = ALL.replace(THREE, "")
    repo.write("app.py", text)
    repo.write("lib.py", at(BASE, 4, THREE))
    repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    check(repo, text)
    check(repo, at(BASE, 4, THREE), path="lib.py")


def test_rebase_onto_other_work(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "upstream", "HEAD~3")
    repo.commit("upstream", {"app.py": BASE + THEIRS})
    repo.git("checkout", "--quiet", "main")
    repo.git("rebase", "--quiet", "upstream")
    check(repo, ALL + THEIRS)


def test_rebase_onto_a_rename(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "upstream", "HEAD~3")
    repo.git("mv", "app.py", "core.py")
    repo.git("commit", "--quiet", "-m", "rename")
    repo.git("checkout", "--quiet", "main")
    repo.git("rebase", "--quiet", "upstream")
    check(repo, ALL, path="core.py")


def test_rebase_reword_and_pick(repo: Repo) -> None:
    env = {**sedited("1s/^pick/reword/"), "GIT_EDITOR": "sed -i -e s/one/reworded/"}
    repo.git("rebase", "--quiet", "-i", "HEAD~3", env=env)
    assert repo.git("log", "--format=%s", "-3") == "three\ntwo\nreworded"
    check(repo, ALL)


def test_rebase_squash(served: Repo, wait_for_worker: Wait) -> None:
    olds = served.git("rev-list", "--reverse", "HEAD~3..HEAD").split()
    served.git("rebase", "--quiet", "-i", "HEAD~3", env=sedited("2,$s/^pick/squash/"))
    assert served.git("rev-list", "--count", "HEAD") == "2"
    check(served, ALL, wait=wait_for_worker)
    blob = served.git("rev-parse", "HEAD:app.py")
    found = read_links(discover(served.path), [served.head])[served.head]
    via = {each.exchange: each.via for each in found if each.blob == blob}
    # In between are commits of the rebase that the worker may have seen.
    assert via["ask-1"][0] == olds[0]
    assert via["ask-2"][0] == olds[1]


def test_rebase_that_reorders_and_drops(repo: Repo) -> None:
    one, two, three = repo.git("rev-list", "--reverse", "HEAD~3..HEAD").split()
    env = todo(f"pick {three}", f"drop {two}", f"pick {one}")
    repo.git("rebase", "--quiet", "-i", "HEAD~3", env=env)
    assert repo.git("log", "--format=%s", "-3") == "one\nthree\nfirst"
    check(repo, at(at(BASE, 2, ONE), 10, THREE))


def test_autosquash(repo: Repo) -> None:
    text = at(ALL, 3, THEIRS)
    repo.write("app.py", text)
    repo.git("commit", "--quiet", "--all", "--fixup=HEAD~2")
    repo.git("rebase", "--quiet", "-i", "--autosquash", "HEAD~4")
    assert repo.git("log", "--format=%s", "-4") == "three\ntwo\none\nfirst"
    check(repo, text)


def test_edit_stop_in_which_one_commit_becomes_two(served: Repo, wait_for_worker: Wait) -> None:
    served.git("rebase", "--quiet", "-i", "HEAD~3", env=sedited("1s/^pick/edit/"))
    served.git("reset", "--quiet", "HEAD~1")
    served.write("app.py", at(BASE, 2, ONE.splitlines(keepends=True)[0]))
    served.git("commit", "--quiet", "--all", "-m", "one, first half")
    served.write("app.py", at(BASE, 2, ONE))
    served.git("commit", "--quiet", "--all", "-m", "one, second half")
    served.git("rebase", "--continue")
    said = served.git("log", "--format=%s", "-4")
    assert said == "three\ntwo\none, second half\none, first half"
    check(served, ALL, wait=wait_for_worker)


def test_edit_stop_with_an_amend(repo: Repo) -> None:
    repo.git("rebase", "--quiet", "-i", "HEAD~3", env=sedited("2s/^pick/edit/"))
    text = at(at(BASE, 2, ONE), 7, TWO + THEIRS + "added at the stop by hand\n")
    repo.write("app.py", text)
    repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    repo.git("rebase", "--continue")
    check(repo, at(text, 14, THREE))


def test_a_conflict_resolved_by_hand(served: Repo, wait_for_worker: Wait) -> None:
    served.git("checkout", "--quiet", "-b", "upstream", "HEAD~3")
    ours = BASE.replace("base line number 2\n", "upstream = changed(this, line)\n")
    served.commit("upstream", {"app.py": ours})
    served.git("checkout", "--quiet", "main")
    assert served.run("rebase", "upstream").returncode == 1
    served.write("app.py", at(at(ours, 2, ONE), 3, "a_hand = was(here)\n"))
    served.git("add", "app.py")
    text = at(at(at(at(ours, 2, ONE), 3, "a_hand = was(here)\n"), 8, TWO + THEIRS), 14, THREE)
    result = served.run("rebase", "--continue")
    if result.returncode:
        served.write("app.py", text.replace(THREE, ""))
        served.git("add", "app.py")
        served.git("rebase", "--continue")
    check(served, text, wait=wait_for_worker)


def test_rebase_onto(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "elsewhere", "HEAD~3")
    repo.commit("elsewhere", {"lib.py": BASE + THEIRS})
    repo.git("rebase", "--quiet", "--onto", "elsewhere", "main~2", "main")
    text = at(at(BASE, 5, TWO + THEIRS), 11, THREE)
    assert repo.git("log", "--format=%s", "-4") == "three\ntwo\nelsewhere\nfirst"
    check(repo, text)


def test_rebase_of_a_merge(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    repo.commit("side", {"lib.py": at(BASE, 3, "side = work(of, it)  # ask-4\n")})
    link(repo)
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge side", "side")
    repo.git("checkout", "--quiet", "-b", "upstream", "HEAD~3")
    repo.commit("upstream", {"README": "x\n"})
    repo.git("checkout", "--quiet", "main")
    repo.git("rebase", "--quiet", "--rebase-merges", "upstream")
    check(repo, ALL)
    text = at(BASE, 3, "side = work(of, it)  # ask-4\n")
    check(repo, text, path="lib.py")


def test_cherry_pick_into_another_worktree(
    served: Repo, tmp_path: Path, wait_for_worker: Wait
) -> None:
    linked = served.worktree(tmp_path / "linked", "release")
    linked.git("reset", "--quiet", "--hard", "main~3")
    linked.git("cherry-pick", "-x", "main~2", "main")
    check(linked, at(at(BASE, 2, ONE), 10, THREE), wait=wait_for_worker)
    check(served, ALL, wait=wait_for_worker)


def test_cherry_pick_with_a_conflict(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "release", "HEAD~3")
    changed = BASE.replace("base line number 2\n", "release = changed(this, line)\n")
    repo.commit("release", {"app.py": changed})
    assert repo.run("cherry-pick", "main~2").returncode == 1
    text = at(changed, 2, ONE)
    repo.write("app.py", text)
    repo.git("commit", "--quiet", "--all", "-m", "picked by hand")
    check(repo, text)


@pytest.mark.parametrize("message", [(), ("-m", "all of it")], ids=["git's", "own message"])
def test_merge_squash(repo: Repo, message: tuple[str, ...]) -> None:
    repo.git("branch", "topic")
    repo.git("reset", "--quiet", "--hard", "HEAD~3")
    repo.commit("meanwhile", {"app.py": BASE + THEIRS.upper()})
    repo.git("merge", "--quiet", "--squash", "topic")
    repo.git("commit", "--quiet", "--no-edit", *message)
    repo.git("branch", "-D", "topic")
    check(repo, ALL + THEIRS.upper())


def test_a_revert_of_a_revert(repo: Repo) -> None:
    repo.git("revert", "--no-edit", "HEAD~1")
    repo.commit("meanwhile", {"lib.py": BASE + THEIRS})
    repo.git("revert", "--no-edit", "HEAD~1")
    check(repo, ALL)
    assert repo.git("blame", "-s", "-L7,7", "HEAD", "--", "app.py").startswith(repo.head[:7])


def test_a_revert_that_brings_an_older_line_back(repo: Repo) -> None:
    repo.commit("replaced", {"app.py": ALL.replace(THREE, "fourth = something(else)\n")})
    repo.git("revert", "--no-edit", "HEAD")
    check(repo, ALL)


def test_soft_reset_and_one_commit(repo: Repo) -> None:
    repo.git("reset", "--quiet", "--soft", "HEAD~3")
    repo.git("commit", "--quiet", "-m", "all of it")
    check(repo, ALL)


def test_soft_reset_and_other_commits(repo: Repo) -> None:
    repo.git("reset", "--quiet", "HEAD~3")
    repo.write("app.py", at(at(BASE, 2, ONE), 10, THREE))
    repo.git("commit", "--quiet", "--all", "-m", "some of it")
    repo.write("app.py", ALL)
    repo.git("commit", "--quiet", "--all", "-m", "the rest")
    check(repo, ALL)


def test_stash(repo: Repo) -> None:
    text = at(ALL, 4, "fifth = stashed(away, first)  # ask-5\n")
    repo.write("app.py", text)
    repo.git("stash", "--quiet")
    repo.commit("meanwhile", {"lib.py": BASE + THEIRS})
    repo.git("stash", "pop", "--quiet")
    repo.git("commit", "--quiet", "--all", "-m", "taken up again")
    link(repo)
    repo.git("commit", "--quiet", "--amend", "-m", "taken up again, and reworded")
    check(repo, text)


def test_git_mv(repo: Repo) -> None:
    repo.git("mv", "app.py", "core.py")
    repo.git("commit", "--quiet", "-m", "rename")
    text = at(ALL, 1, THEIRS)
    repo.write("core.py", text)
    repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    repo.git("rebase", "--quiet", "-i", "HEAD~4", env=sedited("2,$s/^pick/fixup/"))
    assert repo.git("rev-list", "--count", "HEAD") == "2"
    check(repo, text, path="core.py")


def test_mail(repo: Repo) -> None:
    patches = repo.git("format-patch", "--stdout", "HEAD~3")
    repo.git("checkout", "--quiet", "-b", "maintainer", "HEAD~3")
    repo.commit("meanwhile", {"app.py": THEIRS.upper() + BASE})
    repo.git("am", "--quiet", "-3", stdin=patches + "\n")
    assert repo.git("log", "--format=%s", "-4") == "three\ntwo\none\nmeanwhile"
    check(repo, THEIRS.upper() + ALL)


@pytest.mark.parametrize("button", ["squash", "rebase"])
@pytest.mark.parametrize("gone", [False, True], ids=["kept", "deleted"])
def test_a_button_of_a_forge(repo: Repo, tmp_path: Path, button: str, gone: bool) -> None:
    forge = repo.clone(tmp_path / "forge.git", "--bare")
    repo.git("remote", "add", "origin", forge.path.as_uri())
    repo.git("branch", "topic")
    repo.git("push", "--quiet", "origin", "topic")
    server = forge.clone(tmp_path / "server")
    server.git("reset", "--quiet", "--hard", "HEAD~3")
    server.commit("meanwhile", {"app.py": BASE + THEIRS.upper()})
    if button == "squash":
        server.git("merge", "--quiet", "--squash", "origin/topic")
        server.git("commit", "--quiet", "-m", "topic (#12)", "-m", "* one\n* two\n* three")
    else:
        server.git("cherry-pick", "origin/topic~3..origin/topic")
    server.git("push", "--quiet", "--force", "origin", "main")
    if gone:
        server.git("push", "--quiet", "origin", ":topic")
        repo.git("branch", "-D", "topic")
    repo.git("reset", "--quiet", "--hard", "HEAD~3")
    repo.git("fetch", "--quiet", "--prune", "origin")
    repo.git("merge", "--quiet", "--ff-only", "origin/main")
    assert repo.head == server.head
    check(repo, ALL + THEIRS.upper())


def test_a_pull_that_rebases(served: Repo, tmp_path: Path, wait_for_worker: Wait) -> None:
    forge = served.clone(tmp_path / "forge.git", "--bare")
    served.git("remote", "add", "origin", forge.path.as_uri())
    server = forge.clone(tmp_path / "server")
    server.git("reset", "--quiet", "--hard", "HEAD~3")
    server.commit("meanwhile", {"app.py": BASE + THEIRS.upper()})
    server.git("push", "--quiet", "--force", "origin", "main")
    served.git("pull", "--quiet", "--rebase", "origin", "main")
    check(served, ALL + THEIRS.upper(), wait=wait_for_worker)


def test_without_what_git_says(served: Repo, wait_for_worker: Wait) -> None:
    """The framework pre-commit swallows the pairs; notes need not be copied either."""
    shutil.rmtree(served.hooks_dir)
    served.git("config", "--unset-all", "notes.rewriteRef")
    served.git("rebase", "--quiet", "-i", "HEAD~3", env=sedited("2s/^pick/squash/"))
    text = at(ALL, 1, THEIRS)
    served.write("app.py", text)
    served.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    from git_skillmesh.hooks.main import start_worker

    start_worker("post-rewrite", served.path)
    check(served, text, wait=wait_for_worker)


def test_filter_branch(repo: Repo) -> None:
    env = {"FILTER_BRANCH_SQUELCH_WARNING": "1"}
    repo.git("filter-branch", "--msg-filter", "cat; echo filtered", "HEAD~3..HEAD", env=env)
    repo.commit("next", {"lib.py": BASE + THEIRS})
    check(repo, ALL)


def test_what_somebody_writes_again_is_theirs(repo: Repo) -> None:
    """Work of an agent is thrown away; a person writes something that has a line in common."""
    repo.git("reset", "--quiet", "--hard", "HEAD~3")
    own = "from pathlib import Path\ntotal = first + third\nanswer = compare(total, limit)\n"
    repo.git("branch", "thrown-away", "HEAD")
    repo.git("checkout", "--quiet", "thrown-away")
    thrown = "from pathlib import Path\nother = work(that, nobody, wants)\n"
    repo.commit("by an agent", {"app.py": at(BASE, 2, thrown)})
    blob = repo.git("rev-parse", "HEAD:app.py")
    lines = Link("s-1", "ask-6", 0.95, Evidence.EDIT, "app.py", blob, ((2, 3),))
    write_links(discover(repo.path), {repo.head: [lines]})
    repo.git("checkout", "--quiet", "main")
    repo.git("branch", "-D", "thrown-away")
    repo.commit("by a person", {"app.py": at(BASE, 2, own)})
    check(repo, at(BASE, 2, own))
    assert repo.head not in read_links(discover(repo.path), [repo.head])
