"""One HTTP session with a Chroma server or with what stands in front of it, bounded on all sides.

In: a `Target`. Out: a session of httpx that gives up in time, whatever the other side does: it may
accept and stay silent, send a byte a second, or never stop sending. Certificates are checked, a
redirection is never followed (it would take the token along), and what is no answer of Chroma's is
told by its status.
"""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from ..errors import ConfigurationError
from .target import Target

# More than any page that is asked for: 2,000 records with their texts and vectors.
_MOST_BYTES = 512 * 1024 * 1024
# Answers of a proxy, or of a server that is overloaded: their words are not Chroma's.
_TELLING = frozenset((401, 403, 408, 413, 425, 429, 502, 503, 504))


class _Clock:
    """The time at which the request under way is given up, and what it may still receive."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.deadline = float("inf")
        self.left = _MOST_BYTES

    def start(self, request: httpx.Request) -> None:
        # The whole request, not each pause between two bytes.
        told = (request.extensions.get("timeout") or {}).get("read")
        self.deadline = time.monotonic() + min(told or self._seconds, self._seconds)
        self.left = _MOST_BYTES

    def within(self, timeout: float | None) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("timed out")
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection that heeds the clock."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        got = self._inner.read(max_bytes, self._clock.within(timeout))
        self._clock.left -= len(got)
        if self._clock.left < 0:
            raise httpcore.ReadError("the answer does not end")
        return got

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        within = self._clock.within(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, within), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """What httpcore opens connections with."""

    def __init__(self, inner: httpcore.NetworkBackend, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        within = self._clock.within(timeout)
        stream = self._inner.connect_tcp(host, port, within, local_address, socket_options)
        return _Stream(stream, self._clock)


def open_session(target: Target, seconds: float, connect_s: float) -> httpx.Client:
    """Return a session in which a request takes `seconds` at most. Raises `ConfigurationError`.

    Of these a connection may take `connect_s`.
    """
    clock = _Clock(seconds)
    session = httpx.Client(
        headers=dict(target.headers),
        timeout=httpx.Timeout(seconds, connect=min(connect_s, seconds)),
        verify=_certificates(target),
        follow_redirects=False,
        event_hooks={"request": [clock.start], "response": [_judge]},
    )
    # httpx has no name for it: the pools of its transports, also those to a proxy.
    for transport in (session._transport, *session._mounts.values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if backend is not None:
            pool._network_backend = _Backend(backend, clock)  # type: ignore[union-attr]
    return session


def _certificates(target: Target) -> ssl.SSLContext | bool:
    """Return who may vouch for the server; nobody has to where there is no TLS to begin with."""
    if not target.url.startswith("https:"):
        return False
    if not target.cafile:
        return True  # SSL_CERT_FILE, SSL_CERT_DIR, else the usual authorities
    try:
        return ssl.create_default_context(cafile=target.cafile)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"chroma.cafile {target.cafile} cannot be used: {error}",
            "it must hold certificates (PEM)",
        ) from None


def _judge(response: httpx.Response) -> None:
    """Raise for what Chroma's client would tell by its text alone."""
    is_json = "json" in response.headers.get("content-type", "")
    broken = response.status_code >= 500 and not is_json
    if broken or response.status_code in _TELLING or response.is_redirect:
        response.read()
        response.raise_for_status()


def retry_after(error: BaseException, most: float) -> float:
    """Return for how many seconds the server asks to be left alone, at most `most`; 0 if not."""
    if not isinstance(error, httpx.HTTPStatusError):
        return 0.0
    told = error.response.headers.get("retry-after", "").strip()
    if told.isdigit():
        return min(float(told[:9]), most)
    if told:
        from email.utils import parsedate_to_datetime

        try:
            return min(max(0.0, parsedate_to_datetime(told).timestamp() - time.time()), most)
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return 0.0


@contextmanager
def given(session: httpx.Client) -> Iterator[None]:
    """Let the client of Chroma that is made in the block use this session, from the first byte."""
    from chromadb.api import fastapi

    class Httpx:
        """The module as that client sees it."""

        @staticmethod
        def Client(**_: Any) -> httpx.Client:  # noqa: N802 - its name
            return session

        def __getattr__(self, name: str) -> Any:
            return getattr(httpx, name)

    known = vars(fastapi)
    was = known["httpx"]
    known["httpx"] = Httpx()
    try:
        yield
    finally:
        known["httpx"] = was
