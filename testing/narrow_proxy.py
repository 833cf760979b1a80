"""A proxy on a real socket, as narrow as those in front of servers: small bodies, few requests.

In: a server's address. Out: `NarrowProxy`, which refuses what is too large with 413 and asks for
patience with 429, as plain pages that Chroma's client knows nothing of; and too many records, or
keys of a collection, in the words of Chroma Cloud.
"""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# /api/v2/tenants/T/databases/D/collections/C: how many slashes there are.
_OF_A_COLLECTION = 8


class NarrowProxy:
    """Forwards to `url`. `largest` is that of a body in bytes; the first `busy` writes get 429.

    A request may hold or ask for `records` at most; where it does not say how many it wants, it
    silently gets no more. The metadata of a collection may have `keys` at most.
    """

    def __init__(
        self, url: str, largest: int, busy: int = 0, records: int = 0, keys: int = 0
    ) -> None:
        self.largest, self.busy, self.records, self.keys = largest, busy, records, keys
        self.refused: list[int] = []
        address = urlsplit(url).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status = proxy._refusal(self.path, len(body))
                if status:
                    proxy.refused.append(status)
                    self.reply(status, b"<html>no</html>", {"Retry-After": "0"})
                    return
                body, excess = proxy._counted(self.path, body)
                if excess:
                    proxy.refused.append(422)
                    self.reply(422, json.dumps(excess).encode(), {})
                    return
                link = http.client.HTTPConnection(address, timeout=20)
                kept = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                link.request(self.command, self.path, body, kept)
                said = link.getresponse()
                self.reply(said.status, said.read(), {"Content-Type": "application/json"})
                link.close()

            def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _refusal(self, path: str, size: int) -> int:
        if not path.endswith("/upsert"):
            return 0
        if self.busy:
            self.busy -= 1
            return 429
        return 413 if size > self.largest else 0

    def _counted(self, path: str, body: bytes) -> tuple[bytes, dict[str, str]]:
        """Return the body to send on, or why it is refused."""
        action = path.rpartition("/")[2]
        if self.keys and (path.count("/") == _OF_A_COLLECTION) and body:
            metadata = json.loads(body).get("new_metadata") or {}
            if len(metadata) > self.keys:
                return body, _told(
                    "Number of metadata entries", "Update Collection", len(metadata), self.keys
                )
        if not self.records or action not in ("get", "query", "upsert", "update", "delete"):
            return body, {}
        asked = json.loads(body or b"{}")
        if action == "get" and asked.get("limit") is None:
            return json.dumps({**asked, "limit": self.records}).encode(), {}
        name, usage = {
            "get": ("Limit value", asked.get("limit")),
            "query": ("Number of results", asked.get("n_results")),
        }.get(action, ("Number of records", len(asked.get("ids") or ())))
        if usage <= self.records:
            return body, {}
        return body, _told(name, action.title(), usage, self.records)

    def __enter__(self) -> "NarrowProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _told(name: str, action: str, usage: int, limit: int) -> dict[str, str]:
    said = f"'{name}' exceeded quota limit for action '{action}': current usage of"
    told = f"Quota exceeded: {said} {usage} exceeds limit of {limit}"
    return {"error": "ChromaError", "message": told}
