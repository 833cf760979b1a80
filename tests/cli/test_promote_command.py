"""`promote`: from a candidate, an exchange, a commit, a diff, or options alone."""

import json
import os
import sys
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.files import learnings_on_disk
from git_skillmesh.learnings.model import Learning
from testing.commands import call
from testing.conversations import THIRD, tell_the_correction
from testing.docs_pages import make_sample
from testing.repos import Repo, run
from testing.rights import read_only, run_respecting_permissions

NAME = "we-never-call-requests-directly"
FILE = f".skillmesh/learnings/{NAME}.yaml"
PROMOTED = f"""\
{FILE}  proposed: We never call requests directly.
  {THIRD}/c4a7-2 is promoted_to_learning now
  examples: 1 bad, 1 good; both ways as they say
  next: git skillmesh backtest {NAME}
        git add {FILE} && git commit
"""


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_sample(tmp_path_factory.mktemp("original"))
    tell_the_correction(repo)
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    """A repository that no test changes."""
    repo = make_sample(tmp_path_factory.mktemp("untouched"))
    repo.write("pnpm.yaml", "- 1\n")
    tell_the_correction(repo)
    return repo


def learning(repo: Repo, name: str = NAME) -> Learning:
    found = learnings_on_disk(discover(repo.path))[name].learning
    assert found is not None
    return found


def candidate(repo: Repo) -> str:
    said = call(repo.path, "analyze", "--json")
    return str(json.loads(said.stdout)["candidates"][0]["id"])


def test_from_a_candidate_to_a_file(repo: Repo) -> None:
    name = candidate(repo)
    said = call(repo.path, "promote", "--candidate", name[:6])
    assert (said.returncode, said.stdout, said.stderr) == (0, PROMOTED, "")
    text = repo.read(FILE)
    dates = learning(repo).created
    said_there = (
        "No, we never call requests directly. Use http.get instead of requests.get, because it "
        "has our timeouts."
    )
    assert (
        text
        == f"""\
learning_id: {NAME}
title: We never call requests directly.
description: |-
  {said_there}

  Seen 1 time in 1 conversation: 1 correction.
category: correction
tags:
  - bugfix
languages:
  - python
severity: warning
state: proposed
pattern: a call of requests.get
matcher:
  kind: ast
  rule:
    pattern: requests.get($$$ARGUMENTS)
fix:
  text: Use http.get instead of requests.get.
examples:
  bad:
    - path: src/parcels/depots.py
      code: |
        return requests.get(f"https://depots.example/scans/{{parcel}}").json()
  good:
    - path: src/parcels/depots.py
      code: |
        return http.get(f"https://depots.example/scans/{{parcel}}").json()
source_chat_id: c4a7-2
source_commits:
  - {repo.head}
example_code_reference: {learning(repo).example_code_reference}
confidence: {learning(repo).confidence}
author: Ada Example <ada@example.org>
created: '{dates}'
updated: '{dates}'
"""
    )
    assert len(learning(repo).example_code_reference) == 32
    shown = call(repo.path, "show", "--json", f"{THIRD}/2")
    assert json.loads(shown.stdout)["exchanges"][0]["status"] == "promoted_to_learning"
    again = call(repo.path, "promote", "--candidate", name)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        f"{NAME}: the same matcher: We never call requests directly.\n"
        f"git-skillmesh: {name} was promoted: {NAME}: --anyway does it\n"
    )
    assert repo.git("status", "--short") == "?? .skillmesh/"


def test_the_old_name_of_the_command(repo: Repo) -> None:
    said = call(repo.path, "promote-learning", "--candidate", "c-zzz")
    assert said.stderr == "git-skillmesh: no such candidate: c-zzz: git skillmesh review --json\n"


def test_from_an_exchange(repo: Repo) -> None:
    said = call(repo.path, "promote", "--from-chat", f"{THIRD[:8]}/2")
    assert (said.returncode, said.stdout, said.stderr) == (0, PROMOTED, "")
    decided = json.loads(call(repo.path, "analyze", "--all", "--json").stdout)["candidates"][0]
    assert (decided["decision"], decided["learning_id"]) == ("promoted", NAME)


def test_from_a_commit_and_its_exchange(repo: Repo) -> None:
    said = call(repo.path, "promote", "--from-commit", "HEAD")
    name = "ask-the-depots-by-way-of-the-shared-client"
    assert (
        said.stdout
        == f"""\
.skillmesh/learnings/{name}.yaml  proposed: ask the depots by way of the shared client
  {THIRD}/c4a7-2 is promoted_to_learning now
  examples: 1 bad, 1 good; both ways as they say
  next: git skillmesh backtest {name}
        git add .skillmesh/learnings/{name}.yaml && git commit
"""
    )
    made = learning(repo, name)
    assert (made.source_commits, made.source_chat_id) == ((repo.head,), "c4a7-2")
    assert (made.category, made.confidence) == ("", None)


def test_from_a_diff_on_standard_input(repo: Repo) -> None:
    done = run(
        "sh",
        "-c",
        "git diff HEAD~1 | git-skillmesh promote --from-diff - --id client --state warn",
        cwd=repo.path,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert (
        done.stdout
        == """\
.skillmesh/learnings/client.yaml  warn: Use http.get instead of requests.get
  examples: 1 bad, 1 good; both ways as they say
  next: git skillmesh backtest client
        git add .skillmesh/learnings/client.yaml && git commit
"""
    )
    assert learning(repo, "client").source_chat_id == ""


def test_from_options_alone(repo: Repo) -> None:
    said = call(
        repo.path, "promote", "--title", "Never sleep in tests", "--description", "They are slow.",
        "--regex", r"\btime\.sleep\(", "--unless", "# ok", "--path", "tests/**", "--tag", "tests",
        "--language", "python", "--bad", "time.sleep(1)", "--good", "clock.tick(1)",
        "--fix", "Use clock.tick.", "--severity", "error", "--state", "warn", "--category", "speed",
        "--pattern", "a call of time.sleep",
    )  # fmt: skip
    assert (said.returncode, said.stderr) == (0, "")
    made = learning(repo, "never-sleep-in-tests")
    text = repo.read(made.path)
    assert (
        text
        == f"""\
learning_id: never-sleep-in-tests
title: Never sleep in tests
description: They are slow.
category: speed
tags:
  - tests
languages:
  - python
paths:
  - tests/**
severity: error
state: warn
pattern: a call of time.sleep
matcher:
  kind: regex
  regex: \\btime\\.sleep\\(
  unless: '# ok'
fix:
  text: Use clock.tick.
examples:
  bad:
    - |
      time.sleep(1)
  good:
    - |
      clock.tick(1)
author: Ada Example <ada@example.org>
created: '{made.created}'
updated: '{made.created}'
"""
    )


def test_a_matcher_by_hand_gets_the_examples_of_the_change(repo: Repo) -> None:
    said = call(
        repo.path, "promote", "--from-chat", f"{THIRD}/2", "--id", "r", "--regex", r"\brequests\b"
    )
    assert (said.returncode, said.stderr) == (0, "")
    made = learning(repo, "r")
    assert [one.code.strip()[:20] for one in made.bad] == [
        "import requests",
        "return requests.get(",
    ]
    assert [one.code.strip()[:20] for one in made.good] == [
        "from parcels import ", "return http.get(f\"ht",
    ]  # fmt: skip


def test_rules_of_every_kind(repo: Repo) -> None:
    rule = repo.write("rule.yml", "rule: {pattern: f($A)}\nconstraints: {A: {regex: x}}\n")
    for words, kind in (
        (("--text", "TODO", "--ignore-case"), "literal"),
        (("--rule", str(rule), "--language", "python"), "ast"),
        (("--regex", "^wip", "--kind", "message"), "message"),
        (("--regex", "JIRA-", "--required"), "message"),
        (("--accompany", "CHANGELOG.md", "--path", "src/**", "--bad", "src/a.py"), "paths"),
        (("--untouchable", "--path", "vendor/**"), "paths"),
        (("--max-bytes", "1000", "--path", "*.png", "--bad", "a.png 2000, b.png 1"), "paths"),
    ):
        said = call(
            repo.path, "promote", "--title", f"Rule {words[0]}", "--id", "one", "--dry-run",
            "--json", *words,
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
        document = json.loads(said.stdout)
        assert document["problems"] == []
        assert f"matcher:\n  kind: {kind}\n" in document["learning"]["yaml"]
        assert document["written"] is False
    assert repo.git("status", "--short") == "?? rule.yml"


NO_TITLE = "a learning needs a title: --title TEXT, or a source: --candidate, --from-…"
NO_MATCHER = "nothing says what is looked for: --regex, --text, --rule, --accompany, …"
TWO = "a learning has one matcher: give one of --regex, --text, --rule, …"
SOURCES = "a learning comes from one source: give one of --candidate, --from-…"
NO_DIFF = "this is no diff, or it changes nothing: git diff | … --from-diff -"
NO_RULE = "pnpm.yaml is no ast-grep rule: a mapping, such as: pattern: f($A)"
NO_ID = "learning_id must be lower-case letters, digits, '.', '_' and '-', up to 64"


def x(*words: str) -> tuple[str, ...]:
    return ("--title", "x", *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), NO_TITLE),
        (x(), NO_MATCHER),
        (x("--unless", "y"), NO_MATCHER),
        (x("--regex", "a", "--text", "b"), TWO),
        (x("--text", "a", "--kind", "regex"), "--kind regex does not go with the other options"),
        (x("--kind", "ast"), "--kind ast needs what is looked for: --regex, --text, …"),
        (("--candidate", "c-1", "--from-commit", "HEAD"), SOURCES),
        (("--from-commit", "nope"), "not a commit or tree of this repository: nope"),
        (("--from-commit", "HEAD^{tree}"), "HEAD^{tree} is a tree, not a commit"),
        (("--from-commit", "HEAD", "--unless", "x"), "--unless needs --regex or --text"),
        (("--from-chat", "nope/1"), "no such exchange: nope/1: git skillmesh sessions lists them"),
        (("--from-diff", "nope.diff"), "cannot read nope.diff: No such file or directory"),
        (("--from-diff", "README.md"), NO_DIFF),
        (x("--rule", "README.md"), "README.md:7: did not find expected <document start>"),
        (x("--rule", "pnpm.yaml"), NO_RULE),
        (x("--text", "y", "--id", "A B"), f"this makes no learning: {NO_ID}"),
        (
            ("--title", "x" * 121, "--text", "y"),
            "this makes no learning: title is longer than 120 characters",
        ),
        (
            x("--text", "y", "--state", "warn"),
            "x cannot be warn: 2 problems: without --state it is proposed",
        ),
        (x("--regex", "("), "the regex of x cannot be used: missing ) in ("),
    ],
)
def test_what_does_not_fit_is_one_line(untouched: Repo, words: tuple[str, ...], said: str) -> None:
    answer = call(untouched.path, "promote", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.splitlines()[-1] == f"git-skillmesh: {said}"
    assert untouched.git("status", "--short") == ""


def test_block_needs_a_backtest_or_a_reason(repo: Repo) -> None:
    words = ("promote", "--title", "No f", "--text", "f(", "--bad", "f(1)", "--bad", "f(2)",
             "--good", "g(1)", "--good", "h(2)", "--state", "block")  # fmt: skip
    said = call(repo.path, *words)
    assert (said.returncode, said.stdout) == (2, "")
    problem = "block needs a backtest, or in forced the reason why it goes without"
    assert said.stderr == (
        f".skillmesh/learnings/no-f.yaml:5: {problem}\n"
        "git-skillmesh: no-f cannot be block: 1 problem: without --state it is proposed\n"
    )
    forced = call(repo.path, *words, "--force", "it is law")
    assert (forced.returncode, forced.stderr) == (0, "")
    assert learning(repo, "no-f").forced == "it is law"


def test_a_learning_against_another_is_held_back(repo: Repo) -> None:
    first = ("promote", "--title", "No f", "--text", "f(", "--bad", "f(1)", "--good", "g(1)")
    assert call(repo.path, *first).returncode == 0
    second = ("promote", "--title", "Rather f than g", "--text", "g(", "--bad", "g(1)")
    said = call(repo.path, *second)
    assert (said.returncode, said.stdout, said.stderr) == (
        2,
        "",
        "no-f: against it: it finds its good example: g(1)\n"
        "git-skillmesh: rather-f-than-g is like another learning, or against: --anyway writes it "
        "all the same\n",
    )
    said = call(repo.path, *second, "--anyway", "--json")
    document = json.loads(said.stdout)
    assert document["written"] is True
    assert document["conflicts"] == [
        {"id": "no-f", "title": "No f", "state": "proposed", "relation": "against it",
         "why": "it finds its good example: g(1)"}
    ]  # fmt: skip


def test_no_secret_is_written(repo: Repo) -> None:
    key = "AKIA" + "Q3EGWXN5RTYUZK7P"
    said = call(
        repo.path, "promote", "--title", "No keys", "--text", "AKIA", "--bad", f"k = '{key}'"
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert key not in said.stderr
    assert "examples.bad of no-keys has a secret in it (aws-access-key)" in said.stderr
    repo.commit("use key", {"k.py": "fetch_page(u)\n"})
    repo.commit("another", {"k.py": f"load_page(u)  # {key}\n"})
    said = call(repo.path, "promote", "--from-commit", "HEAD", "--dry-run")
    assert said.returncode == 0
    assert key not in said.stdout


def test_without_a_memory(tmp_path: Path) -> None:
    repo = make_sample(tmp_path)
    said = call(repo.path, "promote", "--from-chat", "x/1")
    assert said.stderr == (
        "git-skillmesh: no conversations are stored in this repository yet: git skillmesh import\n"
    )
    said = call(repo.path, "promote", "--candidate", "c-1")
    assert said.stderr == "git-skillmesh: no such candidate: c-1: git skillmesh review --json\n"
    said = call(repo.path, "promote", "--from-commit", "HEAD")
    assert (
        said.stdout
        == """\
.skillmesh/learnings/retry-lost-scans.yaml  proposed: retry lost scans
  no matcher yet: no change says it for certain
  next: git skillmesh learnings edit retry-lost-scans
"""
    )


def test_a_disk_that_cannot_be_written(repo: Repo) -> None:
    words = ("promote", "--candidate", candidate(repo))
    with read_only(repo.path):
        said = run_respecting_permissions(repo.path, *words)
    assert said.returncode == 9
    assert said.stderr.startswith("git-skillmesh: cannot write ")
    assert said.stderr.count("\n") == 1
