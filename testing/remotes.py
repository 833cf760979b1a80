"""Servers for tests of sharing: bare repositories over git's own protocols, and remotes that fail.

In: a folder of repositories. Out: addresses; bytes that went over the wire.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .repos import Repo, make_repo


def make_hub(folder: Path, name: str = "hub.git", **options: str) -> Repo:
    """Make a bare repository that others push to; `options` are its configuration."""
    hub = make_repo(folder, name, bare=True)
    for key, value in options.items():
        hub.git("config", key.replace("__", "."), value)
    return hub


def refuse_once(hub: Repo, hook: str = "pre-receive", times: int = 1) -> None:
    """Make a remote refuse so many pushes, and then no more."""
    count = hub.path / "refusals"
    count.write_text("x" * times)
    hub.hook(
        hook,
        "#!/bin/sh\n"
        f'left=$(cat "{count}")\n'
        f'[ -n "$left" ] || exit 0\nprintf %s "${{left#x}}" >"{count}"\n'
        "echo not now >&2\nexit 1\n",
    )


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def git_daemon(root: Path) -> Iterator[str]:
    """Serve all repositories below a folder with `git daemon`; yields the address."""
    root.mkdir(parents=True, exist_ok=True)
    port = free_port()
    process = subprocess.Popen(
        ["git", "daemon", "--export-all", "--enable=receive-pack", "--reuseaddr",
         "--listen=127.0.0.1", f"--port={port}", f"--base-path={root}", os.fspath(root)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await_port(port)
        yield f"git://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@contextlib.contextmanager
def http_backend(root: Path, password: str = "") -> Iterator[str]:
    """Serve all repositories below a folder with `git http-backend`; yields the address.

    With `password` every request needs it.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self._body())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, body: bytes) -> None:
            if password and password not in self.headers.get("Authorization", ""):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            env = {
                **os.environ, "GIT_PROJECT_ROOT": os.fspath(root), "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": "ada",
                "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }  # fmt: skip
            done = subprocess.run(
                ["git", "http-backend"], input=body, env=env, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
            status = next((value for name, value in fields if name == "Status"), "200")
            self.send_response(int(status[:3]))
            for name, value in fields:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never say anything; yields the address for git://."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"git://127.0.0.1:{listening.getsockname()[1]}"


@dataclass
class Wire:
    """A way to another port that counts what goes over it."""

    port: int = 0
    sent: int = 0
    received: int = 0
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Count from nothing."""
        self.sent = self.received = self.connections = 0


@contextlib.contextmanager
def counted(target: int) -> Iterator[Wire]:
    """Forward a port of this machine to another one and count; yields the `Wire`."""
    wire = Wire()
    listening = socket.create_server(("127.0.0.1", 0))
    wire.port = listening.getsockname()[1]

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", target))
                wire.connections += 1
                for source, sink, name in ((near, far, "sent"), (far, near, "received")):
                    threading.Thread(target=pump, args=(source, sink, name), daemon=True).start()

    def pump(source: socket.socket, sink: socket.socket, name: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                with wire.lock:
                    setattr(wire, name, getattr(wire, name) + len(data))
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield wire
    finally:
        listening.close()


def has_http_backend() -> bool:
    """Whether this machine's git can serve over HTTP."""
    where = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    return shutil.which("git-http-backend", path=where.stdout.strip()) is not None
