from git_skillmesh.chroma.schemas import COLLECTIONS, SCHEMA_VERSION


def test_the_names_and_fields_are_the_documented_ones() -> None:
    assert {name: sorted(schema.fields) for name, schema in COLLECTIONS.items()} == {
        "codebase_v1": [
            "blob_sha", "chunk_id", "commit_sha", "end_line", "file_path", "indexed_at", "kind",
            "language", "related_chat_ids", "repo_id", "row_hash", "start_line", "symbol",
        ],
        "chat_history_v1": [
            "agent", "code_context", "commit_shas", "confidence_score", "diff_summary",
            "exchange_id", "involved_entities", "model_version", "modification_type",
            "prompt_summary", "raw_prompt_hash", "raw_response_hash", "related_code_chunks",
            "repo_id", "response_summary", "session_id", "status", "timestamp", "tool_sequence",
        ],
        "derived_learnings_v1": [
            "blob", "category", "confidence", "description", "example_code_reference",
            "languages", "learning_id", "path", "pattern", "repo_id", "severity",
            "source_chat_id", "state", "tags", "title",
        ],
        "thinking_sessions_v1": [
            "branch_from_thought", "branch_id", "next_thought_needed", "repo_id", "revises_thought",
            "revision", "session_id", "thought_number", "timestamp", "total_thoughts",
        ],
        "skillmesh_experts": [
            "aliases", "content_hash", "domain", "expert_id", "instruction_file", "maturity",
            "ordinal", "part", "repo_id", "risk_level", "tags", "title", "tool_hints",
        ],
    }  # fmt: skip


def test_every_schema_is_complete() -> None:
    for name, schema in COLLECTIONS.items():
        assert (schema.name, schema.version) == (name, SCHEMA_VERSION)
        assert schema.description
        for kind, text in schema.fields.values():
            assert kind in ("str", "int", "float", "bool")
            assert text
