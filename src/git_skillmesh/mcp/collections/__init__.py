"""The toolset `collections`: tools under the names that rules written for Chroma servers use."""

from typing import Any

from mcp.server import MCPServer

from ..host import Host
from . import chats, documents


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tools."""
    documents.add(server, host)
    chats.add(server, host)
