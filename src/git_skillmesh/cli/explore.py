"""`git skillmesh explore`: look around in the memory, in a browser."""

import argparse
import signal
import sys
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..errors import ExitCode, SkillmeshError, UsageError
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..explorer.documents import Documents
    from ..explorer.stores import Stores

SCHEMA = 1
_MOST_FILES = 20_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "explore",
        help="look around in the memory, in a browser",
        description="Show commits, conversations, lines with their origin, learnings and a map of "
        "the code as a page: served on this machine until Ctrl-C, or written to a folder that any "
        "web server can serve and that opens from the disk.",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--serve", action="store_true", help="serve the page on 127.0.0.1 (what it does anyway)"
    )
    way.add_argument(
        "--out", metavar="DIR", help="write the page and what it shows into this folder instead"
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="the port to listen on (default: any free one)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")
    parser.add_argument(
        "--max-files",
        type=int,
        metavar="N",
        help=f"with --out: at most about so many files (default {_MOST_FILES})",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing about the work")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/explorer.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve, or write."""
    if args.port is not None and not 0 <= args.port < 1 << 16:
        raise UsageError("--port takes a number from 0 to 65535")
    if args.out is not None and args.port is not None:
        raise UsageError("--port is for serving", "leave out --out")
    if args.out is None and args.max_files is not None:
        raise UsageError("--max-files is for a folder", "add --out DIR")
    if args.max_files is not None and args.max_files < 1:
        raise UsageError("--max-files takes a number from 1 on")
    from ..explorer.stores import Stores
    from ..mcp.host import Host

    stores = Stores(Host(context.folder, context.overrides))
    try:
        if args.out is not None:
            return _write(args, context, stores)
        return _serve(args, context, stores)
    finally:
        stores.close()


def _write(args: argparse.Namespace, context: Context, stores: "Stores") -> int:
    from ..explorer.export import export

    if not args.out:
        raise UsageError("--out needs the name of a folder")
    folder = Path(context.folder or "") / args.out
    with progress_bar("writing", args.quiet or args.json) as progress:
        written = export(stores, folder, args.max_files or _MOST_FILES, progress)
    page = folder.resolve() / "index.html"
    if args.json:
        context.out_json(
            {
                "schema": SCHEMA, "page": str(page), "files": written.files, "bytes": written.size,
                "left_out": list(written.left_out),
            }
        )  # fmt: skip
    else:
        context.out(safe_line(str(page)))
        context.note(f"{plural(written.files, 'file')}, {written.size / 1e6:,.1f} MB")
        for text in written.left_out:
            context.note(f"left out: {text}")
        context.note("whoever can read this folder can read the conversations in it")
    if args.open:
        webbrowser.open(page.as_uri())
    return ExitCode.OK


def _serve(args: argparse.Namespace, context: Context, stores: "Stores") -> int:
    from ..explorer.documents import Documents
    from ..explorer.server import Server
    from .main import report

    documents = Documents(stores)
    server = Server(documents, args.port or 0, lambda error: context.note(report(error)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    threading.Thread(target=_prepare, args=(documents,), daemon=True).start()
    try:
        if args.json:
            context.out_json({"schema": SCHEMA, "url": server.entrance, "port": server.port})
        else:
            context.out(server.entrance)
            context.note("serving until Ctrl-C; whoever has this address sees all of it")
        sys.stdout.flush()
        if args.open:
            # Other users may see with which arguments a browser is started.
            address = server.entrance_once()
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with server:
            server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        context.note("")
    return ExitCode.OK


def _prepare(documents: "Documents") -> None:
    """Make what the page shows first while the browser starts; whoever asks gets the errors."""
    with suppress(SkillmeshError, OSError):
        documents.prepare()


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
