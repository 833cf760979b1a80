"""Servers that only this machine reaches: a thread a connection, and no more than so many.

In: a port, a handler. Out: a listening server. Who may ask, and what is answered, is the handler's.
"""

import threading
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any

from .errors import Unavailable

HOST = "127.0.0.1"


class LoopbackServer(ThreadingMixIn, TCPServer):
    """Listens on a port, 0 for any, with at most `most` connections at a time.

    Raises `Unavailable` where the port is taken, or none.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int, handler: type[BaseRequestHandler], most: int) -> None:
        self._room = threading.BoundedSemaphore(most)
        try:
            super().__init__((HOST, port), handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Unavailable(f"cannot listen on {HOST} port {port}", reason) from None
        self.port = int(self.server_address[1])

    @property
    def root(self) -> str:
        """The address of the server."""
        return f"http://{HOST}:{self.port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread, or close it where there are too many."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave a connection that has broken to itself."""
