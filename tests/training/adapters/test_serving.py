"""The server over HTTP: requests of OpenAI's API, limits, who may ask. The engine is a plain one;
with a real model it is tested in test_models.py."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from git_skillmesh.errors import Damaged, Unavailable
from git_skillmesh.training.adapters.chat_api import Answer, Asked, Wrong
from git_skillmesh.training.adapters.serving import Server

TOKEN = "a-token-of-16-letters"  # noqa: S105 - of a test


class Echo:
    """Says what it was asked, word by word."""

    def __init__(self) -> None:
        self.own = "lora_codelearn_20261101"
        self.trouble = ""
        self.hold = threading.Event()
        self.hold.set()
        self.busy = threading.Event()

    def follow(self) -> None:
        if self.trouble:
            raise Damaged(self.trouble)

    def names(self) -> tuple[str, ...]:
        return self.own, "skillmesh"

    def answer(self, asked: Asked, emit: Callable[[str], None]) -> Answer:
        self.busy.set()
        self.hold.wait(20)
        said = asked.prompt or (asked.messages or ({"content": ""},))[-1]["content"]
        if said == "too long":
            raise Wrong(400, "too many tokens", "messages", "context_length_exceeded")
        if said == "crash":
            raise RuntimeError("never shown")
        words = said.split(" ")[: asked.most]
        for number, word in enumerate(words):
            emit(word if number == 0 else f" {word}")
            if word == "midway":
                raise RuntimeError("never shown")
        finish = "stop" if len(words) < asked.most else "length"
        return Answer(" ".join(words), finish, 7, len(words))


class Client:
    def __init__(self, server: Server) -> None:
        self.port = server.server_address[1]
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}

    def __call__(
        self, path: str, body: Any = None, method: str = "", **headers: str | None
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {k.replace("_", "-"): v for k, v in headers.items()}
        sent = {k: v for k, v in {**self.headers, **given}.items() if v is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method or ("POST" if data is not None else "GET"), path, data, sent)
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.headers["Content-Type"]
        connection.close()
        return answer.status, json.loads(text) if kind == "application/json" else text.decode()


@pytest.fixture
def engine() -> Echo:
    return Echo()


@pytest.fixture
def ask(engine: Echo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.5)
    server = Server(engine, 0, TOKEN)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Client(server)
    engine.hold.set()
    server.shutdown()
    server.server_close()


CHAT, COMPLETION = "/v1/chat/completions", "/v1/completions"


def hello(**more: Any) -> dict[str, Any]:
    return {"model": "skillmesh", "messages": [{"role": "user", "content": "say it now"}], **more}


def test_it_lists_what_it_serves(ask: Client) -> None:
    assert ask("/v1/models") == (200, {"object": "list", "data": [
        {"id": name, "object": "model", "created": 0, "owned_by": "git-skillmesh"}
        for name in ("lora_codelearn_20261101", "skillmesh")
    ]})  # fmt: skip
    assert ask("/health") == (200, {"status": "ok", "model": "lora_codelearn_20261101"})


def test_a_chat(ask: Client) -> None:
    status, told = ask(CHAT, hello(tools=[], user="x"))
    identity = told.pop("id")
    assert identity.startswith("chatcmpl-")
    assert (status, told) == (200, {
        "object": "chat.completion", "created": 1_800_000_000, "model": "lora_codelearn_20261101",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "say it now"},
                     "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    })  # fmt: skip


def events(text: str) -> list[Any]:
    lines = text.split("\n\n")
    assert lines.pop() == ""
    assert lines.pop() == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_a_stream(ask: Client) -> None:
    status, text = ask(CHAT, hello(stream=True, max_tokens=2, stream_options={"include_usage": 1}))
    assert status == 200
    told = events(text)
    assert len({one["id"] for one in told}) == 1
    assert {one["object"] for one in told} == {"chat.completion.chunk"}
    assert [(one["choices"][0]["delta"], one["choices"][0]["finish_reason"]) for one in told] == [
        ({"role": "assistant", "content": ""}, None), ({"content": "say"}, None),
        ({"content": " it"}, None), ({}, "length"),
    ]  # fmt: skip
    _, text = ask(CHAT, hello(stream=True, stream_options={"include_usage": True}))
    last = events(text)[-1]
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 10)


def test_a_completion(ask: Client) -> None:
    _, told = ask(COMPLETION, {"model": "lora_codelearn_20261101", "prompt": ["one two"]})
    assert told["object"] == "text_completion"
    assert told["choices"] == [
        {"index": 0, "text": "one two", "logprobs": None, "finish_reason": "stop"}
    ]
    _, text = ask(COMPLETION, {"model": "skillmesh", "prompt": "one two", "stream": True})
    assert [one["choices"][0]["text"] for one in events(text)] == ["one", " two", ""]


@pytest.mark.parametrize(
    ("body", "status", "message", "param"),
    [
        (b"{", 400, "the body is no JSON object", None),
        (b"[" * 50_000, 400, "the body is no JSON object", None),
        ([], 400, "the body is no JSON object", None),
        ({}, 400, "messages must be a list of 1 to 2,000", "messages"),
        ({"messages": []}, 400, "messages must be a list of 1 to 2,000", "messages"),
        (hello(model=3), 400, "model must be a name, as GET /v1/models has it", "model"),
        (hello(model="gpt"), 404,
         "no model 'gpt'; there is lora_codelearn_20261101, skillmesh", "model"),
        (hello(messages=["x"]), 400, "roles are system, developer, user, assistant", "messages"),
        (hello(messages=[{"role": "tool", "content": "x"}]), 400,
         "roles are system, developer, user, assistant", "messages"),
        (hello(messages=[{"role": "user", "content": [{"type": "image_url"}]}]), 400,
         "content may have parts of text only", "messages"),
        (hello(messages=[{"role": "user"}]), 400, "content must be text", "messages"),
        (hello(max_tokens=0), 400, "max_tokens must be from 1 to 8192", "max_tokens"),
        (hello(max_tokens=1.5), 400, "max_tokens must be from 1 to 8192", "max_tokens"),
        (hello(max_completion_tokens=True), 400,
         "max_completion_tokens must be from 1 to 8192", "max_completion_tokens"),
        (hello(temperature=3), 400, "temperature must be from 0 to 2", "temperature"),
        (hello(temperature="hot"), 400, "temperature must be from 0 to 2", "temperature"),
        (hello(n=2), 400, "n must be 1", "n"),
        (hello(stop=["a"] * 5), 400, "stop must be up to 4 texts", "stop"),
        (hello(stop=[""]), 400, "stop must be up to 4 texts", "stop"),
        (hello(messages=[{"role": "user", "content": "too long"}]), 400, "too many tokens",
         "messages"),
        (hello(messages=[{"role": "user", "content": "too long"}], stream=True), 400,
         "too many tokens", "messages"),
        (hello(messages=[{"role": "user", "content": "crash"}]), 500,
         "internal error: RuntimeError", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(
    body: Any, status: int, message: str, param: str | None, ask: Client
) -> None:
    found, told = ask(CHAT, body)
    assert (found, told["error"]["message"], told["error"]["param"]) == (status, message, param)
    kind = "invalid_request_error" if status < 500 else "server_error"
    assert told["error"]["type"] == kind


def test_parts_of_text_are_one_text(ask: Client) -> None:
    parts = [{"type": "text", "text": "say "}, {"type": "text", "text": "this"}]
    _, told = ask(CHAT, hello(messages=[{"role": "developer", "content": parts}]))
    assert told["choices"][0]["message"]["content"] == "say this"


def test_a_stream_that_breaks_says_so(ask: Client) -> None:
    asked = hello(stream=True, messages=[{"role": "user", "content": "half midway gone"}])
    status, text = ask(CHAT, asked)
    assert status == 200
    assert json.loads(text.split("\n\n")[-2].removeprefix("data: "))["error"]["message"] == (
        "internal error: RuntimeError"
    )


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"Authorization": None}, 401, "the token is missing or wrong"),
        ({"Authorization": "Bearer wrong"}, 401, "the token is missing or wrong"),
        ({"Authorization": f"Basic {TOKEN}"}, 401, "the token is missing or wrong"),
        ({"Host": "evil.example"}, 403, "this server is for this machine"),
        ({"Origin": "https://evil.example"}, 403, "pages of other origins may not ask"),
        ({"Origin": "null"}, 403, "pages of other origins may not ask"),
        ({"Content_Type": "text/plain"}, 415, "the body must be application/json"),
        ({"Content_Length": "99999999"}, 413, "the body has more than 4,000,000 bytes"),
        ({"Content_Length": "many"}, 411, "Content-Length is missing"),
        ({"Transfer_Encoding": "chunked"}, 411, "Content-Length is missing"),
    ],
)
def test_who_may_not_ask(headers: dict[str, Any], status: int, message: str, ask: Client) -> None:
    found, told = ask(CHAT, hello(), "", **headers)
    assert (found, told["error"]["message"]) == (status, message)


def test_a_page_of_this_machine_may_ask(ask: Client) -> None:
    assert ask("/v1/models", Origin="http://localhost:3000", Host="localhost")[0] == 200


def test_there_is_nothing_else(ask: Client) -> None:
    status, told = ask("/v1/embeddings", hello())
    assert (status, told["error"]["message"]) == (404, "there is nothing at /v1/embeddings")
    assert ask("/v1/models", hello())[0] == 404
    assert ask("/v1/models", method="DELETE")[0] == 501


def test_what_cannot_be_loaded_is_said(ask: Client, engine: Echo) -> None:
    engine.trouble = "the signature does not fit the manifest"
    status, told = ask(CHAT, hello())
    assert (status, told["error"]["message"]) == (503, "the signature does not fit the manifest")


def test_only_so_many_wait(ask: Client, engine: Echo) -> None:
    engine.hold.clear()
    found: list[int] = []
    refused = threading.Event()

    def one() -> None:
        found.append(ask(CHAT, hello())[0])
        if found.count(503) == 3:
            refused.set()

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    assert refused.wait(20)
    engine.hold.set()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [200] * 9 + [503] * 3


def test_a_port_that_is_taken(ask: Client, engine: Echo) -> None:
    with pytest.raises(Unavailable, match=f"cannot listen on 127.0.0.1 port {ask.port}"):
        Server(engine, ask.port, "")
