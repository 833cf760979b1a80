"""What counts as this machine."""

import pytest

from git_skillmesh.machine import cores, is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.3.4.5", "::1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "example.org", "localhost.example.org", "10.0.0.1", "192.0.2.1", "127.0.0.1.nip.io"],
)
def test_another_machine(host: str) -> None:
    assert not is_loopback(host)


def test_there_is_a_core() -> None:
    assert cores() >= 1
