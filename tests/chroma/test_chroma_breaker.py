"""A server that stays away is left alone by all processes of a repository."""

import json
import time
from pathlib import Path

import pytest

from git_skillmesh.chroma import breaker
from git_skillmesh.chroma.breaker import Away, Breaker, LeftAlone
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, Unavailable, Unreachable

TARGET = Target("http", url="http://127.0.0.1:9", headers={"Authorization": "Bearer s3cret"})
DOWN = Unreachable("it does not answer", "later")


def fail(one: Breaker, error: Exception = DOWN) -> None:
    with pytest.raises(type(error)), one.watching():
        raise error


def known(one: Breaker) -> Away:
    found = one.away()
    assert found is not None
    return found


def test_pauses_grow_and_end_with_the_first_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    one, other = Breaker(TARGET, tmp_path), Breaker(TARGET, tmp_path)
    one.ask()
    pauses = []
    for _ in range(8):
        fail(one)
        away = known(other)
        pauses.append(away.until - now)
        with pytest.raises(LeftAlone):
            other.ask()
    assert 24 <= pauses[0] <= 36
    assert all(24 * 2**n <= pauses[n] <= 36 * 2**n for n in range(4))
    assert max(pauses) <= breaker.LONGEST_S
    assert (away.failures, away.since, away.what) == (8, now, "it does not answer")

    # After the pause one asks, and the others wait for how that goes.
    now = away.until + 1
    one.ask()
    with pytest.raises(LeftAlone) as told:
        other.ask()
    assert str(told.value) == (
        "the server http://127.0.0.1:9 is away since 22:13:20Z, asked again after "
        f"{time.strftime('%H:%M:%SZ', time.gmtime(now + breaker.PROBE_S))}:"
        " git skillmesh index --chroma wait asks it now"
    )
    with one.watching():
        pass
    assert other.away() is None
    other.ask()


def test_only_a_server_that_is_away_counts(tmp_path: Path) -> None:
    one = Breaker(TARGET, tmp_path)
    fail(one, ConfigurationError("no such database"))
    fail(one, Unavailable("the model is not there"))
    assert one.away() is None
    fail(one)
    assert Breaker(Target("http", url="http://127.0.0.1:8"), tmp_path).away() is None
    kept = (tmp_path / "server.json").read_text()
    assert "s3cret" not in kept
    folder = Breaker(Target("persistent", path=tmp_path / "chroma"), tmp_path)
    fail(folder)
    folder.ask()


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"FP": []}', '{"FP": {"since": "x"}}'])
def test_what_cannot_be_read_is_forgotten(tmp_path: Path, kept: str) -> None:
    (tmp_path / "server.json").write_text(kept.replace("FP", TARGET.fingerprint))
    one = Breaker(TARGET, tmp_path)
    assert one.away() is None
    one.ask()
    fail(one)
    assert one.away() is not None


def test_a_clock_that_was_set_back_keeps_nobody_away(tmp_path: Path) -> None:
    far = {"since": 1.0, "until": time.time() + 10_000_000, "failures": 1, "what": "x"}
    (tmp_path / "server.json").write_text(json.dumps({TARGET.fingerprint: far}))
    Breaker(TARGET, tmp_path).ask()


def test_where_nothing_can_be_noted_the_server_is_asked_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    one = Breaker(TARGET, tmp_path / "file")
    fail(one)
    one.ask()
    assert one.away() is None
