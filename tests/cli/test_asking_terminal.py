"""What the answers put on a terminal: nothing that it would obey, no line that is too wide."""

import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.cli.columns import clip, code_line, fit, width_of, wrapped
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.commands import call
from testing.conversations import link, remember
from testing.repos import Repo, Result, make_repo

EVIL = (
    "\x1b[31mred\x1b]0;title\x07 \u202eevil\u2066 \x9b2J \r over \x7f \u061c \ufeff \x00 \ud800 "
    "\u2028end"
)
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
PATH = "d/\x1b[2Jevil \u202e\n.py"
WIDTH = 72


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    """A repository in which everything that can be hostile is."""
    repo = make_repo(tmp_path_factory.mktemp("hostile"))
    first = f"x = 1  # {EVIL}\n".replace("\0", "").encode(errors="surrogatepass")
    rest = b"y = '" + b"long " * 50_000 + b"'\n\xff\xfe bytes\n\xe6\xbc\xa2\xe5\xad\x97 wide\n"
    repo.write(PATH, first + rest)
    repo.git("add", "--all")
    author = {"GIT_AUTHOR_NAME": "Eve \x1b[5m\u202e\u2066"}
    repo.git("commit", "-q", "-m", "subject \x1b[2J \u202e \x9b", env=author)
    edits = Edit(EVIL, f"a{EVIL}\n", f"b{EVIL}\n" + "z" * 100_000), Edit(PATH, "", None)
    tools = (
        ToolCall("c1", EVIL, Act.OTHER, EVIL, EVIL, True, paths=(EVIL,)),
        ToolCall("c2", "Bash", Act.BASH, "echo " + "x" * 100_000, EVIL * 100),
        ToolCall("c3", "Edit", Act.EDIT, "", "", paths=(PATH,), edits=edits),
    )
    evil = Exchange("e1", f"# {EVIL}\n\n```\n{EVIL}\n```\n| {EVIL} |\n- {EVIL} " + "word " * 500,
                    EVIL, EVIL, EVIL, EVIL, tools)  # fmt: skip
    huge = Exchange("e2", "huge " * 20_000, "x" * 30_000, "2024-03-01T10:00:00Z")
    remember(
        repo,
        Session("s\x1b[31m-1", EVIL, (evil, huge), EVIL, EVIL, EVIL, source=EVIL),
        Session("untitled-1", "a\u202eb", (huge, evil)),
    )
    link(repo, "HEAD", PATH, [1], "s\x1b[31m-1", "e1", evidence="odd \x1b[5m", via=("\x1b[2J" * 3,))
    link(repo, "HEAD", PATH, [2], "untitled-1", "e2")
    link(repo, "HEAD", PATH, [3], "gone\x1b[31m\u202e", "e\x1b")
    return repo


COMMANDS = (
    ("why", PATH),
    ("why", "--full", PATH),
    ("blame", PATH),
    ("log",),
    ("show", "HEAD"),
    ("show", "--full", "HEAD"),
    ("show", "s\x1b[31m-1/1"),
    ("show", "--full", "s\x1b[31m-1/1"),
    ("show", "untitled"),
    ("sessions",),
    ("sessions", "--path", "d/*"),
    ("show", "none\x1b[31m\u202e"),
    ("why", "none\x1b[31m"),
    ("log", "none\x1b[31m"),
    ("forget", "--yes", "none\x1b[31m"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:20])
def test_nothing_hostile_reaches_a_pipe(repo: Repo, words: tuple[str, ...]) -> None:
    said = call(repo.path, *words)
    assert said.returncode in (0, 2), said.stderr
    for text in (said.stdout, said.stderr):
        assert _FORBIDDEN.search(text) is None
        assert "\u202e" not in text


@pytest.mark.parametrize("words", COMMANDS[:10], ids=lambda words: " ".join(words)[:20])
def test_nothing_hostile_or_too_wide_reaches_a_terminal(repo: Repo, words: tuple[str, ...]) -> None:
    shown = _ANSI.sub("", on_terminal(repo, *words))
    assert shown.count("\n") > 1
    assert _FORBIDDEN.search(shown.replace("\r\n", "\n")) is None
    in_code = words[0] == "show"  # code blocks of a text are not cut, the terminal breaks them
    if not in_code:
        assert max(width_of(line) for line in shown.replace("\r\n", "\n").split("\n")) <= WIDTH


@pytest.mark.parametrize("words", COMMANDS[:11], ids=lambda words: " ".join(words)[:20])
def test_json_is_valid_ascii(repo: Repo, words: tuple[str, ...]) -> None:
    said = call(repo.path, words[0], "--json", *words[1:])
    assert said.stdout.isascii()
    assert json.loads(said.stdout)["schema"] == 1
    assert said.returncode == 0


def test_a_prompt_of_ten_megabytes_is_told_at_once(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    huge = Exchange("e", "huge " * 2_000_000, "x" * 3_000_000, "2024-03-01T10:00:00Z")
    remember(repo, Session("huge", "codex", (huge,)))
    link(repo, "HEAD", "a.txt", [1], "huge", "e")
    started = time.process_time()
    said = call(repo.path, "why", "a.txt:1")
    assert "  asked     huge huge" in said.stdout
    assert len(said.stdout) < 3000
    shown = call(repo.path, "show", "huge/1").stdout
    assert "… 9,980,000 more characters (--full)" in shown
    assert len(shown) < 100_000
    # Reading it and cutting off its beginning: a bound that only a wrong algorithm reaches.
    assert time.process_time() - started < 10


def on_terminal(repo: Repo, *words: str, env: dict[str, str] | None = None) -> str:
    """Run the program on a pseudo-terminal of `WIDTH` columns and return what it shows."""
    ready, go = os.pipe()
    child, controller = pty.fork()
    if child == 0:
        os.read(ready, 1)
        os.chdir(repo.path)
        # Not the environment of C, in which readline has left COLUMNS.
        environment = {**os.environ, "TERM": "xterm-256color", **(env or {})}
        command = [sys.executable, "-m", "git_skillmesh", *words]
        os.execve(sys.executable, command, environment)  # noqa: S606
    fcntl.ioctl(controller, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
    os.write(go, b"x")
    shown = b""
    while True:
        try:
            block = os.read(controller, 65536)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.waitpid(child, 0)
    os.close(controller)
    os.close(ready)
    os.close(go)
    return shown.decode(errors="replace")


@pytest.fixture
def plain(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    remember(repo, Session("s", "codex", (Exchange("e", "Count.", "Counted to one now."),)))
    link(repo, "HEAD", "a.txt", [1], "s", "e")
    return repo


def test_the_pager_of_git_is_used(plain: Repo) -> None:
    said = on_terminal(plain, "why", "a.txt:1", env={"GIT_PAGER": "sed s/^/PAGED:/"})
    assert "PAGED:\x1b[36ma.txt:1\x1b[0m" in said
    plain.git("config", "core.pager", "tr a-z A-Z")
    environment = {"GIT_PAGER": "", "PAGER": "sed s/^/PAGER:/"}
    del os.environ["GIT_PAGER"]
    assert "COUNT." in on_terminal(plain, "why", "a.txt:1", "--color=never")
    plain.git("config", "--unset", "core.pager")
    said = on_terminal(plain, "sessions", env={"PAGER": environment["PAGER"]})
    assert "PAGER:" in said
    assert "PAGER:" not in call(plain.path, "sessions", env={"PAGER": "sed s/^/PAGER:/"}).stdout


def test_a_pager_that_is_missing_or_leaves_early(plain: Repo) -> None:
    said = on_terminal(plain, "sessions", env={"GIT_PAGER": "no-such-pager-here"})
    assert "the pager 'no-such-pager-here' was not found; GIT_PAGER=cat does without" in said
    assert "Traceback" not in on_terminal(plain, "show", "s", env={"GIT_PAGER": "true"})


def test_colour_is_for_terminals(plain: Repo) -> None:
    assert "\x1b" not in call(plain.path, "blame", "a.txt").stdout
    assert "\x1b[36ms/1" in call(plain.path, "blame", "--color=always", "a.txt").stdout
    assert "\x1b[36ms/1" in on_terminal(plain, "blame", "a.txt")
    assert "\x1b" not in on_terminal(plain, "blame", "a.txt", env={"NO_COLOR": "1"})


def test_the_width_of_a_terminal_is_used(plain: Repo) -> None:
    text = "word " * 30
    plain.commit("long", {"b.txt": text + "\n"})
    assert Result(0, text.strip(), "").stdout in call(plain.path, "why", "b.txt:1").stdout
    line = on_terminal(plain, "why", "b.txt:1", "--color=never").split("\r\n")[1]
    assert (width_of(line), line[-1]) == (WIDTH, "…")


TEXTS = st.text(max_size=80) | st.text("ab \u4e2d\u0301\U0001f600\t\n\u202e", max_size=200)


@given(TEXTS, st.integers(1, 60))
def test_cut_text_fits(text: str, width: int) -> None:
    assert width_of(clip(text, width)) <= width
    assert width_of(fit(text, width)) == width
    assert _FORBIDDEN.search(clip(text, width)) is None
    if width_of(clip(text, 10_000)) <= width:
        assert clip(text, width) == clip(text, 10_000)


@given(TEXTS, st.integers(20, 60))
def test_broken_text_fits_and_loses_no_word(text: str, width: int) -> None:
    lines = list(wrapped(text, width))
    assert all(width_of(line) <= width for line in lines)
    assert all(_FORBIDDEN.search(line) is None for line in lines)
    joined = "".join(lines).replace(" ", "")
    wanted = "".join(wrapped(text, 100_000)).replace(" ", "")
    assert joined == wanted


@given(st.binary(max_size=100), st.integers(5, 60))
def test_lines_of_files_fit(text: bytes, width: int) -> None:
    assert width_of(code_line(text.replace(b"\n", b""), width)) <= width
