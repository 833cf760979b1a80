"""`git skillmesh mcp`: serve this repository's memory to agents over MCP."""

import argparse
import os
import signal
from contextlib import suppress
from typing import NoReturn

from ..errors import ExitCode, UsageError
from .context import Context

_TOOLSETS = ("default", "collections")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "mcp",
        help="serve the memory to agents over MCP",
        description="Serve this repository's code, conversations, learnings and skills to agents "
        "over the Model Context Protocol, on standard input and output or over HTTP on this "
        "machine.",
    )
    parser.add_argument(
        "--http",
        metavar="[HOST:]PORT",
        help="serve streamable HTTP at /mcp instead, on this machine only; 0 is any free port",
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="the bearer token for --http (default: $SKILLMESH_MCP_TOKEN, else one is made)",
    )
    parser.add_argument(
        "--toolset",
        action="append",
        default=[],
        metavar="NAME",
        help="tools to offer: default, collections (those beside the default ones)",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve until the client goes away."""
    toolsets = [name for given in args.toolset for name in given.split(",") if name]
    unknown = sorted(set(toolsets) - set(_TOOLSETS))
    if unknown:
        raise UsageError(f"no such toolset: {unknown[0]}", "one of " + ", ".join(_TOOLSETS))
    if args.token_file is not None and args.http is None:
        raise UsageError("--token-file is for HTTP", "add --http")
    # Nothing is half done at any moment, so there is nothing to wait for.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    import gc

    # Half a second of building classes, none of which will be garbage.
    gc.disable()
    from ..mcp.door import Door
    from ..mcp.host import Host
    from ..mcp.server import make_server

    _keep_memory()
    host = Host(context.folder, context.overrides, context.go_on)
    server = make_server(host, toolsets)
    door = Door(host)
    gc.enable()
    gc.freeze()
    try:
        door.open()
        if args.http is None:
            server.run("stdio")
        else:
            from ..mcp.http import address_of, serve, token_of

            serve(server, *address_of(args.http), *token_of(args.token_file), context.note)
    finally:
        door.close()
        host.close()
    return ExitCode.OK


def _keep_memory() -> None:
    """Let glibc keep what a search frees: its arrays are as large in the next one.

    Else each is mapped anew and zeroed page by page, a tenth of the time of a search.
    """
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # of <malloc.h>
    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 32 * 1024 * 1024)
        libc.mallopt(trim_threshold, 256 * 1024 * 1024)


def _leave(number: int, frame: object) -> NoReturn:
    os._exit(ExitCode.OK)
