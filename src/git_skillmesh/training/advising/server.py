"""Ask an OpenAI-compatible server, within a time that nothing it does can stretch.

In: an `Endpoint`, a `Request`. Out: the text of the answer, or one line that says why there is
none. Redirects are not followed, answers are bounded, a server that is busy is asked again as long
as there is time. Each attempt is a thread of its own that is left behind when its time is over: a
name that does not resolve and an answer that drips in cannot hold anybody up.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...display import clip, tokens
from ...errors import Unavailable, UsageError
from .endpoint import Endpoint
from .model import Request
from .prompt import body_of

_LARGEST = 2_000_000  # bytes of an answer
_ATTEMPTS = 5
_CONNECT_S, _LONGEST_WAIT_S = 10.0, 30.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
# What a server says to an option that it does not know.
_UNKNOWN_OPTION = frozenset({400, 422, 500, 501})
_PLAIN = 2  # the last of the forms: neither a schema nor a temperature
_SHOWN = 160
_MOST_LISTED = 5


class Reply(NamedTuple):
    """What was answered; `sent` and `received` in tokens, as the server counts them or estimated.

    `cut`: it broke off at the most tokens that it may have.
    """

    text: str
    sent: int
    received: int
    cut: bool


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Failed(Exception):
    """A request that brought no answer. `final`: the next ones will not do better."""

    def __init__(self, what: str, *, final: bool = False) -> None:
        super().__init__(what)
        self.final = final


class _Passing(Exception):
    """Something that may be over soon; `after` seconds, if the server says so."""

    def __init__(self, what: str, after: float = 0.0) -> None:
        super().__init__(what)
        self.after = after


class Server:
    """A server that is asked one thing at a time. `each_s` are the seconds that one may take."""

    def __init__(self, endpoint: Endpoint, model: str, each_s: float) -> None:
        self.endpoint, self.model = endpoint, model
        self._each_s = each_s
        self._form = 0  # how much of what servers may not know has been left out

    def choose_model(self, left_s: float) -> str:
        """Return the model that is named, or the one that the server has. Raises `UsageError`."""
        if self.model:
            return self.model
        mend = "name one with --model"
        try:
            found = self._patiently("GET", self.endpoint.models, None, min(left_s, self._each_s))
            listed = json.loads(found.body)["data"] if found.status == 200 else []
            names = [one["id"] for one in listed if isinstance(one["id"], str)]
        except Failed as error:
            raise Unavailable(str(error)) from None
        except (ValueError, KeyError, TypeError, RecursionError):
            names = []
        if not names:
            raise UsageError(f"{self.endpoint.shown} does not list its models", mend)
        # Beside an adapter its base is listed too, or a second name for what is active.
        trained = [name for name in names if name.startswith("lora_codelearn_")]
        names = trained if len(trained) == 1 else names
        if len(names) > 1:
            listed = ", ".join(clip(name, 60) for name in sorted(names)[:_MOST_LISTED])
            raise UsageError(f"the server has {len(names)} models ({listed} …)", mend)
        self.model = names[0]
        return self.model

    def ask(self, request: Request, left_s: float) -> Reply:
        """Return the answer to a request. Raises `Failed`."""
        end = time.monotonic() + min(left_s, self._each_s)
        form = self._form
        while True:
            body = body_of(request, self.model, schema=form == 0, plain=form == _PLAIN)
            data = json.dumps(body).encode()
            again = form == _PLAIN
            left = end - time.monotonic()
            found = self._patiently("POST", self.endpoint.chat, data, left, again_at_500=again)
            if found.status in _UNKNOWN_OPTION and form < _PLAIN:
                form += 1
                continue
            if found.status != 200:
                raise self._refused(found)
            self._form = form
            return self._reply(found, request)

    def _patiently(
        self, method: str, url: str, data: bytes | None, left_s: float, again_at_500: bool = True
    ) -> _Answer:
        """Send a request, again where that may help, within so many seconds. Raises `Failed`."""
        import tenacity

        end = time.monotonic() + left_s

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            said = error.after if isinstance(error, _Passing) else 0.0
            return min(said or 0.5 * 2**state.attempt_number, _LONGEST_WAIT_S)

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            wait=wait,
            stop=tenacity.stop_after_attempt(_ATTEMPTS) | tenacity.stop_before_delay(left_s),
            reraise=True,
        )
        # 500 is also what some servers say to an option that they do not know.
        passing = _PASSING if again_at_500 else _PASSING - {500}
        try:
            return attempts(lambda: self._once(method, url, data, end - time.monotonic(), passing))
        except _Passing as error:
            raise Failed(str(error)) from None

    def _once(
        self, method: str, url: str, data: bytes | None, left_s: float, passing: frozenset[int]
    ) -> _Answer:
        if left_s <= 0:
            raise Failed(f"no answer from {self.endpoint.shown} in time")
        found = _within(left_s, lambda: self._send(method, url, data, left_s))
        if found is None:
            raise Failed(f"no answer from {self.endpoint.shown} in {left_s:.0f} seconds")
        if isinstance(found, Exception):
            raise self._in_words(found) from None
        if 300 <= found.status < 400:
            raise Failed(
                f"{self.endpoint.shown} points to another address, which is not followed",
                final=True,
            )
        if found.status in passing:
            told = found.headers.get("retry-after", "")
            after = float(told) if told.isdecimal() and len(told) < 6 else 0.0
            raise _Passing(f"{self.endpoint.shown} answers {found.status}", after)
        return found

    def _in_words(self, error: Exception) -> Exception:
        import httpx

        name, where = type(error).__name__, self.endpoint.shown
        if isinstance(error, Failed):
            return error
        if isinstance(error, httpx.ConnectError):
            return Failed(f"cannot reach {where}", final=True)
        if isinstance(error, httpx.TransportError):
            return _Passing(f"{where} breaks off ({name})")
        return Failed(f"{where} cannot be asked ({name})", final=True)

    def _send(self, method: str, url: str, data: bytes | None, left_s: float) -> _Answer:
        import httpx

        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self.endpoint.token:
            headers["Authorization"] = f"Bearer {self.endpoint.token}"
        timeout = httpx.Timeout(left_s, connect=min(left_s, _CONNECT_S))
        # What is for this machine goes through no proxy: that would be another one.
        with (
            httpx.Client(
                timeout=timeout, follow_redirects=False, trust_env=not self.endpoint.is_local
            ) as client,
            client.stream(method, url, content=data, headers=headers) as response,
        ):
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Failed(f"{self.endpoint.shown} answers compressed, unasked", final=True)
            body = bytearray()
            for piece in response.iter_raw():
                body += piece
                if len(body) > _LARGEST:
                    raise Failed(f"{self.endpoint.shown} answers more than {_LARGEST:,} bytes")
            return _Answer(response.status_code, dict(response.headers), bytes(body))

    def _refused(self, found: _Answer) -> Failed:
        text = found.body[:4_000].decode("utf-8", "replace")
        try:
            error = json.loads(text)["error"]
            text = error if isinstance(error, str) else str(error["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        if self.endpoint.token:
            text = text.replace(self.endpoint.token, "***")
        told = clip(" ".join(text.split()), _SHOWN)
        said = f": {told}" if told else ""
        # Too long a request is one of many; a wrong key or model is the same for all.
        final = found.status in (401, 403, 404, 405)
        return Failed(f"{self.endpoint.shown} answers {found.status}{said}", final=final)

    def _reply(self, found: _Answer, request: Request) -> Reply:
        try:
            document = json.loads(found.body)
            choice = document["choices"][0]
            text = _text_of(choice["message"]["content"])
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            raise Failed(f"{self.endpoint.shown} answers in another form") from None
        usage = document.get("usage")
        counted = usage if isinstance(usage, dict) else {}
        sent, received = (
            _count(counted.get(f"{name}_tokens")) for name in ("prompt", "completion")
        )
        is_cut = choice.get("finish_reason") == "length"
        return Reply(text, sent or request.tokens, received or tokens(text), is_cut)


def _within(seconds: float, work: Callable[[], _Answer]) -> _Answer | Exception | None:
    """Return what work gives or raises, None if it takes longer."""
    done: queue.SimpleQueue[_Answer | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except Exception as error:  # it is raised where somebody can catch it
            done.put(error)

    threading.Thread(target=run, daemon=True, name="advise").start()
    try:
        return done.get(timeout=seconds)
    except queue.Empty:
        return None


def _text_of(content: Any) -> str:
    """Return the text of a message: a string, or parts of which some are text; none is empty."""
    if isinstance(content, list):
        texts = [one.get("text") for one in content if isinstance(one, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    if content is None:
        return ""
    if not isinstance(content, str):
        raise TypeError
    return content


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 10_000_000 else 0
