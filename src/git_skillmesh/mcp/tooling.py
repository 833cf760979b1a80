"""How a function becomes a tool: a small schema, and errors in the words of the program.

In: functions of plain types. Out: tools of a server. A model reads descriptions before each of its
steps, so every word is paid for again and again; titles that only repeat names are taken out.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import Field, ValidationError

from ..display import clip
from ..errors import SkillmeshError
from .answers import writable
from .fitting import fitting

_LONGEST_ERROR = 500
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def add_tool(
    server: MCPServer[Any], function: Callable[..., str], description: str, *, name: str = "",
    writes: bool = False, aliases: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Add a function as a tool; its arguments are plain types, its answer is text.

    `aliases` are other names of arguments, which no schema shows, and those that they stand for.
    """

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> str:
        try:
            return writable(function(*args, **kwargs))
        except SkillmeshError as error:
            raise ToolError(error_line(error)) from None
        except UnicodeEncodeError:  # half of a surrogate pair
            raise ToolError("an argument holds what is no text") from None

    made = Tool.from_function(
        answer,
        name=name or function.__name__,
        description=" ".join(description.split()),
        annotations=_WRITES if writes else _READS,
        structured_output=False,
    )
    tool = _Tool(**dict(made), names=dict(aliases or {}))
    _without_titles(tool.parameters)
    server._tool_manager._tools[tool.name] = tool


class _Tool(Tool):
    """A tool that takes what clients really send, and says in a line what does not fit."""

    names: dict[str, str] = Field(exclude=True)

    async def run(
        self, arguments: dict[str, Any], context: Any, convert_result: bool = False
    ) -> Any:
        """Run the tool. Raises `ToolError`."""
        fitted = fitting(arguments, self.parameters, self.names)
        try:
            self.fn_metadata.validate_arguments(fitted)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
            )
            raise ToolError(
                clip(writable(f"{self.name} cannot be called so: {wrong}"), _LONGEST_ERROR)
            ) from None
        return await super().run(fitted, context, convert_result)


def error_line(error: SkillmeshError) -> str:
    """Return an error as a client gets it: one line, harmless, not long."""
    return clip(writable(str(error)), _LONGEST_ERROR)


def _without_titles(schema: dict[str, Any]) -> None:
    schema.pop("title", None)
    for part in schema.get("properties", {}).values():
        if isinstance(part, dict):
            part.pop("title", None)
