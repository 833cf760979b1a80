"""Names and texts that want to be markup, control a terminal, or lead somewhere else."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.explorer.export import script_of
from git_skillmesh.explorer.keys import key_of_id, key_of_path
from git_skillmesh.sessions.model import Exchange, Session
from testing.conversations import edit_call, link, remember
from testing.explorer import Asked
from testing.learnings import files_of, literal
from testing.repos import Repo, make_repo

BAD = "</script><img src=x onerror=alert(1)>\x1b]0;owned\x07\u202e\u2028&quot;'\"`${1}\x00\x7f"
PATHS = [
    "a\nb.py",
    "</script>.py",
    "quote'\"`.py",
    os.fsdecode(b"\xff\xfe.py"),
    "-rf",
    "~2e~2e.py",
    "x" * 200 + ".py",
    "d/" * 60 + "deep.py",
    "%2e%2e.py",
    "_root",
    "con\x1b[31m.py",
    "\u202egnp.py",
]
IDS = ["../../../etc/passwd", "a/b/1", "\ud800half", "x" * 300, "-", BAD, "CON", "a b"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("hostile"), files={"README.md": "x\n"})
    text = f"one = 1\n{BAD.replace(chr(0), '')}\ntwo = 2\r\n"
    repo.commit(BAD.replace("\0", ""), dict.fromkeys(PATHS, text))
    repo.commit("binary", {"nul.bin": b"\0\xff" * 50, "latin.txt": b"caf\xe9\n"})
    for number, name in enumerate(IDS):
        edits = (edit_call(number, PATHS[number % 3], text), edit_call(99, BAD, BAD, BAD[:9]))
        told = Exchange(
            f"{name}-e", f"{BAD} {number}", BAD, "2024-03-01T10:00:00Z", "x", BAD, edits
        )
        remember(repo, Session(name, BAD, (told,), BAD, BAD, BAD))
        link(repo, "HEAD~", "quote'\"`.py", [number % 3 + 1], name, f"{name}-e")
    learned = literal("ok-id", "one", tags=("<b>",), source_chat_id="a/b/1/1")
    repo.commit("learn", files_of(learned))
    repo.write(".skillmesh/learnings/<script>.yaml", "learning_id: <script>\n")
    repo.write(".skillmesh/learnings/ok.yml", f"title: {BAD[:30]!r}\n")
    return repo


@pytest.fixture(scope="module")
def asked_it(hostile: Repo) -> Iterator[Asked]:
    asked = Asked(hostile.path)
    yield asked
    asked.stores.close()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def test_everything_is_shown_and_nothing_controls(asked_it: Asked) -> None:
    found = dict(asked_it.everything())
    assert len(found) > len(PATHS) + 2 * len(IDS)
    control = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
    assert [(path, text) for path, one in found.items() for text in texts(one)
            if control.search(text)] == []  # fmt: skip


def test_every_file_and_session_is_found_by_its_key(asked_it: Asked) -> None:
    for path in PATHS:
        found = asked_it.get(f"file/{key_of_path(path)}")
        assert found["lines"][0] == "one = 1", path
        assert found["lines"][-1] == "two = 2", path
    for name in IDS:
        found = asked_it.get(f"session/{key_of_id(name)}")
        (exchange,) = found["exchanges"]
        assert asked_it.get(f"exchange/{exchange['ref']['key']}")["ref"] == exchange["ref"]
    assert asked_it.get("file/nul.bin")["binary"]
    assert asked_it.get("file/latin.txt")["lines"] == ["caf\ufffd"]


def test_broken_learnings_are_told(asked_it: Asked) -> None:
    found = asked_it.get("learnings")
    assert [one["id"] for one in found["learnings"]] == ["ok-id"]
    assert len(found["problems"]) >= 2
    assert found["learnings"][0]["origin"]["id"] == "a/b/1-e"


def test_a_search_for_hostile_words(asked_it: Asked) -> None:
    found = asked_it.get("search", q=BAD * 300)
    assert len(found["query"]) <= 2_000
    assert found["learnings"] == []
    assert asked_it.get("search", q="\ud800")["code"] == []


def test_a_script_says_what_the_document_says(asked_it: Asked) -> None:
    for path, document in asked_it.everything():
        script = script_of(path, document)
        assert script.isascii()
        assert not re.search(rb"[<>&\x00-\x09\x0b-\x1f]", script), path
        assert script.count(b"\n") == 1
        start = f'skillmesh_give("{path}", '.encode()
        assert script.startswith(start)
        assert json.loads(script[len(start) : -3]) == document


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Symbolic links are no files of the tree, and learnings that are links are not read."""
    repo = make_repo(tmp_path, files={"a.py": "x\n"})
    (repo.path / "passwd").symlink_to("/etc/passwd")
    folder = repo.path / ".skillmesh/learnings"
    folder.mkdir(parents=True)
    (folder / "a.yaml").symlink_to("/etc/passwd")
    repo.commit("links")
    asked = Asked(repo.path)
    assert asked.get("file/passwd") is None
    assert asked.get("learnings")["problems"] == [
        ".skillmesh/learnings/a.yaml:1: Too many levels of symbolic links"
    ]
    assert [path for path, one in asked.everything() if "root:" in json.dumps(one)] == []
    asked.stores.close()
