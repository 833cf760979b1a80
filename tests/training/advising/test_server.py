"""Servers that answer badly: every one of them costs its time and no more."""

import json
import socket
import time

import pytest

from git_skillmesh.errors import Unavailable, UsageError
from git_skillmesh.training.advising.endpoint import endpoint_of
from git_skillmesh.training.advising.server import Failed, Server
from testing.advice import Reply, answers, drips, drops, finds, raw, serving, sleeps
from testing.advising import request

ASKED = request()


def ask(url: str, seconds: float = 60.0, token: str = "") -> str:
    endpoint = endpoint_of(url, "TOKEN" if token else "", {"TOKEN": token})
    return Server(endpoint, "tiny", 60.0).ask(ASKED, seconds).text


def failure(*replies: Reply, seconds: float = 5.0) -> tuple[str, bool, int]:
    """Return what is said, whether it is final, how often the server was asked."""
    with serving(*replies) as served, pytest.raises(Failed) as found:
        ask(served.url, seconds)
    said = str(found.value).replace(served.url, "URL")
    return said, found.value.final, len(served.bodies)


def test_an_answer_and_what_it_was_asked() -> None:
    with serving(answers("hello", usage={"prompt_tokens": 7, "completion_tokens": 2})) as served:
        server = Server(endpoint_of(served.url, "T", {"T": "hunter2"}), "tiny", 60.0)
        assert server.ask(ASKED, 60.0) == ("hello", 7, 2, False)
    ((method, path, headers, body),) = served.requests
    assert (method, path) == ("POST", "/v1/chat/completions")
    assert headers["Authorization"] == "Bearer hunter2"
    assert headers["Accept-Encoding"] == "identity"
    schema = body.pop("response_format")["json_schema"]
    assert schema["strict"] is True
    assert body == {
        "model": "tiny", "messages": list(ASKED.messages), "temperature": 0, "max_tokens": 500,
        "stream": False,
    }  # fmt: skip


def test_no_token_is_sent_where_none_is_given() -> None:
    with serving(answers("hello")) as served:
        ask(served.url)
    assert "Authorization" not in served.requests[0][2]


def test_options_are_left_out_for_servers_that_do_not_know_them() -> None:
    with serving(raw(400), raw(422), answers("a"), answers("b")) as served:
        server = Server(endpoint_of(served.url, "", {}), "tiny", 60.0)
        assert [server.ask(ASKED, 60.0).text for _ in range(2)] == ["a", "b"]
    forms = [sorted(set(body) - {"messages", "model"}) for body in served.bodies]
    full = ["max_tokens", "response_format", "stream", "temperature"]
    less = ["max_tokens", "stream", "temperature"]
    assert forms == [full, less, ["max_completion_tokens"], ["max_completion_tokens"]]


def test_a_busy_server_is_asked_again() -> None:
    with serving(raw(429, Retry_After="0"), raw(503, Retry_After="1"), answers("ok")) as served:
        began = time.monotonic()
        assert ask(served.url) == "ok"
    assert len(served.bodies) == 3
    assert time.monotonic() - began >= 1


def test_a_server_that_stays_busy_costs_its_time_and_no_more() -> None:
    began = time.monotonic()
    said, final, asked = failure(raw(429, Retry_After="3600"), seconds=2.0)
    assert (said, final, asked) == ("URL answers 429", False, 1)
    assert time.monotonic() - began < 60


def test_a_connection_that_breaks_is_tried_again() -> None:
    with serving(drops, answers("ok")) as served:
        assert ask(served.url) == "ok"
    assert len(served.requests) == 2


def test_a_redirect_is_not_followed() -> None:
    with serving(answers("stolen")) as other:
        with (
            serving(raw(307, Location=f"{other.url}/chat/completions")) as served,
            pytest.raises(Failed, match="points to another address, which is not followed"),
        ):
            ask(served.url, token="hunter2")  # noqa: S106
        assert other.requests == []


def test_an_answer_that_drips_or_never_comes() -> None:
    for reply in (drips, sleeps(3, answers("late"))):
        began = time.monotonic()
        said, final, _ = failure(reply, seconds=0.6)
        assert said.startswith("no answer from URL in ")
        assert final is False
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("reply", "said", "final"),
    [
        (raw(200, b"x" * 2_500_000), "URL answers more than 2,000,000 bytes", False),
        (raw(200, b"{"), "URL answers in another form", False),
        (raw(200, b'{"choices": []}'), "URL answers in another form", False),
        (raw(200, b"[" * 500_000), "URL answers in another form", False),
        (raw(200, b"\x1f\x8b", Content_Encoding="gzip"), "URL answers compressed, unasked", True),
        (raw(401, b'{"error": {"message": "bad\\u001b[31m key"}}'),
         "URL answers 401: bad\u241b[31m key", True),
        (raw(404, b"\xff" * 300), "URL answers 404: " + "\ufffd" * 159 + "…", True),
        (raw(413, b""), "URL answers 413", False),
    ],
)  # fmt: skip
def test_answers_that_are_none(reply: Reply, said: str, final: bool) -> None:
    assert failure(reply)[:2] == (said, final)


def test_the_token_is_not_repeated() -> None:
    with (
        serving(raw(403, b'{"error": "no such token: hunter2"}')) as served,
        pytest.raises(Failed) as found,
    ):
        ask(served.url, token="hunter2")  # noqa: S106
    assert str(found.value) == f"{served.url} answers 403: no such token: ***"


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(Failed, match=f"^cannot reach {url}$") as found:
            ask(url)
    assert found.value.final


def test_contents_of_any_form() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, 7, {"text": "b"}]
    for content, text in ((parts, "ab"), (None, ""), ("", "")):
        reply = raw(200, json.dumps({"choices": [{"message": {"content": content}}]}).encode())
        with serving(reply) as served:
            assert ask(served.url) == text


def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(finds()) as proxy, serving(answers("ok")) as served:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        assert ask(served.url) == "ok"
        assert proxy.requests == []


def test_the_model_is_the_one_that_the_server_has() -> None:
    def chosen(*models: str) -> str:
        with serving(answers(""), models=models) as served:
            return Server(endpoint_of(served.url, "", {}), "", 9.0).choose_model(9.0)

    assert chosen("base") == "base"
    assert chosen("base", "lora_codelearn_20261101", "skillmesh") == "lora_codelearn_20261101"
    with pytest.raises(UsageError, match=r"the server has 2 models \(a, b …\): name one"):
        chosen("b", "a")
    with pytest.raises(UsageError, match="does not list its models: name one with --model"):
        chosen()
    with pytest.raises(Unavailable, match="cannot reach"):
        Server(endpoint_of("http://127.0.0.1:1/v1", "", {}), "", 9.0).choose_model(9.0)
