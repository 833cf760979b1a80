"""The server: HTTP on this machine only, one answer at a time.

In: an engine, a port, a token. Out: /v1/models, /v1/chat/completions, /v1/completions, /health. Any
page in a browser on this machine could talk to a server here, so `Host`, `Origin` and the type of
the body are looked at, and no other machine is listened to.
"""

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import urlsplit

from ...errors import SkillmeshError
from ...loopback import LoopbackServer
from ...machine import is_loopback
from .chat_api import MOST_BYTES, Answer, Asked, Telling, Wrong, chat_of, completion_of, models

_MOST_CONNECTIONS = 64
# Answers that wait for the one in progress.
_MOST_WAITING = 8
_SECONDS = 60.0


class Engine(Protocol):
    """What answers. `names` are what a client may ask for; it follows what is active."""

    def follow(self) -> None:
        """Load what is active now, if that is another one. Raises `SkillmeshError`."""

    def names(self) -> tuple[str, ...]:
        """Return the names under which the model is offered; the first is its own."""

    def answer(self, asked: Asked, emit: Callable[[str], None]) -> Answer:
        """Answer; `emit` gets the text in parts. Raises `Wrong`."""


class Server(LoopbackServer):
    """Listens on this machine. Raises `Unavailable` where the port is taken."""

    def __init__(self, engine: Engine, port: int, token: str) -> None:
        self.engine = engine
        self.token = token
        self.turn = threading.Lock()
        self.waiting = threading.BoundedSemaphore(_MOST_WAITING + 1)
        super().__init__(port, _Handler, _MOST_CONNECTIONS)

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"{self.root}v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "git-skillmesh"
    sys_version = ""
    timeout = _SECONDS

    def log_message(self, *args: Any) -> None:
        """Keep no log: prompts are nobody's business."""

    def do_GET(self) -> None:
        """Tell what is there."""
        self._guarded({"/v1/models": self._models, "/health": self._health})

    def do_POST(self) -> None:
        """Answer."""
        self._guarded({
            "/v1/chat/completions": lambda: self._answer(chat_of),
            "/v1/completions": lambda: self._answer(completion_of),
        })  # fmt: skip

    def _guarded(self, paths: Mapping[str, Callable[[], None]]) -> None:
        self._streaming = False
        try:
            self._check()
            path = urlsplit(self.path).path.rstrip("/")
            if path not in paths:
                raise Wrong(404, f"there is nothing at {path[:200]}")
            paths[path]()
        except Wrong as wrong:
            self._fail(wrong.status, wrong.error)
        except SkillmeshError as error:
            self._fail(503, Wrong(503, str(error)).error)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # one request is not the end of the server
            self._fail(500, Wrong(500, f"internal error: {type(error).__name__}").error)

    def _check(self) -> None:
        """Raise `Wrong` for who may not ask."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        if not is_loopback(host):
            raise Wrong(403, "this server is for this machine")
        origin = self.headers.get("Origin")
        if origin is not None and not is_loopback(urlsplit(origin).hostname or ""):
            raise Wrong(403, "pages of other origins may not ask")
        if self.server.token:
            scheme, _, given = self.headers.get("Authorization", "").partition(" ")
            same = hmac.compare_digest(given.strip().encode(), self.server.token.encode())
            if scheme.lower() != "bearer" or not same:
                raise Wrong(401, "the token is missing or wrong", code="invalid_api_key")

    def _models(self) -> None:
        self._follow()
        self._send(200, models(self.server.engine.names(), 0))

    def _health(self) -> None:
        self._send(200, {"status": "ok", "model": self.server.engine.names()[0]})

    def _follow(self) -> None:
        with self.server.turn:
            self.server.engine.follow()

    def _answer(self, parse: Callable[[bytes], Asked]) -> None:
        asked = parse(self._body())
        if not self.server.waiting.acquire(blocking=False):
            raise Wrong(503, "too many requests wait already", code="overloaded")
        try:
            with self.server.turn:
                engine = self.server.engine
                engine.follow()
                names = engine.names()
                if asked.model not in names:
                    raise Wrong(
                        404, f"no model {asked.model[:100]!r}; there is {', '.join(names)}",
                        "model", "model_not_found",
                    )  # fmt: skip
                telling = Telling(asked, secrets.token_hex(12), names[0])
                if asked.stream:
                    self._stream(asked, telling)
                else:
                    self._send(200, telling.whole(engine.answer(asked, lambda _: None)))
        finally:
            self.server.waiting.release()

    def _stream(self, asked: Asked, telling: Telling) -> None:
        def begin() -> None:
            self._streaming = True
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Connection", "close")
            self.end_headers()
            self._write(telling.first())

        def emit(text: str) -> None:
            if not self._streaming:  # what is wrong with a request is known before the first text
                begin()
            self._write([telling.part(text)])

        answer = self.server.engine.answer(asked, emit)
        if not self._streaming:
            begin()
        self._write(telling.last(answer))

    def _write(self, events: Iterable[bytes]) -> None:
        self.wfile.write(b"".join(events))
        self.wfile.flush()

    def _body(self) -> bytes:
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            raise Wrong(411, "Content-Length is missing")
        if int(length) > MOST_BYTES:
            raise Wrong(413, f"the body has more than {MOST_BYTES:,} bytes")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise ConnectionError
        if kind != "application/json":
            raise Wrong(415, "the body must be application/json")
        return data

    def _fail(self, status: int, error: Mapping[str, Any]) -> None:
        if self._streaming:
            with suppress(OSError):
                self._write([b"data: " + json.dumps(error).encode("ascii") + b"\n\n"])
            return
        # A body that was not read would be taken for the next request.
        self.close_connection = True
        with suppress(OSError):
            self._send(status, error)

    def _send(self, status: int, document: Mapping[str, Any]) -> None:
        data = json.dumps(document).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(data)
