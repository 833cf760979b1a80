"""Which learnings came of a conversation, a commit or a chunk."""

from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import FOLDER, Learning, State
from git_skillmesh.learnings.sources import Sources, Talk, came_of
from git_skillmesh.learnings.writing import write_learning
from testing.learnings import learning
from testing.repos import make_repo

TALK = Talk("3f9c1d52-7a40", "9d2e-0002", 2, "f" * 32)
CHILD = Talk("3f9c1d52-7a40-sub7e11aa", "x-1", 1, parent="3f9c1d52-7a40")


@pytest.mark.parametrize(
    ("source", "talk", "fits"),
    [
        ("3f9c1d52-7a40", TALK, True),
        ("3f9c1d52", TALK, True),
        ("3f9c1d5", TALK, False),
        ("3f9c1d52/2", TALK, True),
        ("3f9c1d52-7a40/9d2e-0002", TALK, True),
        ("3f9c1d52/9d2e-000", TALK, True),
        ("3f9c1d52/9d2e", TALK, False),
        ("3f9c1d52/1", TALK, False),
        ("3f9c1d52/22", TALK, False),
        ("9d2e-0002", TALK, True),
        ("f" * 32, TALK, True),
        ("9d2e-000", TALK, False),
        ("other-session/2", TALK, False),
        ("", TALK, False),
        ("sub7e11aa/1", CHILD, True),
        ("3f9c1d52-7a40-sub7e11aa", CHILD, True),
        ("3f9c1d52/2", Talk("3f9c1d52-7a40"), True),
    ],
)
def test_how_an_exchange_is_named(source: str, talk: Talk, fits: bool) -> None:
    assert came_of(learning("a", "A", source_chat_id=source), talk) is fits


def ids(found: list[Learning]) -> list[str]:
    return [one.learning_id for one in found]


def test_sources_are_read_from_the_working_tree(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    assert not Sources(discover(repo.path))
    talked = learning("talked", "Talked", source_chat_id="3f9c1d52/2")
    blocking = learning("blocking", "B", source_chat_id=TALK.key, state=State.BLOCK)
    commit = learning("commit", "C", source_commits=("abcdef0",))
    chunk = learning("chunk", "D", example_code_reference="c" * 32)
    for one in (talked, blocking, commit, chunk):
        repo.write(one.path, write_learning(one))
    repo.write(f"{FOLDER}/broken.yaml", "source_chat_id: 3f9c1d52/2\n")
    repo.write(f"{FOLDER}/quoted.yaml", write_learning(learning("quoted", "Q")).replace(
        "matcher:", 'source_chat_id: "3f9c1d52-7a40"\nmatcher:'))  # fmt: skip
    sources = Sources(discover(repo.path))
    assert sources.has_references
    assert ids(sources.of_talk(TALK)) == ["blocking", "quoted", "talked"]
    assert ids(sources.of_commits(["abcdef0" + "1" * 33, "2" * 40])) == ["commit"]
    assert sources.of_commits(["abcdee0" + "1" * 33]) == []
    assert ids(sources.of_code({"c" * 32})) == ["chunk"]
    assert ids(sources.all()) == ["blocking", "chunk", "commit", "quoted", "talked"]


def test_a_bare_repository_has_those_of_head(tmp_path: Path) -> None:
    one = learning("a", "A", source_chat_id="3f9c1d52")
    repo = make_repo(tmp_path, files={one.path: write_learning(one)})
    bare = repo.clone(tmp_path / "bare.git", "--bare")
    assert ids(Sources(discover(bare.path)).of_talk(TALK)) == ["a"]
