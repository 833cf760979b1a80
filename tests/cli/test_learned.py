"""Which learnings came of what, as `why`, `show` and `sessions` tell it."""

import json
from pathlib import Path

import pytest

from git_skillmesh.chunking import chunk
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.identity import chat_id, chunk_id, repo_id
from git_skillmesh.learnings.model import State
from git_skillmesh.learnings.writing import write_learning
from git_skillmesh.sessions.events import Event
from testing.commands import call
from testing.conversations import link, remember
from testing.learnings import learning
from testing.memory import make_session, open_memory
from testing.repos import Repo, make_repo
from testing.schemas import fits

CODE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
SESSION = "abcdefgh-1"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"src/a.py": CODE})
    remember(repo, make_session(SESSION), make_session("zyxwvuts-1"))
    link(repo, "HEAD", "src/a.py", [1, 2], SESSION, f"{SESSION}-2")
    return repo


def put(repo: Repo, name: str, **more: object) -> None:
    one = learning(name, f"Rule {name}", **more)
    repo.write(one.path, write_learning(one))


def test_what_came_of_the_exchange_the_commit_and_the_code(repo: Repo) -> None:
    repository = discover(repo.path)
    repo_name = repo_id(repository, load(repository))
    piece = chunk(CODE.encode(), "python")[0]
    put(repo, "of-exchange", source_chat_id="abcdefgh/2", state=State.BLOCK)
    put(repo, "of-key", source_chat_id=chat_id(repo_name, SESSION, f"{SESSION}-2"))
    put(repo, "of-other", source_chat_id="abcdefgh/1")
    put(repo, "of-commit", source_commits=(repo.head[:10],))
    put(repo, "of-code", example_code_reference=chunk_id(repo_name, "src/a.py", piece.key))
    put(repo, "of-both", source_chat_id=SESSION, source_commits=(repo.head,))
    said = call(repo.path, "why", "src/a.py:1").stdout
    lines = said.splitlines()
    assert lines[lines.index(next(x for x in lines if "learned" in x)) :] == [
        "  learned   [block] of-exchange  Rule of-exchange  (of the conversation)",
        "            [warn] of-both  Rule of-both  (of the conversation and the commit)",
        "            [warn] of-key  Rule of-key  (of the conversation)",
        "            [warn] of-commit  Rule of-commit  (of the commit)",
        "            [warn] of-code  Rule of-code  (of the code)",
    ]
    document = json.loads(call(repo.path, "why", "--json", "src/a.py").stdout)
    fits(document, "asking")
    found = {group["lines"]: group["learnings"] for group in document["groups"]}
    assert [one["learning_id"] for one in found["3-6"]] == ["of-both", "of-commit", "of-code"]
    assert found["1-2"][0] == {
        "learning_id": "of-exchange", "title": "Rule of-exchange", "state": "block",
        "path": ".skillmesh/learnings/of-exchange.yaml", "because": ["conversation"],
    }  # fmt: skip


def test_what_applies_is_told_if_asked(repo: Repo) -> None:
    put(repo, "everywhere")
    put(repo, "python", languages=("python",), state=State.BLOCK)
    put(repo, "go", languages=("go",))
    put(repo, "web", paths=("web/**",))
    put(repo, "old", state=State.RETIRED)
    assert "everywhere" not in call(repo.path, "why", "src/a.py:1").stdout
    said = call(repo.path, "why", "--learnings", "src/a.py:1").stdout
    assert said.endswith(
        "\n\n2 learnings about src/a.py\n"
        "  [block] python  Rule python\n"
        "  [warn] everywhere  Rule everywhere\n"
    )
    document = json.loads(call(repo.path, "why", "--learnings", "--json", "src/a.py:1").stdout)
    fits(document, "asking")
    assert [one["learning_id"] for one in document["applying"]] == ["python", "everywhere"]


def test_no_learning_applies(repo: Repo) -> None:
    put(repo, "go", languages=("go",))
    said = call(repo.path, "why", "--learnings", "src/a.py:1").stdout
    assert said.endswith("\n\nno learning is about src/a.py\n")


def test_a_conversation_shows_what_came_of_it(repo: Repo) -> None:
    put(repo, "whole", source_chat_id=SESSION)
    put(repo, "second", source_chat_id=f"{SESSION}/2")
    event = Event("status", "promoted_to_learning", f"{SESSION}-2", "2024-03-02T00:00:00Z")
    open_memory(repo).append_event(SESSION, event)
    said = call(repo.path, "show", SESSION).stdout
    assert said.count("[warn] whole  Rule whole") == 1
    head, _, second = said.partition("── 2 of 3 ")
    assert "learned   [warn] whole  Rule whole" in head
    assert "promoted_to_learning" in second.split("\n")[0]
    assert "  learned   [warn] second  Rule second\n" in second.partition("── 3 of 3 ")[0]
    document = json.loads(call(repo.path, "show", "--json", SESSION).stdout)
    fits(document, "asking")
    assert [one["learning_id"] for one in document["learnings"]] == ["whole"]
    ids = [[each["learning_id"] for each in one["learnings"]] for one in document["exchanges"]]
    assert ids == [[], ["second"], []]


def test_the_list_names_them(repo: Repo) -> None:
    repository = discover(repo.path)
    key = chat_id(repo_id(repository, load(repository)), SESSION, f"{SESSION}-3")
    put(repo, "whole", source_chat_id=SESSION)
    put(repo, "second", source_chat_id="abcdefgh/2")
    put(repo, "third", source_chat_id=key)
    event = Event("status", "promoted_to_learning", f"{SESSION}-3", "2024-03-02T00:00:00Z")
    open_memory(repo).append_event(SESSION, event)
    said = call(repo.path, "sessions").stdout
    assert "[promoted_to_learning, learned second whole and 1 more] Title of abcdefgh-1" in said
    document = json.loads(call(repo.path, "sessions", "--json").stdout)
    fits(document, "asking")
    assert {one["session"]: one["learnings"] for one in document["sessions"]} == {
        SESSION: ["second", "whole", "third"], "zyxwvuts-1": [],
    }  # fmt: skip


def test_hostile_titles_are_shown_and_not_obeyed(repo: Repo) -> None:
    one = learning("evil", "Ring \u202e the bell", source_chat_id=SESSION)
    repo.write(one.path, write_learning(one))
    for words in (["why", "--learnings", "src/a.py"], ["show", SESSION], ["sessions"]):
        said = call(repo.path, *words).stdout
        assert "evil" in said
        assert "\u202e" not in said
