"""`git skillmesh chroma copy`, `upgrade` and `vacuum` as a user runs them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from git_skillmesh.chroma.moving import copying
from git_skillmesh.chroma.moving.copying import Wanted
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Unavailable
from testing.commands import call
from testing.moving import content, filled, opened
from testing.repos import Repo, Result, make_repo

HASH = "[0-9a-f]{12}"
LOCAL = {"CHROMA_DB_IMPL": None}


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with its local store; tests give it further stores."""
    made = make_repo(
        tmp_path_factory.mktemp("chroma command"),
        files={"a.py": "def parse_header():\n    return 1\n", "b.md": "# Title\n\nText.\n"},
    )
    said = call(made.path, "index", "--chroma", "wait", env=LOCAL)
    assert said.returncode == 0
    assert said.stderr.splitlines()[-1] == (
        f"Chroma: 2 written, 0 deleted, 2 in codebase_v1 (the folder {made.state_dir}/chroma)"
    )
    return made


def chroma(repo: Repo, *arguments: str, **environ: str) -> Result:
    return call(repo.path, "chroma", *arguments, env={**LOCAL, **environ})


def test_a_copy_takes_the_place_of_the_store(repo: Repo, tmp_path: Path) -> None:
    there = tmp_path / "a copy"
    ends = f"from  the folder {repo.state_dir}/chroma\nto    the folder {there}\n"
    planned = chroma(repo, "copy", "--from", "configured", "--to", f"persistent:{there}",
                     "--dry-run")  # fmt: skip
    assert (planned.returncode, planned.stderr) == (0, "nothing was changed\n")
    first, second, line = planned.stdout.splitlines()
    assert f"{first}\n{second}\n" == ends
    assert line.startswith("  codebase_v1            new                    2 rows  256 dimensions")
    assert not there.exists()
    done = chroma(repo, "copy", "--from", "configured", "--to", f"persistent:{there}")
    assert (done.returncode, done.stderr) == (0, "")
    *_, row, end = done.stdout.splitlines()
    assert row.startswith("  codebase_v1                    2 rows  2 written, 2 searched, sum ")
    assert end == "2 rows in 1 collection, each compared with its source"
    _refused_while_open(repo, there)
    said = chroma(repo, "vacuum", "--at", f"persistent:{there}", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    size = json.loads(said.stdout)
    assert 0 < size["bytes_after"] <= size["bytes_before"]
    again = chroma(repo, "copy", "--from", f"persistent:{there}", "--to", "configured", "--json")
    document = json.loads(again.stdout)
    assert (again.returncode, again.stderr) == (0, "")
    assert set(document) == {"schema", "from", "to", "collections"}
    assert (document["from"], document["to"]) == (
        f"the folder {there}", f"the folder {repo.state_dir}/chroma",
    )  # fmt: skip
    [told] = document["collections"]
    assert told.pop("digest").startswith(row.split()[-1])
    assert told == {
        "name": "codebase_v1", "rows": 2, "written": 0, "removed": 0, "kept": 0, "documents": 0,
        "searched": 2, "notes": [],
    }  # fmt: skip
    upgraded = chroma(repo, "upgrade", "--at", f"persistent:{there}")
    assert upgraded == Result(
        0, f"the folder {there}\n  codebase_v1            ok                     2 rows\n", ""
    )
    # The clone goes on with the copy, and sends nothing anew.
    repo.git("config", "skillmesh.chroma.path", os.fspath(there))
    said = call(repo.path, "index", "--chroma", "wait", env=LOCAL)
    repo.git("config", "--unset", "skillmesh.chroma.path")
    assert said.stderr == (
        "the index is up to date\n"
        f"Chroma: 0 written, 0 deleted, 2 in codebase_v1 (the folder {there})\n"
    )


def _refused_while_open(repo: Repo, there: Path) -> None:
    """Look at what is said where another program has the store open."""
    hold = "import sys; f = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, there / "chroma.sqlite3"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        for arguments in (("copy", "--from", "configured", "--to"), ("vacuum", "--at")):
            said = chroma(repo, *arguments, f"persistent:{there}")
            assert (said.returncode, said.stdout) == (6, "")
            assert f"(process {holder.pid}) has the Chroma store {there} open" in said.stderr
        holder.communicate()


def test_a_copy_whose_process_was_killed_goes_on(repo: Repo, tmp_path: Path) -> None:
    source, there = (Target("persistent", path=tmp_path / name) for name in ("one", "two"))
    with opened(source) as end:
        filled(end)
        expected = {name: content(end, name) for name in ("codebase_v1", "notes", "void")}

    def kill(_phase: str, name: str, _done: int, _total: int) -> None:
        if name == "notes":
            [child] = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[-1:]
            os.kill(int(child), signal.SIGKILL)

    with pytest.raises(Unavailable) as killed:
        copying.copy(source, there, repo.state_dir, Wanted(), kill)
    assert str(killed.value) == (
        "the Chroma writer was killed by signal 9: the next run catches up"
    )
    done = copying.copy(source, there, repo.state_dir, Wanted())
    assert [(one.name, one.rows, one.written) for one in done] == [
        ("codebase_v1", 25, 0), ("notes", 11, 0), ("void", 0, 0),
    ]  # fmt: skip
    with opened(there) as end:
        assert {name: content(end, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("move",), 2, "no such action: move: copy, import, upgrade, vacuum"),
        (("copy",), 2, "copy needs --to STORE: git skillmesh chroma -h"),
        (("copy", "--to", "persistent:x"), 2, "copy needs --from STORE: git skillmesh chroma -h"),
        (("import",), 2, "import needs --from STORE: git skillmesh chroma -h"),
        (("vacuum", "--dry-run"), 2, "--dry-run is for: copy, import, upgrade"),
        (("upgrade", "--to", "configured"), 2, "--to is for: copy"),
        (("copy", "--from", "persistent:x", "--to", "configured", "--repo", "a", "--all-repos"),
         2, "--repo and --all-repos exclude each other"),
        (("copy", "--from", "configured", "--to", "configured"), 2,
         "both ends are the folder {state}/chroma: --from and --to must differ"),
        (("copy", "--from", "persistent:{state}/chroma/", "--to", "configured"), 2,
         "both ends are the folder {state}/chroma: --from and --to must differ"),
        (("copy", "--from", "persistent:nowhere", "--to", "configured"), 7,
         "there is no Chroma store in {top}/nowhere"),
        (("import", "--from", "persistent:nowhere"), 7,
         "there is no Chroma store in {top}/nowhere"),
        (("vacuum", "--at", "persistent:nowhere"), 7, "there is no Chroma store in {top}/nowhere"),
        (("vacuum", "--at", "http://127.0.0.1:9"), 2,
         "the server http://127.0.0.1:9 is no folder: a server does this by itself"),
        (("import", "--from", "http://127.0.0.1:9"), 7, None),
        (("import", "--from", "configured"), 2, "codebase_v1 in the folder {state}/chroma is git "
         "skillmesh's own: git skillmesh chroma copy moves it"),
    ],
)  # fmt: skip
def test_bad_input(
    repo: Repo, arguments: tuple[str, ...], code: int, told: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("git_skillmesh.chroma.moving.foreign._PATIENCE_S", 0.0)
    places = {"state": repo.state_dir, "top": repo.path}
    given = [argument.format(**places) for argument in arguments]
    said = chroma(repo, *given)
    assert (said.returncode, said.stdout) == (code, "")
    if told is None:
        assert said.stderr.startswith("git-skillmesh: the server http://127.0.0.1:9 does not answ")
    else:
        assert said.stderr == f"git-skillmesh: {told.format(**places)}\n"
    assert not (repo.path / "nowhere").exists()


def test_a_vacuum_that_fails(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "no store").mkdir()
    (tmp_path / "no store" / "chroma.sqlite3").write_bytes(b"no database")
    said = chroma(repo, "vacuum", "--at", f"persistent:{tmp_path}/no store")
    assert (said.returncode, said.stdout) == (8, "")
    assert said.stderr.startswith(f"git-skillmesh: chroma vacuum failed on {tmp_path}/no store: ")
