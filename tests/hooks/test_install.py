"""Installing and removing: what was there before comes back byte by byte."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.errors import Busy, UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks import settings
from git_skillmesh.hooks.install import HookState, Report, install, remove, state
from git_skillmesh.hooks.shim import TEMPLATES, Owner, owner, render
from testing.repos import Repo, make_repo, run

Picture = dict[str, tuple[int, bytes]]

NAMES = list(TEMPLATES)
INIT = "git skillmesh init"
MINE = "#!/bin/sh\necho mine >&2\n"
OTHER = "#!/bin/sh\necho another >&2\n"


def picture(repo: Repo) -> Picture:
    """Return mode and content of everything in the git directory that `init` may touch."""
    found: Picture = {}
    for path in [repo.common_dir / "config", *repo.common_dir.glob("hooks/**/*")]:
        data = os.fsencode(path.readlink()) if path.is_symlink() else b""
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
        found[os.fspath(path.relative_to(repo.common_dir))] = (path.lstat().st_mode, data)
    others = {path.name for path in repo.common_dir.iterdir()}
    found["."] = (0, "\n".join(sorted(others - {"skillmesh"})).encode())
    return found


def installed(repo: Repo) -> Report:
    return install(discover(repo.path))


def removed(repo: Repo) -> Report:
    return remove(discover(repo.path))


def states(repo: Repo) -> list[HookState]:
    return state(discover(repo.path))


def foreign_hooks(repo: Repo) -> None:
    repo.hook("post-commit", MINE, mode=0o750)
    repo.hook("post-merge", OTHER, mode=0o644)
    script = repo.write("scripts/hook.py", "#!/usr/bin/env python3\n")
    (repo.hooks_dir / "post-checkout").symlink_to(script)
    (repo.hooks_dir / "post-rewrite").symlink_to("nowhere")


def no_hooks_folder(repo: Repo) -> None:
    shutil.rmtree(repo.hooks_dir)


def empty_hooks_folder(repo: Repo) -> None:
    shutil.rmtree(repo.hooks_dir)
    repo.hooks_dir.mkdir()


def config(text: str) -> Callable[[Repo], None]:
    def change(repo: Repo) -> None:
        with (repo.common_dir / "config").open("a") as stream:
            stream.write(text)

    return change


def tight_config(repo: Repo) -> None:
    (repo.common_dir / "config").chmod(0o600)


BEFORE = {
    "nothing special": lambda repo: None,
    "foreign hooks": foreign_hooks,
    "no hooks folder": no_hooks_folder,
    "empty hooks folder": empty_hooks_folder,
    "no newline at the end": config("[user]\n\tname = Ada"),
    "an empty section": config("[notes]\n[skillmesh]\n# why\n"),
    "a section in use": config("[notes]\n\tdisplayRef = refs/notes/x\n[alias]\n\tx = log\n"),
    "our section in use": config('[skillmesh]\n\tindex = 1\n[skillmesh "chroma"]\n\timpl=off\n'),
    "odd spelling": config("[Notes]rewriteMode=overwrite ; so\n[SKILLMESH]   \n"),
    "pinned and rewritten": config(
        "[notes]\n\trewriteRef = refs/notes/*\n[skillmesh]\n\trepoid = mine\n"
    ),
    "comments": config("# the end\n;really\n\n\n"),
    "carriage returns": config("[alias]\r\n\ty = status\r\n"),
    "private config": tight_config,
}


@pytest.mark.parametrize("prepare", BEFORE.values(), ids=BEFORE)
def test_remove_restores_every_byte_and_mode(
    tmp_path: Path, prepare: Callable[[Repo], None]
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    prepare(repo)
    before = picture(repo)
    installed(repo)
    during = picture(repo)
    assert during != before
    assert {hook.name: hook.state for hook in states(repo)} == dict.fromkeys(NAMES, "installed")
    assert installed(repo).config == []
    assert picture(repo) == during
    removed(repo)
    assert picture(repo) == before


@pytest.mark.parametrize("prepare", BEFORE.values(), ids=BEFORE)
def test_remove_restores_the_settings_although_others_have_changed(
    tmp_path: Path, prepare: Callable[[Repo], None]
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    prepare(repo)
    before = repo.git("config", "--local", "--list")
    installed(repo)
    repo.git("config", "branch.main.remote", "elsewhere")
    repo.git("config", "skillmesh.index.exclude", "*.min.js")
    removed(repo)
    assert set(repo.git("config", "--local", "--list").splitlines()) == {
        *before.splitlines(),
        "branch.main.remote=elsewhere",
        "skillmesh.index.exclude=*.min.js",
    }


def test_what_install_reports(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-commit", MINE)
    assert installed(repo) == Report(
        repo.hooks_dir,
        [
            "post-commit: installed; post-commit.before-skillmesh runs first",
            "post-merge: installed",
            "post-checkout: installed",
            "post-rewrite: installed",
            "pre-push: installed",
            "pre-commit: installed",
            "commit-msg: installed",
        ],
        [
            "notes.rewriteRef = refs/notes/skillmesh*",
            f"skillmesh.repoid = {discover(repo.path).derive_id()}",
        ],
        [],
    )
    assert removed(repo) == Report(
        repo.hooks_dir,
        [
            "post-commit: the hook from before is back",
            "post-merge: removed",
            "post-checkout: removed",
            "post-rewrite: removed",
            "pre-push: removed",
            "pre-commit: removed",
            "commit-msg: removed",
        ],
        [
            "notes.rewriteRef = refs/notes/skillmesh*",
            f"skillmesh.repoid = {discover(repo.path).derive_id()}",
        ],
        [],
    )
    assert removed(repo) == Report(repo.hooks_dir, [], [], [])


def test_git_carries_notes_over_amend_and_rebase(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    installed(repo)
    for number in (1, 2):
        repo.commit(f"commit {number}", {f"{number}.txt": "x\n"})
        repo.git("notes", "--ref=skillmesh", "add", "-m", f"note {number}")
    repo.git("commit", "--quiet", "--amend", "-m", "amended")
    repo.git("rebase", "--quiet", "--force-rebase", "HEAD~2")
    assert repo.git("log", "-2", "--notes=skillmesh", "--format=%s: %N").split("\n\n") == [
        "amended: note 2",
        "commit 1: note 1\n",
    ]


def test_the_pinned_identity_stays_when_the_origin_moves(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    installed(repo)
    pinned = repo.git("config", "skillmesh.repoid")
    repo.git("remote", "add", "origin", "https://example.org/new/place.git")
    installed(repo)
    assert repo.git("config", "--get-all", "skillmesh.repoid") == pinned
    assert pinned != discover(repo.path).derive_id()


def test_an_identity_that_a_team_has_committed_is_not_pinned_to_another(tmp_path: Path) -> None:
    files = {".skillmesh/config.toml": 'repoid = "ours"\n'}
    repo = make_repo(tmp_path, files=files)
    repo.git("remote", "add", "origin", "https://example.org/some/place.git")
    installed(repo)
    assert load(discover(repo.path))["repoid"] == "ours"


def test_removing_works_without_the_record_and_without_the_caches(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-merge", MINE)
    before = picture(repo)
    installed(repo)
    (repo.common_dir / "skillmesh-init.json").unlink()
    removed(repo)
    assert picture(repo) == before


def test_a_damaged_record_is_no_obstacle(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    before = picture(repo)
    installed(repo)
    (repo.common_dir / "skillmesh-init.json").write_text('{"version": 1, "folders": []}')
    removed(repo)
    assert picture(repo) == before


def test_a_hook_put_over_the_shim_is_kept_and_chained(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-commit", MINE)
    installed(repo)
    repo.hook("post-commit", OTHER)
    assert states(repo)[0] == HookState(
        "post-commit",
        "foreign",
        f"{repo.hooks_dir}/post-commit is not ours",
        "runs post-commit.before-skillmesh first",
        INIT,
    )
    report = installed(repo)
    older = repo.hooks_dir / "post-commit.before-skillmesh-2"
    assert report.notes == [
        "post-commit was replaced since the last init; the hook that was kept from before is "
        f"now {older}"
    ]
    assert older.read_text() == MINE
    said = repo.run("commit", "--quiet", "--allow-empty", "-m", "x")
    assert (said.stdout, said.stderr) == ("", "another\n")
    removed(repo)
    assert (repo.hooks_dir / "post-commit").read_text() == OTHER
    assert older.read_text() == MINE


def test_a_hook_put_over_the_shim_survives_removal(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-commit", MINE)
    installed(repo)
    repo.hook("post-commit", OTHER)
    report = removed(repo)
    kept = repo.hooks_dir / "post-commit.before-skillmesh"
    assert report.notes == [
        "post-commit was replaced since init and stays; the hook that was kept from before is "
        f"{kept}"
    ]
    assert kept.read_text() == MINE
    assert (repo.hooks_dir / "post-commit").read_text() == OTHER


@pytest.mark.parametrize("then", [installed, removed])
def test_an_edited_shim_is_not_thrown_away(tmp_path: Path, then: Callable[[Repo], Report]) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    installed(repo)
    shim = repo.hooks_dir / "post-merge"
    edited = shim.read_text() + "echo edited\n"
    shim.write_text(edited)
    assert states(repo)[1] == HookState("post-merge", "outdated", "the shim was edited", mend=INIT)
    kept = repo.hooks_dir / "post-merge.edited-skillmesh"
    report = then(repo)
    assert report.notes == [f"post-merge had been edited; the edited file is now {kept}"]
    assert kept.read_text() == edited
    assert (owner(shim) is Owner.SHIM) == (then is installed)


def test_a_deleted_shim_comes_back_and_a_deleted_hook_too(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hook("post-commit", MINE)
    before = picture(repo)
    installed(repo)
    for name in NAMES:
        (repo.hooks_dir / name).unlink()
    assert [hook.state for hook in states(repo)] == ["missing"] * len(NAMES)
    installed(repo)
    assert [hook.state for hook in states(repo)] == ["installed"] * len(NAMES)
    (repo.hooks_dir / "post-commit").unlink()
    removed(repo)
    assert picture(repo) == before


def test_states_that_need_another_init(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    assert states(repo) == [HookState(name, "missing", mend=INIT) for name in NAMES]
    installed(repo)
    gone = "/nonexistent/python of yesterday"
    folder = repo.hooks_dir
    (folder / "post-commit").write_bytes(render("post-commit", shared=False, python=gone))
    (folder / "post-merge").write_bytes(render("post-merge", shared=False, program=gone))
    (folder / "post-checkout").chmod(0o644)
    older = (folder / "pre-commit").read_bytes().replace(b" version 3 ", b" version 2 ")
    (folder / "pre-commit").write_bytes(older)
    assert states(repo) == [
        HookState("post-commit", "outdated", f"{gone} is gone", mend=INIT),
        HookState("post-merge", "outdated", f"{gone} is gone", mend=INIT),
        HookState("post-checkout", "outdated", "the shim is not executable", mend=INIT),
        HookState("post-rewrite", "installed"),
        HookState("pre-push", "installed"),
        HookState("pre-commit", "outdated", "the shim is of another version", mend=INIT),
        HookState("commit-msg", "installed"),
    ]
    installed(repo)
    assert states(repo) == [HookState(name, "installed") for name in NAMES]


def test_a_hooks_folder_shared_with_other_repositories_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    shared = tmp_path / "all my hooks"
    repo.git("config", "--global", "core.hooksPath", os.fspath(shared))
    before = picture(repo)
    with pytest.raises(UsageError) as raised:
        installed(repo)
    assert raised.value.what == f"core.hooksPath leads out of this repository, to {shared}"
    own = f"git config core.hooksPath {repo.common_dir / 'hooks'}"
    assert raised.value.mend == (
        "`git skillmesh init --shared-hooks` installs there, for every repository that has an "
        f"index; or give this one hooks of its own with `{own}`"
    )
    assert (picture(repo), shared.exists()) == (before, False)
    subprocess.run(own.split(), cwd=repo.path, check=True)
    assert installed(repo).folder == repo.common_dir / "hooks"


def test_a_link_that_leads_out_is_a_shared_folder_too(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    shutil.move(repo.hooks_dir, tmp_path / "elsewhere")
    (repo.common_dir / "hooks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        installed(repo)


def test_shims_in_a_shared_folder_stay_unless_asked_for(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    shared = tmp_path / "shared"
    repo.git("config", "core.hooksPath", os.fspath(shared))
    before = picture(repo)
    install(discover(repo.path), shared_hooks=True)
    assert removed(repo).notes == [
        f"the shims in {shared} stay, other repositories may use them; --shared-hooks removes "
        "them too"
    ]
    assert picture(repo) == before
    assert sorted(path.name for path in shared.iterdir()) == sorted(NAMES)
    remove(discover(repo.path), shared_hooks=True)
    assert list(shared.iterdir()) == []


def test_shims_are_removed_from_where_they_were_put(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    before = picture(repo)
    installed(repo)
    repo.git("config", "core.hooksPath", ".githooks")
    report = installed(repo)
    assert report.notes == [
        f"{repo.path}/.githooks is part of the working tree: do not commit the shims, they name "
        "programs of this machine"
    ]
    removed(repo)
    assert not (repo.path / ".githooks").exists()
    repo.git("config", "--unset", "core.hooksPath")
    assert picture(repo) == before


@pytest.mark.parametrize("helper", ["h", "husky.sh"])
def test_a_folder_that_husky_rewrites_is_left_to_husky(tmp_path: Path, helper: str) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", f".husky/_/{helper}": "# husky\n"})
    repo.git("config", "core.hooksPath", ".husky/_")
    husky = repo.path / ".husky"
    repo.write(".husky/post-commit", 'npm run x\ngit-skillmesh-hook post-commit "$@"\n')
    repo.write(".husky/pre-push", "# git-skillmesh-hook pre-push\ngit-skillmesh-hook pre-pushed\n")
    report = installed(repo)
    assert report.hooks == [f"post-commit: called by {husky}/post-commit"]
    assert report.notes == [
        f"husky rewrites {husky}/_: put a line into {husky}/NAME for each of post-merge, "
        "post-checkout, post-rewrite, pre-push, pre-commit, commit-msg: "
        'git-skillmesh-hook NAME "$@"'
    ]
    assert len(report.config) == 2
    assert sorted(path.name for path in (husky / "_").iterdir()) == [helper]
    line = f'put this line into {husky}/post-merge: git-skillmesh-hook post-merge "$@"'
    assert states(repo)[:2] == [
        HookState("post-commit", "called", f"by {husky}/post-commit"),
        HookState("post-merge", "missing", mend=line),
    ]
    undone = removed(repo)
    assert undone.notes == [f"this program is still called by {husky}/post-commit"]
    assert undone.config == report.config


def test_what_lefthook_writes_anew_runs_first_again(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", "lefthook.yml": "post-merge: {}\n"})
    scripts = [f"#!/bin/sh\ncall_lefthook()\n{{\n  :\n}}\n# {number}\n" for number in range(3)]
    hook = repo.hook("post-merge", scripts[0])
    word = (
        "lefthook writes post-merge anew when its configuration changes: then run `git skillmesh "
        "init` again, or have jobs of lefthook-local.yml run `git-skillmesh-hook NAME`"
    )
    assert installed(repo).notes == [word]
    for script in scripts[1:]:  # what lefthook does: it gives up where .old is there already
        assert not hook.with_name("post-merge.old").exists()
        hook.rename(hook.with_name("post-merge.old"))
        repo.hook("post-merge", script)
        assert states(repo)[1] == HookState(
            "post-merge",
            "foreign",
            f"{hook} is not ours",
            "runs post-merge.before-skillmesh first",
            INIT,
        )
        assert installed(repo).notes == [word]
        assert hook.with_name("post-merge.before-skillmesh").read_text() == script
    hook.rename(hook.with_name("post-merge.old"))
    repo.hook("post-merge", scripts[0])
    removed(repo)
    left = sorted(path.name for path in repo.hooks_dir.iterdir() if path.suffix != ".sample")
    assert (left, hook.read_text()) == (["post-merge"], scripts[0])
    repo.write("lefthook-local.yml", "post-merge: {jobs: [{run: git-skillmesh-hook post-merge}]}\n")
    assert f"post-merge: called by {repo.path}/lefthook-local.yml" in installed(repo).hooks
    assert owner(hook) is Owner.LEFTHOOK


def test_init_at_once_adds_each_setting_once(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    one, other = discover(repo.path), discover(repo.path)
    settings.write(one, settings.Record())
    there = repo.git("config", "--list", "--local")
    # As another process does that had looked before the first one wrote.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "_values", lambda *_: [])
        settings.write(other, settings.Record())
    assert repo.git("config", "--list", "--local") == there


def test_a_locked_configuration_is_reported(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    installed(repo)
    lock = repo.common_dir / "config.lock"
    lock.touch()
    with pytest.raises(Busy) as raised:
        removed(repo)
    assert str(raised.value) == f"git is writing {repo.common_dir}/config: if not, remove {lock}"
    lock.unlink()
    assert removed(repo).config != []


def test_a_read_only_repository_is_one_clear_error(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.hooks_dir.chmod(0o555)
    code = (
        "from git_skillmesh.errors import ReadOnly\n"
        "from git_skillmesh.git.repository import discover\n"
        "from git_skillmesh.hooks.install import install\n"
        "try: install(discover())\n"
        "except ReadOnly as error: print(error)"
    )
    command = [sys.executable, "-c", code]
    if os.geteuid() == 0:  # root may write everywhere unless it gives that right away
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to give up root's rights")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    said = run(*command, cwd=repo.path)
    repo.hooks_dir.chmod(0o755)
    assert said.stderr == ""
    assert said.stdout.startswith(f"cannot write {repo.hooks_dir}/post-commit")
    assert said.stdout.endswith(": Permission denied\n")
