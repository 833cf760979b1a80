"""The JSON Schema of tools.enriched.json and experts.yaml.

In: the bounds that `fields` checks. Out: a schema, so that editors and other programs know them.
"""

from typing import Any

from . import fields
from .invocation import NAME
from .model import ID, Maturity, Risk

_ID = rf"^{ID}$"
_TEXT = {"type": "string", "minLength": 1, "maxLength": fields.ITEM_LENGTH}


def schema() -> dict[str, Any]:
    """Return the schema, of the 2020-12 dialect."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A registry of expert cards, version 2",
        "description": "tools.enriched.json; experts.yaml is the same with `experts` for `tools`.",
        "type": "object",
        "required": ["version", "registry_name", "roles"],
        "oneOf": [{"required": ["tools"]}, {"required": ["experts"]}],
        "additionalProperties": False,
        "properties": {
            "version": {"type": "string", "pattern": r"^2\.\d+\.\d+$"},
            "registry_name": {"type": "string", "minLength": 1},
            "tools": {"type": "array", "items": {"$ref": "#/$defs/card"}},
            "experts": {"type": "array", "items": {"$ref": "#/$defs/card"}},
            "roles": {"type": "array", "items": {"$ref": "#/$defs/role"}},
        },
        "$defs": {
            "id": {
                "description": "domain.name, two folders of the tree",
                "type": "string",
                "pattern": _ID,
            },
            "texts": {"type": "array", "items": _TEXT, "uniqueItems": True},
            "card": _card(),
            "role": _role(),
            "invocation": _invocation(),
        },
    }


def _card() -> dict[str, Any]:
    ids = {"type": "array", "items": {"$ref": "#/$defs/id"}, "uniqueItems": True}
    texts = {"$ref": "#/$defs/texts"}
    some = {"allOf": [texts, {"minItems": 1}]}
    properties: dict[str, Any] = {
        "id": {"$ref": "#/$defs/id"},
        "title": {"type": "string", "minLength": 1, "maxLength": fields.TITLE_LENGTH},
        "domain": {"type": "string", "pattern": rf"^{fields.ROLE_ID}$"},
        "instruction_file": {
            "description": "relative to the folder of this file, and inside it",
            "type": "string",
            "pattern": r"^(?!/)(?!.*(^|/)\.\.(/|$))[^\\]+$",
        },
        "description": {
            "type": "string",
            "minLength": 1,
            "maxLength": fields.DESCRIPTION_LENGTH,
        },
        "tags": some,
        "tool_hints": texts,
        "examples": {"description": "requests that the card answers", **some},
        "aliases": {"description": "other names of the field", **texts},
        "dependencies": {
            "description": f"kind:name with a constraint; {', '.join(fields.PACKAGE_KINDS)}",
            **texts,
        },
        "input_contract": _parts(texts, "required", "optional"),
        "output_artifacts": some,
        "quality_checks": some,
        "constraints": some,
        "composability": _parts(ids, "before", "after", "related"),
        "risk_level": {"enum": [str(word) for word in Risk]},
        "maturity": {"enum": [str(word) for word in Maturity]},
        "invocation": {"$ref": "#/$defs/invocation"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


def _role() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "title", "description", "experts", "tags"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": rf"^{fields.ROLE_ID}$"},
            "title": {"type": "string", "minLength": 1, "maxLength": fields.TITLE_LENGTH},
            "description": {
                "type": "string",
                "minLength": 1,
                "maxLength": fields.DESCRIPTION_LENGTH,
            },
            "experts": {"type": "array", "items": {"$ref": "#/$defs/id"}, "minItems": 1},
            "tags": {"$ref": "#/$defs/texts"},
        },
    }


def _invocation() -> dict[str, Any]:
    """A function tool as the providers' APIs take it."""
    function = {
        "type": "object",
        "required": ["name", "description", "parameters"],
        "properties": {
            "name": {"type": "string", "pattern": rf"^{NAME}$"},
            "description": {"type": "string", "maxLength": fields.DESCRIPTION_LENGTH},
            "parameters": {
                "type": "object",
                "required": ["type"],
                "properties": {
                    "type": {"const": "object"},
                    "properties": {
                        "type": "object",
                        "propertyNames": {"pattern": r"^[A-Za-z0-9_.-]{1,64}$"},
                    },
                },
            },
        },
    }
    return {
        "type": "object",
        "required": ["type", "function"],
        "properties": {"type": {"const": "function"}, "function": function},
    }


def _parts(of: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(names),
        "additionalProperties": False,
        "properties": dict.fromkeys(names, of),
    }
