"""Connections get a thread each, as many as there is room for."""

import socket
import threading
from socketserver import StreamRequestHandler

import pytest

from git_skillmesh.errors import Unavailable
from git_skillmesh.loopback import HOST, LoopbackServer


class Echo(StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(self.rfile.readline())


def asked(port: int) -> bytes:
    with socket.create_connection((HOST, port), timeout=30) as one, one.makefile("rwb") as file:
        file.write(b"hello\n")
        try:
            file.flush()
            return file.readline()
        except ConnectionError:
            return b""


def test_a_thread_that_could_not_start_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    server = LoopbackServer(0, Echo, most=1)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    start = threading.Thread.start

    def fails(thread: threading.Thread) -> None:
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    try:
        monkeypatch.setattr(threading.Thread, "start", fails)
        assert asked(server.port) == b""
        assert asked(server.port) == b"hello\n"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("port", [-1, 1 << 16])
def test_what_is_no_port(port: int) -> None:
    with pytest.raises(Unavailable, match=f"cannot listen on {HOST} port {port}: "):
        LoopbackServer(port, Echo, most=1)
