"""The collections and the metadata that their records carry.

In: nothing. Out: `COLLECTIONS`, which creation, checks and the documentation share. Versions are
additive: a newer schema only adds fields, so that an older store is upgraded where it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Schema:
    """One collection: `fields` maps a metadata name to (type, help)."""

    name: str
    version: int
    fields: Mapping[str, tuple[str, str]]
    description: str


_REPO_ID = ("str", "identity of the repository")
_ROW_HASH = ("str", "fingerprint of the stored record: 16 digits of content, 16 of metadata")

_CODE = Schema(
    "codebase_v1",
    SCHEMA_VERSION,
    {
        "chunk_id": ("str", "identity of the chunk, stable while its body is edited"),
        "repo_id": _REPO_ID,
        "file_path": ("str", "path from the root of the repository"),
        "blob_sha": ("str", "blob that holds the chunk"),
        "commit_sha": ("str", "last commit known to have changed the chunk"),
        "language": ("str", "language of the file"),
        "symbol": ("str", "symbol path, section or empty"),
        "kind": ("str", "function, class, section, …"),
        "start_line": ("int", "first line, counted from 1"),
        "end_line": ("int", "last line, included"),
        "related_chat_ids": ("str", "exchanges that produced it, separated by commas"),
        "indexed_at": ("str", "when the record was written, UTC"),
        "row_hash": _ROW_HASH,
    },
    "chunks of the code at HEAD",
)

_CHATS = Schema(
    "chat_history_v1",
    SCHEMA_VERSION,
    {
        "session_id": ("str", "the conversation"),
        "exchange_id": ("str", "the exchange within it"),
        "timestamp": ("str", "when it happened, UTC with zone"),
        "prompt_summary": ("str", "what was asked"),
        "response_summary": ("str", "what was answered"),
        "involved_entities": ("str", "files and symbols, separated by commas"),
        "raw_prompt_hash": ("str", "hash of the prompt"),
        "raw_response_hash": ("str", "hash of the response"),
        "status": ("str", "captured, analyzed, promoted_to_learning, exported_for_reward, …"),
        "code_context": ("str", "code the exchange was about"),
        "diff_summary": ("str", "what it changed"),
        "tool_sequence": ("str", "tools in order: read→edit→bash"),
        "modification_type": ("str", "refactor, bugfix, feature, documentation, test, …"),
        "confidence_score": ("float", "how sure the analysis is, 0 to 1"),
        "agent": ("str", "the program that held the conversation"),
        "model_version": ("str", "the model that answered"),
        "repo_id": _REPO_ID,
        "commit_shas": ("str", "commits it led to, separated by commas"),
        "related_code_chunks": ("str", "chunks it produced, separated by commas"),
    },
    "exchanges with coding agents",
)

_LEARNINGS = Schema(
    "derived_learnings_v1",
    SCHEMA_VERSION,
    {
        "learning_id": ("str", "identity of the learning"),
        "title": ("str", "the rule in a line"),
        "source_chat_id": ("str", "exchange or conversation it came from"),
        "description": ("str", "what and why"),
        "pattern": ("str", "what it is looked for by, in words"),
        "example_code_reference": ("str", "chunk that shows it"),
        "tags": ("str", "separated by commas"),
        "category": ("str", "what it is about"),
        "confidence": ("float", "how sure it is, 0 to 1; -1 where nobody says"),
        "state": ("str", "proposed, warn, block or retired"),
        "severity": ("str", "note, warning or error"),
        "languages": ("str", "languages it is about, separated by commas; empty for all"),
        "path": ("str", "its file"),
        "blob": ("str", "version of its file"),
        "repo_id": _REPO_ID,
    },
    "reviewed learnings at HEAD; the document is title and description",
)

_THOUGHTS = Schema(
    "thinking_sessions_v1",
    SCHEMA_VERSION,
    {
        "session_id": ("str", "the train of thought"),
        "thought_number": ("int", "place within it, counted from 1"),
        "total_thoughts": ("int", "how many are expected"),
        "branch_id": ("str", "name of a branch of thought, or empty"),
        "branch_from_thought": ("int", "where it branched off, 0 for none"),
        "revision": ("int", "how often it was said again before, counted from 0"),
        "revises_thought": ("int", "the thought that it corrects, 0 for none"),
        "next_thought_needed": ("bool", "whether more is to come"),
        "timestamp": ("str", "when it was recorded, UTC with zone"),
        "repo_id": _REPO_ID,
    },
    "steps of working memory, a record for each revision; the document is the thought",
)

_EXPERTS = Schema(
    "skillmesh_experts",
    SCHEMA_VERSION,
    {
        "expert_id": ("str", "identity of the skill"),
        "part": ("str", "what the vector is of: description, example or body"),
        "ordinal": ("int", "which of the skill's vectors, counted from 0"),
        "title": ("str", "name for people"),
        "domain": ("str", "folder of the registry"),
        "instruction_file": ("str", "path of the instructions"),
        "tags": ("str", "separated by commas"),
        "tool_hints": ("str", "separated by commas"),
        "aliases": ("str", "other names, separated by commas"),
        "risk_level": ("str", "how careful to be"),
        "maturity": ("str", "how settled it is"),
        "content_hash": ("str", "fingerprint of what is searched of the skill"),
        "repo_id": ("str", "identity of the registry"),
    },
    "skill cards, a record for each text that is searched by meaning; the document is that text",
)

# What people wrote, a few hundred texts: embedded by the model of sentences, not by that of code.
# Thoughts are many, and read again whenever the cache is made anew (docs/decisions.md).
PROSE = frozenset({_LEARNINGS.name, _EXPERTS.name})
COLLECTIONS: Mapping[str, Schema] = {
    schema.name: schema for schema in (_CODE, _CHATS, _LEARNINGS, _THOUGHTS, _EXPERTS)
}
CODE, CHATS, LEARNINGS, THOUGHTS = (
    schema.name for schema in (_CODE, _CHATS, _LEARNINGS, _THOUGHTS)
)

# Which repositories a shared store has (directory.py). It mirrors nothing and is not searched.
DIRECTORY = "skillmesh_repositories"
