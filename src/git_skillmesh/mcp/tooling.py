"""How a function becomes a tool: a small schema, and errors in the words of the program.

In: functions of plain types. Out: tools of a server. A model reads descriptions before each of its
steps, so every word is paid for again and again; titles that only repeat names are taken out.
"""

import functools
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from ..errors import SkillmeshError

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def add_tool(
    server: MCPServer[Any], function: Callable[..., str], description: str, *, name: str = "",
    writes: bool = False,
) -> None:  # fmt: skip
    """Add a function as a tool; its arguments are plain types, its answer is text."""

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> str:
        try:
            return function(*args, **kwargs)
        except SkillmeshError as error:
            raise ToolError(str(error)) from None

    server.add_tool(
        answer,
        name=name or function.__name__,
        description=" ".join(description.split()),
        annotations=_WRITES if writes else _READS,
        structured_output=False,
    )
    tool = server._tool_manager.get_tool(name or function.__name__)
    if tool is not None:
        _without_titles(tool.parameters)


def _without_titles(schema: dict[str, Any]) -> None:
    schema.pop("title", None)
    for part in schema.get("properties", {}).values():
        if isinstance(part, dict):
            part.pop("title", None)
