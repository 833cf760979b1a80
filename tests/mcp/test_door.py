"""A server answers the hooks of agents through a socket, with what they would find themselves."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from git_skillmesh.briefing import asking, skilled
from git_skillmesh.briefing.asking import ask
from git_skillmesh.briefing.prompts import read_prompt
from git_skillmesh.briefing.skilled import LEAST_CONFIDENCE, Fitting, fitting
from git_skillmesh.mcp.door import Door
from git_skillmesh.mcp.host import Host
from testing.repos import Repo, make_repo

PROMPT = read_prompt("optimize the slow postgresql query: explain analyze, index, vacuum")


class Room:
    """A repository with caches whose server, if any, has begun to wait for hooks."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.state = repo.path / ".git" / "skillmesh"
        self.state.mkdir()
        self.host = Host(repo.path)
        self.door = Door(self.host)

    def serve(self) -> Path:
        self.door.open(after=0.0)
        place = self.state / asking.FOLDER / str(os.getpid())
        end = monotonic() + 10
        while not place.exists() and monotonic() < end:
            sleep(0.01)
        sleep(0.05)
        return place

    def found(self) -> list[Fitting]:
        return fitting(PROMPT, self.repo.path, self.state)

    def asked(self, **question: object) -> object:
        given = {"top": str(self.repo.path), "text": PROMPT.text, "least": LEAST_CONFIDENCE}
        return ask(self.state, given | question)


@pytest.fixture
def room(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    made = Room(make_repo(tmp_path_factory.mktemp("d")))
    yield made
    made.door.close()
    made.host.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_TO_ANSWER", 30.0)  # the first question loads the models


def refuse(*_: object) -> list[Fitting]:
    raise AssertionError("the hook found out by itself")


def test_a_hook_is_told_what_it_would_find(
    room: Room, patient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = room.found()
    assert [one.card.id for one in alone] == ["db.postgresql-performance"]
    place = room.serve()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    monkeypatch.setattr(skilled, "_routed", refuse)
    assert room.found() == alone
    assert room.asked() == [[list(one.card), one.score, one.confidence] for one in alone]
    assert room.asked(text="what is for lunch") == []


def test_what_is_not_its_own_is_left_to_the_hook(room: Room, patient: None) -> None:
    room.serve()
    assert room.asked(top=str(room.repo.path.parent)) is None
    assert room.asked(text=7) is None
    assert room.asked(least="0") is None
    assert room.asked(text="x" * asking.LONGEST) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "__version__", "0.0")
        assert room.asked() is None
    assert room.asked(text="what is for lunch") == []  # still there


def test_a_server_that_is_gone_is_not_waited_for(room: Room, patient: None) -> None:
    folder = room.state / asking.FOLDER
    folder.mkdir(mode=0o700)
    for name in ("99999999", "x"):
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(folder / name))
    before = monotonic()
    assert room.asked() is None
    assert monotonic() - before < 1
    place = room.serve()
    assert sorted(folder.iterdir()) == [place, folder / "x"]
    room.door.close()
    assert sorted(folder.iterdir()) == [folder / "x"]
    assert room.asked() is None


def test_one_that_says_nothing_is_not_waited_for_long(room: Room) -> None:
    folder = room.state / asking.FOLDER
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(folder / "1"))
        mute.listen()
        before = monotonic()
        assert room.asked() is None
        assert monotonic() - before < 2


@pytest.mark.parametrize("said", [b"", b"[", b"\xff", b"[" * 60_000, b"7", b'[["a", 1, 2]]', b"{}"])
def test_what_makes_no_sense_is_left_to_the_hook(
    room: Room, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_asked", lambda *_: json.loads(said))
    itself = [Fitting(skilled.Said("db.itself", "Itself", "", ""), 1.0, 1.0)]
    monkeypatch.setattr(skilled, "_routed", lambda *_: itself)
    (room.state / asking.FOLDER).mkdir(mode=0o700)
    (room.state / asking.FOLDER / "1").touch()
    assert room.found() == itself


def test_a_folder_that_others_may_write_to_is_no_place(room: Room) -> None:
    folder = room.state / asking.FOLDER
    folder.mkdir()
    folder.chmod(0o770)
    room.door.open(after=0.0)
    sleep(0.3)
    assert list(folder.iterdir()) == []
    (folder / "1").touch()
    assert room.asked() is None
