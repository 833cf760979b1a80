"""Files that no editor wrote: whatever they hold, the index is made and answers."""

import json
import os
import tempfile
import zlib
from pathlib import Path

import pytest

from testing.commands import call
from testing.repos import Repo, Result, make_repo, run_skillmesh

CODE = "def wait_before_retry(attempt):\n    return 2 ** attempt\n"
BROKEN: dict[str, str | bytes] = {
    "truncated.py": 'def half(a, b:\n    return """never clos',
    "truncated.js": "export class Half { method( { if (x) { [[[ `never ${clos",
    "truncated.json": '{"half": [1, 2, {"deep": "nev',
    "truncated.yaml": "half:\n  - [1, 2\n  'never",
    "truncated.toml": "[half\nnever = ",
    "truncated.md": "# Half\n\n```python\ndef never_closed(",
    "truncated.html": "<div><script>let x = `<style>",
    "truncated.rs": "impl Half { fn never(&self) -> Vec<",
    "truncated_utf8.py": "name = 'h\u00fc".encode()[:-1],
    "latin1.py": b"# caf\xe9\n" + CODE.encode(),
    "utf16.py": CODE.encode("utf-16"),
    "bom.py": b"\xef\xbb\xbf" + CODE.encode(),
    "surrogates.py": b"x = '\xed\xa0\x80 lone'\n" + CODE.encode(),
    "overlong.py": b"y = '\xc0\xaf \xf8\x88\x80\x80\x80'\n" + CODE.encode(),
    "nul.py": b"a\0b\n" + CODE.encode(),
    "cr.py": CODE.replace("\n", "\r"),
    "crlf.py": CODE.replace("\n", "\r\n"),
    "separators.py": "x = 'a\u2028b\u2029c\x0cd\x1ce\x85f'\n" + CODE,
    "deep.py": "x = " + "(" * 20_000 + "1" + ")" * 20_000 + "\n",
    "deep.json": "[" * 50_000 + "]" * 50_000,
    "deep.xml": "<a>" * 20_000,
    "deep.md": "> " * 5_000 + "quoted\n",
    "headings.md": "#" * 500 + " heading\n" + "###### x\n" * 2_000,
    "long_name.py": f"def {'n' * 50_000}():\n    pass\n",
    "unknown.qqq": "some words in no language known\n",
    "noextension": "#!/usr/bin/env unknown-interpreter\nsome words\n",
    ".hidden": "key = value\n",
    "shebang": b"#!\xff\xfe\n" + CODE.encode(),
    "notebook.ipynb": '{"cells": "nonsense"}',
    "archive.zip": b"PK\x03\x04" + bytes(range(256)) * 8,
    "noise.py": bytes(range(256)) * 40,
    "control.py": b"\x01\x02\x03\x04" * 200,
    "one_byte": b"\xff",
}


@pytest.fixture(scope="module")
def good(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("good"), files={"good.py": CODE})


def skipped(repo: Repo) -> dict[str, str]:
    said = call(repo.path, "status", "--skipped", "--json")
    files: dict[str, str] = json.loads(said.stdout)["skipped"]["files"]
    return files


def test_broken_files_cost_nothing_but_themselves(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.write("good.py", CODE)
    for name, content in BROKEN.items():
        repo.write(name, content)
    for _ in range(2):  # first from the working tree, then committed
        said = call(repo.path, "query", "--json", "-n", "99", "wait_before_retry")
        assert (said.returncode, said.stderr) == (0, "")
        found = {result["path"] for result in json.loads(said.stdout)["results"]}
        assert found >= {"good.py", "latin1.py", "bom.py", "crlf.py", "surrogates.py"}
        repo.commit("broken")
        assert call(repo.path, "index", "--chroma", "off", "-q") == Result(0, "", "")
    assert call(repo.path, "doctor").returncode == 0
    left_out = skipped(repo)
    assert left_out.items() >= {
        "nul.py": "binary", "utf16.py": "binary", "archive.zip": "binary", "noise.py": "binary",
        "control.py": "binary", "one_byte": "binary",
    }.items()  # fmt: skip
    assert "good.py" not in left_out
    for words in ("half", "never", "heading", "some words in no language", "quoted", "x"):
        for options in (["--full"], ["--json", "--full"]):
            said = call(repo.path, "query", "-n", "50", *options, words)
            assert said.returncode in (0, 1)
            assert "error" not in said.stderr


def test_a_line_of_30_mb(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"good.py": CODE})
    with (repo.path / "line.py").open("wb") as file:
        file.write(b"x = '")
        for _ in range(30):
            file.write(b"a" * 1_000_000)
        file.write(b"'\n")
    # Sparse, so that git compresses nothing but zeros when it is committed as well.
    with (repo.path / "zeros.py").open("wb") as file:
        file.truncate(30_000_000)
    before = call(repo.path, "query", "--json", "wait_before_retry")
    assert [r["path"] for r in json.loads(before.stdout)["results"]] == ["good.py"]
    repo.git("config", "core.compression", "0")
    repo.commit("large")
    assert call(repo.path, "index", "--chroma", "off", "-q") == Result(0, "", "")
    assert skipped(repo) == {"line.py": "oversized", "zeros.py": "oversized"}


def test_a_long_line_within_the_limit_of_size(tmp_path: Path) -> None:
    repo = make_repo(
        tmp_path,
        files={"good.py": CODE, "line.md": "word " * 150_000 + "\n", "line.txt": "x" * 900_000},
    )
    assert call(repo.path, "index", "--chroma", "off", "-q") == Result(0, "", "")
    said = call(repo.path, "query", "--path", "line.md", "word")
    assert said.returncode == 0
    assert max(map(len, said.stdout.splitlines())) < 300


def test_special_files_in_the_working_tree(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"good.py": CODE})
    os.mkfifo(repo.path / "pipe.py")
    (repo.path / "dangling.py").symlink_to("nowhere.py")
    (repo.path / "loop.py").symlink_to("loop.py")
    (repo.path / "outside.py").symlink_to("/etc/passwd")
    (repo.path / "folder.py").symlink_to(tmp_path)
    said = run_skillmesh(repo.path, "query", "--json", "-n", "99", "root wait_before_retry")
    assert [r["path"] for r in json.loads(said.stdout)["results"]] == ["good.py"]


@pytest.mark.parametrize(
    "words",
    [
        "\0", "\udcff", "\U0001d518\U0001d52b\U0001d526", "a" * 100_000, "(" * 500, "*", "--",
        "%s%n", "'; DROP TABLE files; --", "\u202e", "\U0001f980" * 50, "e\u0301\u0301", "..",
        "/etc/passwd", " ".join(map(str, range(5_000))),
    ],
    ids=range(15),
)  # fmt: skip
def test_odd_queries(good: Repo, words: str) -> None:
    said = call(good.path, "query", "--json", "--", words)
    assert said.returncode in (0, 1)
    assert json.loads(said.stdout)["query"] == words
    shown = call(good.path, "query", "--", words)
    assert shown.returncode == said.returncode
    assert "error" not in shown.stderr


def test_a_blob_that_is_damaged(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"good.py": CODE, "bad.py": CODE * 30})
    oid = repo.git("rev-parse", "HEAD:bad.py")
    path = repo.git_dir / "objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob 9\0")[:-3])
    for command in (["index", "--chroma", "off"], ["query", "--committed", "wait_before_retry"]):
        said = call(repo.path, *command)
        assert said.returncode in (2, 8)
        assert said.stdout == ""
        assert said.stderr.count("\n") == 1
        assert "internal error" not in said.stderr


def test_a_blob_that_is_gone(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"good.py": CODE, "bad.py": CODE * 30})
    oid = repo.git("rev-parse", "HEAD:bad.py")
    (repo.git_dir / "objects" / oid[:2] / oid[2:]).unlink()
    said = call(repo.path, "index", "--chroma", "off")
    assert said.returncode == 7
    found = call(repo.path, "query", "--json", "--committed", "wait_before_retry")
    assert [r["path"] for r in json.loads(found.stdout)["results"]] == ["good.py"]


def test_no_temporary_folder(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"good.py": CODE, ".gitattributes": "* text\n"})
    assert tempfile.gettempdir()
    said = repo.skillmesh("query", "wait_before_retry", env={"TMPDIR": "/nowhere"})
    assert said.returncode == 0
