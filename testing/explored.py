"""Repositories to look at in a browser: one with a story, one in which all text is hostile.

In: a folder. Out: a repository with commits, conversations, links and learnings, and an explorer
that serves it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from git_skillmesh.learnings.model import Fix, Matcher, MatcherKind, State
from git_skillmesh.sessions.model import Act, Exchange, Session, ToolCall
from testing import serving
from testing.conversations import FIRST, edit_call, link, remember
from testing.learnings import files_of, learning, with_examples
from testing.repos import Repo, dated, make_repo

# What must stay text wherever it gets to. No request to any of these names may ever be made.
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)//",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><use href=//evil.invalid/a#b></svg>",
    '"><body onpageshow=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1)) [y](data:text/html,<script>alert(1)</script>)",
    "![x](http://evil.invalid/a.png) <http://evil.invalid/b>",
    "[z]: javascript:alert(1)",
    "<style>@import '//evil.invalid/c.css'; * { background: url(//evil.invalid/d) }</style>",
    "<link rel=stylesheet href=//evil.invalid/e.css>",
    "<meta http-equiv=refresh content='0;url=//evil.invalid/f'>",
    "<base href=//evil.invalid/>",
    "<form id=search name=body><input name=children></form>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= alert(1) %>",
    "&lt;script&gt; &#60;img src=x onerror=alert(1)&#62;",
    "`</code><img src=x onerror=alert(1)>`",
    "__proto__ constructor toString",
    "<!-- --!> ]]> <![CDATA[ <?xml",
    "x: url(javascript:alert(1)); expression(alert(1)); -moz-binding: url(//evil.invalid/g)",
)
# Unseen, or changing what others look like.
UNSEEN = (
    "left\u202egnp.exe",
    "iso\u2066lated\u2069",
    "zero\u200bwidth\ufeff",
    "line\u2028alert(1)\u2029",
)
LONG = "w" * 120_000


def make_story(folder: Path) -> Repo:
    """Build the repository of the examples with three conversations and two learnings."""
    repo = serving.make_story(folder)
    other = learning("no-print", "Log, do not print", state=State.PROPOSED)
    with dated("2026-03-04T10:12:00Z"):
        repo.commit("propose what else was learned", files_of(other))
    assert repo.skillmesh("index", "-q", "--chroma", "off").returncode == 0
    return repo


def make_hostile(folder: Path) -> Repo:
    """Build a repository in which every text that a page shows is an attack."""
    repo = make_repo(folder, "<img src=x onerror=alert(1)>", files={"README.md": "# x\n"})
    names = [
        f"src/{text.replace('/', '|')[:120]}.py"
        for text in (*HOSTILE, *UNSEEN, "new\nline", "quo\"te'", "-dash", "%2e%2e", "a#b?c")
    ]  # fmt: skip
    repo.git("config", "user.name", HOSTILE[2])
    body = "\n".join(f"# {text}" for text in (*HOSTILE, *UNSEEN)) + "\n"
    repo.commit("all", dict.fromkeys(names, body))
    everything = "\n\n".join((*HOSTILE, *UNSEEN))
    fenced = "\n".join(
        ("```html", *HOSTILE, "```", "| a | b |", "|--|--|", *(f"| {t} | x |" for t in HOSTILE))
    )
    path = names[0]
    _hostile_commits(repo)
    calls = (
        ToolCall("call-1", HOSTILE[0], Act.OTHER, HOSTILE[2], everything[:4000], paths=(path,)),
        ToolCall("call-2", "Bash", Act.BASH, HOSTILE[3], everything[:4000]),
        edit_call(3, path, body, "# before\n"),
    )
    exchanges = [
        Exchange(
            f"e-{number}", f"{text}\n\n{everything}\n\n{LONG if number == 0 else ''}",
            f"{everything}\n\n{fenced}",
            f"2026-03-01T10:{number:02}:00Z", f"2026-03-01T10:{number:02}:30Z", HOSTILE[2], calls,
        )
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    remember(repo, Session(FIRST, "claude-code", tuple(exchanges), HOSTILE[2], branch=HOSTILE[0]))
    for number, _ in enumerate(exchanges):
        link(repo, "HEAD~1", names[number], [1, 2], FIRST, f"e-{number}")
    wrong = with_examples(
        learning(
            "wrong", HOSTILE[2], description="\n\n".join(HOSTILE), fix=Fix(HOSTILE[3]),
            matcher=Matcher(MatcherKind.LITERAL, text=HOSTILE[0]),
        ),
        [HOSTILE[0] + "\n"],
        ["fine\n"],
    )  # fmt: skip
    repo.commit(HOSTILE[0], files_of(wrong))
    assert repo.skillmesh("index", "-q", "--chroma", "off").returncode == 0
    return repo


def _hostile_commits(repo: Repo) -> None:
    """Commit with each attack as subject, body and author, in one process."""
    made, parent = b"", repo.head
    for number, text in enumerate((*HOSTILE, *UNSEEN, LONG[:3000])):
        author = text.replace("<", "(").replace(">", ")").replace("\n", " ")[:200]
        when = f"{1772000000 + number} +0000"
        message = f"{text}\n\n{text}".encode()
        made += b"commit refs/heads/main\nmark :%d\n" % (number + 1)
        made += f"author {author} <x@example.org> {when}\n".encode()
        made += f"committer {author} <x@example.org> {when}\n".encode()
        made += b"data %d\n%s\n" % (len(message), message)
        made += f"from {parent}\n".encode() + b"\n"
        parent = f":{number + 1}"
    repo.git("fast-import", "--quiet", stdin=os.fsdecode(made))


@contextmanager
def served(repo: Repo) -> Iterator[str]:
    """Serve a repository as a user would; the address that the command prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "explore"],
        cwd=repo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout
        process.stdout.close()
