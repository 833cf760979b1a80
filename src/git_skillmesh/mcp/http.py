"""The server over HTTP: on this machine only, and only for who has the token.

In: a server, an address, a token. Out: streamable HTTP at `/mcp` until a signal ends it. A browser
on this machine could be made to talk to it by any page: `Host` and `Origin` are checked, and
nothing is answered without the token.
"""

import hmac
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import Unavailable, UsageError

TOKEN_VARIABLE = "SKILLMESH_MCP_TOKEN"  # noqa: S105 - the name of a variable
PATH = "/mcp"
_LOOPBACK = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
_LEAST_TOKEN = 16
_MOST_TOKEN = 4096


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of `[HOST:]PORT`. Raises `UsageError` for what is not this machine."""
    name, _, port = text.rpartition(":")
    host = name.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(f"not an address: {text}", "[HOST:]PORT, as in 8765; 0 is any free port")
    if host.lower() not in _LOOPBACK:
        raise UsageError(
            f"{host} can be reached from other machines", "127.0.0.1, ::1 or localhost; for others "
            "put a server with TLS before it",
        )  # fmt: skip
    return host.lower(), int(port)


def token_of(path: str | None) -> tuple[str, bool]:
    """Return the token and whether it was made just now. Raises `UsageError`."""
    if path is not None:
        try:
            with Path(path).open("rb") as file:
                given = file.read(_MOST_TOKEN + 1).decode("ascii").strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read the token in {path}: {error}") from None
    else:
        given = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not given:
            return secrets.token_urlsafe(32), True
    if not (_LEAST_TOKEN <= len(given) <= _MOST_TOKEN and given.isascii() and given.isprintable()):
        raise UsageError(
            "the token cannot be used", f"a line of at least {_LEAST_TOKEN} printable characters"
        )
    return given, False


class TokenRequired:
    """Lets those requests through that bring the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._wanted = f"bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] == "http" and not self._allowed(scope):
            await send(
                {
                    "type": "http.response.start",
                    "status": 401,
                    "headers": [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")],
                }
            )
            await send({"type": "http.response.body", "body": b"the bearer token is missing\n"})
            return
        await self._app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        given = b"".join(value for name, value in scope["headers"] if name == b"authorization")
        scheme, _, token = given.partition(b" ")
        return hmac.compare_digest(scheme.lower() + b" " + token.strip(), self._wanted)


def serve(
    server: MCPServer[Any], host: str, port: int, token: str, made: bool,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Serve until a signal comes; `tell` gets the address, and a token that was made.

    Raises `Unavailable` when the port is taken.
    """
    try:
        listening = socket.create_server(
            ("127.0.0.1" if host == "localhost" else host, port), family=_LOOPBACK[host]
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable(f"cannot listen on {host} port {port}", reason) from None
    port = listening.getsockname()[1]
    names = ("127.0.0.1", "localhost", "[::1]")
    security = TransportSecuritySettings(
        allowed_hosts=[f"{name}:{port}" for name in names],
        allowed_origins=[f"http://{name}:{port}" for name in names],
    )
    app = server.streamable_http_app(streamable_http_path=PATH, transport_security=security)
    shown = f"[{host}]" if ":" in host else host
    tell(f"git-skillmesh: http://{shown}:{port}{PATH}")
    if made:
        tell(f"git-skillmesh: token {token}")
    settings = uvicorn.Config(
        TokenRequired(app, token), log_level="critical", access_log=False, lifespan="on",
        server_header=False, timeout_graceful_shutdown=0,
    )  # fmt: skip
    uvicorn.Server(settings).run(sockets=[listening])
