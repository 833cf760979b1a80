"""The files that are built from the cards: experts.yaml and tools.enriched.json.

In: a registry. Out: their texts and that of schema.json, always the same for the same cards, with
no dates and in a fixed order.
"""

import json
from collections.abc import Mapping
from typing import Any

from .model import Card, Registry, Role
from .schema import schema

VERSION = "2.0.0"  # of the format
HEADER = "# Built from the cards by scripts/registry. Change those, not this.\n"


def document_of(registry: Registry) -> dict[str, Any]:
    """Return a registry as tools.enriched.json and experts.yaml have it."""
    return {
        "version": VERSION,
        "registry_name": registry.name,
        "tools": [fields_of(card) for card in registry.cards],
        "roles": [role_fields_of(role) for role in registry.roles],
    }


def fields_of(card: Card) -> dict[str, Any]:
    """Return every field of a card as JSON knows it, empty ones too."""
    return {
        "id": card.id,
        "title": card.title,
        "domain": card.domain,
        "instruction_file": card.instruction_file,
        "description": card.description,
        "tags": list(card.tags),
        "tool_hints": list(card.tool_hints),
        "examples": list(card.examples),
        "aliases": list(card.aliases),
        "dependencies": list(card.dependencies),
        "input_contract": {
            "required": list(card.input_contract.required),
            "optional": list(card.input_contract.optional),
        },
        "output_artifacts": list(card.output_artifacts),
        "quality_checks": list(card.quality_checks),
        "constraints": list(card.constraints),
        "composability": {
            "before": list(card.composability.before),
            "after": list(card.composability.after),
            "related": list(card.composability.related),
        },
        "risk_level": str(card.risk_level),
        "maturity": str(card.maturity),
        "invocation": _plain(card.invocation),
        "metadata": dict(sorted(card.metadata.items())),
    }


def role_fields_of(role: Role) -> dict[str, Any]:
    """Return every field of a role as JSON knows it."""
    return {
        "id": role.id,
        "title": role.title,
        "description": role.description,
        "experts": list(role.experts),
        "tags": list(role.tags),
    }


def files_of(registry: Registry) -> dict[str, str]:
    """Return name → text of every file that is built."""
    return {
        "tools.enriched.json": as_json(registry),
        "experts.yaml": as_yaml(registry),
        "schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
    }


def as_json(registry: Registry) -> str:
    """Return the text of tools.enriched.json."""
    return json.dumps(document_of(registry), indent=1, ensure_ascii=False) + "\n"


def as_yaml(registry: Registry) -> str:
    """Return the text of experts.yaml: the same under the name that its readers look for."""
    import yaml

    document = document_of(registry)
    document = {"experts" if key == "tools" else key: one for key, one in document.items()}
    text: str = yaml.dump(
        document, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=False,
    )  # fmt: skip
    return HEADER + text


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes what our reader takes: no anchors, and quotes around all that looks a number."""

        def ignore_aliases(self, data: object) -> bool:
            return True

        def text(self, data: str) -> Any:
            return self.represent_scalar(
                "tag:yaml.org,2002:str", data, style="'" if data[-1:].isdigit() else None
            )

    Dumper.add_representer(str, Dumper.text)
    return Dumper


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
