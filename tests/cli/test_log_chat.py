"""`git skillmesh log-chat`: words, files and JSON, what is stored, and what is refused."""

import io
import json
import sys
from pathlib import Path

import pytest

from git_skillmesh.sessions.model import Act, Edit, Exchange, ToolCall
from testing.agents import remembered
from testing.commands import call
from testing.memory import open_memory
from testing.repos import Repo, Result, make_repo

WORD = "tr0ub4dor" + "&3"
KEYS = ": docs/formats.md shows the keys"
EMPTY = "standard input holds no conversation: docs/formats.md shows how to write it"


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(
        tmp_path_factory.mktemp("original"),
        "lamp",
        files={"f.txt": "a\nb\nc\n", "deep/g.txt": "1\n"},
    )


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def pipe(repo: Repo, text: str, *args: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return call(repo.path, "log-chat", *args)


def only(repo: Repo) -> Exchange:
    ((exchange,),) = remembered(repo).values()
    return exchange


def test_words(repo: Repo) -> None:
    said = call(
        repo.path, "log-chat", "--prompt", f"PASSWORD='{WORD}'", "--response", "ok", "--agent",
        "chatbot", "--model", "m-1", "--title", "A lamp", "--session", "s1", "--tool", "Bash=make",
        "--tool", "think",
    )  # fmt: skip
    exchange = only(repo)
    assert said == Result(
        0, f"session   s1\nexchange  {exchange.exchange_id}\n", "redacted: named-secret 1\n"
    )
    assert (exchange.prompt, exchange.response, exchange.model) == (
        "PASSWORD='REDACTED_NAMED_SECRET'", "ok", "m-1"
    )  # fmt: skip
    assert exchange.tools == (
        ToolCall(f"{exchange.exchange_id}-0", "Bash", Act.BASH, "make"),
        ToolCall(f"{exchange.exchange_id}-1", "think", Act.OTHER),
    )
    head = open_memory(repo).head("s1")
    assert (head.agent, head.title, head.branch) == ("chatbot", "A lamp", "main")
    # The session goes on.
    call(repo.path, "log-chat", "--prompt", "more", "--session", "s1")
    assert [e.prompt for e in remembered(repo)["s1"]][1:] == ["more"]
    # A new one, where none is named.
    said = call(repo.path, "log-chat", "--prompt", "else", "--json")
    document = json.loads(said.stdout)
    name = document["sessions"][0]["session"]
    assert name.startswith("chat-")
    assert document == {
        "sessions": [
            {"session": name, "exchanges": [e.exchange_id for e in remembered(repo)[name]]}
        ],
        "redactions": {},
    }


def test_files_with_the_words(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "ask").write_text("from a file\n")
    words = ("--prompt-file", str(tmp_path / "ask"), "--response-file", "-")
    said = repo.skillmesh("log-chat", *words, stdin="from a pipe\n")
    assert said.returncode == 0
    assert (only(repo).prompt, only(repo).response) == ("from a file", "from a pipe")


def test_changed_files_are_stored_as_git_counts_them(repo: Repo) -> None:
    repo.write("f.txt", "a\nB\nc\nd")
    repo.write("new.txt", "n\n")
    repo.write("raw.bin", b"\0\1")
    (repo.path / "deep" / "g.txt").unlink()
    said = call(
        repo.path / "deep", "log-chat", "--prompt", "x", "--file", "../f.txt", "--file", "g.txt",
        "--file", "../new.txt", "--file", "../raw.bin",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    (edit,) = only(repo).tools
    assert edit.edits == (
        Edit("f.txt", "b\n", "B\n", line=2),
        Edit("f.txt", "", "d", line=4),
        Edit("deep/g.txt", "1\n", None, whole=True),
        Edit("new.txt", None, "n\n", whole=True, line=1),
    )
    added = sum((e.after or "").count("\n") + ((e.after or "")[-1:] not in ("", "\n"))
                for e in edit.edits)  # fmt: skip
    repo.git("add", "--all", ":!raw.bin")
    stat = repo.git("diff", "--cached", "--numstat").splitlines()
    assert added == sum(int(line.split()[0]) for line in stat)


def test_the_difference_to_another_commit(repo: Repo) -> None:
    first = repo.head
    repo.commit("second", {"f.txt": "a\nb\nc\nd\n"})
    call(repo.path, "log-chat", "--prompt", "x", "--file", "f.txt", "--base", first)
    assert only(repo).tools[0].edits == (Edit("f.txt", "", "d\n", line=4),)


def test_json_documents(repo: Repo) -> None:
    document = {
        "session": "s1", "agent": "chatbot", "title": "T", "parent": "s0", "branch": "b",
        "exchanges": [
            {
                "id": "e1", "prompt": "hi", "response": "ho", "model": "m",
                "started": "2026-01-01T10:00:00+01:00", "ended": 1767258005,
                "tools": [
                    {"name": "Bash", "input": "git commit -m x", "output": "[main 1a2b3c4] x"},
                    {"name": "write", "edits": [{"path": "a", "before": "x", "after": "y"}]},
                    {"id": "t3", "name": "odd", "act": "web", "failed": True, "paths": ["p"]},
                ],
            },
            {"prompt": "again"},
        ],
    }  # fmt: skip
    said = pipe(repo, json.dumps(document, indent=2))
    first, second = remembered(repo)["s1"]
    assert said == Result(
        0, f"session   s1\nexchange  e1\nexchange  {second.exchange_id}\n", ""
    )  # fmt: skip
    assert (first.started, first.ended) == ("2026-01-01T09:00:00.000Z", "2026-01-01T09:00:05.000Z")
    assert [(c.call_id, c.act, c.commits, c.edits, c.failed, c.paths) for c in first.tools] == [
        ("e1-0", Act.BASH, ("1a2b3c4",), (), False, ()),
        ("e1-1", Act.EDIT, (), (Edit("a", "x", "y"),), False, ("a",)),
        ("t3", Act.WEB, (), (), True, ("p",)),
    ]
    head = open_memory(repo).head("s1")
    assert (head.agent, head.title, head.parent, head.branch) == ("chatbot", "T", "s0", "b")
    before = repo.git("rev-parse", "refs/skillmesh/memory")
    assert pipe(repo, json.dumps(document)).stdout == said.stdout
    assert repo.git("rev-parse", "refs/skillmesh/memory") == before


def test_json_lines_and_files(repo: Repo) -> None:
    repo.write("f.txt", "a\n")
    lines = [
        {"session": "s1", "prompt": "one", "files": ["f.txt"]},
        {"session": "s2", "prompt": "two"},
        {"session": "s1", "prompt": "three"},
    ]
    said = pipe(repo, "".join(json.dumps(line) + "\n" for line in lines), "--agent", "bot")
    assert said.returncode == 0
    assert {n: [e.prompt for e in es] for n, es in remembered(repo).items()} == {
        "s1": ["one", "three"], "s2": ["two"]
    }  # fmt: skip
    assert remembered(repo)["s1"][0].tools[0].edits == (Edit("f.txt", "b\nc\n", "", line=1),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", " holds no conversation: docs/formats.md shows how to write it"),
        ('{"prompt": 3}', ":1: prompt is not text" + KEYS),
        ('{"prompt": "a"}\n\n{"response": []}', ":3: response is not text" + KEYS),
        ('\n\n{"promt": "a"}', ":3: promt is no key that is known here" + KEYS),
        ("[1]", ":1: the document is no object" + KEYS),
        ("{}", ":1: prompt is missing" + KEYS),
        ('{"exchanges": []}', ":1: exchanges is empty" + KEYS),
        ('{"exchanges": {}}', ":1: exchanges is no list" + KEYS),
        (
            '{"exchanges": [{"prompt": "a"}, {"prompt": "b", "tools": [{"name": "x"}, {}]}]}',
            ":1: exchanges[1].tools[1].name is missing" + KEYS,
        ),
        (
            '{"prompt": "a", "tools": [{"name": "e", "edits": [{"path": "p", "line": -1}]}]}',
            ":1: tools[0].edits[0].line is no line number" + KEYS,
        ),
        (
            '{"prompt": "a", "tools": [{"name": "e", "act": "dance"}]}',
            ":1: tools[0].act must be one of read, edit, bash, search, task, web, other"
            + KEYS,
        ),
        (
            '{"prompt": "a", "started": "soon"}',
            ":1: started: not a time: 'soon'" + KEYS,
        ),
        ('{"prompt": "a",\n "response": }', ":2: not JSON: Expecting value (column 14)"),
        ('{"prompt": "a"}\nno', ":2: not JSON: Expecting value (column 1)"),
    ],
)  # fmt: skip
def test_json_that_does_not_fit(repo: Repo, text: str, said: str) -> None:
    assert pipe(repo, text) == Result(2, "", f"git-skillmesh: standard input{said}\n")
    assert remembered(repo) == {}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--prompt", ""], EMPTY),
        (["--tool", "Bash"], "nothing was said: give a prompt or a response"),
        (
            ["--prompt", "x", "--tool", "=a"],
            "no tool has an empty name: =a: write NAME, or NAME=INPUT",
        ),
        (["--prompt", "x", "--base", "HEAD"], "--base needs --file"),
        (["--prompt", "x", "--prompt-file", "y"], "--prompt and --prompt-file exclude each other"),
        (
            ["--prompt-file", "-", "--response-file", "-"],
            "only one of --prompt-file and --response-file can read standard input",
        ),
        (["--prompt-file", "nowhere"], "cannot read nowhere: No such file or directory"),
        (["--prompt", "x", "--file", "no"], "no such file, neither here nor in HEAD: no"),
        (["--prompt", "x", "--file", "../../x"], "not a file of this repository: ../../x"),
        (
            ["--prompt", "x", "--file", "f.txt", "--base", "nope"],
            "not a commit or tree of this repository: nope",
        ),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(repo: Repo, args: list[str], said: str) -> None:
    assert pipe(repo, "", *args) == Result(2, "", f"git-skillmesh: {said}\n")
    assert remembered(repo) == {}


def test_a_link_out_of_the_repository_is_not_followed(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("private")
    (repo.path / "link").symlink_to(tmp_path / "outside")
    said = call(repo.path, "log-chat", "--prompt", "x", "--file", "link")
    assert said.returncode == 2
    assert remembered(repo) == {}


def test_a_forgotten_session(repo: Repo) -> None:
    call(repo.path, "log-chat", "--prompt", "x", "--session", "s1")
    open_memory(repo).forget("s1")
    assert call(repo.path, "log-chat", "--prompt", "y", "--session", "s1") == Result(
        2, "", "git-skillmesh: session s1 was forgotten and stays away\n"
    )


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.write("a", "1\n")
    said = call(repo.path, "log-chat", "--prompt", "x", "--file", "a")
    assert said.returncode == 0, said.stderr
    assert only(repo).tools[0].edits == (Edit("a", None, "1\n", whole=True, line=1),)
