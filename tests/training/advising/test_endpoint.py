"""Where a change may go, and where the token comes from."""

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.training.advising.endpoint import endpoint_of


@pytest.mark.parametrize(
    ("address", "chat"),
    [
        ("https://ai.example/v1", "https://ai.example/v1/chat/completions"),
        ("https://ai.example/v1/", "https://ai.example/v1/chat/completions"),
        ("https://ai.example/v1/chat/completions", "https://ai.example/v1/chat/completions"),
        ("https://AI.example:8443", "https://ai.example:8443/chat/completions"),
        ("https://ai.example/v1?key=1", "https://ai.example/v1/chat/completions?key=1"),
        ("http://localhost:11434/v1", "http://localhost:11434/v1/chat/completions"),
        ("http://127.8.9.1/v1", "http://127.8.9.1/v1/chat/completions"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1/chat/completions"),
    ],
)
def test_addresses(address: str, chat: str) -> None:
    endpoint = endpoint_of(address, "", {})
    assert endpoint.chat == chat
    assert "key" not in endpoint.shown


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ai.example/v1", "--endpoint is no address of a server"),
        ("ftp://ai.example", "--endpoint is no address of a server"),
        ("https://", "--endpoint is no address of a server"),
        ("https://ai.example:port/v1", "--endpoint is no address"),
        ("https://ai.example/v1\r\nHost: x", "--endpoint is no address"),
        ("https://äi.example", "--endpoint is no address"),
        ("https://me:hunter2@ai.example/v1", "--endpoint holds a password"),
        ("http://ai.example/v1", "code is not sent to ai.example without encryption"),
        ("http://127.0.0.1.ai.example/v1", "code is not sent to 127.0.0.1.ai.example without"),
        ("http://localhost.ai.example", "code is not sent to localhost.ai.example without"),
        ("http://0.0.0.0:8000", "code is not sent to 0.0.0.0 without encryption"),
        ("http://10.0.0.7/v1", "code is not sent to 10.0.0.7 without encryption"),
        ("http://127.0.0.1\\@ai.example/", "--endpoint is no address of a server"),
    ],
)
def test_what_is_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError) as found:
        endpoint_of(address, "", {})
    assert str(found.value).startswith(said)
    assert "hunter2" not in str(found.value)


def test_the_token_is_in_a_variable() -> None:
    endpoint = endpoint_of("https://ai.example", "ADVISE_TOKEN", {"ADVISE_TOKEN": " hunter2\n"})
    assert endpoint.token == "hunter2"  # noqa: S105
    assert "hunter2" not in repr(endpoint)
    for variable, environ in (
        ("ADVISE_TOKEN", {}),
        ("ADVISE_TOKEN", {"ADVISE_TOKEN": "a\nb"}),
        ("sk-hunter2", {}),
    ):
        with pytest.raises(UsageError) as found:
            endpoint_of("https://ai.example", variable, environ)
        assert "hunter2" not in str(found.value)
