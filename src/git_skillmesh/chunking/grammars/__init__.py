"""The table of languages that tree-sitter reads: language in, `Grammar` out."""

from git_skillmesh.chunking.grammar import Grammar
from git_skillmesh.chunking.grammars import (
    application,
    data,
    functional,
    infrastructure,
    scripting,
    systems,
    web,
)

GRAMMARS: dict[str, Grammar] = {
    **scripting.GRAMMARS,
    **web.GRAMMARS,
    **systems.GRAMMARS,
    **application.GRAMMARS,
    **functional.GRAMMARS,
    **infrastructure.GRAMMARS,
    **data.GRAMMARS,
}
