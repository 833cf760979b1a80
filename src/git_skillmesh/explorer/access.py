"""Who may ask: whoever has the token, from a browser that shows this very server.

In: the head of a request. Out: whether it is let through, or why not. A page of the internet can
make a browser on this machine ask (CSRF), also under a name of its own that leads here (DNS
rebinding): the cookie is SameSite=Strict, and `Host`, `Origin` and `Sec-Fetch-Site` are checked.
"""

import hmac
import secrets
import threading
from collections.abc import Mapping
from email.message import Message
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

NAMES = ("127.0.0.1", "localhost")
# What the browser says of its own page, and of an address typed or followed from a terminal.
_SITES = ("same-origin", "none")
_CROSS = "cross-site"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Refused(NamedTuple):
    """Why a request is not answered."""

    status: int
    why: str


class Access:
    """The token of one server, and the checks of every request."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        # Cookies are shared by all ports of a host: another explorer must not overwrite ours.
        self.cookie = f"skillmesh-{port}"
        self._ticket = ""
        self._lock = threading.Lock()
        self._hosts = frozenset(f"{name}:{port}" for name in NAMES)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def check(self, head: Message, linked: bool) -> Refused | None:
        """Return why a request is refused before its token is looked at, None if it is not.

        `linked` is what `comes_from_elsewhere` says, where that may be.
        """
        hosts = head.get_all("Host") or []
        if len(hosts) != 1 or hosts[0].strip().lower() not in self._hosts:
            return Refused(403, "this server answers only under its own name")
        origins = head.get_all("Origin") or []
        if any(origin.strip().lower() not in self._origins for origin in origins):
            return Refused(403, "other pages may not ask")
        sites = head.get_all("Sec-Fetch-Site") or []
        if not linked and any(site.strip().lower() not in _SITES for site in sites):
            return Refused(403, "other pages may not ask")
        return None

    def comes_from_elsewhere(self, head: Message) -> bool:
        """Return whether somebody has followed a link of another page to this server.

        Who has the token may: but the browser would not send the cookie along a redirect then.
        """
        told = [head.get(f"Sec-Fetch-{name}", "").lower() for name in ("Site", "Mode", "Dest")]
        return told == [_CROSS, "navigate", "document"] and "Origin" not in head

    def ticket(self) -> str:
        """Return what admits once: a browser gets it where other users of the machine may look."""
        with self._lock:
            self._ticket = secrets.token_urlsafe(32)
            return self._ticket

    def admits(self, token: str, ticket: str) -> bool:
        """Return whether one of these lets a browser in; a ticket is used up."""
        with self._lock:
            fits = hmac.compare_digest(_bytes(ticket), _bytes(self._ticket)) and ticket != ""
            if fits:
                self._ticket = ""
        return fits or self.fits(token)

    def fits(self, token: str) -> bool:
        """Return whether this is the token; it takes the same time for every wrong one."""
        return hmac.compare_digest(_bytes(token), _bytes(self.token))

    def has_cookie(self, head: Message) -> bool:
        """Return whether a request brings the cookie with the token."""
        given = ""
        for value in head.get_all("Cookie") or []:
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(value)
            except CookieError:
                continue
            if self.cookie in jar:
                given = jar[self.cookie].value
        return self.fits(given)

    def set_cookie(self) -> str:
        """Return the header that gives the token to the browser, until it ends."""
        return f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
