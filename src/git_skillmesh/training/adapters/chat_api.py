"""The requests and answers of OpenAI's API, as far as this server speaks it.

In: JSON of a client. Out: `Asked`, or `Wrong` with an error of the same API; answers and the events
of a stream as data. Pure. What a client sends besides (tools, logprobs, user, …) is passed over.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 4_000_000
_MOST_MESSAGES = 2_000
_MOST_TOKENS = 8_192
_USUAL_TOKENS = 512
_MOST_STOPS = 4
_LONGEST_STOP = 200
# What a client may call a role → what a chat template knows.
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class Wrong(Exception):
    """A request that cannot be answered: `status` and the error of the API."""

    def __init__(self, status: int, message: str, param: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.error = {
            "error": {
                "message": message,
                "type": kind,
                "param": param or None,
                "code": code or None,
            }
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants. It has `messages` (chat) or a `prompt` (completion).

    `temperature` 0 takes the likeliest token always; `most` is the number of tokens of the answer.
    """

    model: str
    messages: tuple[dict[str, str], ...] | None
    prompt: str
    most: int
    temperature: float
    top_p: float
    stops: tuple[str, ...]
    seed: int | None
    stream: bool
    usage: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote: `finish` is stop or length, `asked` and `told` count tokens."""

    text: str
    finish: str
    asked: int
    told: int


def chat_of(body: bytes) -> Asked:
    """Return what a chat request asks for. Raises `Wrong`."""
    told = _object(body)
    messages = told.get("messages")
    if not isinstance(messages, list) or not 0 < len(messages) <= _MOST_MESSAGES:
        raise Wrong(400, f"messages must be a list of 1 to {_MOST_MESSAGES:,}", "messages")
    return _asked(told, tuple(map(_message, messages)), "")


def completion_of(body: bytes) -> Asked:
    """Return what a completion request asks for. Raises `Wrong`."""
    told = _object(body)
    prompt = told.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str) or not prompt:
        raise Wrong(400, "prompt must be one text", "prompt")
    return _asked(told, None, prompt)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Wrong(400, "the body is no JSON object")
    return told


def _asked(
    told: Mapping[str, Any], messages: tuple[dict[str, str], ...] | None, prompt: str
) -> Asked:
    model = told.get("model")
    if not isinstance(model, str) or not model:
        raise Wrong(400, "model must be a name, as GET /v1/models has it", "model")
    if told.get("n") not in (None, 1):
        raise Wrong(400, "n must be 1", "n")
    name = "max_tokens" if told.get("max_completion_tokens") is None else "max_completion_tokens"
    options = told.get("stream_options")
    return Asked(
        model, messages, prompt,
        int(_number(told, name, _USUAL_TOKENS, 1, _MOST_TOKENS, whole=True)),
        _number(told, "temperature", 0.0, 0.0, 2.0),
        _number(told, "top_p", 1.0, 0.0, 1.0),
        _stops(told.get("stop")),
        None if told.get("seed") is None else int(
            _number(told, "seed", 0, -(2**63), 2**63 - 1, whole=True)
        ),
        told.get("stream") is True,
        isinstance(options, dict) and options.get("include_usage") is True,
    )  # fmt: skip


def _message(told: Any) -> dict[str, str]:
    role = told.get("role") if isinstance(told, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise Wrong(400, f"roles are {', '.join(_ROLES)}", "messages")
    content = told.get("content")
    if isinstance(content, list):
        parts = [one.get("text") if isinstance(one, dict) else None for one in content]
        if not all(isinstance(part, str) for part in parts):
            raise Wrong(400, "content may have parts of text only", "messages")
        content = "".join(str(part) for part in parts)
    if not isinstance(content, str):
        raise Wrong(400, "content must be text", "messages")
    return {"role": _ROLES[role], "content": content}


def _number(
    told: Mapping[str, Any], name: str, usual: float, low: float, high: float, *,
    whole: bool = False,
) -> float:  # fmt: skip
    value = told.get(name)
    if value is None:
        return usual
    kinds = int if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        raise Wrong(400, f"{name} must be from {low:g} to {high:g}", name)
    return value


def _stops(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value or []
    if (
        not isinstance(found, list)
        or len(found) > _MOST_STOPS
        or not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_STOP for one in found)
    ):
        raise Wrong(400, f"stop must be up to {_MOST_STOPS} texts", "stop")
    return tuple(found)


# -- answers ---------------------------------------------------------------------------------------


class Telling:
    """One answer, whole or as a stream of events."""

    def __init__(self, asked: Asked, identity: str, model: str) -> None:
        self._chat = asked.messages is not None
        self._usage = asked.usage
        kind = "chat.completion" if self._chat else "text_completion"
        prefix = "chatcmpl-" if self._chat else "cmpl-"
        self._head = {"id": prefix + identity, "object": kind, "created": int(time.time()),
                      "model": model}  # fmt: skip

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the answer as one document."""
        said = {"message": {"role": "assistant", "content": answer.text}}
        return {**self._head, "choices": [self._choice(said if self._chat else
                {"text": answer.text}, answer.finish)], "usage": _usage(answer)}  # fmt: skip

    def first(self) -> list[bytes]:
        """Return the events that a stream begins with."""
        return [self._event({"role": "assistant", "content": ""})] if self._chat else []

    def part(self, text: str) -> bytes:
        """Return the event of some text."""
        return self._event({"content": text}) if self._chat else self._event(text)

    def last(self, answer: Answer) -> list[bytes]:
        """Return the events that a stream ends with."""
        found = [self._event({} if self._chat else "", answer.finish)]
        if self._usage:
            found.append(event({**self._shape(), "choices": [], "usage": _usage(answer)}))
        return [*found, b"data: [DONE]\n\n"]

    def _event(self, delta: Any, finish: str | None = None) -> bytes:
        said = {"delta": delta} if self._chat else {"text": delta}
        return event({**self._shape(), "choices": [self._choice(said, finish)]})

    def _shape(self) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self._chat else "text_completion"
        return {**self._head, "object": kind}

    def _choice(self, said: Mapping[str, Any], finish: str | None) -> dict[str, Any]:
        return {"index": 0, **said, "logprobs": None, "finish_reason": finish}


def event(document: Mapping[str, Any]) -> bytes:
    """Return a document as a server-sent event."""
    return b"data: " + json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n\n"


def models(names: Sequence[str], created: int) -> dict[str, Any]:
    """Return the list of models."""
    data = [
        {"id": name, "object": "model", "created": created, "owned_by": "git-skillmesh"}
        for name in names
    ]
    return {"object": "list", "data": data}


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.asked, "completion_tokens": answer.told,
        "total_tokens": answer.asked + answer.told,
    }  # fmt: skip
