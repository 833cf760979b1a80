"""`git skillmesh skills add|update|remove`: what is copied, what is refused, and what stays."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from git_skillmesh.errors import ReadOnly
from git_skillmesh.git.snapshot import snapshot
from git_skillmesh.git.transport import Manners
from git_skillmesh.registry import shelf as shelves
from git_skillmesh.registry.folders import FILE_LONGEST, tree_hash
from testing.commands import call
from testing.registries import write_card, write_plain
from testing.repos import Repo, Result, make_repo, run
from testing.rights import read_only, run_respecting_permissions

LOCK = ".skillmesh/skills.lock.json"
PDF = "---\nname: pdf\ndescription: Read and write PDF files\nlicense: MIT\n---\n# PDF\n\nUse it.\n"
SCRIPT = '#!/bin/sh\ntouch "$0.was-run"\n'


@pytest.fixture(scope="module")
def originals(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Repo]:
    """Repositories that are copied: made once."""
    folder = tmp_path_factory.mktemp("originals")
    files: dict[str, str | bytes | None] = {
        "skills/pdf/SKILL.md": PDF,
        "skills/pdf/scripts/run.sh": SCRIPT,
        "skills/xlsx/SKILL.md": PDF.replace("pdf", "xlsx").replace("license: MIT\n", ""),
        "LICENSE.txt": "Do what you like.\n",
    }
    repo = make_repo(folder, "theirs")
    repo.write("skills/pdf/scripts/run.sh", SCRIPT).chmod(0o755)
    repo.commit("first", files)
    return {
        "theirs": repo,
        "ours": make_repo(folder, "ours", files={"README.md": "Ours\n"}),
        "hostile": make_repo(folder, "hostile", files={"pdf/SKILL.md": PDF}),
    }


@pytest.fixture
def theirs(originals: dict[str, Repo], tmp_path: Path) -> Repo:
    return originals["theirs"].copy(tmp_path / "theirs")


@pytest.fixture
def ours(originals: dict[str, Repo], tmp_path: Path) -> Repo:
    return originals["ours"].copy(tmp_path / "ours")


@pytest.fixture
def hostile(originals: dict[str, Repo], tmp_path: Path) -> Repo:
    """A repository of a skill, to which something is done."""
    return originals["hostile"].copy(tmp_path / "hostile")


def skills(repo: Repo, *args: str) -> Result:
    return call(repo.path, "skills", *args)


def tree(repo: Repo, folder: str = ".skillmesh") -> dict[str, bytes]:
    top = repo.path / folder
    return {
        path.relative_to(repo.path).as_posix(): path.read_bytes()
        for path in sorted(top.rglob("*"), key=os.fspath)
        if path.is_file()
    }


def lock(repo: Repo) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((repo.path / LOCK).read_text())["skills"]
    return found


def test_add_from_a_repository(ours: Repo, theirs: Repo) -> None:
    said = skills(ours, "add", "../theirs#main")
    assert said == Result(
        0,
        "added pdf  2 files, MIT\nadded xlsx  1 file, LICENSE.txt of the source\n",
        f"from ../theirs at {theirs.head[:12]}; {LOCK} says so, commit both\n",
    )
    files = tree(ours)
    assert [*files] == [
        ".skillmesh/skills.lock.json", ".skillmesh/skills/pdf/SKILL.md",
        ".skillmesh/skills/pdf/scripts/run.sh", ".skillmesh/skills/xlsx/SKILL.md",
    ]  # fmt: skip
    assert files[".skillmesh/skills/pdf/SKILL.md"] == PDF.encode()
    assert (ours.path / ".skillmesh/skills/pdf/scripts/run.sh").stat().st_mode & 0o111
    entry = lock(ours)["pdf"]
    hashes = entry["files"]
    assert isinstance(hashes, dict)
    assert entry == {
        "path": "pdf", "source": "../theirs", "subpath": "skills/pdf", "revision": "main",
        "commit": theirs.head, "licence": "MIT", "sha256": tree_hash(hashes), "files": hashes,
    }  # fmt: skip
    folder = ours.path / ".skillmesh/skills/pdf"
    by_hand = "find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum | sha256sum"
    done = subprocess.run(["sh", "-c", by_hand], cwd=folder, capture_output=True, check=True)
    assert done.stdout.decode().split()[0] == entry["sha256"]
    assert skills(ours, "validate").returncode == 0


def test_what_was_added_is_found(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs", "--path", "skills/pdf")
    said = skills(ours, "retrieve", "--json", "read and write PDF files")
    hits = {hit["id"]: hit["third_party"] for hit in json.loads(said.stdout)["hits"]}
    assert (hits["pdf"], hits["docs.pdf-generation"]) == (True, False)
    assert "third party" in skills(ours, "list").stdout


def test_add_one_of_our_cards_keeps_its_id(ours: Repo, tmp_path: Path) -> None:
    write_card(tmp_path / "registry", "depot.weighing")
    said = skills(ours, "add", str(tmp_path / "registry" / "depot" / "weighing"))
    assert (said.returncode, said.stdout) == (0, "added depot.weighing  2 files, Apache-2.0\n")
    assert (ours.path / ".skillmesh/skills/depot/weighing/card.yaml").is_file()
    assert lock(ours)["depot.weighing"]["source"] == "../registry/depot/weighing"
    assert skills(ours, "show", "weighing").returncode == 0


def test_a_whole_repository_may_be_one_skill(ours: Repo, tmp_path: Path) -> None:
    repo = make_repo(tmp_path, "pdf-skill.git", files={"SKILL.md": PDF, "README.md": "Hello\n"})
    assert skills(ours, "add", f"{repo.path}#main").stdout == "added pdf  2 files, MIT\n"


def test_adding_twice(ours: Repo, theirs: Repo) -> None:
    assert skills(ours, "add", "../theirs").returncode == 0
    before = tree(ours)
    assert skills(ours, "add", "../theirs") == Result(
        2, "", "git-skillmesh: pdf was added before: git skillmesh skills update pdf\n"
    )
    assert tree(ours) == before


def test_what_is_in_the_way_stays(ours: Repo, theirs: Repo) -> None:
    ours.write(".skillmesh/skills/xlsx/SKILL.md", "mine\n")
    said = skills(ours, "add", "../theirs")
    assert said.returncode == 2
    assert "xlsx exists, and was not put there by this command: move it away" in said.stderr
    assert tree(ours) == {".skillmesh/skills/xlsx/SKILL.md": b"mine\n"}


def test_a_broken_skill_is_refused_unless_forced(ours: Repo, tmp_path: Path) -> None:
    write_plain(tmp_path / "theirs", "odd", "---\nname: other\n---\n# Odd\n")
    said = skills(ours, "add", "../theirs")
    assert said == Result(
        2,
        "",
        "odd/SKILL.md:2: description is missing\nodd/SKILL.md:2: name must be odd, the folder\n"
        "git-skillmesh: odd cannot be added as it is: --path SUB chooses others, --force adds them "
        "all the same\n",
    )
    assert tree(ours) == {}
    assert skills(ours, "add", "../theirs", "--force").returncode == 0
    assert lock(ours)["odd"]["forced"] == [
        "odd/SKILL.md:2: description is missing", "odd/SKILL.md:2: name must be odd, the folder",
    ]  # fmt: skip


def test_update_and_its_summary(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs#main")
    old = theirs.head
    assert skills(ours, "update").stdout == "pdf  up to date\nxlsx  up to date\n"
    new = theirs.commit(
        "more",
        {"skills/pdf/SKILL.md": PDF.replace("Use it.", "Use it well.\nTwice."),
         "skills/pdf/scripts/run.sh": None, "skills/pdf/notes.md": "new\n"},
    )  # fmt: skip
    before = tree(ours)
    summary = (
        f"pdf  {old[:12]} → {new[:12]}\n    changed  SKILL.md  +2 -1\n    new      notes.md\n"
        "    removed  scripts/run.sh\n"
    )
    assert skills(ours, "update", "--dry-run", "pdf") == Result(0, summary, "")
    assert tree(ours) == before
    assert skills(ours, "update", "pdf") == Result(0, summary, "")
    assert [*tree(ours, ".skillmesh/skills/pdf")] == [
        ".skillmesh/skills/pdf/SKILL.md", ".skillmesh/skills/pdf/notes.md",
    ]  # fmt: skip
    assert (lock(ours)["pdf"]["commit"], lock(ours)["xlsx"]["commit"]) == (new, old)
    assert skills(ours, "update", "--frozen").returncode == 0


def test_update_keeps_what_was_edited_and_what_was_added(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs", "--path", "skills/pdf")
    mine = ours.write(".skillmesh/skills/pdf/SKILL.md", PDF + "Mine.\n")
    ours.write(".skillmesh/skills/pdf/mine.md", "mine\n")
    assert skills(ours, "update").stdout == "pdf  up to date; your changes stay\n"
    theirs.commit("more", {"skills/pdf/SKILL.md": PDF + "Theirs.\n"})
    said = skills(ours, "update")
    assert said == Result(
        1,
        "pdf\n    changed  SKILL.md  +1 -1\n",
        "pdf: you changed SKILL.md: --force writes over that\n",
    )
    assert mine.read_text() == PDF + "Mine.\n"
    assert skills(ours, "update", "--force").returncode == 0
    assert mine.read_text() == PDF + "Theirs.\n"
    assert ours.read(".skillmesh/skills/pdf/mine.md") == "mine\n"


def test_a_link_of_ours_in_a_skill_stays(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs", "--path", "skills/pdf")
    link = ours.path / ".skillmesh/skills/pdf/ours.md"
    link.symlink_to("../../../README.md")
    theirs.commit("more", {"skills/pdf/SKILL.md": PDF + "More.\n"})
    assert skills(ours, "update").returncode == 0
    assert link.is_symlink()
    assert link.read_text() == "Ours\n"
    theirs.commit("same name", {"skills/pdf/ours.md": "theirs\n"})
    said = skills(ours, "update")
    assert (said.returncode, said.stderr) == (
        1, "pdf: you changed ours.md: --force writes over that\n"
    )  # fmt: skip
    assert link.read_text() == "Ours\n"


def test_a_source_that_is_not_there_any_more(ours: Repo, theirs: Repo, tmp_path: Path) -> None:
    write_plain(tmp_path / "other", "weighing")
    skills(ours, "add", "../other")
    skills(ours, "add", "../theirs", "--path", "skills/pdf")
    theirs.path.rename(tmp_path / "away")
    said = skills(ours, "update")
    assert (said.returncode, said.stdout) == (1, "weighing  up to date\n")
    assert said.stderr.startswith("pdf: neither a folder nor an address: ../theirs")


def test_update_says_what_is_gone(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs")
    theirs.commit("less", {"skills/xlsx/SKILL.md": None})
    said = skills(ours, "update")
    assert said.returncode == 1
    assert said.stdout == "pdf  up to date\n"
    assert said.stderr.startswith("xlsx: ../theirs has no folder skills/xlsx")
    assert (ours.path / ".skillmesh/skills/xlsx/SKILL.md").is_file()


def test_frozen(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs")
    assert skills(ours, "update", "--frozen") == Result(0, "", f"2 skills as {LOCK} says\n")
    ours.write(".skillmesh/skills/pdf/SKILL.md", PDF + "Mine.\n")
    ours.write(".skillmesh/skills/pdf/mine.md", "mine\n")
    (ours.path / ".skillmesh/skills/xlsx/SKILL.md").unlink()
    assert skills(ours, "update", "--frozen") == Result(
        1,
        ".skillmesh/skills/pdf/SKILL.md: changed\n"
        ".skillmesh/skills/pdf/mine.md: not in the lock\n"
        ".skillmesh/skills/xlsx/SKILL.md: missing\n",
        "2 skills, 3 differences\n",
    )
    said = skills(ours, "install", "pdf", "--agent", "claude", "--frozen")
    assert said == Result(
        1, "", f"git-skillmesh: not as {LOCK} says: .skillmesh/skills/pdf/SKILL.md: changed "
        "(3 in all)\n",
    )  # fmt: skip
    assert not (ours.path / ".claude").exists()


def test_remove_takes_exactly_what_was_added(ours: Repo, theirs: Repo) -> None:
    ours.write(".skillmesh/config.toml", "")
    before = tree(ours)
    skills(ours, "add", "../theirs")
    mine = ours.write(".skillmesh/skills/pdf/mine.md", "mine\n")
    said = skills(ours, "remove", "pdf", "xlsx")
    assert said == Result(
        0,
        "removed pdf\nremoved xlsx\n",
        "stays, it was not added: .skillmesh/skills/pdf/mine.md\n",
    )
    assert tree(ours) == {**before, ".skillmesh/skills/pdf/mine.md": b"mine\n"}
    mine.unlink()
    assert skills(ours, "remove", "pdf").returncode == 2


def test_remove_refuses_what_was_edited(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs")
    ours.write(".skillmesh/skills/pdf/SKILL.md", "mine\n")
    said = skills(ours, "remove", "pdf")
    assert said == Result(
        2, "", "git-skillmesh: pdf: you changed SKILL.md: --force removes it all the same\n"
    )
    assert skills(ours, "remove", "--force", "pdf", "xlsx").returncode == 0
    assert tree(ours) == {}
    assert not (ours.path / ".skillmesh").exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("ext::sh -c 'touch here'", "ext is not let in"),
        ("http://localhost/x", "http is not let in"),
        ("git://localhost/x", "git is not let in"),
        ("fd::17", "fd is not let in"),
        ("https://-oProxyCommand=x/y", "https is not let in"),
        ("-oProxyCommand=x:y", "not a folder, nor an address"),
        ("user@-oProxyCommand=touch:y", "neither a folder nor an address"),
        ("nowhere", "neither a folder nor an address: nowhere"),
        ("", "not a folder, nor an address"),
        ("../theirs#--upload-pack=touch here", "not a revision: --upload-pack=touch here"),
        ("../theirs#main:refs/heads/x", "not a revision"),
        ("../theirs#nope", "theirs has no nope"),
    ],
)
def test_addresses_that_are_not_let_in(ours: Repo, theirs: Repo, source: str, said: str) -> None:
    done = call(ours.path, "skills", "add", "--", source)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert tree(ours) == {}
    assert not (ours.path / "here").exists()


def test_an_option_is_no_source(ours: Repo) -> None:
    done = skills(ours, "add", "--upload-pack=touch")
    assert done.returncode == 2
    assert "unrecognized arguments: --upload-pack" in done.stderr


def test_only_the_protocols_that_are_named_are_used(ours: Repo, theirs: Repo) -> None:
    """A setting of the user may turn one address into another."""
    ours.git(
        "config", "--global", f"url.{theirs.path.as_uri()}.insteadOf", "https://skills.example/x"
    )
    done = skills(ours, "add", "https://skills.example/x")
    assert done.returncode == 7
    assert "transport 'file' not allowed" in done.stderr


def test_passwords_do_not_get_into_the_lock_file(ours: Repo, theirs: Repo) -> None:
    done = skills(ours, "add", "https://me:secret@127.0.0.1:1/x")
    assert done.returncode == 7
    assert "secret" not in done.stderr


def do(repo: Repo, command: str) -> None:
    done = run("sh", "-c", command, cwd=repo.path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("ln -s /etc/passwd pdf/notes.md", "'pdf/notes.md' is a link or no file"),
        ("ln -s ../.. pdf/up", "'pdf/up' is a link or no file"),
        ("truncate -s 6M pdf/large.bin", "'pdf/large.bin' has 6 MiB: at most 5 MiB a file"),
        ("for n in $(seq 600); do : > pdf/$n; done", "has more than 500 files"),
        ("for n in 1 2 3 4 5; do head -c 4500000 /dev/zero > pdf/$n; done", "larger than 20 MiB"),
        ("touch 'pdf/a\\b'", "is not a name that is taken"),
        ("printf x > \"pdf/$(printf 'a\\033[2Jb')\"", "is not a name that is taken"),
        ("touch pdf/Readme pdf/README", "differ in case only"),
        ("rm pdf/SKILL.md && ln -s /etc/hostname pdf/SKILL.md", "no SKILL.md in"),
        ("head -c 2000000 /dev/zero > pdf/SKILL.md", "no SKILL.md in"),
    ],
)  # fmt: skip
def test_hostile_files(ours: Repo, hostile: Repo, command: str, said: str) -> None:
    """First of a folder, then of a repository."""
    do(hostile, command)
    for source in ("../hostile", "../hostile#main"):
        if source.endswith("#main"):
            hostile.commit("hostile")
        done = skills(ours, "add", source)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert "\x1b" not in done.stderr
        assert tree(ours) == {}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("mkfifo pdf/odd", "'pdf/odd' is a link or no file"),
        ("truncate -s 100M pdf/odd", "'pdf/odd' has 100 MiB"),
    ],
)
def test_files_on_disk_that_are_not_even_opened(
    ours: Repo, hostile: Repo, command: str, said: str
) -> None:
    do(hostile, command)
    assert said in skills(ours, "add", "../hostile").stderr


def test_a_tree_that_leads_elsewhere(ours: Repo, hostile: Repo, tmp_path: Path) -> None:
    """git refuses such trees; here they have come past it."""
    repo = hostile
    blob = repo.git("hash-object", "-w", "--stdin", stdin="evil\n")
    inner = f"100644 blob {blob}\tevil.md\n"
    up = repo.git("mktree", stdin=inner)
    raw = b"40000 ..\0" + bytes.fromhex(up)
    path = tmp_path / "tree"
    path.write_bytes(raw)
    bad = repo.git("hash-object", "-t", "tree", "--literally", "-w", os.fspath(path))
    skill = repo.git("hash-object", "-w", "--stdin", stdin=PDF)
    raw = b"100644 SKILL.md\0" + bytes.fromhex(skill) + b"40000 x\0" + bytes.fromhex(bad)
    path.write_bytes(raw)
    top = repo.git("hash-object", "-t", "tree", "--literally", "-w", os.fspath(path))
    commit = repo.git("commit-tree", "-m", "x", top)
    repo.git("update-ref", "refs/heads/main", commit)
    done = skills(ours, "add", "../hostile#main")
    assert done.returncode != 0
    assert tree(ours) == {}
    assert not (ours.path.parent / "evil.md").exists()


def test_nothing_of_a_source_is_run(ours: Repo, theirs: Repo, tmp_path: Path, home: Path) -> None:
    """No hooks (of a template neither), filters, submodules or LFS; attributes are of no use."""
    mark = tmp_path / "was-run"
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        hook = template / name
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    ours.git("config", "--global", "init.templateDir", os.fspath(template.parent))
    ours.git("config", "--global", "core.hooksPath", os.fspath(template))
    for key in ("filter.evil.smudge", "filter.evil.process", "filter.lfs.smudge"):
        ours.git("config", "--global", key, f"touch {mark}; cat")
    other = make_repo(tmp_path, "other", files={"a": "b"})
    mark.unlink(missing_ok=True)
    theirs.run(
        "-c", "protocol.file.allow=always", "-c", "core.hooksPath=/dev/null",
        "submodule", "add", os.fspath(other.path), "elsewhere",
    )  # fmt: skip
    theirs.write(".gitattributes", "* filter=evil diff=evil\n*.md filter=lfs\n")
    theirs.git("-c", "core.hooksPath=/dev/null", "-c", "filter.evil.process=",
               "-c", "filter.evil.smudge=cat", "commit", "-qam", "evil")  # fmt: skip
    mark.unlink(missing_ok=True)
    done = skills(ours, "add", "../theirs#main")
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    assert not [*ours.path.rglob("*.was-run")]
    assert [*tree(ours)] == [
        ".skillmesh/skills.lock.json", ".skillmesh/skills/pdf/SKILL.md",
        ".skillmesh/skills/pdf/scripts/run.sh", ".skillmesh/skills/xlsx/SKILL.md",
    ]  # fmt: skip


def test_a_submodule_in_a_skill_is_refused(ours: Repo, hostile: Repo) -> None:
    repo = hostile
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},pdf/inner")
    repo.git("commit", "-qm", "submodule")
    done = skills(ours, "add", "../hostile#main")
    assert "'pdf/inner' is a submodule: only plain files are taken" in done.stderr


@pytest.mark.parametrize("where", [".skillmesh", ".skillmesh/skills", ".skillmesh/skills/pdf"])
def test_nothing_is_written_through_a_link(
    ours: Repo, theirs: Repo, tmp_path: Path, where: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (ours.path / where).parent.mkdir(parents=True, exist_ok=True)
    (ours.path / where).symlink_to(outside)
    done = skills(ours, "add", "../theirs", "--path", "skills/pdf")
    assert done.returncode == 2
    assert "is a link" in done.stderr
    assert list(outside.iterdir()) == []


def test_a_lock_file_of_somebody_else_leads_nowhere(ours: Repo, theirs: Repo) -> None:
    skills(ours, "add", "../theirs")
    text = ours.read(LOCK)
    for path in ("../../README.md", "/etc/passwd", "a/../../.."):
        ours.write(LOCK, text.replace('"path": "pdf"', f'"path": "{path}"'))
        assert skills(ours, "remove", "--force", "pdf").returncode == 8
        ours.write(LOCK, text.replace('"scripts/run.sh"', f'"{path}"'))
        assert skills(ours, "remove", "--force", "pdf").returncode == 8
    ours.write(LOCK, "[")
    assert skills(ours, "update").returncode == 8
    assert ours.read("README.md") == "Ours\n"


def test_a_disk_that_cannot_be_written(ours: Repo, theirs: Repo) -> None:
    with read_only(ours.path):
        done = run_respecting_permissions(ours.path, "skills", "add", "../theirs")
    assert (done.returncode, done.stdout) == (9, "")
    assert done.stderr == f"git-skillmesh: cannot write {ours.path}/.skillmesh: Permission denied\n"
    assert tree(ours) == {}


FULL = OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("step", "error"), [*enumerate([FULL, KeyboardInterrupt] * 3 + [FULL]), (2, KeyboardInterrupt)]
)
def test_a_skill_is_there_as_a_whole_or_not_at_all(
    ours: Repo, theirs: Repo, monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException
) -> None:
    """Ended at any step of writing, both of adding and of updating."""
    steps = iter(range(100))

    def ending(before: object) -> object:
        def call_it(*args: object) -> object:
            if next(steps) == step:
                raise error
            return before(*args)  # type: ignore[operator]

        return call_it

    def interrupted(*args: str) -> int:
        nonlocal steps
        steps = iter(range(100))
        with monkeypatch.context() as patch:
            for name in ("_write", "_move", "rewrite_file"):
                patch.setattr(shelves, name, ending(getattr(shelves, name)))
            return skills(ours, *args).returncode

    if interrupted("add", "../theirs") != 0:
        assert tree(ours) == {}
        assert not (ours.path / ".skillmesh/skills").exists()
        assert skills(ours, "add", "../theirs").returncode == 0
    before = tree(ours)
    theirs.commit("more", {"skills/pdf/SKILL.md": PDF + "More.\n"})
    if interrupted("update") != 0:
        assert tree(ours) == before
        assert skills(ours, "update").returncode == 0
    assert skills(ours, "update", "--frozen").returncode == 0
    before = tree(ours)
    if interrupted("remove", "pdf") != 0:
        assert tree(ours) == before


def test_ctrl_c_while_a_repository_is_fetched(ours: Repo, tmp_path: Path) -> None:
    """A server that never answers: git is ended with the program, and nothing is left."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexec sleep 60\n")
    ssh.chmod(0o755)
    command = [sys.executable, "-m", "git_skillmesh", "skills", "add", "ssh://host.example/x"]
    environment = {**os.environ, "GIT_SSH_COMMAND": os.fspath(ssh), "TMPDIR": os.fspath(tmp_path)}
    process = subprocess.Popen(
        command, cwd=ours.path, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while not (tmp_path / "started").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == b"git-skillmesh: interrupted; run it again to go on\n"
    assert tree(ours) == {}
    assert not [*tmp_path.glob("git-skillmesh-*")]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_snapshot(tmp_path: Path, object_format: str) -> None:
    repo = make_repo(tmp_path, object_format=object_format, files={"a/b": "one\n"})
    (repo.path / "a" / "link").symlink_to("b")
    repo.commit("link")
    for number, revision in enumerate(["", "main", repo.head]):
        with snapshot(
            os.fspath(repo.path), revision, tmp_path / str(number), ["file"], Manners()
        ) as taken:
            assert taken.commit == repo.head
            assert {path: (one.kind, one.size) for path, one in taken.files.items()} == {
                "a/b": ("file", 4), "a/link": ("link", 1),
            }  # fmt: skip
            assert taken.read(["a/b"]) == [b"one\n"]


def test_limits_are_as_documented() -> None:
    assert FILE_LONGEST == 5 * 1024 * 1024
    assert issubclass(ReadOnly, Exception)
