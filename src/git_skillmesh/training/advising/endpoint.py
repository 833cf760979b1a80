"""Where a change may be sent: an address that the user gave, and nothing that it points on to.

In: an address, the name of a variable that holds a token. Out: `Endpoint`. Plain http is for this
machine only; an address cannot hold a password, and none is ever shown with one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...display import safe_line
from ...errors import UsageError
from ...machine import is_loopback

_CHAT = "/chat/completions"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MEND = "as in https://host/v1 or http://127.0.0.1:8000/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server. `base` is the address before /chat/completions; `query` is kept as it was given."""

    base: str
    query: str = ""
    token: str = field(default="", repr=False)

    @property
    def chat(self) -> str:
        """Where questions go."""
        return f"{self.base}{_CHAT}{self.query}"

    @property
    def models(self) -> str:
        """Where the server lists its models."""
        return f"{self.base}/models{self.query}"

    @property
    def shown(self) -> str:
        """The address for people: without what may be a key."""
        return safe_line(self.base)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(urlsplit(self.base).hostname or "")


def endpoint_of(address: str, variable: str, environ: Mapping[str, str]) -> Endpoint:
    """Return the server of an address; `variable` names where its token is. Raises `UsageError`."""
    text = address.strip()
    if not text.isprintable() or not text.isascii() or re.search(r"\s", text):
        raise UsageError("--endpoint is no address", _MEND)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("--endpoint is no address", _MEND) from None
    if parts.scheme not in ("http", "https") or not host or "\\" in text:
        raise UsageError("--endpoint is no address of a server", _MEND)
    if "@" in parts.netloc:
        raise UsageError("--endpoint holds a password", "use --token-env NAME")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"code is not sent to {host} without encryption", "use https://")
    path = parts.path.rstrip("/").removesuffix(_CHAT)
    where = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{where}{f':{port}' if port else ''}{path}"
    return Endpoint(base, f"?{parts.query}" if parts.query else "", _token(variable, environ))


def _token(variable: str, environ: Mapping[str, str]) -> str:
    if not variable:
        return ""
    if not _VARIABLE.fullmatch(variable):
        # Somebody has put the token itself there: it is not repeated.
        raise UsageError("--token-env is no name of a variable", "as in --token-env ADVISE_TOKEN")
    token = environ.get(variable, "").strip()
    if not token:
        raise UsageError(f"the variable {variable} is not set", "it should hold the token")
    if not token.isprintable() or not token.isascii():
        raise UsageError(f"the variable {variable} holds no token")
    return token
