"""What a query puts on a terminal: nothing that the terminal would obey, colour only if wanted."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testing.commands import call
from testing.repos import Repo, Result, make_repo

CODE = "def wait_before_retry(attempt):\n    return 2 ** attempt\n"
HOSTILE_NAMES = (
    "esc\x1b]0;owned\x07.py",
    "line\nfeed.py",
    "tab\there.py",
    "back\x08space.py",
    "c1\x9bred.py",
    "rtl\u202egnp.py",
    os.fsdecode(b"latin-\xe9.py"),
    " leading and trailing .py",
    "'quo\"te`$(x).py",
    "-dash.py",
)
HOSTILE_TEXT = (
    "# Enough of plain text for the file to count as text, with escapes in it all the same.\n"
    * 3
    + "def hostile_name():\n"
    '    return "\x1b[2J\x1b]52;c;ZXZpbA==\x07 \x9b31m \u202e\u2066 \r overwritten \x7f \ufeff"\n'
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("original"), files={"a.py": CODE})


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def on_terminal(
    repo: Repo, *args: str, env: dict[str, str | None] | None = None
) -> tuple[str, bytes]:
    """Run the program with standard output on a pseudo-terminal; return that and its errors."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", **(env or {})}
    with subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", *args],
        cwd=repo.path, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE,
        env={name: value for name, value in environment.items() if value is not None},
    ) as process:  # fmt: skip
        os.close(terminal)
        shown = b""
        while True:
            try:
                block = os.read(controller, 4096)
            except OSError:  # Linux says EIO when the other end is closed
                break
            if not block:
                break
            shown += block
        assert process.stderr is not None
        errors = process.stderr.read()
    os.close(controller)
    return shown.decode().replace("\r\n", "\n"), errors


def test_the_page_is_whole(repo: Repo) -> None:
    said = call(repo.path, "query", "wait_before_retry")
    assert said.returncode == 0
    assert said.stderr == ""
    first, *lines, why = said.stdout.splitlines()
    assert re.fullmatch(r" 1\. a\.py:1  wait_before_retry  function · 2 lines · \d+\.\d\d", first)
    assert lines == ["        1 def wait_before_retry(attempt):"]
    assert re.fullmatch(r" {10}why: [a-z, ]+", why)


def test_full_and_explain(repo: Repo) -> None:
    said = call(repo.path, "query", "--full", "--explain", "attempt").stdout.splitlines()
    assert said[1:3] == [
        "        1 def wait_before_retry(attempt):",
        "        2     return 2 ** attempt",
    ]
    assert re.fullmatch(r" {10}why: ([a-z_0-9]+ [+-]\d+\.\d\d( {2})?)+", said[3])


def test_colour_is_for_terminals_that_want_it(repo: Repo) -> None:
    plain = call(repo.path, "query", "wait_before_retry").stdout
    coloured, errors = on_terminal(repo, "query", "wait_before_retry")
    assert errors == b""
    assert "\x1b[36ma.py:1\x1b[0m" in coloured
    assert "\x1b[1;33mwait_before_retry\x1b[0m" in coloured
    assert _ANSI.sub("", coloured) == plain
    for variable, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        assert on_terminal(repo, "query", "wait_before_retry", env={variable: value})[0] == plain


def test_colour_can_be_asked_for_and_refused(repo: Repo) -> None:
    plain = call(repo.path, "query", "wait_before_retry").stdout
    asked = call(
        repo.path, "query", "--color", "always", "wait_before_retry", env={"NO_COLOR": "1"}
    )
    assert asked.stdout != plain == _ANSI.sub("", asked.stdout)
    refused, _ = on_terminal(repo, "query", "--color", "never", "wait_before_retry")
    assert refused == plain


def test_hostile_names_and_contents_are_made_harmless(repo: Repo) -> None:
    for name in HOSTILE_NAMES:
        repo.write(name, f"# {name!r}\n" + CODE)
    repo.write("text.py", HOSTILE_TEXT)
    for commit in (False, True):
        if commit:
            repo.commit()
        for words in ("wait_before_retry", "hostile_name overwritten"):
            for options in (["--full"], [], ["--explain"], ["--color", "always"]):
                said = call(repo.path, "query", "-n", "99", *options, words)
                assert said.returncode == 0
                shown = _ANSI.sub("", said.stdout) if "always" in options else said.stdout
                assert _FORBIDDEN.findall(shown + said.stderr) == []
        listed = call(repo.path, "query", "-n", "99", "wait_before_retry").stdout
        headings = [line for line in listed.splitlines() if re.match(r" ?\d+\. ", line)]
        assert len(headings) >= len(HOSTILE_NAMES) + 1
        for name in ("esc␛]0;owned␇.py", "line␊feed.py", "tab␉here.py", "c1<U+009B>red.py",
                     "rtl<U+202E>gnp.py", "latin-\\udce9.py", "-dash.py"):  # fmt: skip
            assert f" {name}:" in listed


def test_hostile_symbols_queries_and_branches(repo: Repo) -> None:
    repo.write("a.md", "# Title \x1b[31m red \u202e drawkcab\n\nhostile heading\n")
    for words in ("hostile heading", "none \x1b[31m \x07 \u202e"):
        said = call(repo.path, "query", words)
        assert _FORBIDDEN.findall(said.stdout + said.stderr) == []
    repo.commit()
    repo.git("checkout", "--quiet", "-b", "odd\u202ebranch")
    for command in ("status", "doctor"):
        said = call(repo.path, command)
        assert _FORBIDDEN.findall(said.stdout + said.stderr) == []


def test_a_reader_that_leaves_early_is_no_error(repo: Repo) -> None:
    repo.commit("many", {f"f{n}.py": CODE * 40 for n in range(60)})
    command = f'"{sys.executable}" -m git_skillmesh'
    for arguments in (
        "query -n 99 --full wait_before_retry",
        "query -n 99 --full --json wait",
        "-h",
    ):
        done = subprocess.run(
            ["bash", "-c", f"{command} {arguments} | head -1; exit ${{PIPESTATUS[0]}}"],
            cwd=repo.path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == 1


def test_output_that_cannot_be_written(repo: Repo) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m git_skillmesh query wait >/dev/full'],
        cwd=repo.path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        9, "git-skillmesh: cannot write: No space left on device\n",
    )  # fmt: skip


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(repo: Repo, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m git_skillmesh query wait_before_retry {closed}'],
        cwd=repo.path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(" 1. a.py:1 ") == (">&-" not in closed.replace("2>&-", ""))


def test_machine_output_is_ascii_whatever_the_names(repo: Repo) -> None:
    repo.write(os.fsdecode(b"latin-\xe9.py"), "def ünïcode_näme():\n    return '\x1b[31m'\n")
    said = call(repo.path, "query", "--json", "--full", "ünïcode_näme")
    assert said.stdout.isascii()
    assert '"path": "latin-\\udce9.py"' in said.stdout
    assert not _FORBIDDEN.search(said.stdout)


def test_a_locale_without_utf8(repo: Repo) -> None:
    repo.write("ü.py", "def ünïcode_näme():\n    return 1\n")
    said = repo.skillmesh("query", "-n", "1", "ünïcode_näme", env={"LC_ALL": "C"})
    assert said.returncode == 0
    assert said.stdout.startswith(" 1. ü.py:1  ünïcode_näme  function")
    assert said == Result(0, said.stdout, "")
