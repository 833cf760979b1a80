"""Tell a vLLM server that runs to load an adapter, or to drop one.

In: an address, a token, an adapter's name and folder. Out: nothing, or `Unavailable`. The requests
are those of vLLM's documentation (features/lora, "Dynamically serving LoRA adapters"); the folder
must be there on the server's machine under the same path.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...config import Config
from ...errors import ConfigurationError, Unavailable
from ...machine import is_loopback
from .targets import DEFAULT_VLLM, LOAD, UNLOAD, load_body

TOKEN_VARIABLE = "VLLM_API_KEY"  # noqa: S105 - the name of a variable, which vLLM itself reads
_SECONDS = 120.0
_MOST_ANSWER = 100_000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a token goes where the user has sent it."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return None, which makes an answer that points elsewhere an error."""


class Server:
    """A vLLM server."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token
        # What is for this machine goes through no proxy: to that it would be another one.
        here = is_loopback(urlsplit(url).hostname or "")
        direct = [urllib.request.ProxyHandler({})] if here else []
        self._opener = urllib.request.build_opener(_NoRedirect, *direct)

    def load(self, name: str, folder: Path) -> str:
        """Load an adapter; return what the server said. Raises `Unavailable`."""
        return self._post(LOAD, load_body(name, folder), "already")

    def unload(self, name: str) -> str:
        """Drop an adapter; return what the server said. Raises `Unavailable`."""
        return self._post(UNLOAD, {"lora_name": name}, "cannot be found")

    def _post(self, path: str, body: Mapping[str, str], *fine: str) -> str:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            self.url + path, json.dumps(body).encode(), headers, method="POST"
        )
        try:
            status, text = self._sent(request)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unavailable(
                f"cannot reach vLLM at {self.url}", str(reason) or type(error).__name__
            ) from None
        if status == 200:
            return text.strip()
        said = _message(text)
        if status in (400, 404) and any(word in said for word in fine):
            return said  # it is as was asked for
        hint = "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True is not set there" * (status == 404)
        raise Unavailable(f"vLLM at {self.url} answers {status}", said[:300] or hint)

    def _sent(self, request: urllib.request.Request) -> tuple[int, str]:
        """Return status and text of the answer. Raises `OSError`, `HTTPException`."""
        try:
            answer = self._opener.open(request, timeout=_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error  # an answer like others
        with answer:
            return answer.status, answer.read(_MOST_ANSWER).decode("utf-8", "replace")


def server_of(config: Config, url: str = "") -> Server:
    """Return the server of an option or of the setting `vllm.url`. Raises `ConfigurationError`.

    A token goes to no other machine without TLS.
    """
    where = (url or config["vllm.url"] or DEFAULT_VLLM).rstrip("/").removesuffix("/v1")
    try:
        parts = urlsplit(where)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query:
        raise ConfigurationError("not the address of a server", "as in http://127.0.0.1:8000")
    token = config.environ.get(TOKEN_VARIABLE, "")
    if token and parts.scheme != "https" and not is_loopback(host):
        raise ConfigurationError(
            f"{TOKEN_VARIABLE} is set, and {host} is another machine without TLS", "use https"
        )
    return Server(where, token)


def _message(text: str) -> str:
    """Return what an error says: vLLM wraps it as OpenAI does, or only once."""
    try:
        told = json.loads(text)
        told = told.get("error", told)
        return " ".join(str(told["message"]).split())
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(text.split())
