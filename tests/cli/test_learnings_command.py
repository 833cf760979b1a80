"""`git skillmesh learnings`: what it prints, what it writes, and what it leaves alone."""

import json
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.files import learnings_on_disk, put
from git_skillmesh.learnings.model import (
    Backtest,
    Example,
    Fix,
    Learning,
    Matcher,
    MatcherKind,
    Severity,
    State,
)
from testing.commands import call
from testing.repos import Repo, Result, make_repo

FOLDER = ".skillmesh/learnings"
TIMEOUTS = Learning(
    learning_id="timeouts",
    title="Give every request a timeout",
    description="Without one a call waits for ever.\n\nIt did.",
    matcher=Matcher(MatcherKind.AST, rule={"pattern": "requests.get($URL)"}),
    state=State.BLOCK,
    severity=Severity.ERROR,
    tags=("http", "net"),
    languages=("python",),
    paths=("src/**",),
    fix=Fix("Ten seconds.", "requests.get($URL, timeout=10)"),
    bad=(Example("requests.get(u)\n"), Example("requests.get(v)", path="src/a.py")),
    good=(Example("requests.get(u, timeout=3)\n"), Example("get(u)")),
    source_chat_id="chat-1",
    source_commits=("abcdef0",),
    confidence=0.8,
    created="2026-01-02",
    backtest=Backtest(1000, 10, 1, 2, "abcdef0123456789", "2026-11-21"),
)
WIP = Learning(
    learning_id="wip",
    title="No \x1b[31mWIP",
    description="D",
    matcher=Matcher(MatcherKind.MESSAGE, regex="WIP"),
    tags=("git",),
)


BAD = """\
learning_id: bad
title: T
description: D
matcher: {kind: literal, text: x}
"\\e[31m": 1
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("learnings"))
    for learning in (TIMEOUTS, WIP):
        put(discover(repo.path), learning)
    repo.write(f"{FOLDER}/bad.yaml", BAD)
    repo.commit("learn")
    return repo


def learnings(repo: Repo, *args: str, **env: str) -> Result:
    return call(repo.path, "learnings", *args, env=env)


def test_list(filled: Repo) -> None:
    assert learnings(filled) == Result(
        0,
        "bad       broken    unknown field: ␛[31m\n"
        "timeouts  block     error    ast      Give every request a timeout\n"
        "wip       proposed  warning  message  No ␛[31mWIP\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--state", "block"), ["timeouts"]),
        (("--state", "block", "--state", "proposed"), ["timeouts", "wip"]),
        (("--state", "retired"), []),
        (("--tag", "net"), ["timeouts"]),
        (("--tag", "git", "--state", "block"), []),
        (("--language", "python"), ["timeouts"]),
        (("--language", "go"), []),
        (("--path", "src/x.py"), ["timeouts"]),
        (("--path", "src/x.go"), []),
        ((), ["bad", "timeouts", "wip"]),
    ],
)
def test_list_filters(filled: Repo, options: tuple[str, ...], found: list[str]) -> None:
    said = learnings(filled, "list", "--json", *options)
    rows = json.loads(said.stdout)["learnings"]
    assert [Path(row["path"]).stem for row in rows] == found
    assert said.returncode == (0 if found else 1)
    text = learnings(filled, "list", *options)
    assert [line.split()[0] for line in text.stdout.splitlines()] == found
    assert text.stderr == ("" if found else "no learnings that fit\n")


def test_show(filled: Repo) -> None:
    assert learnings(filled, "show", "timeouts").stdout == (
        "timeouts  block  error\n"
        "Give every request a timeout\n"
        "\n"
        "Without one a call waits for ever.\n"
        "\n"
        "It did.\n"
        "\n"
        "instead       Ten seconds.\n"
        "languages     python\n"
        "paths         src/**\n"
        "tags          http, net\n"
        "conversation  chat-1\n"
        "commits       abcdef0\n"
        "confidence    0.8\n"
        "created       2026-01-02\n"
        "backtest      1,000 commits until abcdef012345: 10 flagged, 1 wrongly, 2 too young "
        "(2026-11-21)\n"
        "file          .skillmesh/learnings/timeouts.yaml\n"
        "\n"
        "matcher\n"
        "    kind: ast\n"
        "    rule:\n"
        "      pattern: requests.get($URL)\n"
        "rewrite\n"
        "    requests.get($URL, timeout=10)\n"
        "bad 1\n"
        "    requests.get(u)\n"
        "bad 2  src/a.py\n"
        "    requests.get(v)\n"
        "good 1\n"
        "    requests.get(u, timeout=3)\n"
        "good 2\n"
        "    get(u)\n"
    )
    document = json.loads(learnings(filled, "show", "timeouts", "--json").stdout)
    assert document["learning"]["backtest"]["fired"] == 10
    assert document["path"] == f"{FOLDER}/timeouts.yaml"


def test_show_neutralises_what_a_terminal_would_obey(filled: Repo) -> None:
    said = learnings(filled, "show", "wip").stdout
    assert "\x1b" not in said
    assert "No ␛[31mWIP" in said
    assert learnings(filled, "show", "bad") == Result(
        10, f"{FOLDER}/bad.yaml:5: unknown field: ␛[31m\n", ""
    )


def test_a_bare_repository_shows_those_of_head(filled: Repo, tmp_path: Path) -> None:
    bare = filled.clone(tmp_path / "bare.git", "--bare")
    assert learnings(bare).stdout == learnings(filled).stdout
    assert learnings(bare, "test", "timeouts").returncode == 0
    assert learnings(bare, "new", "x", "--title", "T").returncode == 2


def test_test(filled: Repo) -> None:
    assert learnings(filled, "test", "timeouts", "wip") == Result(
        0, "", "2 learnings, all in order\n"
    )
    line = f"{FOLDER}/bad.yaml:5: unknown field: ␛[31m\n"
    assert learnings(filled, "test") == Result(1, line, "3 learnings, 1 problem\n")
    assert json.loads(learnings(filled, "test", "--json").stdout) == {
        "schema": 1,
        "tested": 3,
        "problems": [{"path": f"{FOLDER}/bad.yaml", "line": 5, "what": "unknown field: \x1b[31m"}],
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show timeout", "no learning timeout: timeouts"),
        ("show zzz", "no learning zzz: git skillmesh learnings list"),
        ("show", "show takes one ID"),
        ("tset", "no such action: tset: list, show, new, test, edit, retire"),
        ("edit a b", "edit takes one ID"),
        ("list timeouts", "list takes no ids: learnings show ID"),
        ("show timeouts --reason x", "--reason is for: retire"),
        ("test --path x", "--path is for: list, new"),
        ("new timeouts --title T", f"{FOLDER}/timeouts.yaml exists: "
         "git skillmesh learnings edit timeouts"),
        ("new ../x --title T", "../x cannot be an id: "
         "lower-case letters, digits, '.', '_' and '-', up to 64"),
        ("new x", "a learning needs a title: --title TEXT"),
        ("retire wip", "say why it is retired: --reason TEXT"),
        ("retire bad --reason x", f"{FOLDER}/bad.yaml:5: unknown field: ␛[31m: "
         "git skillmesh learnings edit bad"),
        ("list --path ../..", "../.. is outside of this repository"),
    ],
)  # fmt: skip
def test_mistakes(filled: Repo, words: str, said: str) -> None:
    assert learnings(filled, *words.split()) == Result(2, "", f"git-skillmesh: {said}\n")


def test_without_learnings(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    hint = "no learnings: git skillmesh learnings new ID --title TEXT\n"
    assert learnings(repo) == Result(1, "", hint)
    assert learnings(repo, "test") == Result(0, "", "0 learnings, all in order\n")


@pytest.mark.parametrize("kind", MatcherKind)
def test_what_new_writes_tells_what_is_missing(tmp_path: Path, kind: MatcherKind) -> None:
    repo = make_repo(tmp_path)
    said = learnings(repo, "new", "my-own", "--title", "It's: so", "--kind", kind, "--path", "a/*")
    assert said == Result(
        0, f"{FOLDER}/my-own.yaml\n", "fill it in, then: git skillmesh learnings test my-own\n"
    )
    text = repo.read(f"{FOLDER}/my-own.yaml")
    lines = text.splitlines()
    place = f"{FOLDER}/my-own.yaml"
    missing = {
        MatcherKind.AST: "rule", MatcherKind.LITERAL: "text",
        MatcherKind.REGEX: "regex", MatcherKind.MESSAGE: "regex",
    }.get(kind)  # fmt: skip
    description = f"{place}:{lines.index('description:') + 1}: description is empty\n"
    if missing:
        number = lines.index(f"  {missing}:") + 1
        rest = f"{place}:{number}: matcher.{missing} is empty\n"
    else:
        rest = (
            f"{place}:{lines.index('  kind: paths') + 1}: matcher must have one of accompany, "
            "untouchable and max_bytes\n"
        )
    assert learnings(repo, "test") == Result(1, description + rest, "1 learning, 2 problems\n")
    written = {
        MatcherKind.AST: "  rule: {pattern: f}\nlanguages: [python]",
        MatcherKind.LITERAL: "  text: x",
        MatcherKind.PATHS: "  kind: paths\n  untouchable: true",
    }.get(kind, "  regex: x")  # fmt: skip
    repo.write(
        place,
        text.replace("description:", "description: D").replace(
            f"  {missing}:" if missing else "  kind: paths", written
        ),
    )
    assert learnings(repo, "test") == Result(0, "", "1 learning, all in order\n")


def editor(folder: Path, script: str) -> str:
    program = folder / "my editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"'{program}' --wait"


def test_edit_keeps_the_text_and_says_what_is_wrong(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    place = put(discover(repo.path), WIP)
    wrong = editor(tmp_path, 'test "$1" = --wait && echo "titel: x" >> "$2"')
    assert learnings(repo, "edit", "wip", GIT_EDITOR=wrong) == Result(
        1, f"{FOLDER}/wip.yaml:11: unknown field: titel\n", ""
    )
    assert place.read_text().endswith("titel: x\n")
    mended = editor(tmp_path, 'sed -i /titel/d "$2"')
    assert learnings(repo, "edit", "wip", GIT_EDITOR=mended) == Result(0, "", "all in order\n")


def test_editors_that_do_not_work(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    text = put(discover(repo.path), WIP).read_text()
    for name, code, said in (
        ("false", 2, "false ended with 1; the file stays as it is"),
        ("/no/such", 5, "cannot start /no/such: No such file or directory"),
        ("'unclosed", 5, "no editor: set VISUAL, or git config core.editor"),
    ):
        found = learnings(repo, "edit", "wip", GIT_EDITOR=name)
        assert found == Result(code, "", f"git-skillmesh: {said}\n")
    assert repo.read(f"{FOLDER}/wip.yaml") == text


def test_new_can_open_the_editor(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    fill = editor(tmp_path, 'sed -i -e "s/^description:/& D/" -e "s/^  regex:/& x/" "$2"')
    assert learnings(repo, "new", "mine", "--title", "T", "--edit", GIT_EDITOR=fill) == Result(
        0, f"{FOLDER}/mine.yaml\n", "all in order\n"
    )


def test_retire_keeps_every_other_byte(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    before = (
        "# ours\r\nlearning_id: old\r\ntitle: T   # short\r\ndescription: D\r\n"
        "state: warn # since May\r\nmatcher: {kind: literal, text: x}\r\nx-note: é\r\n"
    )
    place = repo.write(f"{FOLDER}/old.yaml", before)
    reason = ("--reason", "nobody: uses\nit")
    assert learnings(repo, "retire", "old", *reason) == Result(0, f"{FOLDER}/old.yaml\n", "")
    after = place.read_bytes().decode()
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    today = learnings_on_disk(discover(repo.path))["old"].learning
    assert today is not None
    assert added == [
        "state: retired # since May", f"updated: '{today.updated}'", "retired: 'nobody: uses it'",
    ]  # fmt: skip
    assert (today.state, today.retired) == (State.RETIRED, "nobody: uses it")
    assert learnings(repo, "retire", "old", *reason).stderr == (
        "git-skillmesh: old is retired: nobody: uses it\n"
    )


def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    outside = tmp_path / "outside.yaml"
    outside.write_text("learning_id: link\ntitle: T\ndescription: D\nstate: warn\n")
    (repo.path / FOLDER).mkdir(parents=True)
    (repo.path / FOLDER / "link.yaml").symlink_to(outside)
    for words in (("edit", "link"), ("retire", "link", "--reason", "x")):
        assert learnings(repo, *words).stderr == (
            f"git-skillmesh: {FOLDER}/link.yaml is not a regular file\n"
        )
    assert learnings(repo, "new", "link", "--title", "T").returncode == 2
    assert "warn" in outside.read_text()


def test_paths_are_shown_from_where_the_user_stands(filled: Repo) -> None:
    (filled.path / "src").mkdir(exist_ok=True)
    said = call(filled.path / "src", "learnings", "test", "bad").stdout
    assert said.startswith("../.skillmesh/learnings/bad.yaml:5: ")
    assert (
        len(
            json.loads(call(filled.path / "src", "learnings", "--path", "x.py", "--json").stdout)[
                "learnings"
            ]
        )
        == 1
    )
