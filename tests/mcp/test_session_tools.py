"""The tools `session` and `log_chat`, asked by a client."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.display import tokens
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.reading import MemoryReader
from testing.conversations import FIRST, damage, remember
from testing.memory import make_exchange, make_session, open_memory
from testing.repos import Repo, make_repo
from testing.secrets import positives
from testing.serving import Served

SECOND_EXCHANGE = """\
<retrieved from="exchange 3f9c1d52/2" when="2026-03-02T09:21:00Z" model="claude-opus-4-6">
prompt: Three requests at once make it worse. Wait between them, longer each time.
edit: src/parcels/tracking.py
  @@ -13,5 +13,6 @@
           try:
               return depot.scans(parcel)
           except ConnectionError:
  -            pass
  +            time.sleep(delay)
  +            delay *= 2
       raise ScanLost(parcel)
answer: `fetch_scans` waits half a second after the first failure and twice as long after each \
further one, so that a depot that restarts is not asked in vain.
</retrieved>"""


def head(what: str) -> str:
    return (
        f'<retrieved from="session {FIRST}" agent="claude-code" began="2026-03-02T09:14:00Z" '
        f'ended="2026-03-02T09:22:10Z">\nRetry lost scans: {what}\n</retrieved>'
    )


def test_the_latest_ones(served: Served) -> None:
    assert served.ask("session", offset=1).text == (
        "3 sessions, the latest first.\n\n"
        '<retrieved from="session 3f9c1d52" when="2026-03-02T09:22:10Z" agent="claude-code" '
        'made="1 file in 1 commit">\nRetry lost scans (2 exchanges)\n</retrieved>\n\n'
        '<retrieved from="session b81e04c7" when="2026-03-01T16:41:00Z" agent="codex" '
        'made="1 file in 1 commit">\n'
        "Add a section on deployment to the README. (1 exchange)\n</retrieved>"
    )


def test_a_session(served: Served) -> None:
    said = served.ask("session", name="3f9c1d52").text
    assert said.startswith(f"{head('2 exchanges')}\n\n")
    assert re.sub(r"@@ .* @@", "", said).endswith(re.sub(r"@@ .* @@", "", SECOND_EXCHANGE))
    assert served.ask("session", name=FIRST, offset=1).text.count("<retrieved") == 2


def test_an_exchange_whole(served: Served) -> None:
    said = served.ask("session", name="3f9c1d52/1").text
    assert said.startswith(f"{head('one exchange, whole')}\n\n")
    assert re.findall(r'part="(.+?)"', said) == [
        "prompt", "step 1 of 3", "step 2 of 3", "step 3 of 3", "answer",
    ]  # fmt: skip
    assert "+def fetch_scans(depot, parcel, attempts=3):" in said
    assert "\nbash: pytest -q tests/tracking\noutput:\n4 passed in 0.11s\n</retrieved>" in said


def test_what_made_a_commit(story: Repo, served: Served) -> None:
    assert served.ask("session", name="HEAD~1").text == (
        f"commit {story.git('rev-parse', 'HEAD~1')[:12]}: 2 of 2 added lines with a conversation"
        '\n\n<retrieved from="exchange 5d20a6f8/2">\n'
        "asked: No, we never call requests directly. Use http.get instead of requests.get, because "
        "it has our timeouts.\nanswered: scans_of goes through parcels.http now.\n"
        "by: claude-code, claude-opus-4-6\n"
        "evidence: the agent recorded this edit, confidence 0.98\n"
        "made: src/parcels/depots.py:1,5\n</retrieved>"
    )


def long_exchange(number: int) -> Exchange:
    steps = tuple(
        ToolCall(
            f"{number}-{n}", "Bash", Act.BASH, f"run {n} " + "a" * 300, "漢字\n" * 300,
            edits=(Edit(f"f{n}.py", "old\n" * 40, "new\n" * 40),), failed=n == 1,
        )
        for n in range(5)
    )  # fmt: skip
    return replace(
        make_exchange(number, 0, "answer line\n" * 300), prompt="word " * 1_000, tools=steps
    )


def test_pages_hold_everything_once_within_the_budget(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    made = tuple(long_exchange(n) if n == 2 else make_exchange(n) for n in range(1, 31))
    remember(repo, Session("long", "codex", made))
    served = Served(repo.path)

    def pages(name: str, budget: int) -> list[str]:
        found, offset = [], 0
        while True:
            said = served.ask("session", name=name, budget=budget, offset=offset).text
            assert tokens(said) <= budget
            found.append(said)
            more = re.search(r"ask again with offset=(\d+)\)\Z", said)
            if not more:
                return found
            offset = int(more[1])

    whole = pages("long", 1_500)
    numbers = re.findall(r'from="exchange long/(\d+)"', "\n".join(whole))
    assert numbers == [str(n) for n in range(1, 31)]
    said = "\n".join(pages("long/2", 1_000))
    assert said.count("cut:") == 0
    assert said.count("漢字") == 300 * 5
    assert said.count("answer line") == 300
    assert said.count("word") == 1_000
    assert said.count("\n+new") == 200
    assert len(re.findall(r'part="step 3 of 5" piece="1 of \d+"', said)) == 1


def test_a_record_that_cannot_be_read(own: Repo) -> None:
    damage(own, FIRST, "exchanges/0001")
    said = Served(own.path).ask("session", name="3f9c1d52").text
    assert "\n\nexchange 1: 0001-" in said
    assert 'from="exchange 3f9c1d52/2"' in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope-at-all", "no such session, exchange or commit: nope-at-all: git skillmesh sessions"),
        ("3f9c1d52/4", f"session {FIRST} has no exchange 4: it has 1 to 2"),
        ("a\0b", "not a name: it has a NUL"),
        ("x" * 9_000, "no such session, exchange or commit: xxx"),
        ("-x", "no such session, exchange or commit: -x"),
    ],
)
def test_what_is_not_there(served: Served, name: str, said: str) -> None:
    answer = served.ask("session", name=name)
    assert answer.is_error
    assert answer.text.startswith(said)


def test_without_conversations(tmp_path: Path) -> None:
    served = Served(make_repo(tmp_path, files={"a.txt": "one\n"}).path)
    none = "no conversations are stored in this repository yet: git skillmesh import"
    assert served.ask("session").text == none
    assert served.ask("session", name="3f9c1d52").text == none


def test_storing_an_exchange_once(own: Repo) -> None:
    own.write("README.md", "# Parcels\n")
    secret = next(one for one in positives() if one.rule == "github-token")
    served = Served(own.path)
    words = {
        "prompt": "Shorten the README.", "response": f"Done. {secret.text}", "agent": "goose",
        "model": "m-1", "files": ["README.md"], "tools": ["Bash=wc README.md", "Look"],
    }  # fmt: skip
    said = served.ask("log_chat", **words).text
    first, exchange, redacted = said.split("\n")
    assert first.startswith("stored: session_id=chat-")
    assert redacted.startswith("redacted: github-token 1")
    session = first.partition("=")[2]
    assert (
        served.ask("log_chat", **words).text == f"known already: session_id={session}\n{exchange}"
    )
    more = {**words, "session_id": session, "prompt": "And the title?"}
    assert served.ask("log_chat", **more).text.startswith(f"stored: session_id={session}\n")
    assert served.ask("log_chat", **more).text.startswith(f"known already: session_id={session}\n")
    assert served.went_on == 4
    stored = MemoryReader(discover(own.path)).session(session)
    assert (stored.agent, len(stored.exchanges)) == ("goose", 2)
    one = stored.exchanges[0]
    assert (one.prompt, one.model) == ("Shorten the README.", "m-1")
    assert secret.secret not in one.response
    assert [(call.name, call.act, call.input) for call in one.tools[:2]] == [
        ("Bash", Act.BASH, "wc README.md"), ("Look", Act.OTHER, ""),
    ]  # fmt: skip
    assert {edit.path for edit in one.tools[2].edits} == {"README.md"}


def test_many_at_once_lose_nothing(own: Repo) -> None:
    calls = [
        ("log_chat", {"prompt": f"ask {n % 4}", "response": "done", "session_id": "many"})
        for n in range(8)
    ]
    said = [answer.text.split("\n")[0] for answer in Served(own.path).ask_all(*calls)]
    assert sorted(said) == ["known already: session_id=many"] * 4 + ["stored: session_id=many"] * 4
    found = MemoryReader(discover(own.path)).session("many").exchanges
    assert {one.prompt for one in found} == {f"ask {n}" for n in range(4)}


def test_what_is_not_stored(own: Repo) -> None:
    open_memory(own).add([make_session("gone")])
    open_memory(own).forget("gone")
    served = Served(own.path)
    words = {"prompt": "a", "response": "b"}
    for more, said in (
        ({"prompt": " ", "response": ""}, "nothing was said: give a prompt or a response"),
        ({"files": ["../x"]}, "not a file of this repository: ../x"),
        ({"files": ["nope"]}, "no such file, neither here nor in HEAD: nope"),
        ({"files": ["a\0b"]}, "not a path: it has a NUL"),
        ({"tools": ["=x"]}, "no tool has an empty name: =x: write NAME, or NAME=INPUT"),
        ({"session_id": "gone"}, "session gone was forgotten and stays away"),
        ({"session_id": "a\nb"}, "session_id is no name: at most 200 printable characters"),
        ({"agent": "x" * 201}, "agent is no name: at most 200 printable characters"),
    ):
        answer = served.ask("log_chat", **{**words, **more})
        assert (answer.is_error, answer.text) == (True, said)
    assert served.went_on == 0
