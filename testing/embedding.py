"""An embedding provider on this machine.

In: texts over HTTP. Out: vectors of three numbers, and the texts that it has seen.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Provider:
    """A text-embeddings-inference server on loopback that counts the texts it sees."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.broken = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                inputs = body["inputs"]
                inputs = [inputs] if isinstance(inputs, str) else inputs
                if provider.broken:
                    self.send_error(500)
                    return
                provider.texts += inputs
                rows = [[float(len(text) % 7 + 1), float("parse" in text), 1.0] for text in inputs]
                data = json.dumps(rows).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        return {"embedding.provider": "huggingface_server", "embedding.name": self.url}
