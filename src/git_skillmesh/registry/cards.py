"""From the fields of a card, in whatever shape they were written, to a `Card`.

In: a mapping as JSON or YAML gives it, foreign ones too. Out: a card or None. Lenient on purpose:
what does not fit a field is made to fit or left out. `validation` is what says so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..yamlnodes import Node
from .invocation import derived, usable
from .model import Card, Composability, InputContract, Maturity, Risk, Role

LONGEST_TEXT = 4096  # characters of a description
_LONGEST_ITEM = 1000
_MOST_ITEMS = 200
_SPACE = re.compile(r"\s+")
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
_RISKS = {risk.value: risk for risk in Risk} | {"moderate": Risk.MEDIUM, "critical": Risk.HIGH}
_MATURITIES = {word.value: word for word in Maturity} | {"experimental": Maturity.ALPHA}
_Kind = TypeVar("_Kind")


def card_of(fields: Mapping[str, Any], root: Path, body: str | None = None) -> Card | None:
    """Return the card that these fields describe, None where nothing names it."""
    identity = _line(fields.get("id")) or _line(fields.get("name"))
    if not identity:
        return None
    description = _line(fields.get("description"))[:LONGEST_TEXT]
    contract = _contract(fields.get("input_contract"))
    invocation = fields.get("invocation")
    domain = _line(fields.get("domain")) or (identity.split(".")[0] if "." in identity else "")
    order = _mapping(fields.get("composability"))
    return Card(
        id=identity,
        title=_line(fields.get("title")) or identity,
        domain=domain,
        instruction_file=_text(fields.get("instruction_file")).strip(),
        description=description,
        tags=_items(fields.get("tags"), commas=True),
        tool_hints=_items(fields.get("tool_hints"), commas=True),
        examples=_items(fields.get("examples")),
        aliases=_items(fields.get("aliases"), commas=True),
        dependencies=_items(fields.get("dependencies"), commas=True),
        input_contract=contract,
        output_artifacts=_items(fields.get("output_artifacts")),
        quality_checks=_items(fields.get("quality_checks")),
        constraints=_items(fields.get("constraints")),
        composability=Composability(
            _items(order.get("before"), commas=True),
            _items(order.get("after"), commas=True),
            _items(order.get("related"), commas=True),
        ),
        risk_level=_word(fields.get("risk_level"), _RISKS, Risk.LOW),
        maturity=_word(fields.get("maturity"), _MATURITIES, Maturity.STABLE),
        invocation=dict(invocation)
        if isinstance(invocation, Mapping) and usable(invocation)
        else derived(identity, description, contract),
        metadata=strings(fields.get("metadata")),
        root=root,
        body=body,
    )


def role_of(fields: Mapping[str, Any]) -> Role | None:
    """Return the role that these fields describe; a foreign one may list no experts."""
    identity = _line(fields.get("id")) or _line(fields.get("name"))
    if not identity:
        return None
    return Role(
        id=identity,
        title=_line(fields.get("title")) or identity,
        description=_line(fields.get("description"))[:LONGEST_TEXT],
        experts=_items(fields.get("experts"), commas=True),
        tags=_items(fields.get("tags"), commas=True),
    )


def strings(value: object) -> dict[str, str]:
    """Return a mapping of strings; a list becomes one string with spaces."""
    return {
        _line(key): _line(" ".join(_items(one)) if isinstance(one, list) else one)
        for key, one in _mapping(value).items()
        if isinstance(one, (str, int, float, list)) and _line(key)
    }


def plain(node: Node) -> Any:
    """Return what a YAML node says with all scalars as text, as they read, and None for nothing."""
    content = node.content
    if isinstance(content, str):
        return None if node.empty else content
    if isinstance(content, list):
        return [plain(one) for one in content]
    # A schema of parameters needs its true, false and numbers.
    return {
        key: value.value() if key == "invocation" else plain(value)
        for key, (_, value) in content.items()
    }


def slug(text: str) -> str:
    """Return a name as it may stand in an id: a-z, 0-9 and single hyphens."""
    return _NOT_IN_IDS.sub("-", text.lower()).strip("-")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """Return a scalar as text."""
    if isinstance(value, str):
        if not value.isascii():  # JSON can escape half a character, which nothing can write
            value = value.encode("utf-8", "replace").decode()
        return value.replace("\0", "") if "\0" in value else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return str(value)


def _line(value: object) -> str:
    text = _text(value)
    # Nearly all are one clean line, and there are a hundred a card.
    if "  " in text or "\n" in text or text[:1].isspace() or text[-1:].isspace():
        return _SPACE.sub(" ", text).strip()
    return text


def _items(value: object, *, commas: bool = False) -> tuple[str, ...]:
    """Return a list of texts; a text is a list of one, or of what stands between commas."""
    if isinstance(value, str):
        value = value.split(",") if commas else [value]
    elif isinstance(value, Mapping):
        value = [f"{key}: {_line(one)}" if _line(one) else key for key, one in value.items()]
    elif not isinstance(value, list):
        return ()
    return tuple(_bounded(value[:_MOST_ITEMS]))


def _bounded(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        text = _line(value)
        if text:
            yield text[:_LONGEST_ITEM]


def _contract(value: object) -> InputContract:
    """Foreign contracts map names to what they mean, or say everything in one string."""
    fields = _mapping(value)
    if not fields:
        return InputContract(_items(value))
    if "required" in fields or "optional" in fields:
        return InputContract(_items(fields.get("required")), _items(fields.get("optional")))
    return InputContract(_items(value))


def _word(value: object, known: Mapping[str, _Kind], default: _Kind) -> _Kind:
    return known.get(_line(value).lower(), default)
