"""What a client learns of the tools: plain types, defaults, few words."""

import json

from git_skillmesh.display import tokens
from testing.serving import Served

PLAIN = (
    {"type": "string"}, {"type": "integer"}, {"type": "boolean"},
    {"type": "array", "items": {"type": "string"}},
)  # fmt: skip


def test_arguments_are_plain_and_have_defaults(served: Served) -> None:
    for tool in served.tools():
        schema = tool["inputSchema"]
        assert set(schema) <= {"type", "properties", "required"}, tool["name"]
        for name, one in schema["properties"].items():
            kind = {key: one[key] for key in one if key not in ("default", "description", "enum")}
            assert kind in PLAIN, (tool["name"], name)
            assert ("default" in one) is (name not in schema.get("required", []))


def test_every_tool_says_when_it_is_used_and_whether_it_writes(served: Served) -> None:
    tools = served.tools()
    assert tokens(json.dumps(tools)) <= 2_500
    for tool in tools:
        assert 60 <= len(tool["description"]) <= 260, tool["name"]
        assert tool["annotations"]["openWorldHint"] is False
    writing = {tool["name"] for tool in tools if not tool["annotations"]["readOnlyHint"]}
    assert {"log_chat", "promote"} <= writing
    assert not writing & {"why", "session", "skill", "check"}
