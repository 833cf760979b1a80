"""Documents held up against the schemas of docs/, each of which is checked itself only once.

In: a document, the name of a schema. Out: nothing, or `jsonschema.ValidationError`.
"""

import json
from functools import cache
from typing import Any

import jsonschema

from testing.docs_pages import ROOT


def fits(document: object, name: str, part: str = "") -> None:
    """Raise ValidationError unless a document fits docs/NAME.schema.json, or a part of `$defs`."""
    _validator(name, part).validate(document)


@cache
def _validator(name: str, part: str) -> Any:
    schema = json.loads((ROOT / "docs" / f"{name}.schema.json").read_text())
    if part:
        schema["anyOf"] = [{"$ref": f"#/$defs/{part}"}]
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)
