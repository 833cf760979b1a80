"""`git skillmesh mcp`: serve this repository's memory to agents over MCP."""

import argparse

from ..errors import ExitCode
from .context import Context


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    subparsers.add_parser(
        "mcp",
        help="serve the memory to agents over MCP",
        description="Serve this repository's code, conversations, learnings and skills to agents "
        "over the Model Context Protocol, on standard input and output.",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve until the client goes away."""
    from ..mcp.host import Host
    from ..mcp.server import make_server

    make_server(Host(context.folder, context.overrides)).run("stdio")
    return ExitCode.OK
