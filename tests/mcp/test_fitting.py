"""What clients send for plain types; the schema is that of a real tool."""

from typing import Any

import pytest

from git_skillmesh.mcp.fitting import fitting

SCHEMA = {
    "properties": {
        "text": {"type": "string"}, "number": {"type": "integer"}, "flag": {"type": "boolean"},
        "many": {"type": "array", "items": {"type": "string"}},
        "many_words": {"type": "array", "items": {"type": "string"}},
        "full_text": {"type": "string"},
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"text": None, "number": None, "flag": None, "many": None}, {}),
        ({"text": "a", "number": 5, "flag": True, "many": ["a"]},
         {"text": "a", "number": 5, "flag": True, "many": ["a"]}),
        ({"text": 5, "number": "5", "flag": "True", "many": "a"},
         {"text": "5", "number": 5, "flag": True, "many": ["a"]}),
        ({"text": {"a": None}, "number": " 5.0 ", "flag": "no", "many": '["a", 2, null]'},
         {"text": '{"a": null}', "number": 5, "flag": "no", "many": ["a", "2"]}),
        ({"text": ["one"], "number": "five", "many": 7},
         {"text": "one", "number": "five", "many": ["7"]}),
        ({"text": ["one", "two"], "number": "5.5", "many": " "},
         {"text": '["one", "two"]', "number": "5.5", "many": []}),
        ({"number": "1e400", "flag": "false", "unknown": 1}, {"number": "1e400", "flag": False}),
        ({"words": ["a"]}, {"text": "a"}),
        ({"manyWords": "a", "fullText": "b", "full_text": "c"},
         {"many_words": ["a"], "full_text": "c"}),
        ({"words": "old", "text": "new"}, {"text": "new"}),
        ({"text": True, "many": [{"a": 1}]}, {"text": "true", "many": ['{"a": 1}']}),
        ({"text": "é", "many": "[1"}, {"text": "é", "many": ["[1"]}),
    ],
)  # fmt: skip
def test_arguments_are_made_to_fit(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert fitting(given, SCHEMA, {"words": "text"}) == expected
