"""`git skillmesh explore`: look around in the memory, in a browser."""

import argparse
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from ..errors import ExitCode, SkillmeshError, UsageError
from .context import Context

if TYPE_CHECKING:
    from ..explorer.documents import Documents


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "explore",
        help="look around in the memory, in a browser",
        description="Show commits, conversations, lines with their origin, learnings and a map of "
        "the code as a page: served on this machine until Ctrl-C, or written to a folder that any "
        "web server can serve and that opens from the disk.",
    )
    parser.add_argument(
        "--serve", action="store_true", help="serve the page on 127.0.0.1 (what it does anyway)"
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="the port to listen on (default: any free one)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")
    parser.add_argument("--json", action="store_true", help="print the address as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve."""
    if args.port is not None and not 0 <= args.port < 1 << 16:
        raise UsageError("--port takes a number from 0 to 65535")
    return _serve(args, context)


def _serve(args: argparse.Namespace, context: Context) -> int:
    from ..explorer.documents import Documents
    from ..explorer.server import Server
    from ..explorer.stores import Stores
    from ..mcp.host import Host
    from .main import report

    stores = Stores(Host(context.folder, context.overrides))
    try:
        documents = Documents(stores)
        server = Server(documents, args.port or 0, lambda error: context.note(report(error)))
        threading.Thread(target=_prepare, args=(documents,), daemon=True).start()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        if args.json:
            context.out_json({"schema": 1, "url": server.entrance, "port": server.port})
        else:
            context.out(server.entrance)
            context.note("serving until Ctrl-C; whoever has this address sees all of it")
        _flush()
        if args.open:
            _open(server.entrance)
        with server:
            try:
                server.serve_forever(poll_interval=0.5)
            except KeyboardInterrupt:
                context.note("")
    finally:
        stores.close()
    return ExitCode.OK


def _prepare(documents: "Documents") -> None:
    """Make what the page shows first while the browser starts; whoever asks gets the errors."""
    with suppress(SkillmeshError, OSError):
        documents.prepare()


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _flush() -> None:
    import sys

    sys.stdout.flush()


def _open(url: str) -> None:
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
