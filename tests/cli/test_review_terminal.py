"""`review` on a real terminal: what it shows, what each key does, how it is left."""

import json
import re
from pathlib import Path

import pytest

from git_skillmesh.cli.columns import clip, width_of
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.files import learnings_on_disk
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.commands import call
from testing.conversations import link, remember, tell_the_correction
from testing.docs_pages import ROOT, blocks, make_sample, matches
from testing.repos import Repo, make_repo
from testing.terminal import INTERRUPT, WIDTH, plain, talk

NAME = "we-never-call-requests-directly"
ASK = "[a]ccept [e]dit [s]kip [r]eject [m]ore [b]ack [q]uit [?]: "
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_sample(tmp_path_factory.mktemp("original"))
    tell_the_correction(repo)
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


@pytest.fixture(scope="module")
def original_of_two(original: Repo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a second candidate, of less confidence and without a matcher."""
    repo = original.copy(tmp_path_factory.mktemp("two") / original.path.name)
    say = "In this project we always write dates as days, never as weeks."
    said = Exchange("r-1", say, "Yes.", "2026-03-04T10:00:00Z")
    remember(repo, Session("rules-of-dates", "codex", (said,)))
    assert len(decided(repo)) == 2
    return repo


@pytest.fixture
def two(original_of_two: Repo, tmp_path: Path) -> Repo:
    return original_of_two.copy(tmp_path / original_of_two.path.name)


def decided(repo: Repo) -> list[str]:
    said = call(repo.path, "review", "--all", "--skipped", "--json", "--commits", "0")
    return [one["decision"] for one in json.loads(said.stdout)["candidates"]]


def review(repo: Repo, *typed: str, **env: str) -> str:
    shown, code = talk(repo, "review", typed=typed, env=env)
    assert code == 0, shown
    return plain(shown).partition("── 1 of ")[2]


def test_one_candidate_fills_a_screen(repo: Repo) -> None:
    one = json.loads(call(repo.path, "review", "--json").stdout)["candidates"][0]
    scores, signs = one["scores"], ", ".join(one["evidence"][0]["signs"])
    about = f"confidence {scores['confidence']:.2f} · impact {scores['impact']:.2f} · {one['id']}"
    head, before = repo.git("rev-parse", "HEAD", "HEAD~1").split()
    day = repo.git("log", "-1", "--format=%cs")
    assert (
        review(repo, "q")
        == f"""\
1 · correction · {about} ────────
We never call requests directly.
seen 1 time in 1 conversation · bugfix

5d20a6f8/2 · claude-code · 2026-03-03 08:34 · its code is still there
 ▌ No, we never call requests directly. Use http.get instead of requests.get,
 ▌ because it has our timeouts.
  steps     read→edit→bash
  signs     {clip(signs, WIDTH - 12)}

  src/parcels/depots.py:1
    - import requests
    + from parcels import http

  src/parcels/depots.py:5
    -     return requests.get(f"https://depots.example/scans/{{parcel}}").json()
    +     return http.get(f"https://depots.example/scans/{{parcel}}").json()

  code      src/parcels/depots.py:1,5  {head[:9]}  ask the depots by way of the …

  learning  {NAME} (proposed)
  matcher   syntax  requests.get($$$ARGUMENTS)
  where     python
  fix       Use http.get instead of requests.get.
  examples  1 bad, 1 good; both ways as they say
  flagged   1 line in 1 of the last 4 commits
    {before[:9]}  {day}  ask the depots
      src/parcels/depots.py:5  return requests.get(f"https://depots.example/sca…

{ASK}q
1 candidate left
"""
    )


def test_the_documentation_shows_such_a_screen(repo: Repo) -> None:
    (promised, *_) = [b.text for b in blocks(ROOT / "docs" / "review.md") if b.info == "text"]
    assert matches(promised, "── 1 of " + review(repo, "q"))


def test_colours_are_for_those_who_want_them(repo: Repo) -> None:
    shown, _ = talk(repo, "review", typed=["q"])
    assert "\x1b[31m-     return requests.get(" in shown
    assert "\x1b[32m+     return http.get(" in shown
    shown, _ = talk(repo, "review", typed=["q"], env={"NO_COLOR": "1"})
    assert "\x1b[" not in shown.partition("── 1 of ")[2]


def test_the_keys(two: Repo) -> None:
    said = review(two, "?", "b", "nonsense", "s", "b", "s", "s")
    assert said.count("  r  reject, with a reason that others will see\n") == 2
    assert f"{ASK}b\nthis is the first one\n" in said
    assert re.findall(r"── (\d) of 2", said) == ["2", "1", "2"]
    assert said.endswith(f"{ASK}s\n3 skipped, none left\n")
    assert "2 candidates skipped before: --skipped" in call(two.path, "review").stderr
    assert decided(two) == ["open", "open"]


def test_accepting_and_rejecting(two: Repo) -> None:
    said = review(two, "a", "r", "", "r", "everybody knows")
    assert f"{ASK}a\n.skillmesh/learnings/{NAME}.yaml  proposed: " in said
    assert f"{ASK}r\nreason: \nnot rejected: others want to know why\n{ASK}r\nreason: " in said
    assert said.endswith("1 accepted, 1 rejected, none left\n")
    assert list(learnings_on_disk(discover(two.path))) == [NAME]
    assert decided(two) == ["promoted", "rejected"]


def test_going_back_to_what_is_decided_asks_again(two: Repo) -> None:
    said = review(two, "r", "no", "b", "a", "n", "a", "y", "q")
    assert "\nrejected: no\n" in said
    assert f"{ASK}a\nwrite it all the same? y/n: n\n{ASK}a\nwrite it all the same? y/n: y\n" in said
    assert said.endswith("1 accepted, 1 rejected, 1 candidate left\n")
    assert decided(two) == ["promoted", "open"]


@pytest.mark.parametrize("leave", ["", INTERRUPT])
def test_what_was_decided_stays_however_it_is_left(two: Repo, leave: str) -> None:
    shown, code = talk(two, "review", typed=["a", *filter(None, [leave])])
    assert code == (130 if leave else 0)
    assert "Traceback" not in shown
    last = plain(shown).splitlines()[-1]
    assert last == (
        "git-skillmesh: interrupted; run it again to go on"
        if leave
        else "1 accepted, 1 candidate left"
    )
    assert decided(two) == ["promoted", "open"]
    assert two.git("status", "--short") == "?? .skillmesh/"


def test_showing_more_has_whole_exchanges_and_the_file(repo: Repo) -> None:
    said = review(repo, "m", "q", GIT_PAGER="sed s/^/PAGED:/")
    assert "PAGED: ▌ No, we never call requests directly." in said
    assert "PAGED:         -    return requests.get(" in said
    assert f"PAGED:    learning_id: {NAME}" in said
    assert f"\n{ASK}m\n" in said


EDITOR = """\
#!/bin/sh
count=$(cat "{here}/count" 2>/dev/null || echo 0)
echo $((count + 1)) > "{here}/count"
cp "$1" "{here}/seen.$count"
test ! -f "{here}/gives.$count" || cp "{here}/gives.$count" "$1"
"""
FILE = """\
learning_id: no-requests
title: Use the client
description: It has timeouts.
# my own remark
matcher: {kind: literal, text: requests.get(}
examples: {bad: ["requests.get(x)\\n"], good: ["http.get(x)\\n"]}
"""


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor that keeps what it is given, and gives what a test has put there."""
    here = tmp_path / "an editor"
    here.mkdir()
    (here / "edit").write_text(EDITOR.format(here=here))
    (here / "edit").chmod(0o755)
    return here


def test_an_editor_that_writes_rubbish_gets_it_back(repo: Repo, editor: Path) -> None:
    (editor / "gives.0").write_bytes(b"rubbish: [\xff\n\x1b[2J")
    (editor / "gives.1").write_text(FILE.replace("literal", "klingon"))
    (editor / "gives.2").write_text(FILE)
    command = f"'{editor}/edit'"
    said = review(repo, "e", "y", "y", "a", GIT_EDITOR=command)
    assert (editor / "seen.0").read_text().startswith(f"learning_id: {NAME}\n")
    first, rest = (editor / "seen.1").read_text().split("\n", 1)
    assert first.startswith("#! line ")
    assert rest.startswith("rubbish: [")
    assert (
        (editor / "seen.2")
        .read_text()
        .startswith(
            "#! line 7: matcher.kind must be one of ast, regex, literal, paths, message\n"
            "#! line 7: unknown field: matcher.text\n"
            "learning_id: no-requests\n"
        )
    )
    assert said.count("edit it again? y/n: y\n") == 2
    assert "  learning  no-requests (proposed)\n  matcher   literal  requests.get(\n" in said
    assert "  flagged   1 line in 1 of the last 4 commits\n" in said
    assert repo.read(".skillmesh/learnings/no-requests.yaml") == FILE
    assert decided(repo) == ["promoted"]


def test_an_editor_that_fails_or_leaves_nothing(repo: Repo, editor: Path) -> None:
    (editor / "edit").write_text(
        f"#!/bin/sh\ncd '{editor}'; n=$(ls | wc -l); touch $n\n"
        'case $n in 1) exit 1;; 2) rm "$1";; 3) : > "$1";; 4) exit 127;; esac\n'
    )
    said = review(repo, "e", "e", "e", "n", "e", "q", GIT_EDITOR=f"'{editor}/edit'")
    assert said.partition(ASK)[2] == (
        f"e\nthe editor ended with 1; what it left is not used\n{ASK}"
        f"e\nthe editor left no file: No such file or directory\n{ASK}"
        f"e\nline 2: empty\nedit it again? y/n: n\n{ASK}"
        f"e\nthe editor ended with 127; what it left is not used\n{ASK}q\n1 candidate left\n"
    )
    assert decided(repo) == ["open"]


def test_what_cannot_be_trusted_as_far_is_not_written(repo: Repo, editor: Path) -> None:
    (editor / "gives.0").write_text(FILE.replace("matcher:", "state: block\nmatcher:"))
    (editor / "gives.1").write_text(FILE.replace("It has", "AKIA" + "Q3EGWXN5RTYUZK7P"))
    (editor / "gives.2").write_text(FILE.replace("requests.get(}", "'('}").replace("lit", "no-lit"))
    said = review(repo, "e", "a", "e", "a", "e", "n", "q", GIT_EDITOR=f"'{editor}/edit'")
    assert "\nno-requests cannot be block: 3 problems: without --state it is proposed\n" in said
    assert "\ndescription of no-requests has a secret in it (aws-access-key): take it out;" in said
    assert repo.git("status", "--short") == ""


EVIL = "\x1b[31mred\x1b]0;title\x07 \u202eevil\u2066 \x9b2J \r over \x7f \u061c \u2028end"


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    path = "d/\x1b[2Jevil \u202e.py"
    repo = make_repo(tmp_path, files={path: f"fetch_page(u)  # {EVIL}\n"})
    repo.commit(f"subject {EVIL}", {path: f"load_page(u)  # {EVIL}\n"})
    edits = (Edit(path, f"fetch_page(u)  # {EVIL}\n", f"load_page(u)  # {EVIL}\n"),)
    calls = (ToolCall("c", EVIL, Act.EDIT, EVIL, EVIL, paths=(path,), edits=edits),)
    say = f"No, never use fetch_page here, use load_page instead: {EVIL}" + " word" * 3_000
    first = Exchange("e1", f"Fetch {EVIL}", EVIL, "2026-01-01T00:00:00Z", tools=calls)
    again = Exchange("e2\x1b[2J", say, EVIL, "2026-01-01T00:01:00Z", EVIL, EVIL, calls)
    remember(repo, Session("s\x1b[31m", f"a{EVIL}", (first, again), EVIL, EVIL, EVIL))
    link(repo, "HEAD", path, [1], "s\x1b[31m", "e2\x1b[2J")
    shown, code = talk(
        repo, "review", typed=["m", "r", "x\x1b[2J\u202e", "q"], env={"NO_COLOR": "1"}
    )
    assert code == 0
    # What the terminal echoes is the user's own typing.
    told = shown.partition("── 1 of ")[2].partition("reason: ")[0]
    assert "load_page" in told
    assert _FORBIDDEN.search(told) is None
    short = told.partition("[a]ccept")[0]
    assert max(map(width_of, short.splitlines())) <= WIDTH
    assert len(short.splitlines()) < 40
    for words in (("review", "--all"), ("review", "--all", "--json"), ("analyze", "--all")):
        said = call(repo.path, *words)
        assert _FORBIDDEN.search(said.stdout + said.stderr) is None
    name = json.loads(call(repo.path, "review", "--all", "--json").stdout)["candidates"][0]["id"]
    said = call(repo.path, "promote", "--candidate", name, "--anyway")
    assert said.returncode == 0, said.stderr
    assert _FORBIDDEN.search(said.stdout + said.stderr) is None
    (read,) = learnings_on_disk(discover(repo.path)).values()
    assert read.problems == ()


def test_a_narrow_terminal(repo: Repo) -> None:
    shown, code = talk(repo, "review", typed=["q"], width=44)
    assert code == 0
    lines = plain(shown).partition("── 1 of ")[2].partition("[a]ccept")[0].splitlines()
    assert max(map(width_of, lines[1:])) <= 44
